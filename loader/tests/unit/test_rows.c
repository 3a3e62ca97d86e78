// SPDX-License-Identifier: GPL-2.0
/* One row of every kind of value, in each format but that of a page for browsers. */
#include "test.h"

#include <pmadv/recording.h>

#include "lib/output.h"
#include "lib/rows.h"

static const struct column columns[] = {
	{ "NAME", "name", COLUMN_TEXT },
	{ "PID", "pid", COLUMN_ID },
	{ "CALLS", "calls", COLUMN_COUNT },
	{ "SIZE", "bytes", COLUMN_BYTES },
	{ "TIME", "time_ns", COLUMN_TIME },
	{ "START", "start", COLUMN_ADDRESS },
	{ "GONE", "gone", COLUMN_BYTES },
	{ "SHARE", "", COLUMN_BAR },
	{ }
};

static const union cell cells[] = {
	{ .text = "say \"a,b\"" },
	{ .number = 4194303 },
	{ .number = 4194303 },
	{ .number = 3 << 20 },
	{ .number = 1500000 },
	{ .number = 0x7f0000001000 },
	{ .number = PMADV_UNKNOWN },
	{ .fraction = 0.25 },
};

static char *print(enum rows_format format, bool one)
{
	struct rows rows = {
		.type = "thing", .columns = columns, .format = format, .one = one,
	};

	return CAPTURE(STDOUT_FILENO, {
		assert_int_equal(rows_begin(&rows), 0);
		assert_int_equal(rows_add(&rows, cells), 0);
		assert_int_equal(rows_end(&rows), 0);
	});
}

static void for_people(void **state)
{
	char *text = print(ROWS_TEXT, false);

	(void)state;
	assert_string_equal(text,
			    "NAME          PID CALLS SIZE   TIME        START GONE SHARE\n"
			    "say \"a,b\" 4194303  4.2M 3.0M 1.5 ms 7f0000001000    - #####\n");
	free(text);
	text = print(ROWS_TEXT, true);
	assert_contains(text, "PID            4194303\n");
	assert_contains(text, "GONE           -\n");
	free(text);
}

static void as_json(void **state)
{
	char *text = print(ROWS_JSON, false);

	(void)state;
	assert_contains(text, "\"type\":\"thing\",\"name\":\"say \\\"a,b\\\"\",\"pid\":4194303,"
			"\"calls\":4194303,\"bytes\":3145728,\"time_ns\":1500000,"
			"\"start\":\"0x7f0000001000\",\"gone\":null}\n");
	free(text);
}

static void as_csv(void **state)
{
	char *text = print(ROWS_CSV, false);

	(void)state;
	assert_string_equal(text, "name,pid,calls,bytes,time_ns,start,gone\n"
			    "\"say \"\"a,b\"\"\",4194303,4194303,3145728,1500000,0x7f0000001000,\n");
	free(text);
}

static void as_tsv(void **state)
{
	static const struct column two[] = {
		{ "A", "a", COLUMN_TEXT },
		{ "B", "b", COLUMN_ID },
		{ }
	};
	static const union cell row[] = { { .text = "x\ty\nz,\"" }, { .number = 1 } };
	struct rows rows = { .type = "thing", .columns = two, .format = ROWS_TSV };
	char *text;

	(void)state;
	text = CAPTURE(STDOUT_FILENO, {
		assert_int_equal(rows_begin(&rows), 0);
		assert_int_equal(rows_add(&rows, row), 0);
		assert_int_equal(rows_end(&rows), 0);
	});
	assert_string_equal(text, "a\tb\nx y z,\"\t1\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(for_people), cmocka_unit_test(as_json),
		cmocka_unit_test(as_csv), cmocka_unit_test(as_tsv),
	};

	out_init("test", false, false);
	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/* Numbers in and out, exit statuses, waiting. */
#include "test.h"

#include <signal.h>

#include <pmadv/hook.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "lib/tally.h"
#include "lib/text.h"
#include "lib/util.h"
#include "proc/maps.h"
#include "walk/target.h"

static void numbers(void **state)
{
	uint64_t u = 7;
	int64_t s = 7;

	(void)state;
	assert_int_equal(parse_u64("18446744073709551615", 10, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(parse_u64("0x10", 0, &u), 0);
	assert_int_equal(u, 16);
	assert_int_equal(parse_u64("0Xff", 0, &u), 0);
	assert_int_equal(u, 255);
	assert_int_equal(parse_u64("ff", 0, &u), -EINVAL);
	assert_int_equal(parse_u64("ff", 16, &u), 0);
	assert_int_equal(parse_u64("010", 0, &u), 0);
	assert_int_equal(u, 10);
	assert_int_equal(parse_u64("18446744073709551616", 10, &u), -ERANGE);
	assert_int_equal(parse_u64("", 10, &u), -EINVAL);
	assert_int_equal(parse_u64("-1", 10, &u), -EINVAL);
	assert_int_equal(parse_u64("+1", 10, &u), -EINVAL);
	assert_int_equal(parse_u64(" 1", 10, &u), -EINVAL);
	assert_int_equal(parse_u64("1 ", 10, &u), -EINVAL);
	assert_int_equal(parse_u64("0x", 0, &u), -EINVAL);
	assert_int_equal(parse_u64("x", 16, &u), -EINVAL);
	assert_int_equal(u, 10);

	assert_int_equal(parse_s64("-9223372036854775808", 10, &s), 0);
	assert_true(s == INT64_MIN);
	assert_int_equal(parse_s64("9223372036854775808", 10, &s), -ERANGE);
	assert_int_equal(parse_s64("--1", 10, &s), -EINVAL);
}

static void sizes(void **state)
{
	uint64_t size = 0;

	(void)state;
	assert_int_equal(parse_size("4096", &size), 0);
	assert_int_equal(size, 4096);
	assert_int_equal(parse_size("64k", &size), 0);
	assert_int_equal(size, 65536);
	assert_int_equal(parse_size("1MiB", &size), 0);
	assert_int_equal(size, 1 << 20);
	assert_int_equal(parse_size("2G", &size), 0);
	assert_true(size == 2ULL << 30);
	assert_int_equal(parse_size("1.5M", &size), -EINVAL);
	assert_int_equal(parse_size("K", &size), -EINVAL);
	assert_int_equal(parse_size("1KK", &size), -EINVAL);
	assert_int_equal(parse_size("-1", &size), -EINVAL);
	assert_int_equal(parse_size("99999999T", &size), -ERANGE);
}

static void times(void **state)
{
	uint64_t ns = 0;

	(void)state;
	assert_int_equal(parse_seconds("5", &ns), 0);
	assert_true(ns == 5000000000ULL);
	assert_int_equal(parse_seconds("0.5", &ns), 0);
	assert_int_equal(ns, 500000000);
	assert_int_equal(parse_seconds("200ms", &ns), 0);
	assert_int_equal(ns, 200000000);
	assert_int_equal(parse_seconds("2m", &ns), 0);
	assert_true(ns == 120000000000ULL);
	assert_int_equal(parse_seconds("", &ns), -EINVAL);
	assert_int_equal(parse_seconds("inf", &ns), -EINVAL);
	assert_int_equal(parse_seconds("nan", &ns), -EINVAL);
	assert_int_equal(parse_seconds("-1", &ns), -EINVAL);
	assert_int_equal(parse_seconds("0x10", &ns), -EINVAL);
	assert_int_equal(parse_seconds("1y", &ns), -EINVAL);
	assert_int_equal(parse_seconds("1e300", &ns), -ERANGE);
}

static void ranges(void **state)
{
	uint64_t start = 0, end = 0;

	(void)state;
	assert_int_equal(parse_range("7f0000000000-7f0000001000", &start, &end), 0);
	assert_true(start == 0x7f0000000000 && end == 0x7f0000001000);
	assert_int_equal(parse_range("0x1000-0x2000", &start, &end), 0);
	assert_true(start == 0x1000 && end == 0x2000);
	assert_int_equal(parse_range("1000", &start, &end), -EINVAL);
	assert_int_equal(parse_range("1000-", &start, &end), -EINVAL);
	assert_int_equal(parse_range("-1000", &start, &end), -EINVAL);
	assert_int_equal(parse_range("1000-2000-3000", &start, &end), -EINVAL);
	assert_int_equal(parse_range("1000+1000", &start, &end), -EINVAL);
	assert_int_equal(parse_range("2000-1000", &start, &end), -EDOM);
	assert_int_equal(parse_range("1000-1000", &start, &end), -EDOM);
}

static void human_units(void **state)
{
	char buf[HUMAN_LEN];

	(void)state;
	assert_string_equal(human_bytes(0, buf), "0");
	assert_string_equal(human_bytes(1023, buf), "1023");
	assert_string_equal(human_bytes(1024, buf), "1.0K");
	assert_string_equal(human_bytes(200 << 20, buf), "200M");
	assert_string_equal(human_bytes(UINT64_MAX, buf), "16.0E");
	assert_string_equal(human_time(999, buf), "999 ns");
	assert_string_equal(human_time(1500000, buf), "1.5 ms");
	assert_string_equal(human_time(2320000000ULL, buf), "2.32 s");
	assert_string_equal(human_count(99999, buf), "99999");
	assert_string_equal(human_count(123456, buf), "123k");
}

static void exit_statuses(void **state)
{
	(void)state;
	assert_int_equal(exit_status(0), 0);
	assert_int_equal(exit_status(-EIO), 1);
	assert_int_equal(exit_status(-ESRCH), 1);
	assert_int_equal(exit_status(-EUSAGE), 2);
	assert_int_equal(exit_status(-ELACKS), 3);
	assert_int_equal(exit_status(-ENOSYS), 3);
	assert_int_equal(exit_status(-EPERM), 4);
	assert_int_equal(exit_status(-EACCES), 4);
	assert_int_equal(exit_status(-EEJECTED), 5);
}

static void cleaning(void **state)
{
	char text[] = "a\nb\033c\x7f \xc3\xa9 \xff\xc3";

	(void)state;
	clean_text(text);
	assert_string_equal(text, "a?b?c? \xc3\xa9 ??");
}

static void waiting(void **state)
{
	struct pollfd none = { .fd = -1 };

	(void)state;
	assert_int_equal(signals_init(), 0);
	assert_int_equal(wait_fds(&none, 1, 1000000), 0);
	raise(SIGTERM);
	assert_int_equal(stop_asked, SIGTERM);
	/* A signal from before the wait is not waited over. */
	assert_int_equal(wait_fds(&none, 1, -1), -EINTR);
	stop_asked = 0;
}

/* One that asks for less does not hide one that asks for more. */
static void weights(void **state)
{
	(void)state;
	assert_int_equal(signals_init(), 0);
	assert_int_equal(signals_take_usr1(), 0);
	raise(SIGUSR1);
	assert_int_equal(stop_asked, SIGUSR1);
	raise(SIGHUP);
	raise(SIGUSR1);
	assert_int_equal(stop_asked, SIGHUP);
	assert_false(stop_forget(SIGUSR1));
	raise(SIGINT);
	raise(SIGHUP);
	assert_int_equal(stop_asked, SIGINT);
	assert_true(stop_forget(SIGINT));
	assert_int_equal(stop_asked, 0);
}

static void growing(void **state)
{
	struct vec vec = { };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int *item = vec_add(&vec, sizeof(*item));

		assert_non_null(item);
		assert_int_equal(*item, 0);
		*item = i;
	}
	assert_int_equal(vec.nr, 1000);
	assert_int_equal(((int *)vec.items)[999], 999);
	vec_free(&vec);
	assert_int_equal(vec.nr, 0);
}

struct keyed {
	int32_t key;
	int value;
};

static void of_keys(void **state)
{
	struct vec vec = { };
	struct keyed *item;
	size_t last = 0;

	(void)state;
	for (int key = 100; key > 0; key--) {
		item = vec_of_key(&vec, sizeof(*item), key, &last);
		assert_non_null(item);
		assert_int_equal(item->value, 0);
		item->value = -key;
	}
	assert_int_equal(vec.nr, 100);
	/* From any place, the ones before it included. */
	for (size_t from = 0; from < vec.nr; from += 33)
		for (int key = 1; key <= 100; key++) {
			last = from;
			item = vec_of_key(&vec, sizeof(*item), key, &last);
			assert_int_equal(item->value, -key);
			assert_int_equal(last, 100 - key);
		}
	assert_int_equal(vec.nr, 100);
	vec_free(&vec);
}

static void of_ends(void **state)
{
	struct vec vec = { };
	struct {
		uint64_t start, end, more;
	} *item;

	(void)state;
	assert_int_equal(vec_find_end(&vec, sizeof(*item), 0), 0);
	for (uint64_t start = 10; start < 80; start += 10) {
		item = vec_add(&vec, sizeof(*item));
		assert_non_null(item);
		item->start = start;
		item->end = start + 5;
	}
	for (uint64_t address = 0; address < 100; address++) {
		size_t at = address < 15 ? 0 : (address - 5) / 10;

		assert_int_equal(vec_find_end(&vec, sizeof(*item), address), at < 7 ? at : 7);
	}
	vec_free(&vec);
}

static void tallies(void **state)
{
	static const uint32_t outcomes[] = { PMADV_ADVISED, PMADV_ADVISED, PMADV_SKIPPED,
					     PMADV_REFUSED, PMADV_FAILED, 99 };
	struct pmadv_range_record record = { .start = 0x1000, .end = 0x3000 };
	struct tally tally = { .calls = 1 }, sum = { };

	(void)state;
	record.stats.scanned = 2;
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
		record.outcome = outcomes[i];
		tally_range(&tally, &record);
	}
	tally_add(&sum, &tally);
	tally_add(&sum, &tally);
	assert_int_equal(sum.calls, 2);
	assert_int_equal(sum.counts.ranges_seen, 12);
	assert_int_equal(sum.counts.ranges_advised, 4);
	assert_int_equal(sum.counts.ranges_skipped, 2);
	assert_int_equal(sum.counts.ranges_refused, 2);
	assert_int_equal(sum.counts.ranges_failed, 2);
	assert_int_equal(sum.counts.bytes_advised, 4 * 0x2000);
	assert_int_equal(sum.counts.stats.scanned, 24);
}

static void names_of_ranges(void **state)
{
	char buf[VMA_TEXT_LEN], verdict[VERDICT_TEXT_LEN];
	struct vec maps = { };

	(void)state;
	assert_string_equal(vma_flags_text(PMADV_VMA_READ | PMADV_VMA_WRITE |
					   PMADV_VMA_ANON | PMADV_VMA_HEAP, buf),
			    "rw-p anon heap");
	assert_string_equal(vma_flags_text(PMADV_VMA_EXEC | PMADV_VMA_SHARED |
					   PMADV_VMA_SHMEM, buf), "--xs shmem");
	vma_flags_text(UINT32_MAX, buf);
	assert_string_equal(verdict_text(21, verdict), "pageout");
	assert_string_equal(verdict_text(0, verdict), "skip");
	assert_string_equal(verdict_text(PMADV_STOP, verdict), "stop");
	assert_string_equal(verdict_text(-EPERM, verdict), "invalid(-1)");
	assert_string_equal(verdict_text(4, verdict), "invalid(4)");
	assert_null(stopped_text(PMADV_STOPPED_NOT));
	assert_string_equal(stopped_word(99), "unknown");

	assert_int_equal(maps_read(getpid(), &maps), 0);
	assert_true(maps.nr > 5);
	/* ASan has local variables elsewhere. */
	assert_string_equal(maps_name(&maps, (uintptr_t)__builtin_frame_address(0)),
			    "[stack]");
	assert_contains(maps_name(&maps, (uintptr_t)names_of_ranges), "test_util");
	assert_string_equal(maps_name(&maps, 1), "");
	maps_free(&maps);
}

static void targets(void **state)
{
	char self[16], *none[] = { (char *)"no_such_command_here" };
	char *bad[] = { (char *)"pid:x" }, *twice[] = { self, self };
	struct vec found = { };
	int err = 0;
	char *said;

	(void)state;
	snprintf(self, sizeof(self), "%d", getpid());
	assert_int_equal(targets_find(twice, 2, false, &found), 0);
	assert_int_equal(found.nr, 1);
	assert_string_equal(((struct target *)found.items)->name, "test_util");
	targets_free(&found);

	said = CAPTURE(STDERR_FILENO, err = targets_find(none, 1, false, &found));
	assert_int_equal(err, -ESRCH);
	assert_contains(said, "no process runs 'no_such_command_here'");
	free(said);
	assert_int_equal(targets_find(none, 1, true, &found), 0);
	assert_int_equal(found.nr, 0);

	said = CAPTURE(STDERR_FILENO, err = targets_find(bad, 1, false, &found));
	assert_int_equal(err, -EUSAGE);
	free(said);
}

static void json(void **state)
{
	struct json_object *line, *value;
	char *text;

	(void)state;
	line = json_line("test");
	json_address(line, "address", 0x7f0000001000);
	json_number(line, "bytes", UINT64_MAX);
	json_text(line, "none", NULL);
	text = CAPTURE(STDOUT_FILENO, assert_int_equal(json_print(line), 0));
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_null(strchr(text, '\n')[1] ? text : NULL);

	line = json_tokener_parse(text);
	assert_non_null(line);
	assert_true(json_object_object_get_ex(line, "schema", &value));
	assert_int_equal(json_object_get_int(value), OUTPUT_SCHEMA);
	assert_true(json_object_object_get_ex(line, "ts", &value));
	assert_true(json_object_get_double(value) > 1e9);
	assert_true(json_object_object_get_ex(line, "address", &value));
	assert_string_equal(json_object_get_string(value), "0x7f0000001000");
	assert_contains(text, "\"bytes\":18446744073709551615");
	assert_contains(text, "\"none\":null");
	json_object_put(line);
	free(text);
}

static void messages(void **state)
{
	char *text;

	(void)state;
	out_init("verb", false, true);
	text = CAPTURE(STDERR_FILENO, assert_int_equal(say_error(-EPERM, "no %d", 1), -EPERM));
	assert_string_equal(text, "pmadv verb: no 1\n");
	free(text);
	text = CAPTURE(STDERR_FILENO, say_note("quiet"));
	assert_string_equal(text, "");
	free(text);

	out_init("verb", true, false);
	text = CAPTURE(STDERR_FILENO, say_error(-EPERM, "a \"b\""));
	assert_contains(text, "\"message\":\"a \\\"b\\\"\"");
	assert_contains(text, "\"exit_status\":4");
	assert_contains(text, "\"errno\":\"EPERM\"");
	free(text);
	out_init("verb", false, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(times),
		cmocka_unit_test(ranges),
		cmocka_unit_test(human_units),
		cmocka_unit_test(exit_statuses),
		cmocka_unit_test(cleaning),
		cmocka_unit_test(waiting),
		cmocka_unit_test(weights),
		cmocka_unit_test(growing),
		cmocka_unit_test(names_of_ranges),
		cmocka_unit_test(targets),
		cmocka_unit_test(json),
		cmocka_unit_test(messages),
		cmocka_unit_test(of_keys),
		cmocka_unit_test(of_ends),
		cmocka_unit_test(tallies),
	};

	return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}

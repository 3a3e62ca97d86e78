// SPDX-License-Identifier: GPL-2.0
/* Knobs: found, checked and set through BTF. Takes knobs.bpf.o, see run. */
#include "test.h"

#include <bpf/libbpf.h>
#include <pmadv/hook.h>

#include "lib/error.h"
#include "lib/output.h"
#include "policy/bpf_log.h"
#include "policy/knobs.h"

static struct bpf_object *object;

static int setup(void **state)
{
	(void)state;
	policy_log_init(false);
	out_init("test", false, false);
	object = bpf_object__open_file(getenv("PMADV_TEST_KNOBS"), NULL);
	return object ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	bpf_object__close(object);
	return 0;
}

static void *knob(const char *name, size_t size)
{
	size_t real;
	void *data = variable_find(object, ".rodata", name, &real);

	assert_non_null(data);
	assert_int_equal(real, size);
	return data;
}

#define VALUE(type, name) (*(type *)knob(name, sizeof(type)))

static void accept(const char *assignment)
{
	int err = -1;
	char *said = CAPTURE(STDERR_FILENO, err = knob_set(object, assignment));

	if (err || *said)
		fail_msg("%s: %d, said: %s", assignment, err, said);
	free(said);
}

static void refuse(const char *assignment, const char *because)
{
	int err = 0;
	char *said = CAPTURE(STDERR_FILENO, err = knob_set(object, assignment));

	if (err != -EUSAGE)
		fail_msg("%s: %d instead of a refusal", assignment, err);
	assert_contains(said, because);
	free(said);
}

static void integers(void **state)
{
	(void)state;
	accept("small=255");
	assert_int_equal(VALUE(uint8_t, "small"), 255);
	refuse("small=256", "in range: 0 to 255");
	refuse("small=-1", "in range: 0 to 255");
	assert_int_equal(VALUE(uint8_t, "small"), 255);

	accept("medium=-32768");
	assert_int_equal(VALUE(int16_t, "medium"), -32768);
	accept("medium=32767");
	refuse("medium=32768", "in range: -32768 to 32767");
	refuse("medium=-32769", "in range");

	accept("max_pages=0xffffffff");
	assert_int_equal(VALUE(uint32_t, "max_pages"), UINT32_MAX);
	accept("max_pages=4K");
	assert_int_equal(VALUE(uint32_t, "max_pages"), 4096);
	refuse("max_pages=4G", "in range");
	refuse("max_pages=", "a number");
	refuse("max_pages= 1", "a number");
	refuse("max_pages=1x", "a number");
	refuse("max_pages=99999999999999999999", "in range");

	accept("large=18446744073709551615");
	assert_true(VALUE(uint64_t, "large") == UINT64_MAX);
	accept("wide=-9223372036854775808");
	assert_true(VALUE(int64_t, "wide") == INT64_MIN);
	refuse("wide=9223372036854775808", "in range");
	/* Neighbours stay as they were. */
	assert_int_equal(VALUE(int32_t, "default_advice"), 21);
}

static void named_values(void **state)
{
	(void)state;
	accept("enabled=no");
	assert_int_equal(VALUE(uint8_t, "enabled"), 0);
	accept("enabled=TRUE");
	assert_int_equal(VALUE(uint8_t, "enabled"), 1);
	refuse("enabled=2", "a bool");

	accept("mode=MODE_SLOW");
	assert_int_equal(VALUE(uint32_t, "mode"), 0);
	accept("mode=7");
	assert_int_equal(VALUE(uint32_t, "mode"), 7);
	refuse("mode=MODE_NONE", "MODE_SLOW, MODE_FAST");

	accept("default_advice=cold");
	assert_int_equal(VALUE(int32_t, "default_advice"), 20);
	accept("default_advice=caller");
	assert_int_equal(VALUE(int32_t, "default_advice"), PMADV_CALLER);
	refuse("default_advice=dontneed", "pageout");
	/* Names of advice are for knobs that mean advice. */
	refuse("max_pages=cold", "a number");
}

static void strings(void **state)
{
	(void)state;
	accept("label=1234567");
	assert_string_equal((char *)knob("label", 8), "1234567");
	accept("label=");
	assert_string_equal((char *)knob("label", 8), "");
	refuse("label=12345678", "at most 7");
}

static void arrays(void **state)
{
	uint32_t *list;

	(void)state;
	accept("list=5,6");
	list = knob("list", 16);
	assert_int_equal(list[0], 5);
	assert_int_equal(list[1], 6);
	assert_int_equal(list[2], 0);
	accept("list[3]=9");
	assert_int_equal(list[3], 9);
	refuse("list[4]=9", "0 to 3");
	refuse("list[-1]=9", "0 to 3");
	refuse("list[1=9", "']' is missing");
	refuse("list=1,2,3,4,5", "more than its 4");
	refuse("list=1,,2", "a number");
	refuse("max_pages[0]=1", "not an array");
}

static void appending(void **state)
{
	uint32_t *limits;

	(void)state;
	accept("limits+=8");
	accept("limits+=7");
	limits = knob("limits", 12);
	assert_int_equal(limits[0], 9);
	assert_int_equal(limits[1], 8);
	assert_int_equal(limits[2], 7);
	assert_int_equal(VALUE(uint32_t, "nr_limits"), 3);
	refuse("limits+=6", "full");
	refuse("max_pages+=1", "not a table");
	refuse("label+=x", "not a table");
}

struct rule {
	uint32_t facts;
	int32_t advice;
	char comment[8];
	char mapping[16];
};

static void rules(void **state)
{
	struct rule *rules;

	(void)state;
	accept("rules+=[anon:a=b*]=pageout");
	rules = knob("rules", 2 * sizeof(*rules));
	assert_string_equal(rules[0].mapping, "a=b*");
	assert_int_equal(rules[0].advice, 21);
	assert_int_equal(rules[0].facts, PMADV_VMA_NAMED);
	assert_int_equal(VALUE(uint32_t, "nr_rules"), 1);

	refuse("rules+=*.oat=sometimes", "pageout");
	refuse("rules+=/usr/lib/x.so=cold", "last part");
	refuse("rules+=cold", "mapping=advice");
	refuse("rules+==cold", "mapping=advice");
	refuse("rules+=0123456789abcdef=cold", "at most 15");
	assert_int_equal(VALUE(uint32_t, "nr_rules"), 1);

	accept("rules+=file:*.oat=skip");
	assert_string_equal(rules[1].mapping, "*.oat");
	assert_int_equal(rules[1].advice, PMADV_SKIP);
	assert_int_equal(rules[1].facts, PMADV_VMA_FILE);
	refuse("rules+=x=cold", "full");

	accept("rules=x=cold");
	assert_int_equal(VALUE(uint32_t, "nr_rules"), 1);
	assert_string_equal(rules[0].mapping, "x");
	assert_int_equal(rules[0].facts, 0);
	assert_string_equal(rules[1].mapping, "");
}

/* Of a structure that is not described, the words for a rule are only a string. */
static void undescribed(void **state)
{
	(void)state;
	accept("undescribed+=[anon:x]=pageout");
	assert_string_equal(knob("undescribed", 48), "[anon:x]");
	accept("undescribed+=file:a/b=cold");
	assert_string_equal((char *)knob("undescribed", 48) + 24, "file:a/b");
}

static void structures(void **state)
{
	char *weights;
	int32_t *point;

	(void)state;
	/* Without a counter: the first that is all zero. */
	accept("weights+=ab=300");
	accept("weights+=cd=4");
	weights = knob("weights", 20);
	assert_string_equal(weights + 10, "cd");
	refuse("weights+=ef=1", "full");
	refuse("weights[0].value=65536", "0 to 65535");
	accept("weights[0].value=65535");
	refuse("weights[0].size=1", "no member 'size'");
	refuse("weights[0]=1", "its parts");

	accept("point.y[1]=-7");
	point = knob("point", 12);
	assert_int_equal(point[0], 1);
	assert_int_equal(point[2], -7);
	refuse("point=1", "its parts");
	refuse("small.x=1", "no members");
}

static void names(void **state)
{
	(void)state;
	refuse("max_page=1", "max_pages = ");
	refuse("max_page=1", "(u32)");
	refuse("no_knob=1", "no knob 'no_knob'");
	refuse("counter=1", "no knob 'counter'");
	refuse("max_pages", "NAME=VALUE");
	refuse("=1", "NAME=VALUE");
	refuse("max_pagesx=1", "no knob");
}

static void listing(void **state)
{
	int nr = 0;
	char *text = CAPTURE(STDOUT_FILENO, nr = knobs_print(object));

	(void)state;
	assert_int_equal(nr, 17);
	assert_contains(text, "label");
	assert_contains(text, "\"hello\"");
	assert_contains(text, "s16");
	assert_contains(text, "MODE_FAST");
	assert_contains(text, "{1, 2, 3, 4}");
	assert_null(strstr(text, "no_knob"));
	free(text);
}

static void from_code(void **state)
{
	(void)state;
	assert_int_equal(knob_set_number(object, "enabled", 0), 0);
	assert_int_equal(VALUE(uint8_t, "enabled"), 0);
	assert_int_equal(knob_set_number(object, "nothing", 0), -ENOENT);
	assert_int_equal(knob_set_number(object, "label", 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(integers), TEST(named_values), TEST(strings), TEST(arrays),
		TEST(appending), TEST(rules), TEST(undescribed), TEST(structures), TEST(names),
		TEST(listing), TEST(from_code),
	};

	return cmocka_run_group_tests_name("knobs", tests, NULL, NULL);
}

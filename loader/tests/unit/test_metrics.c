// SPDX-License-Identifier: GPL-2.0
/* Metrics: how many series there are at most, and what becomes of the others. */
#include "test.h"

#include "lib/output.h"
#include "lib/util.h"
#include "policy/metrics.h"
#include "policy/sysfs.h"

#define MAX_SERIES	64

/* What @policies, which are freed, are written as. */
static char *write_metrics(struct vec *policies, bool hook)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(metrics_write(to, policies, hook), 0);
	fclose(to);
	vec_free(policies);
	return text;
}

/* The metrics of @nr policies, of which the n-th has had n calls. */
static char *write_policies(unsigned int nr)
{
	struct vec policies = { };

	/* Latest first, as sysfs may have them. */
	for (unsigned int i = nr; i > 0; i--) {
		struct sysfs_policy *policy = vec_add(&policies, sizeof(*policy));

		assert_non_null(policy);
		snprintf(policy->name, sizeof(policy->name), "p\"%u", i);
		policy->link_id = i;
		policy->calls = i;
		policy->counts.stats.time_ns = i * 1500000000ULL;
	}
	return write_metrics(&policies, true);
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int nr = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		nr++;
	return nr;
}

static void none(void **state)
{
	char *text = write_policies(0);

	(void)state;
	assert_contains(text, "\npmadv_policies{engine=\"hook\"} 0\n");
	assert_int_equal(count(text, "policy="), 0);
	assert_int_equal(strcmp(text + strlen(text) - 6, "# EOF\n"), 0);
	free(text);
}

static void at_the_limit(void **state)
{
	char *text = write_policies(MAX_SERIES);

	(void)state;
	assert_int_equal(count(text, "\npmadv_policy_calls_total{"), MAX_SERIES);
	assert_null(strstr(text, "\"other\""));
	assert_contains(text, "\npmadv_policy_calls_total{policy=\"p\\\"64\",scope=\"system\",engine=\"hook\"} 64\n");
	assert_contains(text, "\npmadv_policy_walk_seconds_total{policy=\"p\\\"3\",scope=\"system\",engine=\"hook\"} 4.500000000\n");
	free(text);
}

static void beyond(void **state)
{
	char *text = write_policies(MAX_SERIES + 3);

	(void)state;
	assert_contains(text, "\npmadv_policies{engine=\"hook\"} 67\n");
	assert_int_equal(count(text, "\npmadv_policy_calls_total{"), MAX_SERIES + 1);
	assert_contains(text, "p\\\"64\",scope=\"system\",engine=\"hook\"} 64\n");
	assert_null(strstr(text, "p\\\"65"));
	assert_contains(text, "\npmadv_policy_calls_total{policy=\"other\",scope=\"other\",engine=\"hook\"} 198\n");
	/* No metric is announced twice. */
	assert_int_equal(count(text, "# TYPE pmadv_policy_ranges_total "), 1);
	free(text);
}

/* Two rules of one process, and another process: what one process does is one sum. */
static void engines(void **state)
{
	static const struct sysfs_policy all[] = {
		{ .name = "cold", .link_id = 5, .process = 10, .calls = 1, .ejected = 1,
		  .exact = { .proven = 2, .unproven = 3, .reasked = 4, .dropped = 5 } },
		{ .name = "cold", .link_id = 7, .process = 11, .calls = 2 },
		{ .name = "cold", .link_id = 9, .process = 10, .calls = 4,
		  .exact = { .proven = 1 } },
	};
	struct vec policies = { };
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		*(struct sysfs_policy *)vec_add(&policies, sizeof(*all)) = all[i];
	text = write_metrics(&policies, false);
	assert_contains(text, "\npmadv_policies{engine=\"engine\"} 3\n");
	assert_contains(text, "\npmadv_ejections_total 1\n");
	assert_int_equal(count(text, "\npmadv_policy_calls_total{"), 2);
#define OF(process)	"{policy=\"cold\",scope=\"system\",engine=\"engine\",process=\"" process "\""
	assert_contains(text, "\npmadv_policy_calls_total" OF("10") "} 5\n");
	assert_contains(text, "\npmadv_policy_calls_total" OF("11") "} 2\n");
	assert_contains(text, "\npmadv_policy_exactness_total" OF("10") ",state=\"proven\"} 3\n");
	assert_contains(text, "\npmadv_policy_exactness_total" OF("10") ",state=\"dropped\"} 5\n");
#undef OF
	/* What it cannot count is not there, rather than 0. */
	assert_null(strstr(text, "pmadv_policy_written_bytes_total"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none), cmocka_unit_test(at_the_limit),
		cmocka_unit_test(beyond), cmocka_unit_test(engines),
	};

	out_init("test", false, false);
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}

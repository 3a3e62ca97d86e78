// SPDX-License-Identifier: GPL-2.0
/* Metrics: how many series there are at most, and what becomes of the others. */
#include "test.h"

#include "lib/output.h"
#include "lib/util.h"
#include "policy/metrics.h"
#include "policy/sysfs.h"

#define MAX_SERIES	64

/* The metrics of @nr policies, of which the n-th has had n calls. */
static char *write_policies(unsigned int nr)
{
	struct vec policies = { };
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	/* Latest first, as sysfs may have them. */
	for (unsigned int i = nr; i > 0; i--) {
		struct sysfs_policy *policy = vec_add(&policies, sizeof(*policy));

		assert_non_null(policy);
		snprintf(policy->name, sizeof(policy->name), "p\"%u", i);
		policy->link_id = i;
		policy->calls = i;
		policy->counts.stats.time_ns = i * 1500000000ULL;
	}
	assert_int_equal(metrics_write(to, &policies), 0);
	fclose(to);
	vec_free(&policies);
	return text;
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
	assert_contains(text, "\npmadv_policies 0\n");
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
	assert_contains(text, "\npmadv_policy_calls_total{policy=\"p\\\"64\",scope=\"system\"} 64\n");
	assert_contains(text, "\npmadv_policy_walk_seconds_total{policy=\"p\\\"3\",scope=\"system\"} 4.500000000\n");
	free(text);
}

static void beyond(void **state)
{
	char *text = write_policies(MAX_SERIES + 3);

	(void)state;
	assert_contains(text, "\npmadv_policies 67\n");
	assert_int_equal(count(text, "\npmadv_policy_calls_total{"), MAX_SERIES + 1);
	assert_contains(text, "p\\\"64\",scope=\"system\"} 64\n");
	assert_null(strstr(text, "p\\\"65"));
	assert_contains(text, "\npmadv_policy_calls_total{policy=\"other\",scope=\"other\"} 198\n");
	/* No metric is announced twice. */
	assert_int_equal(count(text, "# TYPE pmadv_policy_ranges_total "), 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none), cmocka_unit_test(at_the_limit),
		cmocka_unit_test(beyond),
	};

	out_init("test", false, false);
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}

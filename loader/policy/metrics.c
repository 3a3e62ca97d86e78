// SPDX-License-Identifier: GPL-2.0
#include "policy/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pmadv/recording.h>

#include "lib/error.h"
#include "lib/util.h"
#include "policy/links.h"
#include "policy/sysfs.h"
#include "proc/sample.h"

/* Policies with series of their own; cgroups come and go, series remain for long. */
#define MAX_SERIES	64
#define OTHER		"other"

/* A policy, or the sum of those beyond MAX_SERIES. */
struct series {
	struct sysfs_policy sums;
	char *scope;
};

enum unit {
	UNIT_COUNT,
	UNIT_PAGES,		/* printed in bytes */
	UNIT_NS,		/* printed in seconds */
};

static const struct metric {
	const char *name;
	const char *label;	/* besides policy and scope, or NULL */
	enum unit unit;
	size_t field;
	const char *help;	/* NULL: the same metric as the one before */
} metrics[] = {
#define SUM(member)	offsetof(struct sysfs_policy, member)
	{ "pmadv_policy_calls_total", NULL, UNIT_COUNT, SUM(calls),
	  "Calls of process_madvise(2) that asked the policy." },
	{ "pmadv_policy_ranges_total", "outcome=\"advised\"", UNIT_COUNT,
	  SUM(counts.ranges_advised), "Ranges the policy was asked about." },
	{ "pmadv_policy_ranges_total", "outcome=\"skipped\"", UNIT_COUNT,
	  SUM(counts.ranges_skipped), NULL },
	{ "pmadv_policy_ranges_total", "outcome=\"refused\"", UNIT_COUNT,
	  SUM(counts.ranges_refused), NULL },
	{ "pmadv_policy_ranges_total", "outcome=\"failed\"", UNIT_COUNT,
	  SUM(counts.ranges_failed), NULL },
	{ "pmadv_policy_errors_total", NULL, UNIT_COUNT, SUM(errors),
	  "Calls that ended because the policy did something wrong." },
	{ "pmadv_policy_invalid_verdicts_total", NULL, UNIT_COUNT, SUM(invalid_verdicts),
	  "Answers of the policy that the kernel does not take." },
	{ "pmadv_policy_advised_bytes_total", NULL, UNIT_COUNT, SUM(counts.bytes_advised),
	  "Address space that got advice." },
	{ "pmadv_policy_scanned_bytes_total", NULL, UNIT_PAGES, SUM(counts.stats.scanned),
	  "Memory looked at page by page." },
	{ "pmadv_policy_young_bytes_total", NULL, UNIT_PAGES, SUM(counts.stats.young),
	  "Of the scanned memory, what had been accessed." },
	{ "pmadv_policy_shared_bytes_total", NULL, UNIT_PAGES, SUM(counts.stats.shared),
	  "Of the scanned memory, what was left to others." },
	{ "pmadv_policy_deactivated_bytes_total", NULL, UNIT_PAGES,
	  SUM(counts.stats.deactivated), "Memory that was made a candidate for reclaim." },
	{ "pmadv_policy_reclaimed_bytes_total", NULL, UNIT_PAGES,
	  SUM(counts.stats.reclaimed), "Memory that was freed." },
	{ "pmadv_policy_written_bytes_total", NULL, UNIT_PAGES,
	  SUM(counts.stats.written_back), "Memory written to swap or to files." },
	{ "pmadv_policy_kept_bytes_total", NULL, UNIT_PAGES, SUM(counts.stats.activated),
	  "Memory that reclaim tried and could not free." },
	{ "pmadv_policy_walk_seconds_total", NULL, UNIT_NS, SUM(counts.stats.time_ns),
	  "Time spent deciding and acting." },
#undef SUM
};

static uint64_t *field_of(struct sysfs_policy *sums, size_t field)
{
	return (uint64_t *)((char *)sums + field);
}

/* Inside the quotes of a label. */
static void put_label(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', to);
		if (*text == '\n')
			fputs("\\n", to);
		else
			fputc(*text, to);
	}
}

static void put_value(FILE *to, uint64_t value, enum unit unit)
{
	if (unit == UNIT_NS)
		fprintf(to, " %" PRIu64 ".%09" PRIu64 "\n", value / 1000000000,
			value % 1000000000);
	else
		fprintf(to, " %" PRIu64 "\n", unit == UNIT_PAGES ? value * page_size() :
								   value);
}

static void put_head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_policies(FILE *to, const struct vec *all)
{
	struct series *series = all->items;

	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		const struct metric *metric = &metrics[i];

		if (metric->help && all->nr)
			put_head(to, metric->name, "counter", metric->help);
		for (size_t j = 0; j < all->nr; j++) {
			fprintf(to, "%s{policy=\"", metric->name);
			put_label(to, series[j].sums.name);
			fputs("\",scope=\"", to);
			put_label(to, series[j].scope);
			fprintf(to, "\"%s%s}", metric->label ? "," : "",
				metric->label ? metric->label : "");
			put_value(to, *field_of(&series[j].sums, metric->field),
				  metric->unit);
		}
	}
}

static void put_system(FILE *to, size_t nr_policies)
{
	const char *refaults = "pmadv_refaulted_bytes_total";
	struct system_sample sample;
	uint64_t ejected;

	put_head(to, "pmadv_policies", "gauge", "Policies in force.");
	fprintf(to, "pmadv_policies %zu\n", nr_policies);
	if (!sysfs_ejected(&ejected)) {
		put_head(to, "pmadv_ejections_total", "counter",
			 "Policies that the kernel took out because of what they did.");
		fprintf(to, "pmadv_ejections_total %" PRIu64 "\n", ejected);
	}

	sample_system(&sample);
	if (sample.refault_anon == PMADV_UNKNOWN || sample.refault_file == PMADV_UNKNOWN)
		return;
	put_head(to, refaults, "counter",
		 "Reclaimed memory of the whole system, whoever reclaimed it, that came back.");
	fprintf(to, "%s{type=\"anon\"}", refaults);
	put_value(to, sample.refault_anon, UNIT_PAGES);
	fprintf(to, "%s{type=\"file\"}", refaults);
	put_value(to, sample.refault_file, UNIT_PAGES);
}

static int by_link(const void *left, const void *right)
{
	const struct sysfs_policy *a = left, *b = right;

	return (a->link_id > b->link_id) - (a->link_id < b->link_id);
}

static struct series *add_series(struct vec *all, const char *name, char *scope)
{
	struct series *series = scope ? vec_add(all, sizeof(*series)) : NULL;

	if (!series) {
		free(scope);
		return NULL;
	}
	snprintf(series->sums.name, sizeof(series->sums.name), "%s", name);
	series->scope = scope;
	return series;
}

/* Policies that came first keep their series, so that no series changes its meaning. */
static int make_series(struct vec *policies, struct vec *all)
{
	struct sysfs_policy *policy = policies->items;
	struct series *series = NULL;

	if (policies->nr)
		qsort(policy, policies->nr, sizeof(*policy), by_link);
	for (size_t i = 0; i < policies->nr; i++) {
		if (i < MAX_SERIES)
			series = add_series(all, policy[i].name,
					    scope_text(policy[i].cgroup_id));
		else if (i == MAX_SERIES)
			series = add_series(all, OTHER, strdup(OTHER));
		if (!series)
			return say_no_memory();
		for (size_t j = 0; j < ARRAY_SIZE(metrics); j++)
			*field_of(&series->sums, metrics[j].field) +=
				*field_of(&policy[i], metrics[j].field);
	}
	return 0;
}

int metrics_write(FILE *to, struct vec *policies)
{
	struct vec all = { };
	struct series *series;
	int err;

	err = make_series(policies, &all);
	if (!err) {
		put_system(to, policies->nr);
		put_policies(to, &all);
		fputs("# EOF\n", to);
	}
	series = all.items;
	for (size_t i = 0; i < all.nr; i++)
		free(series[i].scope);
	vec_free(&all);
	return err;
}

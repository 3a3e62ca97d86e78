// SPDX-License-Identifier: GPL-2.0
#include "policy/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pmadv/recording.h>

#include "lib/error.h"
#include "lib/util.h"
#include "policy/engines.h"
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

/* What can count it. */
enum counted_by {
	BY_BOTH,
	BY_HOOK,
	BY_ENGINE,
};

static const struct metric {
	const char *name;
	const char *label;	/* besides policy and scope, or NULL */
	enum unit unit;
	size_t field;
	enum counted_by by;
	const char *help;	/* NULL: the same metric as the one before */
} metrics[] = {
#define SUM(member)	offsetof(struct sysfs_policy, member)
#define STAT(member)	SUM(counts.stats.member)
	{ "pmadv_policy_calls_total", NULL, UNIT_COUNT, SUM(calls), BY_BOTH,
	  "Calls of process_madvise(2), or walks of the engine, that asked the policy." },
	{ "pmadv_policy_ranges_total", "outcome=\"advised\"", UNIT_COUNT,
	  SUM(counts.ranges_advised), BY_BOTH, "Ranges the policy was asked about." },
	{ "pmadv_policy_ranges_total", "outcome=\"skipped\"", UNIT_COUNT,
	  SUM(counts.ranges_skipped), BY_BOTH, NULL },
	{ "pmadv_policy_ranges_total", "outcome=\"refused\"", UNIT_COUNT,
	  SUM(counts.ranges_refused), BY_BOTH, NULL },
	{ "pmadv_policy_ranges_total", "outcome=\"failed\"", UNIT_COUNT,
	  SUM(counts.ranges_failed), BY_BOTH, NULL },
	{ "pmadv_policy_errors_total", NULL, UNIT_COUNT, SUM(errors), BY_HOOK,
	  "Calls that ended because the policy did something wrong." },
	{ "pmadv_policy_invalid_verdicts_total", NULL, UNIT_COUNT, SUM(invalid_verdicts),
	  BY_BOTH, "Answers of the policy that are no verdicts." },
	{ "pmadv_policy_advised_bytes_total", NULL, UNIT_COUNT, SUM(counts.bytes_advised),
	  BY_BOTH, "Address space that got advice." },
	{ "pmadv_policy_scanned_bytes_total", NULL, UNIT_PAGES, STAT(scanned), BY_BOTH,
	  "Memory looked at page by page." },
	{ "pmadv_policy_young_bytes_total", NULL, UNIT_PAGES, STAT(young), BY_BOTH,
	  "Of the scanned memory, what had been accessed." },
	{ "pmadv_policy_shared_bytes_total", NULL, UNIT_PAGES, STAT(shared), BY_HOOK,
	  "Of the scanned memory, what was left to others." },
	{ "pmadv_policy_deactivated_bytes_total", NULL, UNIT_PAGES, STAT(deactivated),
	  BY_HOOK, "Memory that was made a candidate for reclaim." },
	{ "pmadv_policy_reclaimed_bytes_total", NULL, UNIT_PAGES, STAT(reclaimed), BY_BOTH,
	  "Memory that was freed." },
	{ "pmadv_policy_written_bytes_total", NULL, UNIT_PAGES, STAT(written_back), BY_HOOK,
	  "Memory written to swap or to files." },
	{ "pmadv_policy_kept_bytes_total", NULL, UNIT_PAGES, STAT(activated), BY_HOOK,
	  "Memory that reclaim tried and could not free." },
	{ "pmadv_policy_walk_seconds_total", NULL, UNIT_NS, STAT(time_ns), BY_BOTH,
	  "Time spent deciding and acting." },
	{ "pmadv_policy_exactness_total", "state=\"proven\"", UNIT_COUNT, SUM(exact.proven),
	  BY_ENGINE, "Ranges proven exact, or not; answers asked again or given up." },
	{ "pmadv_policy_exactness_total", "state=\"unproven\"", UNIT_COUNT,
	  SUM(exact.unproven), BY_ENGINE, NULL },
	{ "pmadv_policy_exactness_total", "state=\"reasked\"", UNIT_COUNT,
	  SUM(exact.reasked), BY_ENGINE, NULL },
	{ "pmadv_policy_exactness_total", "state=\"dropped\"", UNIT_COUNT,
	  SUM(exact.dropped), BY_ENGINE, NULL },
#undef STAT
#undef SUM
};

static uint64_t *field_of(struct sysfs_policy *sums, size_t field)
{
	return (uint64_t *)((char *)sums + field);
}

void metrics_put_label(FILE *to, const char *text)
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

void metrics_put_head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* "{policy=..., ...", as far as all metrics of a series have it. */
static void put_labels(FILE *to, const struct series *series, bool hook)
{
	fputs("{policy=\"", to);
	metrics_put_label(to, series->sums.name);
	fputs("\",scope=\"", to);
	metrics_put_label(to, series->scope);
	fprintf(to, "\",engine=\"%s\"", hook ? "hook" : "engine");
	if (series->sums.process)
		fprintf(to, ",process=\"%d\"", series->sums.process);
}

static void put_policies(FILE *to, const struct vec *all, bool hook)
{
	struct series *series = all->items;

	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		const struct metric *metric = &metrics[i];

		if (metric->by == (hook ? BY_ENGINE : BY_HOOK))
			continue;
		if (metric->help && all->nr)
			metrics_put_head(to, metric->name, "counter", metric->help);
		for (size_t j = 0; j < all->nr; j++) {
			fputs(metric->name, to);
			put_labels(to, &series[j], hook);
			fprintf(to, "%s%s}", metric->label ? "," : "",
				metric->label ? metric->label : "");
			put_value(to, *field_of(&series[j].sums, metric->field),
				  metric->unit);
		}
	}
}

static void put_system(FILE *to, const struct vec *policies, bool hook)
{
	const char *refaults = "pmadv_refaulted_bytes_total";
	struct system_sample sample;
	uint64_t ejected;

	metrics_put_head(to, "pmadv_policies", "gauge",
			 "Policies in force or, without the hook, asked by engines that run.");
	fprintf(to, "pmadv_policies{engine=\"%s\"} %zu\n", hook ? "hook" : "engine",
		policies->nr);
	if (!policies_ejected(policies, &ejected)) {
		metrics_put_head(to, "pmadv_ejections_total", "counter",
				 "Policies that were taken out because of what they did.");
		fprintf(to, "pmadv_ejections_total %" PRIu64 "\n", ejected);
	}

	sample_system(&sample);
	if (sample.refault_anon == PMADV_UNKNOWN || sample.refault_file == PMADV_UNKNOWN)
		return;
	metrics_put_head(to, refaults, "counter",
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

/* A process may ask a policy in the same scope by several engines, one for each rule. */
static struct series *find_series(struct vec *all, const struct sysfs_policy *policy)
{
	struct series *series = all->items;

	for (size_t i = 0; i < all->nr; i++)
		if (series[i].sums.process == policy->process &&
		    series[i].sums.cgroup_id == policy->cgroup_id &&
		    !strcmp(series[i].sums.name, policy->name))
			return &series[i];
	return NULL;
}

static struct series *series_for(struct vec *all, const struct sysfs_policy *policy)
{
	struct series *series = find_series(all, policy);

	if (series)
		return series;
	if (all->nr > MAX_SERIES) {
		series = all->items;
		return &series[MAX_SERIES];
	}
	if (all->nr == MAX_SERIES)
		return add_series(all, OTHER, strdup(OTHER));
	series = add_series(all, policy->name, scope_text(policy->cgroup_id));
	if (!series)
		return NULL;
	series->sums.process = policy->process;
	series->sums.cgroup_id = policy->cgroup_id;
	return series;
}

/* Policies that came first keep their series, so that no series changes its meaning. */
static int make_series(struct vec *policies, struct vec *all)
{
	struct sysfs_policy *policy = policies->items;
	struct series *series;

	if (policies->nr)
		qsort(policy, policies->nr, sizeof(*policy), by_link);
	for (size_t i = 0; i < policies->nr; i++) {
		series = series_for(all, &policy[i]);
		if (!series)
			return say_no_memory();
		for (size_t j = 0; j < ARRAY_SIZE(metrics); j++)
			*field_of(&series->sums, metrics[j].field) +=
				*field_of(&policy[i], metrics[j].field);
	}
	return 0;
}

int metrics_write(FILE *to, struct vec *policies, bool hook)
{
	struct vec all = { };
	struct series *series;
	int err;

	err = make_series(policies, &all);
	if (!err) {
		put_system(to, policies, hook);
		put_policies(to, &all, hook);
		fputs("# EOF\n", to);
	}
	series = all.items;
	for (size_t i = 0; i < all.nr; i++)
		free(series[i].scope);
	vec_free(&all);
	return err;
}

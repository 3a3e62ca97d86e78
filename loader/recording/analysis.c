// SPDX-License-Identifier: GPL-2.0
#include "recording/analysis.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <pmadv/process_madvise.h>

#include "lib/error.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/text.h"
#include "lib/util.h"
#include "proc/maps.h"
#include "recording/recfile.h"

/* A second's worth on a slow machine. */
#define PROGRESS_ENTRIES	(1 << 18)

struct reading {
	struct analysis *analysis;
	int32_t only;
	size_t last_target;		/* most entries are about the same target */
	void *ranges;			/* tree of struct range_sum */
	struct moment open;		/* until the next sample */
	uint64_t last_ns;
	int err;
};

static void level_add(struct level *level, uint64_t value, bool first)
{
	if (first)
		level->first = value;
	level->last = value;
}

static uint64_t sum_or_unknown(uint64_t a, uint64_t b)
{
	return a == PMADV_UNKNOWN || b == PMADV_UNKNOWN ? PMADV_UNKNOWN : a + b;
}

static struct target_sum *find_target(struct reading *reading,
				      const struct pmadv_record *head)
{
	struct target_sum *target = vec_of_key(&reading->analysis->targets, sizeof(*target),
					       head->tgid, &reading->last_target);

	if (!target) {
		reading->err = -ENOMEM;
		return NULL;
	}
	memcpy(target->comm, head->comm, sizeof(target->comm));
	clean_text(target->comm);
	return target;
}

static int compare_ranges(const void *left, const void *right)
{
	const struct range_sum *a = left, *b = right;

	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->end > b->end) - (a->end < b->end);
}

static struct range_sum *find_range(struct reading *reading,
				    const struct pmadv_range_record *record)
{
	struct range_sum *range = calloc(1, sizeof(*range)), **found;

	if (!range)
		goto no_memory;
	range->tgid = record->head.tgid;
	range->start = record->start;
	range->end = record->end;
	found = tsearch(range, &reading->ranges, compare_ranges);
	if (!found)
		goto no_memory;
	if (*found != range)
		free(range);
	return *found;

no_memory:
	free(range);
	reading->err = -ENOMEM;
	return NULL;
}

static struct verdict_sum *find_verdict(struct reading *reading,
					const struct pmadv_range_record *record)
{
	struct vec *verdicts = &reading->analysis->verdicts;
	struct verdict_sum *sum = verdicts->items;
	const char *kind = vma_kind(record->vma_flags);

	for (size_t i = 0; i < verdicts->nr; i++)
		if (sum[i].kind == kind && sum[i].verdict == record->verdict &&
		    sum[i].outcome == record->outcome)
			return &sum[i];
	sum = vec_add(verdicts, sizeof(*sum));
	if (!sum) {
		reading->err = -ENOMEM;
		return NULL;
	}
	sum->kind = kind;
	sum->verdict = record->verdict;
	sum->outcome = record->outcome;
	return sum;
}

static size_t latency_bucket(uint64_t ns)
{
	size_t bucket = 0;

	while (bucket < LATENCY_BUCKETS - 1 && ns >= 1000ULL << bucket)
		bucket++;
	return bucket;
}

static void on_range(struct reading *reading, const struct pmadv_range_record *record)
{
	struct target_sum *target = find_target(reading, &record->head);
	struct range_sum *range = find_range(reading, record);
	struct verdict_sum *verdict = find_verdict(reading, record);

	if (!target || !range || !verdict)
		return;
	range->vma_flags = record->vma_flags;
	range->verdict = record->verdict;
	range->outcome = record->outcome;
	range->error = record->error;
	tally_range(&target->done, record);
	tally_range(&range->done, record);
	tally_range(&verdict->done, record);
	tally_range(&reading->open.done, record);
	reading->analysis->latency[latency_bucket(record->stats.time_ns)].ranges++;
}

static void on_call(struct reading *reading, const struct pmadv_call_record *record)
{
	struct target_sum *target = find_target(reading, &record->head);

	if (!target)
		return;
	target->done.calls++;
	reading->open.done.calls++;
	reading->analysis->latency[latency_bucket(record->result.stats.time_ns)].calls++;
}

static void end_moment(struct reading *reading, uint64_t time_ns, uint64_t refaults)
{
	struct analysis *analysis = reading->analysis;
	struct moment *moment = vec_add(&analysis->moments, sizeof(*moment));

	if (!moment) {
		reading->err = -ENOMEM;
		return;
	}
	*moment = reading->open;
	moment->time_ns = time_ns - analysis->start_ns;
	moment->refaults = refaults;
	tally_add(&analysis->done, &reading->open.done);
	memset(&reading->open, 0, sizeof(reading->open));
}

/* If the file was cut off, close the interval after its last sample. */
static void end_last_moment(struct reading *reading)
{
	const struct vec *moments = &reading->analysis->moments;
	const struct moment *last = moments->items;

	if (!reading->open.done.counts.ranges_seen && !reading->open.done.calls)
		return;
	if (moments->nr) {
		reading->open.resident = last[moments->nr - 1].resident;
		reading->open.swapped = last[moments->nr - 1].swapped;
	}
	end_moment(reading, reading->last_ns, reading->analysis->refaults.last);
}

static void on_system(struct reading *reading, const struct pmadv_system_entry *entry)
{
	struct analysis *analysis = reading->analysis;
	uint64_t refaults = sum_or_unknown(entry->refault_anon, entry->refault_file);
	bool first = !analysis->moments.nr;

	level_add(&analysis->refaults, refaults, first);
	level_add(&analysis->swapped_in, entry->swapped_in, first);
	level_add(&analysis->swapped_out, entry->swapped_out, first);
	analysis->lost = entry->lost;
	end_moment(reading, entry->head.time_ns, refaults);
}

/* The text behind the structure is NUL-terminated, if the writer kept the format. */
static char *copy_text(const struct pmadv_record *entry, size_t at)
{
	char *text = strndup((const char *)entry + at, entry->size - at);

	if (text)
		clean_text(text);
	return text;
}

static void on_target(struct reading *reading, const struct pmadv_target_entry *entry)
{
	struct target_sum *target = find_target(reading, &entry->head);
	struct vec *moments = &reading->analysis->moments;
	struct moment *moment = moments->items;
	bool first;

	if (!target)
		return;
	first = !target->sampled;
	target->sampled = true;
	level_add(&target->resident, entry->resident, first);
	level_add(&target->swapped, entry->swapped, first);
	level_add(&target->major_faults, entry->major_faults, first);
	level_add(&target->refaults,
		  sum_or_unknown(entry->refault_anon, entry->refault_file), first);
	free(target->cgroup);
	target->cgroup = copy_text(&entry->head, sizeof(*entry));
	if (!target->cgroup)
		reading->err = -ENOMEM;
	if (moments->nr) {
		moment[moments->nr - 1].resident += entry->resident;
		moment[moments->nr - 1].swapped += entry->swapped;
	}
}

static void on_mapping(struct reading *reading, const struct pmadv_mapping_entry *entry)
{
	struct target_sum *target = find_target(reading, &entry->head);
	struct map_name *map = target ? vec_add(&target->mappings, sizeof(*map)) : NULL;

	if (map)
		map->name = copy_text(&entry->head, sizeof(*entry));
	if (!map || !map->name) {
		reading->err = -ENOMEM;
		return;
	}
	map->start = entry->start;
	map->end = entry->end;
}

const struct pmadv_range_record *entry_range(const struct pmadv_record *entry)
{
	const struct pmadv_range_record *record = (const void *)entry;

	return entry->type == PMADV_RECORD_RANGE && entry->size >= sizeof(*record) &&
	       record->end > record->start ? record : NULL;
}

static void on_entry(struct reading *reading, const struct pmadv_record *entry)
{
	bool other = reading->only && entry->tgid != reading->only;

	reading->last_ns = entry->time_ns;
	if (entry->type == PMADV_ENTRY_END)
		reading->analysis->complete = true;
	else if (entry->type == PMADV_ENTRY_SYSTEM &&
		 entry->size >= sizeof(struct pmadv_system_entry))
		on_system(reading, (const void *)entry);
	else if (other)
		return;
	else if (entry_range(entry))
		on_range(reading, (const void *)entry);
	else if (entry->type == PMADV_RECORD_CALL &&
		 entry->size >= sizeof(struct pmadv_call_record))
		on_call(reading, (const void *)entry);
	else if (entry->type == PMADV_ENTRY_TARGET &&
		 entry->size >= sizeof(struct pmadv_target_entry))
		on_target(reading, (const void *)entry);
	else if (entry->type == PMADV_ENTRY_MAPPING &&
		 entry->size >= sizeof(struct pmadv_mapping_entry))
		on_mapping(reading, (const void *)entry);
}

static int compare_done(const struct tally *left, const struct tally *right)
{
	const struct pmadv_result *a = &left->counts, *b = &right->counts;

	if (a->stats.reclaimed != b->stats.reclaimed)
		return a->stats.reclaimed > b->stats.reclaimed ? -1 : 1;
	if (a->stats.scanned != b->stats.scanned)
		return a->stats.scanned > b->stats.scanned ? -1 : 1;
	return (a->ranges_seen < b->ranges_seen) - (a->ranges_seen > b->ranges_seen);
}

static int by_done_targets(const void *left, const void *right)
{
	const struct target_sum *a = left, *b = right;
	int order = compare_done(&a->done, &b->done);

	return order ? order : (a->tgid > b->tgid) - (a->tgid < b->tgid);
}

static int by_done_ranges(const void *left, const void *right)
{
	const struct range_sum *a = left, *b = right;
	int order = compare_done(&a->done, &b->done);

	return order ? order : compare_ranges(a, b);
}

static int by_number_verdicts(const void *left, const void *right)
{
	const struct verdict_sum *a = left, *b = right;
	int order = strcmp(a->kind, b->kind);

	if (a->done.counts.ranges_seen != b->done.counts.ranges_seen)
		return a->done.counts.ranges_seen > b->done.counts.ranges_seen ? -1 : 1;
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	return order ? order : (a->outcome > b->outcome) - (a->outcome < b->outcome);
}

static int by_start(const void *left, const void *right)
{
	const struct map_name *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

static int move_range(struct vec *ranges, void **tree)
{
	struct range_sum *range = **(struct range_sum ***)tree;
	struct range_sum *item = vec_add(ranges, sizeof(*item));

	tdelete(range, tree, compare_ranges);
	if (item)
		*item = *range;
	free(range);
	return item ? 0 : -ENOMEM;
}

static void sort(struct vec *vec, size_t size, int (*compare)(const void *, const void *))
{
	if (vec->nr)
		qsort(vec->items, vec->nr, size, compare);
}

static void name_ranges(struct analysis *analysis)
{
	struct target_sum *target = analysis->targets.items;
	struct range_sum *range = analysis->ranges.items;

	for (size_t i = 0; i < analysis->targets.nr; i++)
		sort(&target[i].mappings, sizeof(struct map_name), by_start);
	for (size_t i = 0; i < analysis->ranges.nr; i++)
		for (size_t j = 0; j < analysis->targets.nr; j++) {
			if (target[j].tgid != range[i].tgid)
				continue;
			range[i].target = &target[j];
			range[i].name = maps_name(&target[j].mappings, range[i].start);
			break;
		}
}

int analysis_read(struct recfile *file, int32_t only, struct analysis *analysis)
{
	const struct pmadv_file_header *header = recfile_header(file);
	struct reading reading = { .analysis = analysis, .only = only };
	const struct pmadv_record *entry;
	size_t nr = 0;

	memset(analysis, 0, sizeof(*analysis));
	analysis->page_size = header->page_size;
	analysis->start_ns = header->start_ns;
	reading.last_ns = header->start_ns;

	while (!reading.err && (entry = recfile_next(file))) {
		on_entry(&reading, entry);
		if (++nr % PROGRESS_ENTRIES == 0)
			progress_line("%zu entries read", nr);
	}
	if (!reading.err)
		end_last_moment(&reading);
	while (reading.ranges) {
		int err = move_range(&analysis->ranges, &reading.ranges);

		reading.err = reading.err ? reading.err : err;
	}
	if (reading.err)
		say_no_memory();
	else
		reading.err = recfile_refused(file);
	if (reading.err) {
		analysis_free(analysis);
		return reading.err;
	}

	analysis->duration_ns = reading.last_ns - analysis->start_ns;
	sort(&analysis->targets, sizeof(struct target_sum), by_done_targets);
	sort(&analysis->ranges, sizeof(struct range_sum), by_done_ranges);
	sort(&analysis->verdicts, sizeof(struct verdict_sum), by_number_verdicts);
	name_ranges(analysis);
	return 0;
}

void analysis_free(struct analysis *analysis)
{
	struct target_sum *target = analysis->targets.items;

	for (size_t i = 0; i < analysis->targets.nr; i++) {
		free(target[i].cgroup);
		maps_free(&target[i].mappings);
	}
	vec_free(&analysis->targets);
	vec_free(&analysis->ranges);
	vec_free(&analysis->verdicts);
	vec_free(&analysis->moments);
}

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <pmadv/process_madvise.h>

#include "engine/engine.h"
#include "lib/error.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/rows.h"
#include "lib/signals.h"
#include "lib/util.h"
#include "options.h"
#include "recording/snapshots.h"

#define SIDES	2

static const struct option_def options[] = {
	OPTION_SET,
	{ "against", 'a', OPTION_TEXT, offsetof(struct args, against), "POLICY",
	  "another policy beside the first, or the same one with other knobs" },
	{ "against-set", 'S', OPTION_TEXTS, offsetof(struct args, against_set), "NAME=VALUE",
	  "set a knob of the other; repeatable" },
	{ "advice", 'A', OPTION_ADVICE, offsetof(struct args, advice), "ADVICE",
	  "what is proposed to the policy: cold, pageout, willneed or collapse" },
	{ "pid", 'p', OPTION_PID, offsetof(struct args, pid), "PID",
	  "only what was recorded of this process" },
	{ "ranges", 'r', OPTION_FLAG, offsetof(struct args, records), NULL,
	  "also show the verdict about each range, of the last walk of each process" },
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv simulate background_app redis.rec",
	  "what it would have done in the walks that were recorded" },
	{ "pmadv simulate cold_pages redis.rec --against background_app",
	  "which of the two saves more, and which hurts less" },
	{ "pmadv simulate by_name app.rec --set 'rules+=libc*=cold' --ranges",
	  "what a rule matches, range by range, with no process there" },
	{ }
};

/* What became, or would have become, of the ranges with one verdict. Pages. */
struct sum {
	int side;
	const char *kind;
	int32_t verdict;
	uint32_t outcome;
	uint64_t ranges;
	uint64_t bytes;
	double out;		/* would have been paged out */
	double judged;		/* of these: a later walk tells */
	double again;		/* accessed until then: would have been faulted in */
};

struct side {
	struct engine *engine;
	const char *name;
	struct sum total;
	struct vec records;	/* struct pmadv_range_record of the snapshot at hand */
};

struct simulation {
	const struct args *args;
	struct snapshots snapshots;
	struct side sides[SIDES];
	int nr_sides;
	struct vec sums;
};

static int open_side(struct side *side, const char *name, const struct vec *set)
{
	int err = engine_open_simulation(&side->engine, name);

	if (!err)
		err = policy_set(engine_policy(side->engine), set, NULL);
	if (!err)
		err = engine_load(side->engine);
	if (!err)
		side->name = engine_policy(side->engine)->name;
	return err;
}

static int keep_range(void *data, const struct pmadv_range_record *record)
{
	struct pmadv_range_record *kept = vec_add(data, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = *record;
	return 0;
}

static struct sum *find_sum(struct simulation *simulation, int side,
			    const struct pmadv_range_record *record)
{
	const char *kind = vma_kind(record->vma_flags);
	struct sum *sum = simulation->sums.items;

	for (size_t i = 0; i < simulation->sums.nr; i++)
		if (sum[i].side == side && sum[i].kind == kind &&
		    sum[i].verdict == record->verdict && sum[i].outcome == record->outcome)
			return &sum[i];
	sum = vec_add(&simulation->sums, sizeof(*sum));
	if (!sum)
		return NULL;
	sum->side = side;
	sum->kind = kind;
	sum->verdict = record->verdict;
	sum->outcome = record->outcome;
	return sum;
}

static bool pages_out(const struct pmadv_range_record *record)
{
	int advice = record->verdict == PMADV_CALLER ? record->advice : record->verdict;

	return record->outcome == PMADV_ADVISED && advice == MADV_PAGEOUT;
}

/*
 * The walk after this one tells how many pages were accessed in between. Where young
 * pages are spared, those are taken to be accessed again first.
 */
static void judge(const struct snapshot *now, const struct snapshot *next,
		  const struct pmadv_range_record *record, struct sum *to)
{
	double held, young, held_then, young_then, spared, out;

	snapshot_count(now, record->start, record->end, &held, &young);
	spared = record->modifiers & PMADV_SKIP_YOUNG ? fmin(young, held) : 0;
	out = held - spared;
	to->out += out;
	if (!next)
		return;
	snapshot_count(next, record->start, record->end, &held_then, &young_then);
	to->judged += out;
	to->again += fmin(fmax(young_then - spared, 0), out);
}

static int add_record(struct simulation *simulation, int side, const struct snapshot *now,
		      const struct snapshot *next, const struct pmadv_range_record *record)
{
	struct sum *sum = find_sum(simulation, side, record), one = { };

	if (!sum)
		return say_no_memory();
	one.bytes = record->outcome == PMADV_ADVISED ? record->end - record->start : 0;
	if (pages_out(record))
		judge(now, next, record, &one);
	for (int i = 0; i < 2; i++) {
		struct sum *to = i ? &simulation->sides[side].total : sum;

		to->ranges++;
		to->bytes += one.bytes;
		to->out += one.out;
		to->judged += one.judged;
		to->again += one.again;
	}
	return 0;
}

static int ask_side(struct simulation *simulation, int nr, size_t index)
{
	const struct snapshot *snapshot = simulation->snapshots.all.items;
	const struct snapshot *next = snapshot_next(&simulation->snapshots, index);
	struct side *side = &simulation->sides[nr];
	const struct pmadv_range_record *record;
	struct engine_walk walk = {
		.pid = snapshot[index].tgid,
		.comm = snapshot[index].comm,
		.advice = simulation->args->advice,
		.on_range = keep_range,
		.data = &side->records,
	};
	int err;

	side->records.nr = 0;
	err = engine_simulate(side->engine, &walk, snapshot[index].mappings.items,
			      snapshot[index].mappings.nr);
	if (err == -EEJECTED)
		return say_error(err, "policy %s would have been ejected: %s", side->name,
				 engine_ejection(side->engine));
	if (err)
		return say_error(err, "policy %s cannot be asked: %s", side->name,
				 error_text(err));
	record = side->records.items;
	for (size_t i = 0; i < side->records.nr && !err; i++)
		err = add_record(simulation, nr, &snapshot[index], next, &record[i]);
	return err;
}

static const char *name_of(const struct snapshot *snapshot, uint64_t address)
{
	const struct engine_mapping *mapping = snapshot->mappings.items;
	size_t i = snapshot_find(snapshot, address);

	return i < snapshot->mappings.nr && mapping[i].start <= address ? mapping[i].name : "";
}

static int show_range(const struct simulation *simulation, struct rows *rows, int side,
		      const struct snapshot *snapshot, const struct pmadv_range_record *record)
{
	char vma[VMA_TEXT_LEN], verdict[VERDICT_TEXT_LEN];
	uint64_t page_size = simulation->snapshots.page_size;
	double held, young;

	snapshot_count(snapshot, record->start, record->end, &held, &young);
	const union cell cells[] = {
		{ .number = (uint64_t)snapshot->tgid },
		{ .number = record->start },
		{ .number = record->end },
		{ .number = record->end - record->start },
		{ .number = round_u64(held) * page_size },
		{ .number = round_u64(young) * page_size },
		{ .text = vma_flags_text(record->vma_flags, vma) },
		{ .text = simulation->sides[side].name },
		{ .text = verdict_text(record->verdict, verdict) },
		{ .text = record->modifiers & PMADV_SKIP_YOUNG ? "but young" : "" },
		{ .text = outcome_text(record->outcome) },
		{ .text = name_of(snapshot, record->start) },
	};

	return rows_add(rows, cells);
}

/* Both sides' ranges, in order of their addresses. */
static int show_snapshot(const struct simulation *simulation, struct rows *rows, size_t index)
{
	const struct snapshot *snapshot = simulation->snapshots.all.items;
	size_t at[SIDES] = { };
	int err = 0;

	snapshot += index;
	while (!err) {
		const struct pmadv_range_record *first = NULL;
		int side = 0;

		for (int i = 0; i < simulation->nr_sides; i++) {
			const struct vec *records = &simulation->sides[i].records;
			const struct pmadv_range_record *record = records->items;

			if (at[i] < records->nr &&
			    (!first || record[at[i]].start < first->start)) {
				first = &record[at[i]];
				side = i;
			}
		}
		if (!first)
			break;
		at[side]++;
		err = show_range(simulation, rows, side, snapshot, first);
	}
	return err;
}

/* Ask about all that was recorded, and show the last of each process if that is wanted. */
static int ask_all(struct simulation *simulation)
{
	static const struct column columns[] = {
		{ "PID", "pid", COLUMN_ID },
		{ "START", "start", COLUMN_ADDRESS },
		{ "END", "end", COLUMN_ADDRESS },
		{ "SIZE", "bytes", COLUMN_BYTES },
		{ "HELD", "held", COLUMN_BYTES },
		{ "ACCESSED", "accessed", COLUMN_BYTES },
		{ "MAPPING", "vma", COLUMN_TEXT },
		{ "POLICY", "policy", COLUMN_TEXT },
		{ "VERDICT", "verdict", COLUMN_TEXT },
		{ "", "modifier", COLUMN_TEXT },
		{ "OUTCOME", "outcome", COLUMN_TEXT },
		{ "NAME", "name", COLUMN_TEXT },
		{ }
	};
	struct rows rows = { .type = "range", .columns = columns,
			     .format = out_json() ? ROWS_JSON : ROWS_TEXT };
	bool show = simulation->args->records;
	int err = show ? rows_begin(&rows) : 0;

	for (size_t i = 0; i < simulation->snapshots.all.nr && !err && !stop_asked; i++) {
		for (int side = 0; side < simulation->nr_sides && !err; side++)
			err = ask_side(simulation, side, i);
		if (!err && show && !snapshot_next(&simulation->snapshots, i))
			err = show_snapshot(simulation, &rows, i);
	}
	if (show && !err)
		err = rows_end(&rows);
	if (!err && show && !out_json())
		out_text("\n");
	if (!err && stop_asked)
		err = say_error(-EINTR, "interrupted");
	return err;
}

static int add_sum(const struct simulation *simulation, struct rows *rows,
		   const struct sum *sum, const char *verdict)
{
	double page_size = (double)simulation->snapshots.page_size;
	const union cell cells[] = {
		{ .text = simulation->sides[sum->side].name },
		{ .text = sum->kind },
		{ .text = verdict },
		{ .text = *sum->kind ? outcome_text(sum->outcome) : "" },
		{ .number = sum->ranges },
		{ .number = sum->bytes },
		{ .number = round_u64(sum->out * page_size) },
		{ .number = round_u64(sum->judged * page_size) },
		{ .number = round_u64(sum->again * page_size) },
		{ .fraction = sum->judged > 0 ? sum->again / sum->judged : 0 },
	};

	return rows_add(rows, cells);
}

static int by_ranges(const void *left, const void *right)
{
	const struct sum *a = left, *b = right;
	int order = strcmp(a->kind, b->kind);

	if (a->ranges != b->ranges)
		return a->ranges > b->ranges ? -1 : 1;
	return order ? order : a->verdict - b->verdict;
}

static int show_sums(struct simulation *simulation)
{
	static const struct column columns[] = {
		{ "POLICY", "policy", COLUMN_TEXT },
		{ "MAPPING", "mapping", COLUMN_TEXT },
		{ "VERDICT", "verdict", COLUMN_TEXT },
		{ "OUTCOME", "outcome", COLUMN_TEXT },
		{ "RANGES", "ranges", COLUMN_COUNT },
		{ "ADDRESSES", "bytes_advised", COLUMN_BYTES },
		{ "PAGED OUT", "paged_out", COLUMN_BYTES },
		{ "JUDGED", "judged", COLUMN_BYTES },
		{ "REFAULTED", "refaulted", COLUMN_BYTES },
		{ "", "", COLUMN_BAR },
		{ }
	};
	struct rows rows = { .type = "verdict", .columns = columns,
			     .format = out_json() ? ROWS_JSON : ROWS_TEXT };
	const struct sum *sum = simulation->sums.items;
	char verdict[VERDICT_TEXT_LEN];
	int err = rows_begin(&rows);

	if (simulation->sums.nr)
		qsort(simulation->sums.items, simulation->sums.nr, sizeof(*sum), by_ranges);
	for (int side = 0; side < simulation->nr_sides && !err; side++) {
		for (size_t i = 0; i < simulation->sums.nr && !err; i++)
			if (sum[i].side == side)
				err = add_sum(simulation, &rows, &sum[i],
					      verdict_text(sum[i].verdict, verdict));
		simulation->sides[side].total.side = side;
		simulation->sides[side].total.kind = "";
		if (!err)
			err = add_sum(simulation, &rows, &simulation->sides[side].total,
				      "all of it");
	}
	return err ? err : rows_end(&rows);
}

static int simulate_run(const struct args *args)
{
	struct simulation simulation = { .args = args, .nr_sides = 1 };
	int err;

	if (args->against_set.nr && !args->against)
		return say_error(-EUSAGE, "--against-set is for --against POLICY");
	err = snapshots_read(args->operands[1], args->pid, &simulation.snapshots);
	if (err)
		return err;
	err = open_side(&simulation.sides[0], args->operands[0], &args->set);
	if (!err && args->against) {
		simulation.nr_sides = 2;
		err = open_side(&simulation.sides[1], args->against, &args->against_set);
	}
	if (!err)
		err = ask_all(&simulation);
	if (!err)
		err = show_sums(&simulation);
	for (int i = 0; i < SIDES; i++) {
		engine_close(simulation.sides[i].engine);
		vec_free(&simulation.sides[i].records);
	}
	vec_free(&simulation.sums);
	snapshots_free(&simulation.snapshots);
	return err;
}

const struct verb verb_simulate = {
	.name = "simulate",
	.operands = "POLICY RECORD",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Show what a policy would have done with the memory that was recorded, and what would have come back.",
	.options = options,
	.examples = examples,
	.run = simulate_run,
};

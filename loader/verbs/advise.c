// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pmadv/process_madvise.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/hook.h"
#include "proc/cgroup.h"
#include "proc/huge.h"
#include "proc/maps.h"
#include "recording/recfile.h"
#include "recording/snapshots.h"
#include "walk/decider.h"
#include "walk/monitor.h"
#include "walk/range_text.h"
#include "walk/target.h"
#include "walk/walk.h"

#define MAX_RANGES	1024	/* UIO_MAXIOV: the most that one call takes */

static const struct option_def options[] = {
	{ "advice", 'a', OPTION_ADVICE, offsetof(struct args, advice), "ADVICE",
	  "cold, pageout, willneed or collapse; with --policy, what is proposed to it" },
	{ "policy", 'p', OPTION_MAYBE_TEXT, offsetof(struct args, policy), "[=POLICY]",
	  "have the policy in force for the target decide about each range, or the one "
	  "that is named, which is put in force for this, in the target's cgroup if it has "
	  "one; a kernel without the hook has none in force" },
	OPTION_SET,
	{ "range", 'r', OPTION_RANGES, offsetof(struct args, ranges), "START-END",
	  "only these addresses, in hexadecimal as in /proc/PID/maps; repeatable; "
	  "default: the whole address space" },
	{ "vma", 'M', OPTION_ADDRESS, offsetof(struct args, vma), "ADDRESS",
	  "only the mapping at that address, held by a file descriptor: not what "
	  "may take its place" },
	{ "dry-run", 'd', OPTION_FLAG, offsetof(struct args, dry_run), NULL,
	  "show what would be done with each range; change nothing" },
	{ "record", 'o', OPTION_TEXT, offsetof(struct args, record), "FILE",
	  "with --dry-run: also write the mappings and what they hold to FILE, for "
	  "'pmadv simulate'" },
	{ "max-pages", 'm', OPTION_COUNT, offsetof(struct args, max_pages), "N",
	  "end once N pages of a target were dealt with" },
	{ "cursor", 'C', OPTION_ADDRESS, offsetof(struct args, cursor), "ADDRESS",
	  "go on where an earlier walk of the same target stopped" },
	{ "coverage", 'H', OPTION_COUNT, offsetof(struct args, coverage), "PERCENT",
	  "fail unless at least that share of a target is in huge pages afterwards: of "
	  "what is resident in mappings with room for one" },
	OPTIONS_EXACT,
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv advise redis-server --policy --dry-run",
	  "what the policy in force would do with each range" },
	{ "pmadv advise redis-server --policy", "do it" },
	{ "pmadv advise redis-server --policy=noop --dry-run --record redis.rec",
	  "a record of its mappings, to ask other policies about" },
	{ "pmadv advise redis-server --policy=background_app",
	  "with a policy of your choice, on any kernel" },
	{ "pmadv advise 4711 --advice pageout",
	  "page out a whole process, without a policy" },
	{ "pmadv advise /sys/fs/cgroup/background --advice cold",
	  "all processes of a cgroup" },
	{ "pmadv advise qemu-system-x86_64 --policy=collapse --coverage 95",
	  "make huge pages of the memory of virtual machines, and see to it" },
	{ "pmadv advise 4711 -a pageout -r 7f0012300000-7f0012400000",
	  "one range of it" },
	{ "pmadv advise 4711 -a pageout --vma 7f0012300000",
	  "the mapping there, or nothing if it goes away" },
	{ }
};

static const char *const range_columns[] = {
	"RANGE", ">SIZE", "MAPPING", "VERDICT", "OUTCOME", "WHY", "NAME", NULL
};

static const char *const walk_columns[] = {
	">PID", "COMMAND", ">SEEN", ">ADVISED", ">SKIPPED", ">REFUSED", ">FAILED",
	">HOLES", ">BYTES", ">SCANNED", ">RECLAIMED", ">SWAPPED", ">TIME", "ENDED", NULL
};

static int add_range(struct libscols_table *table,
		     const struct pmadv_range_record *record, const char *name)
{
	char range[40], bytes[HUMAN_LEN], vma[VMA_TEXT_LEN], verdict[VERDICT_TEXT_LEN];

	snprintf(range, sizeof(range), "%llx-%llx", record->start, record->end);
	return table_row(table, range,
			 human_bytes(record->end - record->start, bytes),
			 vma_flags_text(record->vma_flags, vma),
			 verdict_text(record->verdict, verdict),
			 outcome_text(record->outcome),
			 record->error ? strerrorname_np((int)record->error) : "", name);
}

static int print_range(const struct pmadv_range_record *record, const char *name)
{
	struct json_object *line = range_json(record);

	json_text(line, "name", name);
	return json_print(line);
}

/* A dry run shows its ranges, with the names they have at that moment. */
static int show_ranges(const struct target *target, const struct vec *ranges)
{
	const struct pmadv_range_record *record = ranges->items;
	struct libscols_table *table;
	struct vec maps = { };
	int err = 0;

	table = table_new(range_columns);
	if (!table)
		return say_no_memory();
	/* If we may not read the names, show none. */
	if (maps_read(target->pid, &maps))
		say_warning("%s (%d): no permission to read the names of its mappings",
			    target->name, target->pid);

	for (size_t i = 0; i < ranges->nr && !err; i++) {
		const char *name = maps_name(&maps, record[i].start);

		err = out_json() ? print_range(&record[i], name) :
				   add_range(table, &record[i], name);
	}
	if (!err && !out_json() && ranges->nr)
		err = table_print(table);

	maps_free(&maps);
	scols_unref_table(table);
	return err;
}

static void show_first_error(const struct walk *walk)
{
	const struct pmadv_result *result = &walk->result;
	struct vec maps = { };
	const char *name = "";

	if (!result->error)
		return;
	/* A name is optional: it may need rights that we lack. */
	if (!maps_read(walk->target->pid, &maps))
		name = maps_name(&maps, result->error_addr);
	out_text("  first error  %s at %llx%s%s\n", strerrorname_np((int)result->error),
		 result->error_addr, *name ? ", " : "", name);
	maps_free(&maps);
}

static void show_ending(const struct walk *walk)
{
	const struct pmadv_result *result = &walk->result;
	const char *why = stopped_text(result->stopped);

	if (result->yields)
		out_text("  let in       %llu times somebody who was waiting to change mappings\n",
			 result->yields);
	show_first_error(walk);
	if (!why)
		return;
	if (result->cursor)
		out_text("  stopped      at %llx: %s; --cursor %llx goes on from there\n",
			 result->cursor, why, result->cursor);
	else
		out_text("  stopped      before the first range: %s\n", why);
}

static int show_block(const struct walk *walk, const struct request *request)
{
	const struct pmadv_result *result = &walk->result;
	const char *advice = advice_name(request->advice);
	char bytes[HUMAN_LEN], time[HUMAN_LEN], from[HUMAN_LEN], to[HUMAN_LEN],
	     swap_from[HUMAN_LEN], swap_to[HUMAN_LEN], stats[STATS_TEXT_LEN],
	     exact[EXACT_TEXT_LEN];

	out_text("%s (%d): %s%s%s%s in %s\n", walk->target->name, walk->target->pid,
		 request->flags & PMADV_POLICY ? "as the policy decides" : advice,
		 request->flags & PMADV_POLICY && advice ? ", proposed: " : "",
		 request->flags & PMADV_POLICY && advice ? advice : "",
		 request->flags & PMADV_DRY_RUN ? ", nothing changed (dry run)," : "",
		 human_time(walk->elapsed_ns, time));
	out_text("  ranges       %llu seen: %llu %s, %llu skipped, %llu refused, %llu failed; %llu hole%s\n",
		 result->ranges_seen, result->ranges_advised,
		 request->flags & PMADV_DRY_RUN ? "would be advised" : "advised",
		 result->ranges_skipped, result->ranges_refused,
		 result->ranges_failed, result->holes,
		 result->holes == 1 ? "" : "s");
	out_text("  addresses    %s advised\n", human_bytes(result->bytes_advised, bytes));
	if (request->decider && request->decider->engine && !(request->flags & PMADV_DRY_RUN))
		out_text("  exactness    %s\n", exact_text(&walk->exact, exact));
	if (!(request->flags & PMADV_DRY_RUN)) {
		stats_text(&result->stats, stats);
		out_text("  pages        %s\n", *stats ? stats : "none looked at");
		out_text("  resident     %s -> %s\n",
			 human_bytes(walk->resident_before, from),
			 human_bytes(walk->resident_after, to));
		out_text("  in swap      %s -> %s\n",
			 human_bytes(walk->swapped_before, swap_from),
			 human_bytes(walk->swapped_after, swap_to));
	}
	show_ending(walk);
	return out_flush();
}

static int add_row(struct libscols_table *table, const char *pid, const char *name,
		   const struct pmadv_result *result, uint64_t elapsed_ns,
		   const char *ended)
{
	char seen[HUMAN_LEN], advised[HUMAN_LEN], skipped[HUMAN_LEN], refused[HUMAN_LEN],
	     failed[HUMAN_LEN], holes[HUMAN_LEN], bytes[HUMAN_LEN], scanned[HUMAN_LEN],
	     reclaimed[HUMAN_LEN], swapped[HUMAN_LEN], time[HUMAN_LEN];
	uint64_t page = page_size();

	return table_row(table, pid, name, human_count(result->ranges_seen, seen),
			 human_count(result->ranges_advised, advised),
			 human_count(result->ranges_skipped, skipped),
			 human_count(result->ranges_refused, refused),
			 human_count(result->ranges_failed, failed),
			 human_count(result->holes, holes),
			 human_bytes(result->bytes_advised, bytes),
			 human_bytes(result->stats.scanned * page, scanned),
			 human_bytes(result->stats.reclaimed * page, reclaimed),
			 human_bytes(result->stats.swapped * page, swapped),
			 human_time(elapsed_ns, time), ended);
}

static int add_walk(struct libscols_table *table, const struct walk *walk)
{
	char pid[16], ended[96];
	const char *why = stopped_text(walk->result.stopped);

	if (why && walk->result.cursor)
		snprintf(ended, sizeof(ended), "at %llx: %s",
			 walk->result.cursor, why);
	else
		snprintf(ended, sizeof(ended), "%s", why ? why : "complete");
	snprintf(pid, sizeof(pid), "%d", walk->target->pid);
	return add_row(table, pid, walk->target->name, &walk->result, walk->elapsed_ns,
		       ended);
}

/* Advise one target and print the result; for a dry run, its ranges as well. */
static int advise_one(const struct target *target, const struct request *request,
		      struct libscols_table *table, struct recfile *file,
		      struct walk *walk)
{
	struct vec ranges = { };
	int err = -EPERM, walk_err;

	if (request->flags & PMADV_DRY_RUN) {
		err = walk_recorded(target, request, walk, &ranges);
		/* Counts do not need the monitor. */
		if (err == -EPERM || err == -EACCES)
			say_warning("no table of ranges without that permission");
		else if (err)
			goto out;
	}
	if (err)
		walk_run(target, request, walk);

	walk_err = walk_say_error(walk, request);
	err = 0;
	if (ranges.nr && !walk_err) {
		if (table && !out_json())
			out_text("%s (%d)\n", target->name, target->pid);
		err = show_ranges(target, &ranges);
	}
	if (!err && !walk_err && file)
		err = snapshot_write(file, target->pid, target->name, &ranges);
	if (!err && (!walk_err || walk->result.ranges_seen)) {
		if (out_json())
			err = json_print(walk_json(walk, request, 0));
		else if (table)
			err = add_walk(table, walk);
		else
			err = show_block(walk, request);
	}
	err = walk_err ? walk_err : err;
out:
	vec_free(&ranges);
	return err;
}

static int make_request(const struct args *args, struct request *request)
{
	const struct iovec *range = args->ranges.items;

	if (!args->advice && !args->policy)
		return say_error(-EUSAGE, "what advice? give --advice (" ADVICE_NAMES "), or --policy");
	if (args->coverage > 100)
		return say_error(-EUSAGE, "--coverage: at most 100");
	if (args->coverage && args->dry_run)
		return say_error(-EUSAGE, "--coverage is about what was done: not with --dry-run");
	if (args->ranges.nr > MAX_RANGES)
		return say_error(-EUSAGE, "%zu ranges are too many: at most %d",
				 args->ranges.nr, MAX_RANGES);

	memset(request, 0, sizeof(*request));
	request->advice = args->advice;
	request->max_pages = args->max_pages;
	request->cursor = args->cursor;
	request->vma = args->vma;
	request->flags = PMADV_SKIP_ERRORS;
	request->flags |= args->policy ? PMADV_POLICY : 0;
	request->flags |= args->dry_run ? PMADV_DRY_RUN : 0;

	if (!args->ranges.nr) {
		request->flags |= args->vma ? 0 : PMADV_ENTIRE_ADDRESS_SPACE;
		return 0;
	}
	request->ranges = range;
	request->nr_ranges = args->ranges.nr;
	if (!args->cursor)
		return 0;

	for (size_t i = 0; i < args->ranges.nr; i++) {
		uint64_t start = (uintptr_t)range[i].iov_base;

		if (args->cursor >= start && args->cursor < start + range[i].iov_len) {
			request->cursor_index = (uint32_t)i;
			return 0;
		}
	}
	return say_error(-EUSAGE, "--cursor %" PRIx64 " is in none of the ranges given",
			 args->cursor);
}

/* Is as much of @target in huge pages as was asked for? */
static int check_coverage(const struct target *target, uint64_t wanted)
{
	char huge[HUMAN_LEN], resident[HUMAN_LEN];
	struct huge_usage usage;
	struct json_object *line;
	unsigned int percent;
	int err = process_huge(target->pid, &usage);

	if (err)
		return say_error(err, "%s (%d): how much of it is in huge pages: %s",
				 target->name, target->pid, error_text(err));
	percent = huge_coverage(&usage);
	human_bytes(usage.huge, huge);
	human_bytes(usage.resident, resident);
	if (out_json()) {
		line = json_line("coverage");
		json_signed(line, "pid", target->pid);
		json_text(line, "comm", target->name);
		json_number(line, "huge", usage.huge);
		json_number(line, "resident", usage.resident);
		json_number(line, "percent", percent);
		err = json_print(line);
	} else {
		out_text("  huge pages   %s of %s: %u %%\n", huge, resident, percent);
		err = out_flush();
	}
	if (err || percent >= wanted)
		return err;
	return say_error(-EAGAIN, "%s (%d): %u %% in huge pages is less than %" PRIu64 " %%",
			 target->name, target->pid, percent, wanted);
}

static int advise_all(const struct vec *targets, const struct request *request,
		      uint64_t coverage, struct libscols_table *table, struct recfile *file)
{
	const struct target *target = targets->items;
	struct pmadv_result sum = { };
	uint64_t elapsed_ns = 0;
	int first_err = 0;
	size_t done;

	for (done = 0; done < targets->nr && !stop_asked; done++) {
		struct walk walk;
		int err = advise_one(&target[done], request, table, file, &walk);

		if (!err && coverage)
			err = check_coverage(&target[done], coverage);
		/*
		 * With several targets, one that exited is reported but is not
		 * a failure.
		 */
		if (err == -ESRCH && targets->nr > 1)
			continue;
		if (err && !first_err)
			first_err = err;
		/* The next target would fail in the same way. */
		if (err == -ELACKS || err == -EEJECTED || err == -ENOMEM || err == -EPIPE)
			break;
		elapsed_ns += walk.elapsed_ns;
		pmadv_result_add(&sum, &walk.result);
	}

	if (table && !out_json() && scols_table_get_nlines(table)) {
		int err = add_row(table, "", "total", &sum, elapsed_ns, "");

		if (!err)
			err = table_print(table);
		if (!first_err)
			first_err = err;
	}
	if (stop_asked && !first_err)
		first_err = say_error(-EINTR, "interrupted; %zu of %zu targets were not begun",
				      targets->nr - done, targets->nr);
	return first_err;
}

/*
 * The cgroup that all of them are in; NULL if that is several, or the root, which is the
 * whole system.
 */
static const char *common_cgroup(const struct vec *targets, char path[PATH_MAX])
{
	const struct target *target = targets->items;
	char mount[PATH_MAX], other[PATH_MAX];

	if (cgroup_mount(mount) || cgroup_of(target[0].pid, path) || !strcmp(path, mount))
		return NULL;
	for (size_t i = 1; i < targets->nr; i++)
		if (cgroup_of(target[i].pid, other) || strcmp(path, other))
			return NULL;
	return path;
}

/*
 * Whose verdicts these are: NULL on @decider for the policy in force, or none. One that
 * the hook asks for everybody is put in force for as few others as possible.
 */
static int open_decider(const struct args *args, const struct vec *targets,
			struct request *request, struct decider *decider)
{
	const char *name = args->policy, *cgroup = NULL;
	char path[PATH_MAX];
	int err;

	if (args->set.nr && (!name || !*name))
		return say_error(-EUSAGE, "--set is for --policy=POLICY");
	if (hook_present() && (!name || !*name))
		return 0;
	if (args->vma && !hook_present())
		return say_error(-ELACKS, "--vma takes file descriptors for mappings: boot a kernel built with this project's patches and CONFIG_VMA_FD=y");
	if (name && !*name)
		return say_error(-ELACKS, "on a kernel without the hook no policy is in force: name one, as --policy=POLICY");
	if (hook_present())
		cgroup = common_cgroup(targets, path);
	/* Without a policy, one that does what is proposed. */
	err = decider_open(decider, name ? name : "caller", &args->set, cgroup);
	if (err)
		return err;
	request->decider = decider;
	request->proven_only = args->proven_only;
	request->freeze = args->freeze;
	return 0;
}

static int advise_targets(const struct args *args, const struct vec *targets,
			  const struct request *request, struct recfile *file)
{
	struct libscols_table *table = NULL;
	int err;

	if ((args->cursor || args->vma) && targets->nr > 1)
		return say_error(-EUSAGE, "%s takes one target, not %zu",
				 args->vma ? "--vma" : "--cursor", targets->nr);
	if (targets->nr > 1) {
		table = table_new(walk_columns);
		if (!table)
			return say_no_memory();
	}
	err = advise_all(targets, request, args->coverage, table, file);
	scols_unref_table(table);
	return err;
}

static int create_record(const struct args *args, struct recfile **file)
{
	struct pmadv_file_header header = { };

	if (!args->record)
		return 0;
	if (!args->dry_run)
		return say_error(-EUSAGE, "--record takes --dry-run: 'pmadv record' records what is done");
	recfile_begin_header(&header);
	return recfile_create(args->record, &header, file);
}

static int end_record(struct recfile *file)
{
	struct pmadv_record entry = { .type = PMADV_ENTRY_END, .time_ns = now_ns() };
	int err = recfile_add(file, &entry, sizeof(entry), NULL);

	return err ? err : recfile_flush(file);
}

static int advise_run(const struct args *args)
{
	struct recfile *file = NULL;
	struct decider decider = { };
	struct vec targets = { };
	struct request request;
	int err;

	err = make_request(args, &request);
	if (!err)
		err = targets_find(args->operands, args->nr_operands, false, &targets);
	if (!err)
		err = open_decider(args, &targets, &request, &decider);
	if (!err)
		err = create_record(args, &file);
	if (!err)
		err = advise_targets(args, &targets, &request, file);
	if (!err && file)
		err = end_record(file);
	recfile_close(file);
	decider_close(&decider);
	targets_free(&targets);
	return err;
}

const struct verb verb_advise = {
	.name = "advise",
	.operands = "TARGET...",
	.min_operands = 1,
	.max_operands = -1,
	.summary = "Advise the memory of processes once, and report the result.",
	.options = options,
	.examples = examples,
	.run = advise_run,
};

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/rows.h"
#include "lib/util.h"
#include "options.h"
#include "recording/ages.h"
#include "recording/analysis.h"
#include "recording/heatmap.h"
#include "recording/html.h"
#include "recording/recfile.h"

/* Rows that a part has in a report of all parts. */
#define SHORT_ROWS	20
#define MAP_ROWS	24
#define MAP_LABELS	14
#define PLOT_ROWS	96
#define PLOT_COLUMNS	240

static const struct option_def options[] = {
	{ "show", 's', OPTION_TEXT, offsetof(struct args, show), "PART",
	  "only this part, and all of it: summary, targets, verdicts, time, latency, "
	  "ranges, wss, footprint, ages, cold or heatmap" },
	{ "pid", 'p', OPTION_PID, offsetof(struct args, pid), "PID",
	  "only what was done to this process" },
	{ "csv", 'c', OPTION_FLAG, offsetof(struct args, csv), NULL,
	  "print one part as CSV, with plain bytes and nanoseconds" },
	{ "plot", 'P', OPTION_TEXT, offsetof(struct args, plot), "FILE",
	  "draw the heatmap to FILE.svg, FILE.png or FILE.pdf, with gnuplot, or write "
	  "its numbers to FILE.csv or FILE.tsv" },
	{ "html", 'H', OPTION_TEXT, offsetof(struct args, html), "FILE",
	  "write all of it to FILE as one page for a browser, which loads nothing else" },
	{ "range", 'r', OPTION_RANGES, offsetof(struct args, ranges), "START-END",
	  "wss, footprint, ages, cold and heatmap: only these addresses, in hexadecimal" },
	{ "from", 'f', OPTION_SECONDS, offsetof(struct args, from), "TIME",
	  "the same parts: only from TIME on, like 90 or 5m since the recording began" },
	{ "to", 't', OPTION_SECONDS, offsetof(struct args, to), "TIME",
	  "the same parts: only up to TIME" },
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv report", "all about what 'pmadv record' recorded to " RECORD_DEFAULT },
	{ "pmadv report redis.rec --show ranges", "each range: what it was and what came of it" },
	{ "pmadv report redis.rec --show time --csv >savings.csv", "for a spreadsheet" },
	{ "pmadv report redis.rec --plot redis.svg", "what was accessed, by address and time" },
	{ "pmadv report redis.rec --plot redis.tsv", "the numbers of that picture" },
	{ "pmadv report redis.rec --show cold", "how long which part of the memory was idle" },
	{ "pmadv report redis.rec --show heatmap --from 5m --to 10m",
	  "a part of the picture; --csv gives its numbers" },
	{ "pmadv report redis.rec --html redis.html", "for a browser, or to send to somebody" },
	{ }
};

struct report {
	const char *path;
	const struct args *args;
	const struct pmadv_file_header *header;
	struct analysis analysis;
	enum rows_format format;
	bool all;		/* rows, not just the first */
	bool cut_off;
};

static struct rows rows_of(const struct report *report, const char *type,
			   const struct column *columns)
{
	const struct rows rows = {
		.type = type, .columns = columns, .format = report->format,
	};

	return rows;
}

static uint64_t bytes_of(const struct report *report, uint64_t pages)
{
	return pages * report->analysis.page_size;
}

static uint64_t grown(const struct level *level)
{
	if (level->first == PMADV_UNKNOWN || level->last == PMADV_UNKNOWN ||
	    level->last < level->first)
		return PMADV_UNKNOWN;
	return level->last - level->first;
}

static uint64_t grown_bytes(const struct report *report, const struct level *level)
{
	uint64_t pages = grown(level);

	return pages == PMADV_UNKNOWN ? pages : bytes_of(report, pages);
}

/* How many of @nr rows to show; adds a remark if that is not all of them. */
static size_t rows_shown(const struct report *report, size_t nr)
{
	return report->all || nr <= SHORT_ROWS ? nr : SHORT_ROWS;
}

static int say_more(const struct report *report, size_t nr, const char *part)
{
	if (rows_shown(report, nr) < nr)
		out_text("... and %zu more: --show %s\n", nr - SHORT_ROWS, part);
	return out_flush();
}

static int show_summary(struct report *report)
{
	static const struct column columns[] = {
		{ "began", "began", COLUMN_TEXT },
		{ "lasted", "duration_ns", COLUMN_TIME },
		{ "kernel", "kernel", COLUMN_TEXT },
		{ "engine", "engine", COLUMN_TEXT },
		{ "record", "record", COLUMN_TEXT },
		{ "records lost", "lost", COLUMN_COUNT },
		{ "targets", "targets", COLUMN_COUNT },
		{ "calls", "calls", COLUMN_COUNT },
		{ "ranges seen", "ranges_seen", COLUMN_COUNT },
		{ "  advised", "ranges_advised", COLUMN_COUNT },
		{ "  skipped", "ranges_skipped", COLUMN_COUNT },
		{ "  refused", "ranges_refused", COLUMN_COUNT },
		{ "  failed", "ranges_failed", COLUMN_COUNT },
		{ "addresses", "bytes_advised", COLUMN_BYTES },
		{ "scanned", "scanned", COLUMN_BYTES },
		{ "  young", "young", COLUMN_BYTES },
		{ "  shared", "shared", COLUMN_BYTES },
		{ "deactivated", "deactivated", COLUMN_BYTES },
		{ "reclaimed", "reclaimed", COLUMN_BYTES },
		{ "written", "written_back", COLUMN_BYTES },
		{ "kept", "activated", COLUMN_BYTES },
		{ "time spent", "time_ns", COLUMN_TIME },
		{ "refaulted", "refaulted", COLUMN_BYTES },
		{ "swapped in", "swapped_in", COLUMN_BYTES },
		{ "swapped out", "swapped_out", COLUMN_BYTES },
		{ }
	};
	const struct analysis *all = &report->analysis;
	const struct pmadv_result *done = &all->done.counts;
	time_t seconds = (time_t)(report->header->start_realtime_ns / 1000000000);
	struct rows rows = rows_of(report, "summary", columns);
	char began[40] = "?";
	struct tm tm;
	const union cell cells[] = {
		{ .text = began },
		{ .number = all->duration_ns },
		{ .text = report->header->release },
		{ .text = report->header->engine == PMADV_FILE_HOOK ? "hook" : "engine" },
		{ .text = all->complete ? "complete" :
			  report->cut_off ? "cut off" : "not ended" },
		{ .number = all->lost },
		{ .number = all->targets.nr },
		{ .number = all->done.calls },
		{ .number = done->ranges_seen },
		{ .number = done->ranges_advised },
		{ .number = done->ranges_skipped },
		{ .number = done->ranges_refused },
		{ .number = done->ranges_failed },
		{ .number = done->bytes_advised },
		{ .number = bytes_of(report, done->stats.scanned) },
		{ .number = bytes_of(report, done->stats.young) },
		{ .number = bytes_of(report, done->stats.shared) },
		{ .number = bytes_of(report, done->stats.deactivated) },
		{ .number = bytes_of(report, done->stats.reclaimed) },
		{ .number = bytes_of(report, done->stats.written_back) },
		{ .number = bytes_of(report, done->stats.activated) },
		{ .number = done->stats.time_ns },
		{ .number = grown_bytes(report, &all->refaults) },
		{ .number = grown_bytes(report, &all->swapped_in) },
		{ .number = grown_bytes(report, &all->swapped_out) },
	};
	int err;

	if (gmtime_r(&seconds, &tm))
		strftime(began, sizeof(began), "%Y-%m-%d %H:%M:%S UTC", &tm);
	rows.one = true;
	err = rows_begin(&rows);
	if (!err)
		err = rows_add(&rows, cells);
	return err ? err : rows_end(&rows);
}

static int show_targets(struct report *report)
{
	static const struct column columns[] = {
		{ "PID", "pid", COLUMN_ID },
		{ "COMMAND", "comm", COLUMN_TEXT },
		{ "CALLS", "calls", COLUMN_COUNT },
		{ "RANGES", "ranges_seen", COLUMN_COUNT },
		{ "ADVISED", "ranges_advised", COLUMN_COUNT },
		{ "RECLAIMED", "reclaimed", COLUMN_BYTES },
		{ "RESIDENT", "resident_first", COLUMN_BYTES },
		{ "-> THEN", "resident_last", COLUMN_BYTES },
		{ "SWAPPED", "swapped_first", COLUMN_BYTES },
		{ "-> THEN", "swapped_last", COLUMN_BYTES },
		{ "FAULTS", "major_faults", COLUMN_COUNT },
		{ "REFAULTED", "cgroup_refaulted", COLUMN_BYTES },
		{ "TIME", "time_ns", COLUMN_TIME },
		{ "CGROUP", "cgroup", COLUMN_TEXT },
		{ }
	};
	const struct target_sum *target = report->analysis.targets.items;
	struct rows rows = rows_of(report, "target", columns);
	size_t nr = report->analysis.targets.nr;
	int err = rows_begin(&rows);

	for (size_t i = 0; i < rows_shown(report, nr) && !err; i++) {
		const struct target_sum *each = &target[i];
		bool known = each->sampled;
		const union cell cells[] = {
			{ .number = (uint64_t)each->tgid },
			{ .text = each->comm },
			{ .number = each->done.calls },
			{ .number = each->done.counts.ranges_seen },
			{ .number = each->done.counts.ranges_advised },
			{ .number = bytes_of(report, each->done.counts.stats.reclaimed) },
			{ .number = known ? each->resident.first : PMADV_UNKNOWN },
			{ .number = known ? each->resident.last : PMADV_UNKNOWN },
			{ .number = known ? each->swapped.first : PMADV_UNKNOWN },
			{ .number = known ? each->swapped.last : PMADV_UNKNOWN },
			{ .number = known ? grown(&each->major_faults) : PMADV_UNKNOWN },
			{ .number = known ? grown_bytes(report, &each->refaults) :
					    PMADV_UNKNOWN },
			{ .number = each->done.counts.stats.time_ns },
			{ .text = each->cgroup ? each->cgroup : "" },
		};

		err = rows_add(&rows, cells);
	}
	if (!err)
		err = rows_end(&rows);
	return err ? err : say_more(report, nr, "targets");
}

static int show_verdicts(struct report *report)
{
	static const struct column columns[] = {
		{ "MAPPING", "mapping", COLUMN_TEXT },
		{ "VERDICT", "verdict", COLUMN_TEXT },
		{ "OUTCOME", "outcome", COLUMN_TEXT },
		{ "RANGES", "ranges", COLUMN_COUNT },
		{ "", "", COLUMN_BAR },
		{ "ADDRESSES", "bytes_advised", COLUMN_BYTES },
		{ "SCANNED", "scanned", COLUMN_BYTES },
		{ "RECLAIMED", "reclaimed", COLUMN_BYTES },
		{ "TIME", "time_ns", COLUMN_TIME },
		{ }
	};
	const struct verdict_sum *verdict = report->analysis.verdicts.items;
	struct rows rows = rows_of(report, "verdict", columns);
	char name[VERDICT_TEXT_LEN];
	int err = rows_begin(&rows);
	double most = verdict ? (double)verdict->done.counts.ranges_seen : 0;

	for (size_t i = 0; i < report->analysis.verdicts.nr && !err; i++) {
		const struct pmadv_result *done = &verdict[i].done.counts;
		const union cell cells[] = {
			{ .text = verdict[i].kind },
			{ .text = verdict_text(verdict[i].verdict, name) },
			{ .text = outcome_text(verdict[i].outcome) },
			{ .number = done->ranges_seen },
			{ .fraction = (double)done->ranges_seen / most },
			{ .number = done->bytes_advised },
			{ .number = bytes_of(report, done->stats.scanned) },
			{ .number = bytes_of(report, done->stats.reclaimed) },
			{ .number = done->stats.time_ns },
		};

		err = rows_add(&rows, cells);
	}
	return err ? err : rows_end(&rows);
}

/* The sum of the samples from @from up to @to. */
static int add_moments(struct report *report, struct rows *rows, size_t from, size_t to)
{
	const struct moment *moment = report->analysis.moments.items;
	const struct level refaults = {
		.first = from ? moment[from - 1].refaults : moment[0].refaults,
		.last = moment[to - 1].refaults,
	};
	struct tally sum = { };

	for (size_t i = from; i < to; i++)
		tally_add(&sum, &moment[i].done);
	const union cell cells[] = {
		{ .number = moment[to - 1].time_ns },
		{ .number = sum.calls },
		{ .number = sum.counts.bytes_advised },
		{ .number = bytes_of(report, sum.counts.stats.scanned) },
		{ .number = bytes_of(report, sum.counts.stats.reclaimed) },
		{ .number = bytes_of(report, sum.counts.stats.written_back) },
		{ .number = grown_bytes(report, &refaults) },
		{ .number = moment[to - 1].resident },
		{ .number = moment[to - 1].swapped },
		{ .number = sum.counts.stats.time_ns },
	};

	return rows_add(rows, cells);
}

static int show_time(struct report *report)
{
	static const struct column columns[] = {
		{ "UP TO", "time_ns", COLUMN_TIME },
		{ "CALLS", "calls", COLUMN_COUNT },
		{ "ADVISED", "bytes_advised", COLUMN_BYTES },
		{ "SCANNED", "scanned", COLUMN_BYTES },
		{ "RECLAIMED", "reclaimed", COLUMN_BYTES },
		{ "WRITTEN", "written_back", COLUMN_BYTES },
		{ "REFAULTED", "refaulted", COLUMN_BYTES },
		{ "RESIDENT", "resident", COLUMN_BYTES },
		{ "SWAPPED", "swapped", COLUMN_BYTES },
		{ "SPENT", "spent_ns", COLUMN_TIME },
		{ }
	};
	struct rows rows = rows_of(report, "time", columns);
	size_t nr = report->analysis.moments.nr;
	size_t shown = rows_shown(report, nr);
	int err;

	if (report->format == ROWS_HTML)
		html_savings(&report->analysis);
	err = rows_begin(&rows);
	for (size_t i = 0; i < shown && !err; i++)
		err = add_moments(report, &rows, i * nr / shown, (i + 1) * nr / shown);
	return err ? err : rows_end(&rows);
}

static int show_latency(struct report *report)
{
	static const struct column columns[] = {
		{ "LESS THAN", "below_ns", COLUMN_TIME },
		{ "WALKS", "calls", COLUMN_COUNT },
		{ "", "", COLUMN_BAR },
		{ "RANGES", "ranges", COLUMN_COUNT },
		{ "", "", COLUMN_BAR },
		{ }
	};
	const struct latency *latency = report->analysis.latency;
	struct rows rows = rows_of(report, "latency", columns);
	uint64_t most_calls = 1, most_ranges = 1;
	size_t from = LATENCY_BUCKETS, to = 0;
	int err = rows_begin(&rows);

	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		if (!latency[i].calls && !latency[i].ranges)
			continue;
		from = from < i ? from : i;
		to = i + 1;
		most_calls = latency[i].calls > most_calls ? latency[i].calls : most_calls;
		most_ranges = latency[i].ranges > most_ranges ? latency[i].ranges :
								most_ranges;
	}
	for (size_t i = from; i < to && !err; i++) {
		bool last = i == LATENCY_BUCKETS - 1;
		const union cell cells[] = {
			{ .number = last ? PMADV_UNKNOWN : 1000ULL << i },
			{ .number = latency[i].calls },
			{ .fraction = (double)latency[i].calls / (double)most_calls },
			{ .number = latency[i].ranges },
			{ .fraction = (double)latency[i].ranges / (double)most_ranges },
		};

		err = rows_add(&rows, cells);
	}
	return err ? err : rows_end(&rows);
}

static int show_ranges(struct report *report)
{
	static const struct column columns[] = {
		{ "PID", "pid", COLUMN_ID },
		{ "START", "start", COLUMN_ADDRESS },
		{ "END", "end", COLUMN_ADDRESS },
		{ "SIZE", "bytes", COLUMN_BYTES },
		{ "MAPPING", "vma", COLUMN_TEXT },
		{ "SEEN", "seen", COLUMN_COUNT },
		{ "ADVISED", "advised", COLUMN_COUNT },
		{ "LAST", "verdict", COLUMN_TEXT },
		{ "OUTCOME", "outcome", COLUMN_TEXT },
		{ "SCANNED", "scanned", COLUMN_BYTES },
		{ "YOUNG", "young", COLUMN_BYTES },
		{ "RECLAIMED", "reclaimed", COLUMN_BYTES },
		{ "TIME", "time_ns", COLUMN_TIME },
		{ "NAME", "name", COLUMN_TEXT },
		{ }
	};
	const struct range_sum *range = report->analysis.ranges.items;
	struct rows rows = rows_of(report, "range", columns);
	size_t nr = report->analysis.ranges.nr;
	int err = rows_begin(&rows);

	for (size_t i = 0; i < rows_shown(report, nr) && !err; i++) {
		const struct range_sum *each = &range[i];
		char vma[VMA_TEXT_LEN], verdict[VERDICT_TEXT_LEN];
		const union cell cells[] = {
			{ .number = (uint64_t)each->tgid },
			{ .number = each->start },
			{ .number = each->end },
			{ .number = each->end - each->start },
			{ .text = vma_flags_text(each->vma_flags, vma) },
			{ .number = each->done.counts.ranges_seen },
			{ .number = each->done.counts.ranges_advised },
			{ .text = verdict_text(each->verdict, verdict) },
			{ .text = each->error ? strerrorname_np((int)each->error) :
						outcome_text(each->outcome) },
			{ .number = bytes_of(report, each->done.counts.stats.scanned) },
			{ .number = bytes_of(report, each->done.counts.stats.young) },
			{ .number = bytes_of(report, each->done.counts.stats.reclaimed) },
			{ .number = each->done.counts.stats.time_ns },
			{ .text = each->name ? each->name : "" },
		};

		err = rows_add(&rows, cells);
	}
	if (!err)
		err = rows_end(&rows);
	return err ? err : say_more(report, nr, "ranges");
}

/* The target to draw: that of --pid, or else the one with most pages scanned. */
static const struct target_sum *heatmap_target(const struct report *report)
{
	const struct target_sum *target = report->analysis.targets.items, *most = NULL;

	for (size_t i = 0; i < report->analysis.targets.nr; i++)
		if (!most || target[i].done.counts.stats.scanned > most->done.counts.stats.scanned)
			most = &target[i];
	return most;
}

static size_t text_columns(void)
{
	struct winsize window;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) ||
	    window.ws_col < 40)
		return 80 - MAP_LABELS;
	return window.ws_col - MAP_LABELS;
}

static const struct heatmap_view *view_of(const struct report *report,
					  struct heatmap_view *view)
{
	const struct iovec *range = report->args->ranges.items;

	*view = (struct heatmap_view) {
		.from_ns = report->args->from,
		.to_ns = report->args->to,
	};
	if (range) {
		view->start = (uintptr_t)range->iov_base;
		view->end = view->start + range->iov_len;
	}
	return view;
}

static int show_ages(struct report *report, int (*print)(const struct report *report,
							 const struct ages *ages))
{
	const struct target_sum *target = heatmap_target(report);
	struct heatmap_view view;
	struct ages ages;
	int err;

	if (!target || !target->done.counts.stats.scanned) {
		say_note("no walk looked at pages: nothing is known of what was idle");
		return 0;
	}
	err = ages_read(report->path, &report->analysis, target, view_of(report, &view),
			&ages);
	if (err)
		return err;
	err = print(report, &ages);
	ages_free(&ages);
	return err;
}

static int print_wss(const struct report *report, const struct ages *ages)
{
	return ages_print_wss(ages, report->format);
}

static int show_wss(struct report *report)
{
	return show_ages(report, print_wss);
}

static int print_footprint(const struct report *report, const struct ages *ages)
{
	return ages_print_footprint(ages, report->format,
				    report->all ? ages->map.nr_columns : SHORT_ROWS);
}

static int show_footprint(struct report *report)
{
	return show_ages(report, print_footprint);
}

static int print_ages(const struct report *report, const struct ages *ages)
{
	return ages_print_ages(ages, report->format);
}

static int show_idle(struct report *report)
{
	return show_ages(report, print_ages);
}

static int print_cold(const struct report *report, const struct ages *ages)
{
	return ages_print_cold(ages, report->format);
}

static int show_cold(struct report *report)
{
	return show_ages(report, print_cold);
}

static int show_heatmap(struct report *report)
{
	const struct target_sum *target = heatmap_target(report);
	bool picture = report->format == ROWS_HTML;
	struct heatmap_view view;
	struct heatmap map;
	int err;

	/* Without walks there is no heatmap, but the other parts are shown. */
	if (!target || !target->done.counts.stats.scanned) {
		say_note("no walk looked at pages: there is no heatmap");
		return 0;
	}
	err = heatmap_read(report->path, &report->analysis, target, view_of(report, &view),
			   picture ? PLOT_ROWS : MAP_ROWS,
			   picture ? PLOT_COLUMNS : text_columns(), &map);
	if (err)
		return err;
	if (report->format == ROWS_TEXT)
		err = heatmap_print_text(&map);
	else if (picture)
		html_heatmap(&map);
	else
		err = heatmap_print_cells(&map, report->format);
	heatmap_free(&map);
	return err;
}

static int plot_heatmap(struct report *report)
{
	const struct target_sum *target = heatmap_target(report);
	struct heatmap_view view;
	struct heatmap map;
	int err;

	if (!target)
		return say_error(-ENODATA, "%s has no walks to draw", report->path);
	err = heatmap_read(report->path, &report->analysis, target, view_of(report, &view),
			   PLOT_ROWS, PLOT_COLUMNS, &map);
	if (err)
		return err;
	err = heatmap_plot(&map, report->args->plot);
	heatmap_free(&map);
	return err;
}

static const struct {
	const char *name;
	const char *heading;
	int (*show)(struct report *report);
} parts[] = {
	{ "summary", "Summary", show_summary },
	{ "targets", "Targets", show_targets },
	{ "verdicts", "Verdicts, by kind of mapping", show_verdicts },
	{ "time", "Savings over time", show_time },
	{ "latency", "How long walks and ranges took", show_latency },
	{ "ranges", "Ranges", show_ranges },
	{ "wss", "Working set, percentiles over time", show_wss },
	{ "footprint", "Working set over time", show_footprint },
	{ "ages", "How much was idle for how long", show_idle },
	{ "cold", "How long the coldest parts were idle", show_cold },
	{ "heatmap", "Heatmap", show_heatmap },
};

static const char *part_name(size_t nr)
{
	return nr < ARRAY_SIZE(parts) ? parts[nr].name : NULL;
}

static int show_parts(struct report *report)
{
	const char *only = report->args->show;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && !err; i++) {
		if (only && strcmp(only, parts[i].name))
			continue;
		if (!only && report->format == ROWS_TEXT)
			out_text("%s=== %s\n", i ? "\n" : "", parts[i].heading);
		if (report->format == ROWS_HTML)
			html_heading(parts[i].heading);
		err = parts[i].show(report);
	}
	return err;
}

/* The parts as a page in a file. stdout has nothing else then. */
static int write_html(struct report *report)
{
	const char *path = report->args->html;
	char title[128];
	int err;

	snprintf(title, sizeof(title), "pmadv report: %s", report->path);
	err = out_to_file(path);
	if (err)
		return say_error(err, "cannot write %s: %s", path, error_text(err));
	report->format = ROWS_HTML;
	html_begin(title);
	err = show_parts(report);
	html_end();
	return err ? err : out_flush();
}

static int say_no_part(const char *name)
{
	char list[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i + 1 == ARRAY_SIZE(parts) ? " and " : i ? ", " : "",
					 parts[i].name);
	return say_error(-EUSAGE, "--show '%s': there is %s", name, list);
}

static int check_usage(const struct args *args)
{
	size_t i = 0;

	while (args->show && i < ARRAY_SIZE(parts) && strcmp(parts[i].name, args->show))
		i++;
	if (i == ARRAY_SIZE(parts))
		return say_no_part(args->show);
	if (args->csv && !args->show)
		return say_error(-EUSAGE, "--csv prints one part: select it with --show");
	if (args->csv && args->json)
		return say_error(-EUSAGE, "--csv or --json, not both");
	if (args->html && (args->csv || args->json || args->plot))
		return say_error(-EUSAGE, "--html writes a page: without --csv, --json and --plot");
	if (args->ranges.nr > 1)
		return say_error(-EUSAGE, "one --range: a picture has one part of the addresses");
	if (args->to && args->to <= args->from)
		return say_error(-EUSAGE, "--to is not after --from");
	return 0;
}

static int report_run(const struct args *args)
{
	struct report report = {
		.path = args->nr_operands ? args->operands[0] : RECORD_DEFAULT,
		.args = args,
		.format = args->csv ? ROWS_CSV : args->json ? ROWS_JSON : ROWS_TEXT,
		.all = args->show || args->json,
	};
	struct recfile *file;
	uint64_t good;
	int err;

	err = check_usage(args);
	if (!err)
		err = recfile_open(report.path, &file);
	if (err)
		return err;
	report.header = recfile_header(file);

	err = analysis_read(file, args->pid, &report.analysis);
	if (err)
		goto close;
	report.cut_off = recfile_damaged(file, &good);
	if (report.cut_off)
		say_warning("%s was cut off or damaged after %" PRIu64 " bytes: what came later is lost",
			    report.path, good);
	if (args->plot)
		err = plot_heatmap(&report);
	else if (args->html)
		err = write_html(&report);
	else
		err = show_parts(&report);
	analysis_free(&report.analysis);
close:
	recfile_close(file);
	return err;
}

const struct verb verb_report = {
	.name = "report",
	.operands = "[FILE]",
	.min_operands = 0,
	.max_operands = 1,
	.summary = "Show what 'pmadv record' recorded: targets, ranges, verdicts, savings, latencies and a heatmap.",
	.options = options,
	.examples = examples,
	.run = report_run,
	.word = part_name,
};

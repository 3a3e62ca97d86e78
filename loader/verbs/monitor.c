// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/privileges.h"
#include "lib/results.h"
#include "lib/tally.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "walk/decider.h"
#include "walk/monitor.h"
#include "walk/range_text.h"

static const struct option_def options[] = {
	OPTION_WATCHED_PID,
	{ "interval", 'i', OPTION_SECONDS, offsetof(struct args, interval), "TIME",
	  "print one summary every TIME (like 5, 0.5 or 200ms), not every range" },
	{ "count", 'n', OPTION_COUNT, offsetof(struct args, count), "N",
	  "end after N lines" },
	OPTION_BUFFER,
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv monitor", "a line for every range that any process is advised on" },
	{ "pmadv monitor --pid 4711 --interval 5", "a summary of one target every 5 seconds" },
	{ "pmadv monitor --count 100 --json >ranges.jsonl", "100 records, to work on" },
	{ }
};

struct monitor {
	const struct args *args;
	uint64_t lines;
	bool full;		/* as many lines as wanted */
	struct tally interval;
};

static bool had_enough(struct monitor *monitor)
{
	monitor->full = monitor->args->count && monitor->lines >= monitor->args->count;
	return monitor->full;
}

static int on_range(void *data, const struct pmadv_range_record *record)
{
	struct monitor *monitor = data;
	int err;

	if (!monitor->args->interval) {
		if (had_enough(monitor))
			return 0;
		if (out_json())
			err = json_print(range_json(record));
		else
			err = show_range(record, !monitor->lines);
		monitor->lines++;
		had_enough(monitor);
		return err;
	}

	tally_range(&monitor->interval, record);
	return 0;
}

static int on_call(void *data, const struct pmadv_call_record *record)
{
	struct monitor *monitor = data;

	(void)record;
	monitor->interval.calls++;
	return 0;
}

static int print_summary(struct monitor *monitor, uint64_t lost)
{
	const struct pmadv_result *sum = &monitor->interval.counts;
	char bytes[HUMAN_LEN], scanned[HUMAN_LEN], reclaimed[HUMAN_LEN],
	     written[HUMAN_LEN], time[HUMAN_LEN];

	if (out_json()) {
		struct json_object *line = json_line("summary");

		json_text(line, "engine", engine_in_use());
		json_number(line, "interval_ns", monitor->args->interval);
		json_number(line, "calls", monitor->interval.calls);
		json_ranges(line, sum);
		json_number(line, "bytes_advised", sum->bytes_advised);
		json_stats(line, &sum->stats);
		json_number(line, "lost", lost);
		return json_print(line);
	}

	if (monitor->lines % 20 == 0)
		out_text("%7s %8s %8s %8s %8s %8s %9s %9s %9s %9s %9s\n", "CALLS",
			 "RANGES", "ADVISED", "SKIPPED", "REFUSED", "FAILED", "BYTES",
			 "SCANNED", "RECLAIMED", "WRITTEN", "TIME");
	out_text("%7" PRIu64 " %8llu %8llu %8llu %8llu %8llu %9s %9s %9s %9s %9s\n",
		 monitor->interval.calls, sum->ranges_seen, sum->ranges_advised,
		 sum->ranges_skipped, sum->ranges_refused, sum->ranges_failed,
		 human_bytes(sum->bytes_advised, bytes),
		 human_bytes(sum->stats.scanned * page_size(), scanned),
		 human_bytes(sum->stats.reclaimed * page_size(), reclaimed),
		 human_bytes(sum->stats.written_back * page_size(), written),
		 human_time(sum->stats.time_ns, time));
	return out_flush();
}

static int end_interval(void *data, struct monitor *records)
{
	struct monitor *monitor = data;
	int err;

	err = print_summary(monitor, monitor_lost(records));
	memset(&monitor->interval, 0, sizeof(monitor->interval));
	monitor->lines++;
	had_enough(monitor);
	return err;
}

static int print_lost(const struct monitor *monitor, struct monitor *records)
{
	uint64_t lost = monitor_lost(records);

	if (out_json()) {
		struct json_object *line = json_line("end");

		json_text(line, "engine", engine_in_use());
		json_number(line, "lines", monitor->lines);
		json_number(line, "lost", lost);
		return json_print(line);
	}
	say_note("%" PRIu64 " records lost", lost);
	return 0;
}

static int monitor_run(const struct args *args)
{
	struct monitor monitor = { .args = args };
	const struct monitor_filter filter = {
		.target = args->pid,
		.ranges = true,
		.calls = args->interval > 0,
	};
	const struct monitor_handler handler = {
		.range = on_range,
		.call = on_call,
		.tick = end_interval,
		.data = &monitor,
	};
	struct monitor *records;
	int err;

	records = monitor_open(&filter, args->buffer, &handler, &err);
	if (!records)
		return err;
	privileges_drop(PRIVILEGES_NONE);
	say_note("watching%s, until Ctrl-C%s", args->pid ? " that process" : " all processes",
		 args->count ? " or all lines are there" : "");

	err = monitor_watch(records, args->interval, 0, &monitor.full);
	if (!err)
		err = print_lost(&monitor, records);
	monitor_close(records);
	return err;
}

const struct verb verb_monitor = {
	.name = "monitor",
	.operands = "",
	.min_operands = 0,
	.max_operands = 0,
	.summary = "Show what process_madvise(2) does, range by range or as a summary, and how many records were lost.",
	.options = options,
	.examples = examples,
	.run = monitor_run,
};

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/reconcile.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/privileges.h"
#include "lib/results.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "proc/maps.h"
#include "proc/sample.h"
#include "recording/recfile.h"
#include "recording/rotation.h"
#include "recording/seen.h"
#include "walk/decider.h"
#include "walk/monitor.h"

/* Samples are that far apart, or farther if that would cost too much. */
#define SAMPLE_NS	1000000000ULL

static const struct option_def options[] = {
	{ "output", 'o', OPTION_TEXT, offsetof(struct args, output), "FILE",
	  "where to; a record that is there is replaced; default: " RECORD_DEFAULT },
	{ "duration", 'd', OPTION_SECONDS, offsetof(struct args, duration), "TIME",
	  "end after TIME, like 60, 0.5 or 10m; default: at Ctrl-C" },
	{ "max-size", 'S', OPTION_SIZE, offsetof(struct args, max_size), "SIZE",
	  "begin another file when it has that many bytes; the full one is renamed "
	  "to FILE.TIME" },
	{ "max-time", 'T', OPTION_SECONDS, offsetof(struct args, max_time), "TIME",
	  "the same after TIME, like 1h" },
	{ "max-files", 'n', OPTION_COUNT, offsetof(struct args, max_files), "N",
	  "keep no more than N of these files, the one being written included" },
	OPTION_WATCHED_PID,
	{ "children", 'c', OPTION_FLAG, offsetof(struct args, children), NULL,
	  "with --pid: and to the processes that it starts, and that those start" },
	{ "daemon", 'D', OPTION_FLAG, offsetof(struct args, daemon), NULL,
	  "only what the running 'pmadv daemon' does, until it ends" },
	OPTION_BUFFER,
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv record", "to " RECORD_DEFAULT ", until Ctrl-C; 'pmadv report' shows it" },
	{ "pmadv record --pid 4711 --duration 10m -o redis.rec",
	  "what is done to one process in ten minutes" },
	{ "pmadv record --max-time 1h --max-files 24", "a file for each hour of the last day" },
	{ "pmadv record --daemon", "what the daemon that is running does to its targets" },
	{ }
};

struct recording {
	struct rotation rotation;
	struct pmadv_file_header header;
	struct recfile *file;
	struct monitor *records;
	pid_t daemon;		/* the one whose calls are recorded, 0: all */
	bool enough;
	struct seen_all seen;
	uint64_t start_ns;
	uint64_t sample_ns;	/* when to take the next sample */
	uint64_t files;
	uint64_t bytes;		/* of those that are full */
	uint64_t calls;
	uint64_t ranges;
};

static int turn_file(struct recording *recording);

static bool is_full(const struct recording *recording)
{
	return rotation_due(&recording->rotation, recfile_size(recording->file),
			    now_ns() - recording->header.start_ns);
}

/* @entry: a copy of what the monitor reported. */
static int add_record(struct recording *recording, struct pmadv_record *entry)
{
	int err = recfile_add(recording->file, entry, entry->size, NULL);

	return !err && recording->rotation.max_size && is_full(recording) ?
	       turn_file(recording) : err;
}

static int on_range(void *data, const struct pmadv_range_record *record)
{
	struct recording *recording = data;
	struct pmadv_range_record entry = *record;
	struct seen *seen = seen_note(&recording->seen, &record->head);

	if (!seen)
		return say_no_memory();
	if (!maps_find(&seen->maps, record->start))
		seen->fresh = false;
	recording->ranges++;
	return add_record(recording, &entry.head);
}

static int on_call(void *data, const struct pmadv_call_record *record)
{
	struct recording *recording = data;
	struct pmadv_call_record entry = *record;

	if (!seen_note(&recording->seen, &record->head))
		return say_no_memory();
	recording->calls++;
	return add_record(recording, &entry.head);
}

static int add_mappings(struct recording *recording, struct seen *seen, uint64_t now)
{
	const struct map_name *map;
	int err = 0;

	seen->fresh = true;
	maps_free(&seen->maps);
	/*
	 * Without the right to read them, or if the process is gone, ranges
	 * have no names.
	 */
	if (maps_read(seen->tgid, &seen->maps))
		return 0;

	map = seen->maps.items;
	for (size_t i = 0; i < seen->maps.nr && !err; i++) {
		struct pmadv_mapping_entry entry = {
			.head = { .type = PMADV_ENTRY_MAPPING, .time_ns = now,
				  .tgid = seen->tgid },
			.start = map[i].start,
			.end = map[i].end,
		};

		if (!*map[i].name)
			continue;
		memcpy(entry.head.comm, seen->comm, sizeof(entry.head.comm));
		err = recfile_add(recording->file, &entry.head, sizeof(entry),
				  map[i].name);
	}
	return err;
}

static int add_target(struct recording *recording, struct seen *seen, uint64_t now)
{
	struct pmadv_target_entry entry = {
		.head = { .type = PMADV_ENTRY_TARGET, .time_ns = now,
			  .tgid = seen->tgid },
	};
	struct target_sample sample;
	int err;

	if (sample_target(seen->tgid, &sample)) {
		seen->gone = true;
		return 0;
	}
	memcpy(entry.head.comm, seen->comm, sizeof(entry.head.comm));
	entry.resident = sample.resident;
	entry.swapped = sample.swapped;
	entry.major_faults = sample.major_faults;
	entry.refault_anon = sample.refault_anon;
	entry.refault_file = sample.refault_file;
	err = recfile_add(recording->file, &entry.head, sizeof(entry), sample.cgroup);
	return err || seen->fresh ? err : add_mappings(recording, seen, now);
}

static int add_system(struct recording *recording, uint64_t now, uint64_t lost)
{
	struct pmadv_system_entry entry = {
		.head = { .type = PMADV_ENTRY_SYSTEM, .time_ns = now },
		.lost = lost,
	};
	struct system_sample sample;

	sample_system(&sample);
	entry.refault_anon = sample.refault_anon;
	entry.refault_file = sample.refault_file;
	entry.swapped_in = sample.swapped_in;
	entry.swapped_out = sample.swapped_out;
	return recfile_add(recording->file, &entry.head, sizeof(entry), NULL);
}

/* The system, and all targets. What that took decides when to do it again. */
static int take_samples(struct recording *recording)
{
	uint64_t now = now_ns(), began = cpu_ns(), pause;
	struct seen *seen = recording->seen.list.items;
	int err;

	seen_forget_gone(&recording->seen);
	err = add_system(recording, now, monitor_lost(recording->records));
	for (size_t i = 0; i < recording->seen.list.nr && !err; i++)
		if (!seen[i].gone)
			err = add_target(recording, &seen[i], now);
	if (!err)
		err = recfile_flush(recording->file);
	pause = pause_after(cpu_ns() - began);
	/* The ticks are as far apart: a sample is not to miss one by a hair. */
	recording->sample_ns = now + (pause > SAMPLE_NS ? pause : SAMPLE_NS / 2);
	return err;
}

static int create_file(struct recording *recording)
{
	int err;

	recfile_begin_header(&recording->header);
	err = recfile_create(recording->rotation.path, &recording->header,
			     &recording->file);
	recording->files += !err;
	return err;
}

/* The first sample is the base for the others. */
static int take_first_samples(struct recording *recording)
{
	int err = take_samples(recording);

	recording->rotation.base = recfile_size(recording->file);
	return err;
}

static int end_file(struct recording *recording)
{
	struct pmadv_record entry = { .type = PMADV_ENTRY_END, .time_ns = now_ns() };
	int err;

	err = recfile_add(recording->file, &entry, sizeof(entry), NULL);
	if (!err)
		err = recfile_flush(recording->file);
	recording->bytes += recfile_size(recording->file);
	return err;
}

/* Each file can be read alone, so the next one begins with all that is known. */
static int turn_file(struct recording *recording)
{
	struct seen *seen = recording->seen.list.items;
	int err;

	err = take_samples(recording);
	if (!err)
		err = end_file(recording);
	if (!err)
		err = rotation_turn(&recording->rotation);
	if (err)
		return err;
	recfile_close(recording->file);
	recording->file = NULL;
	for (size_t i = 0; i < recording->seen.list.nr; i++)
		seen[i].fresh = false;
	err = create_file(recording);
	return err ? err : take_first_samples(recording);
}

static void show_progress(const struct recording *recording)
{
	uint64_t bytes = recording->bytes + recfile_size(recording->file);
	char size[HUMAN_LEN], time[HUMAN_LEN];

	progress_line("%s: %" PRIu64 " calls, %" PRIu64 " ranges, %s",
		      human_time(now_ns() - recording->start_ns, time), recording->calls,
		      recording->ranges, human_bytes(bytes, size));
}

/* Once a second. What was recorded by then is to survive our end. */
static int on_tick(void *data, struct monitor *records)
{
	struct recording *recording = data;
	int err;

	(void)records;
	if (now_ns() >= recording->sample_ns)
		err = take_samples(recording);
	else
		err = recfile_flush(recording->file);
	if (!err && is_full(recording))
		err = turn_file(recording);
	if (err)
		return err;
	show_progress(recording);
	if (recording->daemon && scopes_owner() != recording->daemon) {
		say_note("the daemon has ended: nothing more to record");
		recording->enough = true;
	}
	return 0;
}

static int print_end(const struct recording *recording)
{
	const char *path = recording->rotation.path;
	uint64_t lost = monitor_lost(recording->records);
	char bytes[HUMAN_LEN], files[32] = "";

	if (out_json()) {
		struct json_object *line = json_line("record");

		json_text(line, "engine", engine_in_use());
		json_text(line, "file", path);
		json_number(line, "files", recording->files);
		json_number(line, "bytes", recording->bytes);
		json_number(line, "targets", recording->seen.total);
		json_number(line, "calls", recording->calls);
		json_number(line, "ranges", recording->ranges);
		json_number(line, "lost", lost);
		return json_print(line);
	}
	if (recording->files > 1)
		snprintf(files, sizeof(files), " in %" PRIu64 " files", recording->files);
	out_text("%s: %s%s, %" PRIu64 " targets, %" PRIu64 " calls, %" PRIu64 " ranges, %" PRIu64 " records lost\n",
		 path, human_bytes(recording->bytes, bytes), files, recording->seen.total,
		 recording->calls, recording->ranges, lost);
	return out_flush();
}

static int record_all(struct recording *recording, uint64_t duration)
{
	int err;

	err = take_first_samples(recording);
	if (!err)
		err = monitor_watch(recording->records, SAMPLE_NS, duration,
				    &recording->enough);
	/* Of what happened since the last one, too. */
	if (!err)
		err = take_samples(recording);
	if (!err)
		err = end_file(recording);
	return err ? err : print_end(recording);
}

static int check_args(const struct args *args)
{
	if (args->children && !args->pid)
		return say_error(-EUSAGE, "--children: of which process? Give --pid, too");
	if (args->daemon && args->pid)
		return say_error(-EUSAGE, "--daemon and --pid: one of them");
	if (args->max_files && !args->max_size && !args->max_time)
		return say_error(-EUSAGE, "--max-files: when is a file full? Give --max-size or --max-time, too");
	if (args->max_size && args->max_size < ROTATION_SIZE_LEAST)
		return say_error(-EUSAGE, "--max-size: at least 1M");
	return 0;
}

static int find_daemon(struct recording *recording)
{
	recording->daemon = scopes_owner();
	return recording->daemon ? 0 :
	       say_error(-ESRCH, "no pmadv daemon is running: start one, or record without --daemon");
}

static int open_records(struct recording *recording, const struct args *args)
{
	const struct monitor_filter filter = {
		.target = args->pid,
		.caller = recording->daemon,
		.children = args->children,
		.ranges = true,
		.calls = true,
	};
	const struct monitor_handler handler = {
		.range = on_range,
		.call = on_call,
		.tick = on_tick,
		.data = recording,
	};
	int err = 0;

	recording->records = monitor_open(&filter, args->buffer, &handler, &err);
	return err;
}

/*
 * More files have to be made with what rights are left then, so that the first one is,
 * too: nobody is to find out after an hour that there is no second one.
 */
static int begin(struct recording *recording)
{
	int err = 0;

	if (recording->rotation.max_size || recording->rotation.max_time) {
		privileges_drop(PRIVILEGES_LOOK);
		err = rotation_check(&recording->rotation);
		return err ? err : create_file(recording);
	}
	err = create_file(recording);
	if (!err)
		privileges_drop(PRIVILEGES_LOOK);
	return err;
}

static int record_run(const struct args *args)
{
	struct recording recording = {
		.rotation = {
			.path = args->output ? args->output : RECORD_DEFAULT,
			.max_size = args->max_size,
			.max_time = args->max_time,
			.max_files = args->max_files,
		},
		.header = { .only_target = args->pid, .interval_ms = SAMPLE_NS / 1000000 },
		.start_ns = now_ns(),
	};
	int err;

	err = check_args(args);
	if (!err && args->daemon)
		err = find_daemon(&recording);
	if (!err)
		err = open_records(&recording, args);
	if (!err)
		err = begin(&recording);
	if (err)
		goto out;
	say_note("recording%s to %s, until Ctrl-C%s",
		 args->daemon ? " what the daemon does" :
		 args->children ? " that process and its children" :
		 args->pid ? " that process" : "",
		 recording.rotation.path, args->duration ? " or that time is over" : "");
	err = record_all(&recording, args->duration);
out:
	recfile_close(recording.file);
	rotation_free(&recording.rotation);
	seen_free(&recording.seen);
	monitor_close(recording.records);
	return err;
}

const struct verb verb_record = {
	.name = "record",
	.operands = "",
	.min_operands = 0,
	.max_operands = 0,
	.summary = "Record what process_madvise(2) does and what becomes of its targets, for 'pmadv report'.",
	.options = options,
	.examples = examples,
	.run = record_run,
};

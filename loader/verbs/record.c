// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
#include "walk/decider.h"
#include "walk/monitor.h"

#define SAMPLE_NS	1000000000ULL

static const struct option_def options[] = {
	{ "output", 'o', OPTION_TEXT, offsetof(struct args, output), "FILE",
	  "where to; a record that is there is replaced; default: " RECORD_DEFAULT },
	{ "duration", 'd', OPTION_SECONDS, offsetof(struct args, duration), "TIME",
	  "end after TIME, like 60, 0.5 or 10m; default: at Ctrl-C" },
	OPTION_WATCHED_PID,
	OPTION_BUFFER,
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv record", "to " RECORD_DEFAULT ", until Ctrl-C; 'pmadv report' shows it" },
	{ "pmadv record --pid 4711 --duration 10m -o redis.rec",
	  "what is done to one process in ten minutes" },
	{ }
};

/* A process that was advised; @tgid is the key. */
struct seen {
	int32_t tgid;
	char comm[PMADV_COMM_LEN];
	struct vec maps;	/* as they were last read */
	bool fresh;		/* every range that was seen is in one of them */
	bool gone;
};

struct recording {
	struct recfile *file;
	struct vec seen;
	size_t last;		/* most records are about the same one */
	uint64_t start_ns;
	uint64_t calls;
	uint64_t ranges;
};

static int note_target(struct recording *recording, const struct pmadv_record *head,
		       struct seen **out)
{
	struct seen *seen = vec_of_key(&recording->seen, sizeof(*seen), head->tgid,
				       &recording->last);

	if (!seen)
		return say_no_memory();
	/*
	 * The number may belong to another process now, or the program may be
	 * another one.
	 */
	if (seen->gone || strcmp(seen->comm, head->comm))
		seen->fresh = false;
	seen->gone = false;
	memcpy(seen->comm, head->comm, sizeof(seen->comm));
	*out = seen;
	return 0;
}

static int on_range(void *data, const struct pmadv_range_record *record)
{
	struct recording *recording = data;
	struct pmadv_range_record entry = *record;
	struct seen *seen;
	int err;

	err = note_target(recording, &record->head, &seen);
	if (err)
		return err;
	if (!maps_find(&seen->maps, record->start))
		seen->fresh = false;
	recording->ranges++;
	return recfile_add(recording->file, &entry.head, sizeof(entry), NULL);
}

static int on_call(void *data, const struct pmadv_call_record *record)
{
	struct recording *recording = data;
	struct pmadv_call_record entry = *record;
	struct seen *seen;
	int err;

	err = note_target(recording, &record->head, &seen);
	if (err)
		return err;
	recording->calls++;
	return recfile_add(recording->file, &entry.head, sizeof(entry), NULL);
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

static int take_samples(void *data, struct monitor *records)
{
	struct recording *recording = data;
	struct seen *seen = recording->seen.items;
	uint64_t now = now_ns();
	char size[HUMAN_LEN], time[HUMAN_LEN];
	int err;

	err = add_system(recording, now, monitor_lost(records));
	for (size_t i = 0; i < recording->seen.nr && !err; i++)
		if (!seen[i].gone)
			err = add_target(recording, &seen[i], now);
	if (!err)
		err = recfile_flush(recording->file);
	if (!err)
		progress_line("%s: %" PRIu64 " calls, %" PRIu64 " ranges, %s",
			      human_time(now - recording->start_ns, time),
			      recording->calls, recording->ranges,
			      human_bytes(recfile_size(recording->file), size));
	return err;
}

static int add_end(struct recording *recording)
{
	struct pmadv_record entry = { .type = PMADV_ENTRY_END, .time_ns = now_ns() };
	int err;

	err = recfile_add(recording->file, &entry, sizeof(entry), NULL);
	return err ? err : recfile_flush(recording->file);
}

static int print_end(const struct recording *recording, const char *path, uint64_t lost)
{
	uint64_t size = recfile_size(recording->file);
	char bytes[HUMAN_LEN];

	if (out_json()) {
		struct json_object *line = json_line("record");

		json_text(line, "engine", engine_in_use());
		json_text(line, "file", path);
		json_number(line, "bytes", size);
		json_number(line, "targets", recording->seen.nr);
		json_number(line, "calls", recording->calls);
		json_number(line, "ranges", recording->ranges);
		json_number(line, "lost", lost);
		return json_print(line);
	}
	out_text("%s: %s, %zu targets, %" PRIu64 " calls, %" PRIu64 " ranges, %" PRIu64 " records lost\n",
		 path, human_bytes(size, bytes), recording->seen.nr, recording->calls,
		 recording->ranges, lost);
	return out_flush();
}

static int record_all(struct recording *recording, struct monitor *records,
		      const struct args *args, const char *path)
{
	const bool enough = false;
	int err;

	/* The first sample is the base for the others. */
	err = take_samples(recording, records);
	if (!err)
		err = monitor_watch(records, SAMPLE_NS, args->duration, &enough);
	if (!err)
		err = add_end(recording);
	if (!err)
		err = print_end(recording, path, monitor_lost(records));
	return err;
}

static int create_file(struct recording *recording, const struct args *args,
		       const char *path)
{
	struct pmadv_file_header header = {
		.only_target = args->pid,
		.interval_ms = SAMPLE_NS / 1000000,
	};

	recfile_begin_header(&header);
	recording->start_ns = header.start_ns;
	return recfile_create(path, &header, &recording->file);
}

static void free_seen(struct vec *all)
{
	struct seen *seen = all->items;

	for (size_t i = 0; i < all->nr; i++)
		maps_free(&seen[i].maps);
	vec_free(all);
}

static int record_run(const struct args *args)
{
	const char *path = args->output ? args->output : RECORD_DEFAULT;
	struct recording recording = { };
	const struct monitor_filter filter = {
		.target = args->pid,
		.ranges = true,
		.calls = true,
	};
	const struct monitor_handler handler = {
		.range = on_range,
		.call = on_call,
		.tick = take_samples,
		.data = &recording,
	};
	struct monitor *records;
	int err;

	records = monitor_open(&filter, args->buffer, &handler, &err);
	if (!records)
		return err;
	err = create_file(&recording, args, path);
	if (err)
		goto out;
	privileges_drop(PRIVILEGES_LOOK);
	say_note("recording%s to %s, until Ctrl-C%s", args->pid ? " that process" : "",
		 path, args->duration ? " or that time is over" : "");
	err = record_all(&recording, records, args, path);
out:
	recfile_close(recording.file);
	free_seen(&recording.seen);
	monitor_close(records);
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

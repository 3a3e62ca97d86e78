// SPDX-License-Identifier: GPL-2.0
#include "recording/snapshots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/text.h"
#include "proc/maps.h"
#include "recording/analysis.h"
#include "recording/recfile.h"

struct named_map {
	int32_t tgid;
	uint64_t start;
	uint64_t end;
	char *name;
};

/* The range that begins in a mapping, or NULL: both are in order. */
static const struct pmadv_range_record *range_in(const struct vec *ranges, size_t *at,
						 const struct map_name *map)
{
	const struct pmadv_range_record *record = ranges->items;

	while (*at < ranges->nr && record[*at].start < map->start)
		++*at;
	return *at < ranges->nr && record[*at].start < map->end ? &record[*at] : NULL;
}

int snapshot_write(struct recfile *file, pid_t pid, const char *comm,
		   const struct vec *ranges)
{
	const struct pmadv_range_record *record;
	const struct map_name *map;
	uint64_t now = now_ns();
	struct vec maps = { };
	size_t at = 0;
	int err = maps_read_usage(pid, &maps);

	if (err)
		return say_error(err, "%s (%d): its mappings: %s", comm, pid, error_text(err));
	map = maps.items;
	for (size_t i = 0; i < maps.nr && !err; i++) {
		struct pmadv_vma_entry entry = {
			.head = { .type = PMADV_ENTRY_VMA, .time_ns = now, .tgid = pid },
			.start = map[i].start,
			.end = map[i].end,
			.resident = map[i].resident,
			.swapped = map[i].swapped,
			.accessed = map[i].accessed,
		};

		record = range_in(ranges, &at, &map[i]);
		if (!record)
			continue;
		entry.vma_flags = record->vma_flags;
		snprintf(entry.head.comm, sizeof(entry.head.comm), "%s", comm);
		err = recfile_add(file, &entry.head, sizeof(entry), map[i].name);
	}
	maps_free(&maps);
	return err ? err : recfile_flush(file);
}

/* The snapshot that @entry belongs to; a new one if it is of another walk. */
static struct snapshot *find_snapshot(struct snapshots *snapshots, uint64_t start_ns,
				      const struct pmadv_record *entry, uint64_t call_id)
{
	struct snapshot *snapshot = snapshots->all.items;
	uint64_t time_ns = entry->time_ns - start_ns;

	for (size_t i = snapshots->all.nr; i-- > 0;) {
		if (snapshot[i].tgid != entry->tgid)
			continue;
		if (snapshot[i].call_id == call_id &&
		    (call_id || snapshot[i].time_ns == time_ns))
			return &snapshot[i];
		break;
	}
	snapshot = vec_add(&snapshots->all, sizeof(*snapshot));
	if (!snapshot)
		return NULL;
	snapshot->tgid = entry->tgid;
	snapshot->time_ns = time_ns;
	snapshot->call_id = call_id;
	memcpy(snapshot->comm, entry->comm, sizeof(snapshot->comm));
	clean_text(snapshot->comm);
	return snapshot;
}

static int add_mapping(struct snapshots *snapshots, uint64_t start_ns,
		       const struct pmadv_record *entry, uint64_t call_id,
		       const struct engine_mapping *mapping)
{
	struct snapshot *snapshot = find_snapshot(snapshots, start_ns, entry, call_id);
	struct engine_mapping *added;

	if (!snapshot)
		return -ENOMEM;
	added = vec_add(&snapshot->mappings, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = *mapping;
	return 0;
}

static int add_range(struct snapshots *snapshots, uint64_t start_ns,
		     const struct pmadv_range_record *record)
{
	const struct engine_mapping mapping = {
		.start = record->start,
		.end = record->end,
		.vma_flags = record->vma_flags,
		.present = record->stats.scanned,
		.young = record->stats.young,
		.swapped = record->stats.swapped,
	};

	return add_mapping(snapshots, start_ns, &record->head, record->head.call_id, &mapping);
}

/* bpf_pmadv_vma_name() has the last part of a path, and what is in "[anon:...]". */
static char *policy_name(const char *text, size_t size)
{
	const char *end = text + strnlen(text, size), *from = text;

	if (end - text > 7 && !strncmp(text, "[anon:", 6) && end[-1] == ']')
		return strndup(text + 6, (size_t)(end - text - 7));
	if (*text == '[')
		return strdup("");
	for (const char *at = text; at < end; at++)
		if (*at == '/' && at[1])
			from = at + 1;
	return strndup(from, (size_t)(end - from));
}

static int add_name(struct snapshots *snapshots, const struct pmadv_record *entry,
		    uint64_t start, uint64_t end, size_t at)
{
	struct named_map *map = vec_add(&snapshots->names, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->tgid = entry->tgid;
	map->start = start;
	map->end = end;
	map->name = policy_name((const char *)entry + at, entry->size - at);
	return map->name ? 0 : -ENOMEM;
}

static int add_vma(struct snapshots *snapshots, uint64_t start_ns,
		   const struct pmadv_vma_entry *entry)
{
	const struct engine_mapping mapping = {
		.start = entry->start,
		.end = entry->end,
		.vma_flags = entry->vma_flags,
		.present = entry->resident / snapshots->page_size,
		.young = entry->accessed / snapshots->page_size,
		.swapped = entry->swapped / snapshots->page_size,
	};
	int err = add_mapping(snapshots, start_ns, &entry->head, 0, &mapping);

	if (err)
		return err;
	return add_name(snapshots, &entry->head, entry->start, entry->end, sizeof(*entry));
}

static int add_entry(struct snapshots *snapshots, uint64_t start_ns,
		     const struct pmadv_record *entry)
{
	const struct pmadv_mapping_entry *mapping = (const void *)entry;
	const struct pmadv_range_record *record = entry_range(entry);
	const struct pmadv_vma_entry *vma = (const void *)entry;
	uint64_t page = snapshots->page_size - 1;

	if (record && !((record->start | record->end) & page))
		return add_range(snapshots, start_ns, record);
	if (entry->type == PMADV_ENTRY_MAPPING && entry->size > sizeof(*mapping))
		return add_name(snapshots, entry, mapping->start, mapping->end,
				sizeof(*mapping));
	if (entry->type == PMADV_ENTRY_VMA && entry->size > sizeof(*vma) &&
	    vma->start < vma->end && !((vma->start | vma->end) & page))
		return add_vma(snapshots, start_ns, vma);
	return 0;
}

static int by_start(const void *left, const void *right)
{
	const struct engine_mapping *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

static int by_tgid_and_start(const void *left, const void *right)
{
	const struct named_map *a = left, *b = right;

	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

static const char *name_at(const struct snapshots *snapshots, int32_t tgid, uint64_t address)
{
	const struct named_map *map = snapshots->names.items;
	size_t from = 0, to = snapshots->names.nr;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct named_map *at = &map[middle];

		if (at->tgid == tgid && at->start <= address && address < at->end)
			return at->name;
		if (at->tgid < tgid || (at->tgid == tgid && at->start <= address))
			from = middle + 1;
		else
			to = middle;
	}
	return "";
}

/*
 * Name the mappings, and put together again what a policy had narrowed: pieces of the
 * same kind that touch.
 */
static void complete(struct snapshots *snapshots, struct snapshot *snapshot)
{
	struct engine_mapping *mapping = snapshot->mappings.items;
	size_t kept = 0;

	qsort(mapping, snapshot->mappings.nr, sizeof(*mapping), by_start);
	for (size_t i = 0; i < snapshot->mappings.nr; i++) {
		struct engine_mapping *last = kept ? &mapping[kept - 1] : NULL;
		struct engine_mapping *this = &mapping[i];

		this->name = name_at(snapshots, snapshot->tgid, this->start);
		/* The same addresses twice are of another time of the same walk. */
		if (last && this->start < last->end)
			continue;
		if (last && snapshot->call_id && this->start == last->end &&
		    this->vma_flags == last->vma_flags && this->name == last->name) {
			last->end = this->end;
			last->present += this->present;
			last->young += this->young;
			last->swapped += this->swapped;
			continue;
		}
		mapping[kept++] = *this;
	}
	snapshot->mappings.nr = kept;
}

static int read_all(struct recfile *file, int32_t only, struct snapshots *snapshots)
{
	uint64_t start_ns = recfile_header(file)->start_ns;
	const struct pmadv_record *entry;
	struct snapshot *snapshot;
	int err = 0;

	snapshots->page_size = recfile_header(file)->page_size;
	while (!err && (entry = recfile_next(file)))
		if (!only || entry->tgid == only)
			err = add_entry(snapshots, start_ns, entry);
	if (err)
		return say_no_memory();
	if (snapshots->names.nr)
		qsort(snapshots->names.items, snapshots->names.nr, sizeof(struct named_map),
		      by_tgid_and_start);
	snapshot = snapshots->all.items;
	for (size_t i = 0; i < snapshots->all.nr; i++)
		complete(snapshots, &snapshot[i]);
	return recfile_refused(file);
}

int snapshots_read(const char *path, int32_t only, struct snapshots *snapshots)
{
	struct recfile *file;
	int err;

	memset(snapshots, 0, sizeof(*snapshots));
	err = recfile_open(path, &file);
	if (err)
		return err;
	err = read_all(file, only, snapshots);
	recfile_close(file);
	if (!err && !snapshots->all.nr)
		err = say_error(-ENODATA, "%s has no walk and no dry run%s: there is nothing to ask about",
				path, only ? " of that process" : "");
	if (err)
		snapshots_free(snapshots);
	return err;
}

void snapshots_free(struct snapshots *snapshots)
{
	struct snapshot *snapshot = snapshots->all.items;
	struct named_map *map = snapshots->names.items;

	for (size_t i = 0; i < snapshots->all.nr; i++)
		vec_free(&snapshot[i].mappings);
	for (size_t i = 0; i < snapshots->names.nr; i++)
		free(map[i].name);
	vec_free(&snapshots->all);
	vec_free(&snapshots->names);
}

const struct snapshot *snapshot_next(const struct snapshots *snapshots, size_t index)
{
	const struct snapshot *snapshot = snapshots->all.items;

	for (size_t i = index + 1; i < snapshots->all.nr; i++)
		if (snapshot[i].tgid == snapshot[index].tgid)
			return &snapshot[i];
	return NULL;
}

size_t snapshot_find(const struct snapshot *snapshot, uint64_t address)
{
	return vec_find_end(&snapshot->mappings, sizeof(struct engine_mapping), address);
}

void snapshot_count(const struct snapshot *snapshot, uint64_t start, uint64_t end,
		    double *held, double *young)
{
	const struct engine_mapping *mapping = snapshot->mappings.items;

	*held = 0;
	*young = 0;
	for (size_t i = snapshot_find(snapshot, start);
	     i < snapshot->mappings.nr && mapping[i].start < end; i++) {
		const struct engine_mapping *each = &mapping[i];
		uint64_t from = each->start > start ? each->start : start;
		uint64_t to = each->end < end ? each->end : end;
		double part = (double)(to - from) / (double)(each->end - each->start);
		*held += part * (double)(each->present + each->swapped);
		*young += part * (double)each->young;
	}
}

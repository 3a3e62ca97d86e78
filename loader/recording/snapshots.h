/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The address spaces in a recording, one for each walk or dry run: what a policy can be
 * asked about later.
 */
#ifndef PMADV_SNAPSHOTS_H
#define PMADV_SNAPSHOTS_H

#include <stdint.h>
#include <sys/types.h>

#include <pmadv/recording.h>

#include "engine/engine.h"
#include "lib/util.h"

struct snapshot {
	int32_t tgid;
	char comm[PMADV_COMM_LEN];
	uint64_t time_ns;		/* since the recording began */
	uint64_t call_id;		/* 0: a dry run's */
	struct vec mappings;		/* struct engine_mapping, in order */
};

struct snapshots {
	uint64_t page_size;
	struct vec all;			/* struct snapshot, in order of time */
	struct vec names;		/* of struct named_map: owns all names */
};

struct recfile;

/*
 * Write what a dry run found, @ranges of struct pmadv_range_record, with what the
 * mappings hold. Mappings that were not asked about are left out. Reports errors.
 */
int snapshot_write(struct recfile *file, pid_t pid, const char *comm,
		   const struct vec *ranges);

/*
 * Read those of process @only, or of all if it is 0. Reports errors; -ENODATA if there
 * are none.
 */
int snapshots_read(const char *path, int32_t only, struct snapshots *snapshots);
void snapshots_free(struct snapshots *snapshots);

/* The next of the same process after the one at @index, or NULL. */
const struct snapshot *snapshot_next(const struct snapshots *snapshots, size_t index);
/* Which of its mappings is the first that ends behind @address; how many it has if none. */
size_t snapshot_find(const struct snapshot *snapshot, uint64_t address);
/*
 * How many pages of [@start, @end) were held, in memory or swap, and how many of them
 * accessed; pages are spread evenly over a mapping.
 */
void snapshot_count(const struct snapshot *snapshot, uint64_t start, uint64_t end,
		    double *held, double *young);

#endif /* PMADV_SNAPSHOTS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* A recording, summed up. */
#ifndef PMADV_ANALYSIS_H
#define PMADV_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include <pmadv/recording.h>

#include "lib/tally.h"
#include "lib/util.h"

struct recfile;

struct level {
	uint64_t first;
	uint64_t last;
};

/* @tgid is the key. */
struct target_sum {
	int32_t tgid;
	char comm[PMADV_COMM_LEN];
	char *cgroup;
	struct tally done;
	bool sampled;
	struct level resident;
	struct level swapped;
	struct level major_faults;
	struct level refaults;		/* of its cgroup, pages */
	struct vec mappings;		/* of struct map_name, sorted by start */
};

struct range_sum {
	int32_t tgid;
	uint64_t start;
	uint64_t end;
	uint32_t vma_flags;		/* when it was last seen, like the next member */
	int32_t verdict;
	uint32_t outcome;
	uint32_t error;
	struct tally done;
	const struct target_sum *target;
	const char *name;
};

struct verdict_sum {
	const char *kind;		/* of mapping */
	int32_t verdict;
	uint32_t outcome;
	struct tally done;
};

/* Activity since the previous sample, and the state at this one. */
struct moment {
	uint64_t time_ns;		/* since the recording began */
	struct tally done;
	uint64_t refaults;		/* of the system since it was booted, pages */
	uint64_t resident;		/* of all targets */
	uint64_t swapped;
};

/* Calls and ranges that took less than 2^i microseconds, and at least half of that. */
#define LATENCY_BUCKETS	32
struct latency {
	uint64_t calls;
	uint64_t ranges;
};

struct analysis {
	uint64_t page_size;
	uint64_t start_ns;
	uint64_t duration_ns;
	uint64_t lost;
	bool complete;			/* the recording was ended properly */
	struct tally done;
	struct level refaults;
	struct level swapped_in;
	struct level swapped_out;
	struct vec targets;		/* of struct target_sum, most reclaimed first */
	struct vec ranges;		/* of struct range_sum, most reclaimed first */
	struct vec verdicts;		/* of struct verdict_sum, most ranges first */
	struct vec moments;		/* of struct moment, in order */
	struct latency latency[LATENCY_BUCKETS];
};

/* Read all entries, or only those of process @only if it is not 0. Reports errors. */
int analysis_read(struct recfile *file, int32_t only, struct analysis *analysis);
void analysis_free(struct analysis *analysis);

/* The range that @entry is about, or NULL. */
const struct pmadv_range_record *entry_range(const struct pmadv_record *entry);

#endif /* PMADV_ANALYSIS_H */

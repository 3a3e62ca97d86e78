/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk over one target, its progress, and what came of it: one call of a kernel
 * with the hook, or the engine's asking and advising on any other.
 */
#ifndef PMADV_CALL_H
#define PMADV_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <json-c/json.h>
#include <linux/process_madvise.h>

#include "lib/util.h"
#include "walk/decider.h"
#include "walk/target.h"

/* A request for process_madvise(2). */
struct request {
	const struct iovec *ranges;	/* NULL: everything */
	size_t nr_ranges;
	uint64_t vma;			/* only the mapping at this address; 0: any */
	int advice;
	unsigned int flags;
	uint64_t max_pages;
	uint64_t cursor;
	uint32_t cursor_index;
	/* On a kernel without the hook. */
	const struct decider *decider;	/* who is asked */
	bool proven_only;		/* rather give up than act unproven */
	bool freeze;			/* freeze the target's cgroup meanwhile */
	/* Called for each range, if set; an error ends the walk with it. */
	int (*on_range)(void *data, const struct pmadv_range_record *record);
	void *data;
};

/* The result for one target. */
struct walk {
	const struct target *target;
	int err;			/* 0 or -errno of the call */
	struct pmadv_result result;
	struct pmadv_exactness exact;		/* of the engine's walk */
	uint64_t pages;			/* of a budget that the engine's walk used */
	uint64_t resident_before;
	uint64_t resident_after;
	uint64_t swapped_before;
	uint64_t swapped_after;
	uint64_t elapsed_ns;
};

/*
 * Advise @target. Shows progress on a terminal if it takes long; ends early
 * when we are asked to stop. The error in @walk is also returned, and not
 * reported.
 */
int walk_run(const struct target *target, const struct request *request,
	     struct walk *walk);

/*
 * The same, with the decision about each range in @ranges, as struct
 * pmadv_range_record. If the monitor fails, the error is reported and returned,
 * and no walk is made.
 */
int walk_recorded(const struct target *target, const struct request *request,
		  struct walk *walk, struct vec *ranges);

/* Report @walk->err. Returns it, or an error that exit_status() maps better. */
int walk_say_error(const struct walk *walk, const struct request *request);

/* "12 of 14 ranges proven exact, ...": of the engine's walk; "" of the hook's. */
#define EXACT_TEXT_LEN	160
const char *exact_text(const struct pmadv_exactness *exact, char buf[EXACT_TEXT_LEN]);
void json_exact(struct json_object *line, const struct pmadv_exactness *exact);

/* A walk as a JSON object; @round counts from 1, 0 means none. */
struct json_object *walk_json(const struct walk *walk, const struct request *request,
			      uint64_t round);

#endif /* PMADV_CALL_H */

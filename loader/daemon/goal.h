/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much a rule with a goal may reclaim. Readings go in, a rate comes out: nothing
 * is read and nobody waits here, so what was recorded can be replayed. A goal is
 * judged every GOAL_PERIOD_NS; pmadv-daemon(8) describes it:
 *
 *	psi, refaults,	 RECLAIMS at a rate that grows by a quarter as long as the
 *	file		 reading is below four fifths of the goal and the rate was used;
 *			 REACHED above the goal, which halves the rate, until it is
 *			 below four fifths again
 *	memory, free	 RECLAIMS at the rate that takes what is missing away in
 *			 GOAL_DISTANCE_S; REACHED when nothing is missing, until a
 *			 thirty-second of the goal is
 */
#ifndef PMADV_GOAL_H
#define PMADV_GOAL_H

#include <stdbool.h>
#include <stdint.h>

#define GOAL_PERIOD_NS		2000000000ULL
#define GOAL_DISTANCE_S		10
/* Bytes a second. A rule can limit the rate further. */
#define GOAL_MIN_RATE		(1ULL << 20)
#define GOAL_MAX_RATE		(256ULL << 20)

enum goal_kind {
	GOAL_NONE,
	GOAL_PSI,	/* percent of the time in which some task waits for memory */
	GOAL_REFAULTS,	/* pages a second */
	GOAL_MEMORY,	/* bytes that the cgroups of the rule have at most */
	GOAL_FREE,	/* bytes of memory that are available at least */
	GOAL_FILE,	/* a number in a file, at most */
};

struct goal {
	enum goal_kind kind;
	double number;
	bool of_all_memory;	/* GOAL_FREE: a percentage, until goal_resolve() */
	char *path;		/* GOAL_FILE */
	char *text;		/* as it was given */
};

/*
 * From "psi some 0.1%", "refaults 50/s", "memory 400M", "free 20%", "free 2G" or
 * "file /run/latency 30". Returns 0, -EINVAL, -ERANGE or -ENOMEM; goal_free() it.
 */
int goal_parse(const char *text, struct goal *goal);
void goal_resolve(struct goal *goal, uint64_t total_bytes);
void goal_free(struct goal *goal);

struct goal_reading {
	uint64_t now_ns;
	bool known;		/* else @number could not be read */
	/*
	 * For GOAL_PSI the nanoseconds and for GOAL_REFAULTS the pages that were counted
	 * from any start; else what the goal is about.
	 */
	double number;
	uint64_t advised;	/* bytes, counted from any start */
};

enum goal_state {
	GOAL_UNKNOWN,		/* nothing was read: nothing is reclaimed */
	GOAL_RECLAIMS,
	GOAL_REACHED,
};

struct goal_control {
	enum goal_state state;
	double value;		/* of the last period, in the goal's unit */
	uint64_t rate;		/* bytes a second */
	bool begun;
	struct goal_reading begin;	/* of the period */
};

/* Take a reading. @max_rate is the rule's, or 0. Returns whether it was the end of a period. */
bool goal_step(struct goal_control *control, const struct goal *goal, uint64_t max_rate,
	       const struct goal_reading *reading);

const char *goal_state_text(enum goal_state state);

/* @value in the unit of a goal of @kind, as "0.03 %" or "12.3M"; returns @buf. */
#define GOAL_VALUE_LEN	32
const char *goal_value_text(enum goal_kind kind, double value, char buf[GOAL_VALUE_LEN]);

#endif /* PMADV_GOAL_H */

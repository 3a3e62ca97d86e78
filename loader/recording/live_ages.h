/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of a target was idle for how long, while walks go on: the same as ages.h finds
 * in a recording, from the same records as the monitor hands them over. Nothing else is
 * read, and nothing is known of what no walk looked at.
 */
#ifndef PMADV_LIVE_AGES_H
#define PMADV_LIVE_AGES_H

#include <stdint.h>

#include <pmadv/monitor.h>

#include "lib/util.h"
#include "recording/ages.h"

/* Of one target. All zeroes: no walk yet. */
struct live_ages {
	struct vec parts;	/* of struct live_part, in order of addresses */
	uint64_t first_ns;	/* the first look at pages */
	uint64_t last_ns;	/* the last record: idle times are as of then */
	uint64_t whole_ns;	/* the end of the last walk over all of it */
};

/* In bytes, in memory or in swap. */
struct live_sum {
	double held;
	double accessed;	/* since the walk before: the working set */
	double idle;
};

/* A walk dealt with a range of the target. Returns 0 or -ENOMEM. */
int live_ages_range(struct live_ages *ages, const struct pmadv_range_record *record);
/* A call about it ended; one that went over all of it shows which mappings are gone. */
void live_ages_call(struct live_ages *ages, const struct pmadv_call_record *record);
void live_ages_free(struct live_ages *ages);

/* Sums; @idle_ns: how long is idle. */
void live_ages_sum(const struct live_ages *ages, uint64_t idle_ns, struct live_sum *sum);
void live_ages_histogram(const struct live_ages *ages, struct age_histogram *histogram);

/*
 * The sum as @width characters and a NUL: # was accessed since the walk before, + was
 * idle for less than was asked for, . for longer. "" if nothing is known.
 */
void live_bar(const struct live_sum *sum, size_t width, char *bar);

#endif /* PMADV_LIVE_AGES_H */

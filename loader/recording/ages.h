/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much of a target was in use, and how long the rest was idle.
 *
 * A walk tells how many pages of a range were accessed since the walk before, not
 * which. They are taken to be those accessed most recently before that, as programs
 * stay with what they use: so idle times are the longest that the walks allow. What
 * was idle from the start was idle for at least as long as the record is.
 */
#ifndef PMADV_AGES_H
#define PMADV_AGES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/rows.h"
#include "recording/heatmap.h"

/*
 * Pages by when they were last seen accessed, the most recent last; pages[0] are those
 * that never were. A walk found @young of @held pages accessed; its own place is
 * pages[@latest].
 */
void ages_walk(double *pages, size_t latest, double young, double held);

/* How much was idle for how long. */
#define AGE_CLASSES	18
struct age_histogram {
	uint64_t longest_ns;		/* that can be known */
	double bytes[AGE_CLASSES];
};

void age_histogram_add(struct age_histogram *histogram, uint64_t idle_ns, double bytes);
/* Errors are reported. */
int age_histogram_print(const struct age_histogram *histogram, enum rows_format format);

struct ages {
	struct heatmap map;
	/* Of each column, in bytes; NAN before the first walk. */
	double *accessed;	/* since the walk before: the working set */
	double *held;		/* in memory or in swap */
	/* Bytes by the column they were last accessed in, the first: in none. */
	double *idle;
};

/* Errors are reported; -ENODATA if no walk looked at pages of @target. */
int ages_read(const char *path, const struct analysis *analysis,
	      const struct target_sum *target, const struct heatmap_view *view,
	      struct ages *ages);
void ages_free(struct ages *ages);

/* Percentiles over time of the working set. */
int ages_print_wss(const struct ages *ages, enum rows_format format);
/* The working set interval by interval, of what there was. @max_rows: as many at most. */
int ages_print_footprint(const struct ages *ages, enum rows_format format,
			 size_t max_rows);
/* A histogram of idle times. */
int ages_print_ages(const struct ages *ages, enum rows_format format);
/* Percentiles of idle times: how long the coldest parts were idle at least. */
int ages_print_cold(const struct ages *ages, enum rows_format format);

#endif /* PMADV_AGES_H */

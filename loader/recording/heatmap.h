/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The share of a target's pages that was accessed, by address and time. Each
 * walk shows the time since the walk before. The axis of addresses has only
 * addresses that had pages when they were walked, without the gaps between
 * them.
 */
#ifndef PMADV_HEATMAP_H
#define PMADV_HEATMAP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/rows.h"
#include "lib/util.h"
#include "recording/analysis.h"

struct heatmap {
	const struct target_sum *target;
	uint64_t page_size;
	uint64_t start_ns;
	uint64_t duration_ns;
	size_t nr_rows;
	size_t nr_columns;
	struct vec spans;	/* of struct span, in order of addresses */
	uint64_t bytes;		/* of all spans */
	double *cells;		/* row by row: 0 to 1, NAN if it was not walked */
};

/*
 * Make a heatmap of at most so many rows and columns. Returns 0, -ENODATA if no
 * walk looked at pages of @target, or another error. All errors are reported.
 */
int heatmap_read(const char *path, const struct analysis *analysis,
		 const struct target_sum *target, size_t max_rows, size_t max_columns,
		 struct heatmap *map);
void heatmap_free(struct heatmap *map);

int heatmap_print_text(const struct heatmap *map);
/* Print a row for each cell that was walked. */
int heatmap_print_cells(const struct heatmap *map, enum rows_format format);
/* Draw it with gnuplot, to a file whose name ends with .svg or .png. */
int heatmap_plot(const struct heatmap *map, const char *path);

#endif /* PMADV_HEATMAP_H */

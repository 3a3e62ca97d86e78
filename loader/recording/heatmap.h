/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which part of a target's pages was accessed, by address and time. Every walk
 * tells about the time since the walk before it. The axis of addresses has only
 * what had pages when it was walked, without the gaps between.
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
 * Of at most so many rows and columns. 0, -ENODATA if no walk looked at pages of
 * @target, or another error; says all of them.
 */
int heatmap_read(const char *path, const struct analysis *analysis,
		 const struct target_sum *target, size_t max_rows, size_t max_columns,
		 struct heatmap *map);
void heatmap_free(struct heatmap *map);

int heatmap_print_text(const struct heatmap *map);
/* A row for each cell that was walked. */
int heatmap_print_cells(const struct heatmap *map, enum rows_format format);
/* With gnuplot, to a file whose name ends with .svg or .png. */
int heatmap_plot(const struct heatmap *map, const char *path);

#endif /* PMADV_HEATMAP_H */

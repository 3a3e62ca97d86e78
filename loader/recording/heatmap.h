/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The share of a target's pages that was accessed, by address and time. Each
 * walk shows the time since the walk before. The axis of addresses has only
 * addresses that had pages when they were walked, without the gaps between
 * them.
 */
#ifndef PMADV_HEATMAP_H
#define PMADV_HEATMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/rows.h"
#include "lib/util.h"
#include "recording/analysis.h"

/* The part to look at: zeroes are everything. Times are since the recording began. */
struct heatmap_view {
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t start;
	uint64_t end;
};

/* What the walks of a cell found: a range's pages are spread evenly over its addresses. */
struct heat {
	double young;
	double pages;
};

struct heatmap {
	const struct target_sum *target;
	uint64_t page_size;
	struct heatmap_view view;
	uint64_t start_ns;	/* of the recording */
	uint64_t from_ns;	/* where the first column begins, since then */
	uint64_t duration_ns;	/* of all columns */
	size_t nr_rows;
	size_t nr_columns;
	struct vec spans;	/* of struct span, in order of addresses */
	uint64_t bytes;		/* of all spans */
	double *cells;		/* row by row: 0 to 1, NAN if it was not walked */
	struct heat *heat;	/* row by row, where a walk was: no pages elsewhere */
};

/*
 * Make a heatmap of at most so many rows and columns. Returns 0, -ENODATA if no
 * walk looked at pages of @target, or another error. All errors are reported.
 */
int heatmap_read(const char *path, const struct analysis *analysis,
		 const struct target_sum *target, const struct heatmap_view *view,
		 size_t max_rows, size_t max_columns, struct heatmap *map);
void heatmap_free(struct heatmap *map);

/* The first address of a row, or the end of the last. */
uint64_t heatmap_address(const struct heatmap *map, size_t row);
/* Are addresses left out before a row, so many that it is worth a mark? */
bool heatmap_after_gap(const struct heatmap *map, size_t row);

int heatmap_print_text(const struct heatmap *map);
/* Print a row for each cell that was walked. */
int heatmap_print_cells(const struct heatmap *map, enum rows_format format);
/*
 * To a file: drawn with gnuplot if its name ends with .svg, .png or .pdf, or as rows
 * if it ends with .csv or .tsv.
 */
int heatmap_plot(const struct heatmap *map, const char *path);

#endif /* PMADV_HEATMAP_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows of typed values, printed as a table for people, as JSON lines, as CSV, the same
 * with tabs, or as a table of HTML. All but those for people have plain bytes and
 * nanoseconds.
 */
#ifndef PMADV_ROWS_H
#define PMADV_ROWS_H

#include <stdbool.h>
#include <stdint.h>

enum column_kind {
	COLUMN_TEXT,
	COLUMN_COUNT,
	COLUMN_ID,		/* a number that is never shortened */
	COLUMN_BYTES,
	COLUMN_TIME,		/* nanoseconds */
	COLUMN_ADDRESS,
	COLUMN_BAR,		/* a fraction, for people only */
};

struct column {
	const char *title;	/* of the table */
	const char *key;	/* in JSON, CSV and TSV */
	enum column_kind kind;
};

/* The kind of the column says which; a number may be PMADV_UNKNOWN. */
union cell {
	const char *text;
	uint64_t number;
	double fraction;
};

enum rows_format {
	ROWS_TEXT,
	ROWS_JSON,
	ROWS_CSV,
	ROWS_TSV,
	ROWS_HTML,
};

struct rows {
	const char *type;		/* of the JSON lines */
	const struct column *columns;	/* ends with one without a title */
	enum rows_format format;
	bool one;			/* a line for each value of a single row */
	struct libscols_table *table;
};

/* Add a row with a cell for each column. All of these report errors. */
int rows_begin(struct rows *rows);
int rows_add(struct rows *rows, const union cell *cells);
int rows_end(struct rows *rows);

#endif /* PMADV_ROWS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Results on stdout: JSON lines and tables, and whether they could be written. */
#ifndef PMADV_RESULTS_H
#define PMADV_RESULTS_H

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>

/*
 * Flush what was written. Returns 0, -EPIPE if the reader left (end quietly),
 * or another error, which is reported once.
 */
int out_flush(void);

/* Print a line and free it; see json.h. */
int json_print(struct json_object *line);

/* A table of text; columns are given as "NAME" or ">NAME" (right-aligned). */
struct libscols_table *table_new(const char *const *columns);
/* A row of strings, as many as the table has columns. */
int table_row(struct libscols_table *table, ...);
int table_print(struct libscols_table *table);

#endif /* PMADV_RESULTS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results go to stdout, as text or as JSON lines; diagnostics go to stderr.
 *
 * A JSON line is an object with "schema" (the version of the format, 1), "ts"
 * (seconds since 1970) and "type"; the rest depends on the type. Sizes are
 * bytes, times nanoseconds, addresses strings in hexadecimal.
 */
#ifndef PMADV_OUTPUT_H
#define PMADV_OUTPUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>
#include <linux/process_madvise.h>

#define OUTPUT_SCHEMA	1

/* @verb prefixes messages; NULL before it is known. */
void out_init(const char *verb, bool json, bool quiet);
bool out_json(void);
bool out_quiet(void);

void out_message(const char *kind, int err, const char *format, va_list args);

/* A line of text on stdout; errors show up in out_flush(). */
void out_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Push out what was written: 0, or -EPIPE (the reader left: end quietly), or
 * another error, said once.
 */
int out_flush(void);

/* Build and print a JSON line. The members may be added with a NULL object. */
struct json_object *json_line(const char *type);
void json_add(struct json_object *to, const char *key, struct json_object *value);
void json_text(struct json_object *to, const char *key, const char *value);
void json_number(struct json_object *to, const char *key, uint64_t value);
void json_signed(struct json_object *to, const char *key, int64_t value);
void json_flag(struct json_object *to, const char *key, bool value);
void json_address(struct json_object *to, const char *key, uint64_t value);
void json_stats(struct json_object *to, const struct pmadv_stats *stats);
int json_print(struct json_object *line);

/* A table of text; columns are given as "NAME" or ">NAME" (right-aligned). */
struct libscols_table *table_new(const char *const *columns);
/* A row of strings, as many as the table has columns. */
int table_row(struct libscols_table *table, ...);
int table_print(struct libscols_table *table);

/* One line on a terminal's stderr that is overwritten; "" wipes it. */
void progress_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* PMADV_OUTPUT_H */

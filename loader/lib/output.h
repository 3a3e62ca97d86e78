/* SPDX-License-Identifier: GPL-2.0 */
/* Results go to stdout, as text or as JSON lines; diagnostics go to stderr. */
#ifndef PMADV_OUTPUT_H
#define PMADV_OUTPUT_H

#include <stdbool.h>

/* @verb prefixes messages; NULL before it is known. */
void out_init(const char *verb, bool json, bool quiet);
const char *out_verb(void);
bool out_json(void);
bool out_quiet(void);

/* A line of text on stdout; errors show up in out_flush(). */
void out_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Text within HTML: whatever is in it, it stays text. */
void out_html(const char *text);
/* From now on stdout is the file @path, which only its owner can read. 0 or -errno. */
int out_to_file(const char *path);

/*
 * Push out what was written: 0, or -errno of the first write that failed; after that
 * was returned once, -EPIPE. For out_flush(), which also reports it.
 */
int out_push(void);

/* One line on a terminal's stderr that is overwritten; "" wipes it. */
void progress_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* PMADV_OUTPUT_H */

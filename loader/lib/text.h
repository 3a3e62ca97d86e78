/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers, sizes, times and ranges from text and as text; small files of text. */
#ifndef PMADV_TEXT_H
#define PMADV_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Parse a whole string. Return 0, -EINVAL (malformed) or -ERANGE (too large). */
int parse_u64(const char *text, int base, uint64_t *value);
int parse_s64(const char *text, int base, int64_t *value);
int parse_size(const char *text, uint64_t *bytes);
int parse_seconds(const char *text, uint64_t *ns);
int parse_range(const char *text, uint64_t *start, uint64_t *end);

/* Write "12.3M" or "1.25 s" to @buf, and return it. */
#define HUMAN_LEN	24
const char *human_bytes(uint64_t bytes, char buf[HUMAN_LEN]);
const char *human_count(uint64_t count, char buf[HUMAN_LEN]);
const char *human_time(uint64_t ns, char buf[HUMAN_LEN]);

/* asprintf() that returns NULL if it fails. */
char *format_string(const char *format, ...)
	__attribute__((format(printf, 1, 2), malloc));

/* Read a small file without its final newline. Returns 0 or -errno. */
int read_line(const char *path, char *buf, size_t size);
int read_u64(const char *path, uint64_t *value);

/* Make a name that others chose, of a program or file, safe to print in a line. */
void clean_text(char *text);

#endif /* PMADV_TEXT_H */

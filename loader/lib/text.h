/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers, sizes, times and ranges from text and as text; small files of text. */
#ifndef PMADV_TEXT_H
#define PMADV_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Whole-string parsers: 0, or -EINVAL (no such thing), -ERANGE (too much). */
int parse_u64(const char *text, int base, uint64_t *value);
int parse_s64(const char *text, int base, int64_t *value);
int parse_size(const char *text, uint64_t *bytes);
int parse_seconds(const char *text, uint64_t *ns);
int parse_range(const char *text, uint64_t *start, uint64_t *end);

/* "12.3M" and "1.25 s" into @buf, which is returned. */
#define HUMAN_LEN	24
const char *human_bytes(uint64_t bytes, char buf[HUMAN_LEN]);
const char *human_count(uint64_t count, char buf[HUMAN_LEN]);
const char *human_time(uint64_t ns, char buf[HUMAN_LEN]);

/* asprintf() that leaves NULL behind when it fails. */
char *format_string(const char *format, ...)
	__attribute__((format(printf, 1, 2), malloc));

/* Contents of a small file without its final newline; 0 or -errno. */
int read_line(const char *path, char *buf, size_t size);
int read_u64(const char *path, uint64_t *value);

/* Make what others chose (names of programs and files) fit for a line of text. */
void clean_text(char *text);

#endif /* PMADV_TEXT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* What every part of the command uses: errors, numbers, waiting, strings. */
#ifndef PMADV_UTIL_H
#define PMADV_UTIL_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Errors of our own, returned negative like an errno; see exit_status(). */
enum pmadv_errno {
	EUSAGE		= 5002,	/* what the user typed cannot be right */
	ELACKS		= 5003,	/* the kernel lacks it */
	EEJECTED	= 5005,	/* the kernel ejected the policy */
};

enum pmadv_exit {
	EXIT_OK		= 0,
	EXIT_FAILED	= 1,
	EXIT_USAGE	= 2,
	EXIT_LACKS	= 3,
	EXIT_DENIED	= 4,
	EXIT_EJECTED	= 5,
};

int exit_status(int err);

/* strerror() for a negative errno, or one of libbpf or ours; until the next call. */
const char *error_text(int err);

/*
 * Say what is wrong on stderr, as text or as JSON, and return @err, so that
 * whoever finds an error can report it and return in one line.
 */
int say_error(int err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

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

uint64_t page_size(void);
uint64_t now_ns(void);

/*
 * Signals that ask us to end set a flag. Waiting is interrupted by them, and
 * one that comes between a look at the flag and the wait is not missed.
 */
extern volatile int stop_asked;
int signals_init(void);
/* If @signal is what asked us, go on as if it had not; was it? */
bool stop_forget(int signal);
int wait_fds(struct pollfd *fds, unsigned int nr, int64_t timeout_ns);

/* A growing array of pointers or structs. */
struct vec {
	void *items;
	size_t nr;
	size_t room;
};

/* A zeroed new last item of @size bytes, or NULL. */
void *vec_add(struct vec *vec, size_t size);
void vec_free(struct vec *vec);

/* Contents of a small file without its final newline; 0 or -errno. */
int read_line(const char *path, char *buf, size_t size);
int read_u64(const char *path, uint64_t *value);

/* asprintf() that leaves NULL behind when it fails. */
char *format_string(const char *format, ...)
	__attribute__((format(printf, 1, 2), malloc));

#endif /* PMADV_UTIL_H */

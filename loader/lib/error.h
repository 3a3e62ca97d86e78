/* SPDX-License-Identifier: GPL-2.0 */
/* Errors: the codes of our own, exit codes, and messages on stderr. */
#ifndef PMADV_ERROR_H
#define PMADV_ERROR_H

/* Errors of our own, returned negative like an errno; see exit_status(). */
enum pmadv_errno {
	EUSAGE		= 5002,	/* usage error */
	ELACKS		= 5003,	/* the kernel lacks a feature */
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

/*
 * strerror() for a negative errno, ours and libbpf's included; valid until the
 * next call.
 */
const char *error_text(int err);

/*
 * Report an error on stderr, as text or as JSON, and return @err, so that a
 * function can report an error and return it in one line.
 */
int say_error(int err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Report that memory ran out, and return -ENOMEM. */
int say_no_memory(void);

void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* PMADV_ERROR_H */

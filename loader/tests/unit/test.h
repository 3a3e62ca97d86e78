/* SPDX-License-Identifier: GPL-2.0 */
/* Included by every unit test. */
#ifndef PMADV_TEST_H
#define PMADV_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>

/*
 * The output of @call on file descriptor @fd; the caller frees it. It goes
 * through a temporary file, because a test is about what users see, not about
 * who prints it.
 */
struct capture {
	FILE *file;
	int saved;
};

static inline struct capture capture_begin(int fd)
{
	struct capture capture = { tmpfile(), dup(fd) };

	assert_non_null(capture.file);
	fflush(NULL);
	dup2(fileno(capture.file), fd);
	return capture;
}

static inline char *capture_end(struct capture capture, int fd)
{
	char *text = calloc(1, 1 << 16);

	fflush(NULL);
	dup2(capture.saved, fd);
	close(capture.saved);
	rewind(capture.file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 16) - 1, capture.file) < (1 << 16) - 1);
	fclose(capture.file);
	return text;
}

#define CAPTURE(fd, call) ({						\
	struct capture capture = capture_begin(fd);			\
	call;								\
	capture_end(capture, fd); })

#define assert_contains(text, part) do {				\
	const char *in = (text);					\
	if (!strstr(in, part))						\
		fail_msg("\"%s\" is not in \"%s\"", part, in);		\
} while (0)

#endif /* PMADV_TEST_H */

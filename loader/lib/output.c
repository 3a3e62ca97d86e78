// SPDX-License-Identifier: GPL-2.0
#include "lib/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static struct {
	const char *verb;
	bool json;
	bool quiet;
	int write_errno;	/* of the first write to stdout that failed */
	bool reported;
	bool progress_shown;
} out;

void out_init(const char *verb, bool json, bool quiet)
{
	out.verb = verb;
	out.json = json;
	out.quiet = quiet;
}

const char *out_verb(void)
{
	return out.verb;
}

bool out_json(void)
{
	return out.json;
}

bool out_quiet(void)
{
	return out.quiet;
}

void out_text(const char *format, ...)
{
	va_list args;

	progress_line("%s", "");
	errno = 0;
	va_start(args, format);
	if (vprintf(format, args) < 0 && !out.write_errno)
		out.write_errno = errno ? errno : EIO;
	va_end(args);
}

void out_html(const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			out_text("&amp;");
			break;
		case '<':
			out_text("&lt;");
			break;
		case '>':
			out_text("&gt;");
			break;
		case '"':
			out_text("&quot;");
			break;
		default:
			out_text("%c", *text);
		}
	}
}

int out_to_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (dup2(fd, STDOUT_FILENO) < 0)
		err = -errno;
	close(fd);
	return err;
}

int out_push(void)
{
	bool reported = out.reported;

	errno = 0;
	if (fflush(stdout) && !out.write_errno)
		out.write_errno = errno ? errno : EIO;
	out.reported = out.write_errno;
	return reported ? -EPIPE : -out.write_errno;
}

void progress_line(const char *format, ...)
{
	va_list args;
	char text[160];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	if (!*text && !out.progress_shown)
		return;
	if (out.json || out.quiet || !isatty(STDERR_FILENO))
		return;

	/* Carriage return, the text, then erase the rest of the line. */
	fprintf(stderr, "\r%s\033[K", text);
	fflush(stderr);
	out.progress_shown = *text;
}

// SPDX-License-Identifier: GPL-2.0
#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "lib/json.h"
#include "lib/output.h"

int exit_status(int err)
{
	switch (-err) {
	case 0:
		return EXIT_OK;
	case EUSAGE:
		return EXIT_USAGE;
	case ELACKS:
	case ENOSYS:
		return EXIT_LACKS;
	case EPERM:
	case EACCES:
		return EXIT_DENIED;
	case EEJECTED:
		return EXIT_EJECTED;
	default:
		return EXIT_FAILED;
	}
}

const char *error_text(int err)
{
	static char text[64];

	switch (-err) {
	case EUSAGE:
		return "wrong usage";
	case ELACKS:
		return "the kernel lacks it";
	case EEJECTED:
		return "the policy was ejected";
	default:
		break;
	}
	if (-err < __LIBBPF_ERRNO__START)
		return strerror(-err);
	libbpf_strerror(err, text, sizeof(text));
	return text;
}

static void message_text(const char *kind, const char *format, va_list args)
{
	fprintf(stderr, "pmadv%s%s: ", out_verb() ? " " : "", out_verb() ? out_verb() : "");
	if (!strcmp(kind, "warning"))
		fprintf(stderr, "warning: ");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

static void message_json(const char *kind, int err, const char *format, va_list args)
{
	struct json_object *line = json_line(kind);
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	json_text(line, "message", text ? text : format);
	if (err) {
		json_number(line, "exit_status", (uint64_t)exit_status(err));
		if (-err < EUSAGE)
			json_text(line, "errno", strerrorname_np(-err));
	}
	fprintf(stderr, "%s\n", json_object_to_json_string_ext(line, JSON_STYLE));
	json_object_put(line);
	free(text);
}

static void message(const char *kind, int err, const char *format, va_list args)
{
	/*
	 * Keep messages in step with results on the same terminal or in the
	 * same file.
	 */
	fflush(stdout);
	progress_line("%s", "");
	if (out_json())
		message_json(kind, err, format, args);
	else
		message_text(kind, format, args);
}

int say_error(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message("error", err, format, args);
	va_end(args);
	return err;
}

int say_no_memory(void)
{
	return say_error(-ENOMEM, "not enough memory");
}

void say_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message("warning", 0, format, args);
	va_end(args);
}

void say_note(const char *format, ...)
{
	va_list args;

	if (out_quiet())
		return;
	va_start(args, format);
	message("note", 0, format, args);
	va_end(args);
}

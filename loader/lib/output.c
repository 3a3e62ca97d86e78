// SPDX-License-Identifier: GPL-2.0
#include "lib/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"

#define JSON_STYLE	(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static struct {
	const char *verb;
	bool json;
	bool quiet;
	int write_errno;	/* of the first write to stdout that failed */
	bool failed;
	bool progress_shown;
} out;

void out_init(const char *verb, bool json, bool quiet)
{
	out.verb = verb;
	out.json = json;
	out.quiet = quiet;
}

bool out_json(void)
{
	return out.json;
}

bool out_quiet(void)
{
	return out.quiet;
}

static void message_text(const char *kind, const char *format, va_list args)
{
	fprintf(stderr, "pmadv%s%s: ", out.verb ? " " : "", out.verb ? out.verb : "");
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

void out_message(const char *kind, int err, const char *format, va_list args)
{
	/* In step with results that go to the same terminal or file. */
	fflush(stdout);
	progress_line("%s", "");
	if (out.json)
		message_json(kind, err, format, args);
	else
		message_text(kind, format, args);
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

int out_flush(void)
{
	errno = 0;
	if (fflush(stdout) && !out.write_errno)
		out.write_errno = errno ? errno : EIO;
	if (!out.write_errno)
		return 0;
	if (out.write_errno == EPIPE || out.failed)
		return -EPIPE;

	out.failed = true;
	return say_error(-out.write_errno, "cannot write the results: %s",
			 strerror(out.write_errno));
}

struct json_object *json_line(const char *type)
{
	struct json_object *line = json_object_new_object();
	struct timespec now;
	char ts[40];

	if (!line)
		return NULL;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(ts, sizeof(ts), "%lld.%06ld", (long long)now.tv_sec,
		 now.tv_nsec / 1000);
	json_number(line, "schema", OUTPUT_SCHEMA);
	json_add(line, "ts", json_object_new_double_s((double)now.tv_sec +
						      (double)now.tv_nsec / 1e9, ts));
	json_text(line, "type", type);
	return line;
}

void json_add(struct json_object *to, const char *key, struct json_object *value)
{
	if (!to || json_object_object_add(to, key, value))
		json_object_put(value);
}

void json_text(struct json_object *to, const char *key, const char *value)
{
	json_add(to, key, value ? json_object_new_string(value) : NULL);
}

void json_number(struct json_object *to, const char *key, uint64_t value)
{
	json_add(to, key, json_object_new_uint64(value));
}

void json_signed(struct json_object *to, const char *key, int64_t value)
{
	json_add(to, key, json_object_new_int64(value));
}

void json_flag(struct json_object *to, const char *key, bool value)
{
	json_add(to, key, json_object_new_boolean(value));
}

void json_address(struct json_object *to, const char *key, uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_text(to, key, text);
}

void json_stats(struct json_object *to, const struct pmadv_stats *stats)
{
	uint64_t page = page_size();

	json_number(to, "scanned", stats->scanned * page);
	json_number(to, "young", stats->young * page);
	json_number(to, "shared", stats->shared * page);
	json_number(to, "deactivated", stats->deactivated * page);
	json_number(to, "isolated", stats->isolated * page);
	json_number(to, "reclaimed", stats->reclaimed * page);
	json_number(to, "written_back", stats->written_back * page);
	json_number(to, "activated", stats->activated * page);
	json_number(to, "swapped", stats->swapped * page);
	json_number(to, "time_ns", stats->time_ns);
}

int json_print(struct json_object *line)
{
	const char *text;

	text = line ? json_object_to_json_string_ext(line, JSON_STYLE) : NULL;
	if (!text) {
		json_object_put(line);
		return say_error(-ENOMEM, "not enough memory for the results");
	}
	out_text("%s\n", text);
	json_object_put(line);
	return out_flush();
}

struct libscols_table *table_new(const char *const *columns)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;

	for (; *columns; columns++) {
		bool right = **columns == '>';

		if (!scols_table_new_column(table, *columns + right, 0,
					    right ? SCOLS_FL_RIGHT : 0))
			goto fail;
	}
	/* A line that is too long is better than one cut short. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;

fail:
	scols_unref_table(table);
	return NULL;
}

int table_row(struct libscols_table *table, ...)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	size_t columns = scols_table_get_ncols(table);
	va_list args;
	int err = 0;

	if (!line)
		return -ENOMEM;

	va_start(args, table);
	for (size_t i = 0; i < columns && !err; i++)
		err = scols_line_set_data(line, i, va_arg(args, const char *));
	va_end(args);
	return err;
}

int table_print(struct libscols_table *table)
{
	char *text = NULL;
	int err;

	err = scols_print_table_to_string(table, &text);
	if (err)
		return say_error(err, "cannot print the table: %s", error_text(err));

	if (text && *text)
		out_text("%s%s", text, text[strlen(text) - 1] == '\n' ? "" : "\n");
	free(text);
	return out_flush();
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

	/* Carriage return, the text, and erase what is left of the line. */
	fprintf(stderr, "\r%s\033[K", text);
	fflush(stderr);
	out.progress_shown = *text;
}

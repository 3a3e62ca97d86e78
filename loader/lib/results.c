// SPDX-License-Identifier: GPL-2.0
#include "lib/results.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"

int out_flush(void)
{
	int err = out_push();

	if (!err || err == -EPIPE)
		return err;
	return say_error(err, "cannot write the results: %s", strerror(-err));
}

int json_print(struct json_object *line)
{
	const char *text;

	text = line ? json_object_to_json_string_ext(line, JSON_STYLE) : NULL;
	if (!text) {
		json_object_put(line);
		return say_no_memory();
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
	/* A line that is too long is better than a truncated one. */
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

// SPDX-License-Identifier: GPL-2.0
#include "lib/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pmadv/recording.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/text.h"

#define MAX_COLUMNS	32
#define BAR_WIDTH	20

static bool is_number(enum column_kind kind)
{
	return kind != COLUMN_TEXT && kind != COLUMN_BAR;
}

static int no_memory(void)
{
	return say_no_memory();
}

static bool is_separated(enum rows_format format)
{
	return format == ROWS_CSV || format == ROWS_TSV;
}

/* Between tabs nothing can be quoted: what would end a field is a blank. */
static void tsv_field(const char *text)
{
	for (; *text; text++)
		out_text("%c", strchr("\t\n\r", *text) ? ' ' : *text);
}

static void csv_field(const char *text)
{
	if (!text[strcspn(text, ",\"\n\r")]) {
		out_text("%s", text);
		return;
	}
	out_text("\"");
	for (; *text; text++)
		out_text(*text == '"' ? "\"\"" : "%c", *text);
	out_text("\"");
}

static void add_field(const struct rows *rows, const char *text, bool first)
{
	bool tabs = rows->format == ROWS_TSV;

	if (!first)
		out_text(tabs ? "\t" : ",");
	if (tabs)
		tsv_field(text);
	else
		csv_field(text);
}

static int begin_html(const struct rows *rows)
{
	out_text("<table>\n");
	if (rows->one)
		return out_flush();
	out_text("<tr>");
	for (const struct column *column = rows->columns; column->title; column++) {
		out_text("<th%s>", is_number(column->kind) ? " class=n" : "");
		out_html(column->title);
		out_text("</th>");
	}
	out_text("</tr>\n");
	return out_flush();
}

int rows_begin(struct rows *rows)
{
	const char *titles[MAX_COLUMNS + 1] = { };
	char marked[MAX_COLUMNS][32];
	size_t nr = 0;

	if (rows->format == ROWS_HTML)
		return begin_html(rows);
	for (const struct column *column = rows->columns; column->title; column++) {
		if (is_separated(rows->format)) {
			if (column->kind != COLUMN_BAR)
				add_field(rows, column->key, column == rows->columns);
			continue;
		}
		snprintf(marked[nr], sizeof(marked[nr]), "%s%s",
			 is_number(column->kind) ? ">" : "", column->title);
		titles[nr] = marked[nr];
		nr++;
	}
	if (is_separated(rows->format))
		out_text("\n");
	if (rows->format != ROWS_TEXT || rows->one)
		return out_flush();
	rows->table = table_new(titles);
	return rows->table ? 0 : no_memory();
}

static const char *human(const struct column *column, const union cell *cell,
			 char buf[64])
{
	static const char bar[BAR_WIDTH + 1] = "####################";

	if (is_number(column->kind) && cell->number == PMADV_UNKNOWN)
		return "-";
	switch (column->kind) {
	case COLUMN_TEXT:
		return cell->text;
	case COLUMN_COUNT:
		return human_count(cell->number, buf);
	case COLUMN_ID:
		snprintf(buf, 64, "%" PRIu64, cell->number);
		return buf;
	case COLUMN_BYTES:
		return human_bytes(cell->number, buf);
	case COLUMN_TIME:
		return human_time(cell->number, buf);
	case COLUMN_ADDRESS:
		snprintf(buf, 64, "%" PRIx64, cell->number);
		return buf;
	case COLUMN_BAR:
		snprintf(buf, 64, "%.*s", (int)(cell->fraction * BAR_WIDTH + 0.5), bar);
		return buf;
	}
	return "";
}

static int add_text(struct rows *rows, const union cell *cells)
{
	struct libscols_line *line = NULL;
	char buf[64];
	int err = 0;

	if (!rows->one) {
		line = scols_table_new_line(rows->table, NULL);
		if (!line)
			return no_memory();
	}
	for (size_t i = 0; rows->columns[i].title && !err; i++) {
		const char *text = human(&rows->columns[i], &cells[i], buf);

		if (rows->one)
			out_text("%-14s %s\n", rows->columns[i].title, text);
		else
			err = scols_line_set_data(line, i, text);
	}
	return err ? no_memory() : 0;
}

static int add_json(struct rows *rows, const union cell *cells)
{
	struct json_object *line = json_line(rows->type);

	for (size_t i = 0; rows->columns[i].title; i++) {
		const struct column *column = &rows->columns[i];

		if (column->kind == COLUMN_BAR)
			continue;
		if (column->kind == COLUMN_TEXT)
			json_text(line, column->key, cells[i].text);
		else if (cells[i].number == PMADV_UNKNOWN)
			json_text(line, column->key, NULL);
		else if (column->kind == COLUMN_ADDRESS)
			json_address(line, column->key, cells[i].number);
		else
			json_number(line, column->key, cells[i].number);
	}
	return json_print(line);
}

static int add_separated(struct rows *rows, const union cell *cells)
{
	char buf[32];

	for (size_t i = 0; rows->columns[i].title; i++) {
		enum column_kind kind = rows->columns[i].kind;

		if (kind == COLUMN_BAR)
			continue;
		if (kind == COLUMN_TEXT) {
			add_field(rows, cells[i].text, !i);
			continue;
		}
		buf[0] = '\0';
		if (cells[i].number != PMADV_UNKNOWN)
			snprintf(buf, sizeof(buf), kind == COLUMN_ADDRESS ?
				 "0x%" PRIx64 : "%" PRIu64, cells[i].number);
		add_field(rows, buf, !i);
	}
	out_text("\n");
	return out_flush();
}

static int add_html(struct rows *rows, const union cell *cells)
{
	char buf[64];

	out_text("<tr>");
	for (size_t i = 0; rows->columns[i].title; i++) {
		const struct column *column = &rows->columns[i];

		if (rows->one) {
			out_text("%s<th>", i ? "</tr>\n<tr>" : "");
			out_html(column->title);
			out_text("</th>");
		}
		if (column->kind == COLUMN_BAR) {
			out_text("<td><div class=bar style=\"width:%.1fem\"></div></td>",
				 cells[i].fraction * BAR_WIDTH / 2);
			continue;
		}
		out_text("<td%s>", is_number(column->kind) ? " class=n" : "");
		out_html(human(column, &cells[i], buf));
		out_text("</td>");
	}
	out_text("</tr>\n");
	return out_flush();
}

int rows_add(struct rows *rows, const union cell *cells)
{
	switch (rows->format) {
	case ROWS_HTML:
		return add_html(rows, cells);
	case ROWS_JSON:
		return add_json(rows, cells);
	case ROWS_CSV:
	case ROWS_TSV:
		return add_separated(rows, cells);
	default:
		return add_text(rows, cells);
	}
}

int rows_end(struct rows *rows)
{
	int err = 0;

	if (rows->format == ROWS_HTML)
		out_text("</table>\n");
	if (rows->table && scols_table_get_nlines(rows->table))
		err = table_print(rows->table);
	scols_unref_table(rows->table);
	rows->table = NULL;
	return err;
}

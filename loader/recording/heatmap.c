// SPDX-License-Identifier: GPL-2.0
#include "recording/heatmap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/rows.h"
#include "lib/text.h"
#include "lib/util.h"
#include "recording/analysis.h"
#include "recording/recfile.h"

#define PLOT_LABELS	12
/* A gap of this many rows between two rows is marked. */
#define GAP_ROWS	8

/* Addresses in a row that had pages; @at is where they are on the axis. */
struct span {
	uint64_t start;
	uint64_t end;
	uint64_t at;
};

/* A walk that looked at pages, and of it the addresses in view. NULL: none of that. */
static const struct pmadv_range_record *
walked_range(const struct pmadv_record *entry, const struct heatmap *map,
	     struct span *span)
{
	const struct pmadv_range_record *record = entry_range(entry);
	const struct heatmap_view *view = &map->view;
	uint64_t from = map->start_ns + map->from_ns;

	if (!record || record->head.tgid != map->target->tgid ||
	    (record->start | record->end) % map->page_size ||
	    !(record->stats.scanned + record->stats.swapped) ||
	    record->head.time_ns < from || record->head.time_ns - from > map->duration_ns)
		return NULL;
	span->start = record->start > view->start ? record->start : view->start;
	span->end = view->end && view->end < record->end ? view->end : record->end;
	return span->start < span->end ? record : NULL;
}

static int by_start(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

/* Sort the spans, and merge those that touch. */
static void merge_spans(struct vec *spans)
{
	struct span *span = spans->items;
	size_t kept = 0;

	if (!spans->nr)
		return;
	qsort(span, spans->nr, sizeof(*span), by_start);
	for (size_t i = 1; i < spans->nr; i++) {
		if (span[i].start > span[kept].end)
			span[++kept] = span[i];
		else if (span[i].end > span[kept].end)
			span[kept].end = span[i].end;
	}
	spans->nr = kept + 1;
}

static int find_spans(const char *path, struct heatmap *map)
{
	const struct pmadv_record *entry;
	struct span *span, seen;
	struct recfile *file;
	size_t limit = 4096;
	int err;

	err = recfile_open(path, &file);
	if (err)
		return err;
	while (!err && (entry = recfile_next(file))) {
		if (!walked_range(entry, map, &seen))
			continue;
		span = vec_add(&map->spans, sizeof(*span));
		if (!span) {
			err = say_no_memory();
			break;
		}
		*span = seen;
		/* The same ranges recur. */
		if (map->spans.nr >= limit) {
			merge_spans(&map->spans);
			limit = map->spans.nr * 2 + 4096;
		}
	}
	recfile_close(file);
	merge_spans(&map->spans);

	span = map->spans.items;
	for (size_t i = 0; i < map->spans.nr; i++) {
		span[i].at = map->bytes;
		map->bytes += span[i].end - span[i].start;
	}
	if (!err && !map->spans.nr)
		err = say_error(-ENODATA, "no walk looked at pages of %s (%d)%s: there is no heatmap",
				map->target->comm, map->target->tgid,
				map->view.end || map->view.to_ns || map->view.from_ns ?
				" in that part" : "");
	return err;
}

/* The place of an address of one of the spans on the axis. */
static uint64_t to_axis(const struct heatmap *map, uint64_t address)
{
	const struct span *span = map->spans.items;
	size_t from = 0, to = map->spans.nr;

	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;

		if (address < span[middle].start)
			to = middle;
		else
			from = middle;
	}
	return span[from].at + (address - span[from].start);
}

static uint64_t from_axis(const struct heatmap *map, uint64_t at)
{
	const struct span *span = map->spans.items;
	size_t i = map->spans.nr - 1;

	while (i && span[i].at > at)
		i--;
	return span[i].start + (at - span[i].at);
}

/* Rounded to whole pages. */
static uint64_t row_at(const struct heatmap *map, size_t row)
{
	return map->bytes / map->page_size * row / map->nr_rows * map->page_size;
}

static size_t column_of(const struct heatmap *map, uint64_t time_ns)
{
	double part = (double)(time_ns - map->start_ns - map->from_ns) /
		      ((double)map->duration_ns + 1);
	size_t column = (size_t)(part * (double)map->nr_columns);

	return column < map->nr_columns ? column : map->nr_columns - 1;
}

static void add_heat(struct heatmap *map, const struct pmadv_range_record *record,
		     const struct span *seen)
{
	uint64_t start = to_axis(map, seen->start), end = start + (seen->end - seen->start);
	uint64_t length = record->end - record->start;
	size_t column = column_of(map, record->head.time_ns);
	size_t row = (size_t)(start / map->page_size * map->nr_rows /
			      (map->bytes / map->page_size));

	for (; row < map->nr_rows && row_at(map, row) < end; row++) {
		uint64_t from = row_at(map, row), to = row_at(map, row + 1);
		struct heat *cell = &map->heat[row * map->nr_columns + column];
		double part;

		from = from > start ? from : start;
		to = to < end ? to : end;
		if (from >= to)
			continue;
		part = (double)(to - from) / (double)length;
		cell->young += part * (double)record->stats.young;
		cell->pages += part * (double)(record->stats.scanned +
					       record->stats.swapped);
	}
}

/*
 * A walk shows the time since the walk before, so it fills the cells back to
 * that. Only in a damaged file are more pages accessed than there were.
 */
static void fill_row(struct heatmap *map, const struct heat *heat, double *cells)
{
	double value = NAN;
	size_t first = 0;

	while (first < map->nr_columns && !(heat[first].pages > 0))
		first++;
	for (size_t column = map->nr_columns; column-- > 0;) {
		if (heat[column].pages > 0)
			value = fmin(heat[column].young / heat[column].pages, 1);
		cells[column] = column < first ? NAN : value;
	}
}

static int fill_cells(const char *path, struct heatmap *map)
{
	size_t nr = map->nr_rows * map->nr_columns;
	const struct pmadv_range_record *record;
	const struct pmadv_record *entry;
	struct recfile *file = NULL;
	struct span seen;
	int err;

	map->heat = calloc(nr, sizeof(*map->heat));
	map->cells = calloc(nr, sizeof(*map->cells));
	if (!map->heat || !map->cells)
		err = say_no_memory();
	else
		err = recfile_open(path, &file);
	while (!err && (entry = recfile_next(file))) {
		record = walked_range(entry, map, &seen);
		if (record)
			add_heat(map, record, &seen);
	}
	recfile_close(file);
	for (size_t row = 0; row < map->nr_rows && !err; row++)
		fill_row(map, map->heat + row * map->nr_columns,
			 map->cells + row * map->nr_columns);
	return err;
}

int heatmap_read(const char *path, const struct analysis *analysis,
		 const struct target_sum *target, const struct heatmap_view *view,
		 size_t max_rows, size_t max_columns, struct heatmap *map)
{
	uint64_t pages, to = analysis->duration_ns;
	int err;

	memset(map, 0, sizeof(*map));
	map->target = target;
	map->page_size = analysis->page_size;
	map->start_ns = analysis->start_ns;
	map->view = *view;
	map->from_ns = view->from_ns;
	if (view->to_ns && view->to_ns < to)
		to = view->to_ns;
	if (view->from_ns && to <= view->from_ns)
		return say_error(-ENODATA, "%s ends before the time that is asked for", path);
	map->duration_ns = to - view->from_ns;
	map->nr_columns = max_columns;

	err = find_spans(path, map);
	if (!err) {
		pages = map->bytes / map->page_size;
		map->nr_rows = pages < max_rows ? (size_t)pages : max_rows;
		err = fill_cells(path, map);
	}
	if (err)
		heatmap_free(map);
	return err;
}

void heatmap_free(struct heatmap *map)
{
	vec_free(&map->spans);
	free(map->cells);
	free(map->heat);
	map->cells = NULL;
}

uint64_t heatmap_address(const struct heatmap *map, size_t row)
{
	return from_axis(map, row_at(map, row));
}

bool heatmap_after_gap(const struct heatmap *map, size_t row)
{
	uint64_t height = map->bytes / map->nr_rows;

	return row && heatmap_address(map, row) - heatmap_address(map, row - 1) >
		      GAP_ROWS * (height ? height : 1);
}

/* None accessed, then quarters. */
static const char *shade(double value, bool utf8)
{
	static const char *const blocks[] = { "·", "░", "▒", "▓", "█" };
	static const char *const letters[] = { ".", "-", "+", "*", "#" };
	size_t level = value > 0 ? 1 + (size_t)(value * 4) : 0;

	if (isnan(value))
		return " ";
	level = level > 4 ? 4 : level;
	return utf8 ? blocks[level] : letters[level];
}

int heatmap_print_text(const struct heatmap *map)
{
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	char from[HUMAN_LEN] = "0 s", time[HUMAN_LEN], bytes[HUMAN_LEN];

	out_text("%s (%d), %s of addresses: the part of the pages accessed since the walk before\n",
		 map->target->comm, map->target->tgid, human_bytes(map->bytes, bytes));
	for (size_t row = 0; row < map->nr_rows; row++) {
		out_text("%c%12" PRIx64 " ", heatmap_after_gap(map, row) ? '~' : ' ',
			 heatmap_address(map, row));
		for (size_t column = 0; column < map->nr_columns; column++)
			out_text("%s", shade(map->cells[row * map->nr_columns + column],
					     utf8));
		out_text("\n");
	}
	if (map->from_ns)
		human_time(map->from_ns, from);
	out_text("%14s%s%*s\n", "", from, (int)(map->nr_columns - strlen(from)),
		 human_time(map->from_ns + map->duration_ns, time));
	out_text("%14s%s none  %s up to 25%%  %s 50%%  %s 75%%  %s 100%%  ~ after a gap\n", "",
		 shade(0, utf8), shade(0.1, utf8), shade(0.3, utf8), shade(0.6, utf8),
		 shade(0.9, utf8));
	return out_flush();
}

static uint64_t column_ns(const struct heatmap *map, size_t column)
{
	return map->from_ns + map->duration_ns * column / map->nr_columns;
}

int heatmap_print_cells(const struct heatmap *map, enum rows_format format)
{
	static const struct column columns[] = {
		{ "PID", "pid", COLUMN_ID },
		{ "FROM", "from_ns", COLUMN_TIME },
		{ "TO", "to_ns", COLUMN_TIME },
		{ "START", "start", COLUMN_ADDRESS },
		{ "END", "end", COLUMN_ADDRESS },
		{ "ACCESSED", "accessed_permille", COLUMN_COUNT },
		{ }
	};
	struct rows rows = { .type = "heatmap", .columns = columns, .format = format };
	int err = rows_begin(&rows);

	for (size_t i = 0; i < map->nr_rows * map->nr_columns && !err; i++) {
		size_t row = i / map->nr_columns, column = i % map->nr_columns;
		uint64_t last = row_at(map, row + 1) - 1;
		bool walked = !isnan(map->cells[i]);
		const union cell cells[] = {
			{ .number = (uint64_t)map->target->tgid },
			{ .number = column_ns(map, column) },
			{ .number = column_ns(map, column + 1) },
			{ .number = heatmap_address(map, row) },
			{ .number = from_axis(map, last) + 1 },
			{ .number = walked ? (uint64_t)(map->cells[i] * 1000 + 0.5) : 0 },
		};

		if (walked)
			err = rows_add(&rows, cells);
	}
	return err ? err : rows_end(&rows);
}

/* A string for gnuplot: quotes in it are doubled. */
static void plot_string(FILE *to, const char *text)
{
	fputc('\'', to);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', to);
		fputc(*text, to);
	}
	fputc('\'', to);
}

static void write_plot(const struct heatmap *map, const char *terminal,
		       const char *path, FILE *to)
{
	char title[128];
	size_t step = (map->nr_rows + PLOT_LABELS - 1) / PLOT_LABELS;
	double width = (double)map->duration_ns / 1e9 / (double)map->nr_columns;
	double from = (double)map->from_ns / 1e9;

	snprintf(title, sizeof(title), "%s (%d): pages accessed since the walk before",
		 map->target->comm, map->target->tgid);
	fprintf(to, "set terminal %s\nset output ", terminal);
	plot_string(to, path);
	fputs("\nset title ", to);
	plot_string(to, title);
	fputs(" noenhanced\nset xlabel 'seconds'\nset cblabel 'of the pages, %'\n"
	      "set cbrange [0:100]\nset tics out nomirror\n"
	      "set palette defined (0 '#f4f4f4', 1 '#fdd49e', 25 '#fc8d59', 100 '#7f0000')\n"
	      "set ytics (", to);
	for (size_t row = 0; row < map->nr_rows; row += step)
		fprintf(to, "%s'%" PRIx64 "' %zu", row ? ", " : "", heatmap_address(map, row),
			row);
	fprintf(to, ")\nset xrange [%f:%f]\nset yrange [-0.5:%zu.5]\n", from,
		from + (double)map->duration_ns / 1e9, map->nr_rows - 1);
	for (size_t row = 1; row < map->nr_rows; row++)
		if (heatmap_after_gap(map, row))
			fprintf(to, "set arrow from graph 0, first %zu.5 to graph 1, first %zu.5 nohead lc 'grey' dt 3 front\n",
				row - 1, row - 1);
	fprintf(to, "plot '-' using (%f+($1+0.5)*%f):2:($3*100) with image notitle\n", from, width);
	for (size_t i = 0; i < map->nr_rows * map->nr_columns; i++) {
		if (isnan(map->cells[i]))
			fprintf(to, "%zu %zu NaN\n", i % map->nr_columns,
				i / map->nr_columns);
		else
			fprintf(to, "%zu %zu %f\n", i % map->nr_columns,
				i / map->nr_columns, map->cells[i]);
	}
	fputs("e\n", to);
}

/* gnuplot, reading from a pipe whose other end is *@to; -errno. */
static int start_gnuplot(pid_t *pid, FILE **to)
{
	char *const argv[] = { (char *)"gnuplot", (char *)"-d", (char *)"-", NULL };
	posix_spawn_file_actions_t actions;
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	err = posix_spawn_file_actions_init(&actions);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
	if (!err)
		err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[0]);
	*to = err ? NULL : fdopen(fds[1], "w");
	if (*to)
		return 0;
	close(fds[1]);
	return err ? -err : -ENOMEM;
}

static int draw(const struct heatmap *map, const char *terminal, const char *path)
{
	int err, status = 0;
	FILE *to = NULL;
	pid_t pid;

	err = start_gnuplot(&pid, &to);
	if (err == -ENOENT)
		return say_error(err, "--plot takes gnuplot, which is not installed: apt-get install gnuplot-nox; 'pmadv report --show heatmap' draws with characters");
	if (err)
		return say_error(err, "cannot run gnuplot: %s", error_text(err));

	write_plot(map, terminal, path, to);
	fclose(to);
	if (waitpid(pid, &status, 0) != pid || status)
		return say_error(-EIO, "gnuplot failed: %s is missing or incomplete",
				 path);
	return 0;
}

/* stdout has nothing else then. */
static int write_cells(const struct heatmap *map, enum rows_format format, const char *path)
{
	int err = out_to_file(path);

	if (err)
		return say_error(err, "cannot write %s: %s", path, error_text(err));
	return heatmap_print_cells(map, format);
}

int heatmap_plot(const struct heatmap *map, const char *path)
{
	static const struct {
		const char *ending;
		const char *terminal;	/* of gnuplot, or: */
		enum rows_format format;
	} kinds[] = {
		{ ".svg", "svg background 'white' size 960,480", 0 },
		{ ".png", "pngcairo size 960,480", 0 },
		{ ".pdf", "pdfcairo size 9.6in,4.8in", 0 },
		{ ".csv", NULL, ROWS_CSV },
		{ ".tsv", NULL, ROWS_TSV },
	};
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(ending, kinds[i].ending))
			continue;
		return kinds[i].terminal ? draw(map, kinds[i].terminal, path) :
					   write_cells(map, kinds[i].format, path);
	}
	return say_error(-EUSAGE, "--plot %s: the name must end with .svg, .png or .pdf, or with .csv or .tsv for its numbers",
			 path);
}

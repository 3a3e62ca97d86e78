// SPDX-License-Identifier: GPL-2.0
#include "recording/ages.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/util.h"

#define AGE_ROWS	1024
#define AGE_COLUMNS	240
#define SECOND		1000000000ULL

static double page_bytes(const struct ages *ages, double pages)
{
	return pages * (double)ages->map.page_size;
}

/* The end of a column, since the recording began. */
static uint64_t column_end(const struct heatmap *map, size_t column)
{
	return map->from_ns + map->duration_ns * (column + 1) / map->nr_columns;
}

/* How long what was last accessed in the column @slot - 1 was idle, at the end. */
static uint64_t idle_ns(const struct heatmap *map, size_t slot)
{
	return map->duration_ns - map->duration_ns * slot / map->nr_columns;
}

/*
 * What was accessed is taken from what was accessed last before; what appeared besides
 * was not accessed. What went away was the coldest.
 */
void ages_walk(double *pages, size_t latest, double young, double held)
{
	double total = 0, take;

	young = fmin(young, held);
	take = young;
	for (size_t slot = latest; slot-- > 0 && take > 0;) {
		double taken = fmin(pages[slot], take);

		pages[slot] -= taken;
		take -= taken;
	}
	pages[latest] = young;
	for (size_t slot = 0; slot <= latest; slot++)
		total += pages[slot];
	if (total < held)
		pages[0] += held - total;
	for (size_t slot = 0; slot < latest && total > held; slot++) {
		double gone = fmin(pages[slot], total - held);

		pages[slot] -= gone;
		total -= gone;
	}
}

/* A walk shows the time since the walk before: fill its columns back to that. */
static void add_use(struct ages *ages, const struct heat *row)
{
	size_t nr = ages->map.nr_columns, first = 0;
	double young = 0, pages = 0;

	while (first < nr && !(row[first].pages > 0))
		first++;
	for (size_t column = nr; column-- > first;) {
		if (row[column].pages > 0) {
			pages = row[column].pages;
			young = fmin(row[column].young, pages);
		}
		ages->accessed[column] += page_bytes(ages, young);
		ages->held[column] += page_bytes(ages, pages);
	}
}

static int add_rows(struct ages *ages)
{
	const struct heatmap *map = &ages->map;
	size_t nr = map->nr_columns;
	double *slots = calloc(nr + 1, sizeof(*slots));

	if (!slots)
		return say_no_memory();
	for (size_t i = 0; i < map->nr_rows; i++) {
		const struct heat *row = &map->heat[i * nr];

		memset(slots, 0, (nr + 1) * sizeof(*slots));
		for (size_t column = 0; column < nr; column++)
			if (row[column].pages > 0)
				ages_walk(slots, column + 1, row[column].young,
					  row[column].pages);
		for (size_t slot = 0; slot <= nr; slot++)
			ages->idle[slot] += page_bytes(ages, slots[slot]);
		add_use(ages, row);
	}
	free(slots);
	return 0;
}

int ages_read(const char *path, const struct analysis *analysis,
	      const struct target_sum *target, const struct heatmap_view *view,
	      struct ages *ages)
{
	int err;

	memset(ages, 0, sizeof(*ages));
	err = heatmap_read(path, analysis, target, view, AGE_ROWS, AGE_COLUMNS, &ages->map);
	if (err)
		return err;
	ages->accessed = calloc(ages->map.nr_columns, sizeof(*ages->accessed));
	ages->held = calloc(ages->map.nr_columns, sizeof(*ages->held));
	ages->idle = calloc(ages->map.nr_columns + 1, sizeof(*ages->idle));
	if (!ages->accessed || !ages->held || !ages->idle)
		err = say_no_memory();
	else
		err = add_rows(ages);
	if (err)
		ages_free(ages);
	return err;
}

void ages_free(struct ages *ages)
{
	heatmap_free(&ages->map);
	free(ages->accessed);
	free(ages->held);
	free(ages->idle);
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double share(double part, double all)
{
	return all > 0 ? part / all : 0;
}

/* Where walks have not been nearly everywhere yet, or no more, too little is counted. */
static double held_enough(const struct ages *ages)
{
	double most = 0;

	for (size_t i = 0; i < ages->map.nr_columns; i++)
		most = fmax(most, ages->held[i]);
	return most / 2;
}

int ages_print_wss(const struct ages *ages, enum rows_format format)
{
	static const struct column columns[] = {
		{ "PERCENTILE", "percentile", COLUMN_ID },
		{ "WORKING SET", "accessed", COLUMN_BYTES },
		{ "", "", COLUMN_BAR },
		{ }
	};
	static const unsigned int percentiles[] = { 0, 10, 25, 50, 75, 90, 99, 100 };
	struct rows rows = { .type = "wss", .columns = columns, .format = format };
	double *sizes = calloc(ages->map.nr_columns, sizeof(*sizes));
	double enough = held_enough(ages);
	size_t nr = 0;
	int err;

	if (!sizes)
		return say_no_memory();
	for (size_t i = 0; i < ages->map.nr_columns; i++)
		if (ages->held[i] > 0 && ages->held[i] >= enough)
			sizes[nr++] = ages->accessed[i];
	qsort(sizes, nr, sizeof(*sizes), by_size);
	err = rows_begin(&rows);
	for (size_t i = 0; i < ARRAY_SIZE(percentiles) && nr && !err; i++) {
		double size = sizes[(nr - 1) * percentiles[i] / 100];
		const union cell cells[] = {
			{ .number = percentiles[i] },
			{ .number = round_u64(size) },
			{ .fraction = share(size, sizes[nr - 1]) },
		};

		err = rows_add(&rows, cells);
	}
	free(sizes);
	return err ? err : rows_end(&rows);
}

int ages_print_footprint(const struct ages *ages, enum rows_format format,
			 size_t max_rows)
{
	static const struct column columns[] = {
		{ "UP TO", "time_ns", COLUMN_TIME },
		{ "HELD", "held", COLUMN_BYTES },
		{ "WORKING SET", "accessed", COLUMN_BYTES },
		{ "", "", COLUMN_BAR },
		{ "IDLE", "idle", COLUMN_BYTES },
		{ }
	};
	struct rows rows = { .type = "footprint", .columns = columns, .format = format };
	size_t nr = ages->map.nr_columns, shown = nr < max_rows ? nr : max_rows;
	int err = rows_begin(&rows);

	for (size_t i = 0; i < shown && !err; i++) {
		size_t column = (i + 1) * nr / shown - 1;
		double held = ages->held[column], used = ages->accessed[column];
		const union cell cells[] = {
			{ .number = column_end(&ages->map, column) },
			{ .number = round_u64(held) },
			{ .number = round_u64(used) },
			{ .fraction = share(used, held) },
			{ .number = round_u64(held - used) },
		};

		if (held > 0)
			err = rows_add(&rows, cells);
	}
	return err ? err : rows_end(&rows);
}

static double idle_total(const struct ages *ages)
{
	double total = 0;

	for (size_t slot = 0; slot <= ages->map.nr_columns; slot++)
		total += ages->idle[slot];
	return total;
}

/* Where the classes of a histogram begin, in seconds. */
static const uint64_t class_seconds[AGE_CLASSES] = {
	0, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400
};

void age_histogram_add(struct age_histogram *histogram, uint64_t idle_ns, double bytes)
{
	size_t class = AGE_CLASSES - 1;

	while (class && idle_ns < class_seconds[class] * SECOND)
		class--;
	histogram->bytes[class] += bytes;
}

int age_histogram_print(const struct age_histogram *histogram, enum rows_format format)
{
	static const struct column columns[] = {
		{ "IDLE FOR", "from_ns", COLUMN_TIME },
		{ "UP TO", "below_ns", COLUMN_TIME },
		{ "BYTES", "bytes", COLUMN_BYTES },
		{ "", "", COLUMN_BAR },
		{ "AND LONGER", "and_longer", COLUMN_BYTES },
		{ }
	};
	struct rows rows = { .type = "age", .columns = columns, .format = format };
	double total = 0, left;
	int err = rows_begin(&rows);

	for (size_t i = 0; i < AGE_CLASSES; i++)
		total += histogram->bytes[i];
	left = total;
	for (size_t i = 0; i < AGE_CLASSES && !err; i++) {
		bool last = i + 1 == AGE_CLASSES;
		uint64_t from = class_seconds[i] * SECOND;
		double bytes = histogram->bytes[i];
		const union cell cells[] = {
			{ .number = from },
			{ .number = last ? UINT64_MAX : class_seconds[i + 1] * SECOND },
			{ .number = round_u64(bytes) },
			{ .fraction = share(bytes, total) },
			{ .number = round_u64(left) },
		};

		if (i && from > histogram->longest_ns)
			break;
		err = rows_add(&rows, cells);
		left = fmax(left - bytes, 0);
	}
	return err ? err : rows_end(&rows);
}

int ages_print_ages(const struct ages *ages, enum rows_format format)
{
	struct age_histogram histogram = { .longest_ns = ages->map.duration_ns };

	for (size_t slot = 0; slot <= ages->map.nr_columns; slot++)
		age_histogram_add(&histogram, idle_ns(&ages->map, slot), ages->idle[slot]);
	return age_histogram_print(&histogram, format);
}

int ages_print_cold(const struct ages *ages, enum rows_format format)
{
	static const struct column columns[] = {
		{ "COLDEST %", "percent", COLUMN_ID },
		{ "BYTES", "bytes", COLUMN_BYTES },
		{ "IDLE AT LEAST", "idle_ns", COLUMN_TIME },
		{ "", "", COLUMN_BAR },
		{ }
	};
	static const unsigned int percents[] = { 1, 5, 10, 25, 50, 75, 90, 95, 99, 100 };
	struct rows rows = { .type = "cold", .columns = columns, .format = format };
	double total = idle_total(ages), sum = ages->idle[0];
	uint64_t longest = ages->map.duration_ns;
	int err = rows_begin(&rows);
	size_t slot = 0;

	for (size_t i = 0; i < ARRAY_SIZE(percents) && !err; i++) {
		double part = total * percents[i] / 100;

		/* Sums of fractions are not exact: a byte more or less is none. */
		while (slot < ages->map.nr_columns && sum + 1 < part)
			sum += ages->idle[++slot];
		const union cell cells[] = {
			{ .number = percents[i] },
			{ .number = round_u64(part) },
			{ .number = idle_ns(&ages->map, slot) },
			{ .fraction = share((double)idle_ns(&ages->map, slot), (double)longest) },
		};

		err = rows_add(&rows, cells);
	}
	return err ? err : rows_end(&rows);
}

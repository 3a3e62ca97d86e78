// SPDX-License-Identifier: GPL-2.0
/* What was idle for how long, of walks whose answer is known; and the page for browsers. */
#include "test.h"

#include "lib/output.h"
#include "lib/util.h"
#include "recording/ages.h"
#include "recording/analysis.h"
#include "recording/html.h"
#include "recording/recfile.h"

#define SECOND	1000000000ULL
#define PAGE	4096ULL
#define START	0x100000ULL

static char path[] = "/tmp/test_ages.XXXXXX";

static const struct pmadv_file_header header = {
	.page_size = PAGE,
	.start_ns = 5 * SECOND,
	.release = "6.12-test",
};

static void add_walk(struct recfile *file, uint64_t second, uint64_t page, uint64_t nr,
		     uint64_t young, uint64_t swapped)
{
	struct pmadv_range_record record = {
		.head = { .type = PMADV_RECORD_RANGE, .tgid = 7, .comm = "<b>&\"",
			  .time_ns = (5 + second) * SECOND },
		.start = START + page * PAGE,
		.end = START + (page + nr) * PAGE,
		.stats = { .scanned = nr - swapped, .young = young, .swapped = swapped },
	};

	assert_int_equal(recfile_add(file, &record.head, sizeof(record), NULL), 0);
}

/*
 * A hundred pages, all accessed before 1 s, 30 of them until 30 s, 10 until 90 s; and
 * 50 behind a gap that were swapped out all the time. The record ends at 100 s.
 */
static int begin(void **state)
{
	struct pmadv_record last = { .type = PMADV_ENTRY_END,
				     .time_ns = (5 + 100) * SECOND };
	struct recfile *file;
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	assert_int_equal(recfile_create(path, &header, &file), 0);
	add_walk(file, 1, 0, 100, 100, 0);
	add_walk(file, 1, 1000, 50, 0, 50);
	add_walk(file, 30, 0, 100, 30, 0);
	add_walk(file, 30, 1000, 50, 0, 50);
	add_walk(file, 90, 0, 100, 10, 60);
	add_walk(file, 90, 1000, 50, 0, 50);
	assert_int_equal(recfile_add(file, &last, sizeof(last), NULL), 0);
	assert_int_equal(recfile_flush(file), 0);
	recfile_close(file);
	return 0;
}

static int end(void **state)
{
	(void)state;
	return unlink(path);
}

static void read_ages(const struct heatmap_view *view, struct analysis *analysis,
		      struct ages *ages)
{
	struct recfile *file;

	assert_int_equal(recfile_open(path, &file), 0);
	assert_int_equal(analysis_read(file, 0, analysis), 0);
	recfile_close(file);
	assert_int_equal(analysis->targets.nr, 1);
	assert_int_equal(ages_read(path, analysis, analysis->targets.items, view, ages), 0);
}

/* Pages idle at least so long when the record ends. */
static double idle_pages(const struct ages *ages, uint64_t seconds)
{
	const struct heatmap *map = &ages->map;
	double bytes = 0;

	for (size_t slot = 0; slot <= map->nr_columns; slot++)
		if (map->duration_ns - map->duration_ns * slot / map->nr_columns >=
		    seconds * SECOND)
			bytes += ages->idle[slot];
	return bytes / PAGE;
}

static void test_idle(void **state)
{
	const struct heatmap_view all = { };
	struct analysis analysis;
	struct ages ages;

	(void)state;
	read_ages(&all, &analysis, &ages);
	assert_float_equal(idle_pages(&ages, 0), 150, 0.01);
	assert_float_equal(idle_pages(&ages, 12), 140, 0.01);
	assert_float_equal(idle_pages(&ages, 60), 140, 0.01);
	assert_float_equal(idle_pages(&ages, 72), 120, 0.01);
	assert_float_equal(idle_pages(&ages, 98), 120, 0.01);
	assert_float_equal(idle_pages(&ages, 100), 50, 0.01);
	ages_free(&ages);
	analysis_free(&analysis);
}

static void test_working_set(void **state)
{
	const struct heatmap_view all = { };
	struct analysis analysis;
	struct ages ages;
	size_t nr;

	(void)state;
	read_ages(&all, &analysis, &ages);
	nr = ages.map.nr_columns;
	assert_float_equal(ages.accessed[nr * 20 / 100] / PAGE, 30, 0.01);
	assert_float_equal(ages.accessed[nr * 60 / 100] / PAGE, 10, 0.01);
	assert_float_equal(ages.held[nr * 60 / 100] / PAGE, 150, 0.01);
	ages_free(&ages);
	analysis_free(&analysis);
}

static void test_view(void **state)
{
	const struct heatmap_view part = {
		.from_ns = 20 * SECOND, .to_ns = 40 * SECOND,
		.start = START + 50 * PAGE, .end = START + 100 * PAGE,
	};
	const struct heatmap_view gap = { .start = START + 200 * PAGE,
					  .end = START + 300 * PAGE };
	struct analysis analysis;
	struct heatmap map;
	struct ages ages;

	(void)state;
	read_ages(&part, &analysis, &ages);
	assert_int_equal(ages.map.bytes, 50 * PAGE);
	assert_int_equal(ages.map.duration_ns, 20 * SECOND);
	assert_float_equal(idle_pages(&ages, 0), 50, 0.01);
	/* 15 of the 50 were accessed at 30 s. */
	assert_float_equal(idle_pages(&ages, 11), 35, 0.01);
	assert_int_equal(heatmap_address(&ages.map, 0), part.start);
	assert_int_equal(heatmap_read(path, &analysis, analysis.targets.items, &gap, 10, 10,
				      &map), -ENODATA);
	ages_free(&ages);
	analysis_free(&analysis);
}

static void test_page(void **state)
{
	const struct heatmap_view all = { };
	int saved = dup(STDOUT_FILENO);
	struct analysis analysis;
	char page[65536] = "";
	struct ages ages;
	FILE *from;

	(void)state;
	read_ages(&all, &analysis, &ages);
	fflush(stdout);
	assert_int_equal(out_to_file(path), 0);
	html_begin("a <script> & \"more\"");
	html_heatmap(&ages.map);
	html_savings(&analysis);
	html_end();
	fflush(stdout);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);

	from = fopen(path, "r");
	assert_non_null(from);
	page[fread(page, 1, sizeof(page) - 1, from)] = '\0';
	fclose(from);
	assert_non_null(strstr(page, "<title>a &lt;script&gt; &amp; &quot;more&quot;</title>"));
	assert_null(strstr(page, "<script"));
	/* The name of the target is text, too. */
	assert_non_null(strstr(page, "&lt;b&gt;&amp;&quot; (7), 600K"));
	assert_non_null(strstr(page, "<rect class=h20 "));
	ages_free(&ages);
	analysis_free(&analysis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_working_set),
		cmocka_unit_test(test_view),
		/* Last: it writes over the record. */
		cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

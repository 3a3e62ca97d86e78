// SPDX-License-Identifier: GPL-2.0
/* What is idle for how long while walks go on, of walks whose answer is known. */
#include "test.h"

#include "recording/live_ages.h"

#define SECOND	1000000000ULL
#define START	0x100000ULL

static void walk(struct live_ages *ages, uint64_t second, uint64_t page, uint64_t nr,
		 uint64_t young, uint64_t swapped)
{
	const struct pmadv_range_record record = {
		.head = { .type = PMADV_RECORD_RANGE, .time_ns = second * SECOND },
		.start = START + page * page_size(),
		.end = START + (page + nr) * page_size(),
		.stats = { .scanned = nr - swapped, .young = young, .swapped = swapped },
	};

	assert_int_equal(live_ages_range(ages, &record), 0);
}

/* A policy left it alone, or the run was dry. */
static void pass_over(struct live_ages *ages, uint64_t second, uint64_t page, uint64_t nr,
		      uint32_t flags)
{
	const struct pmadv_range_record record = {
		.head = { .type = PMADV_RECORD_RANGE, .time_ns = second * SECOND },
		.start = START + page * page_size(),
		.end = START + (page + nr) * page_size(),
		.walk_flags = flags,
		.stats = { .scanned = flags ? nr : 0 },
	};

	assert_int_equal(live_ages_range(ages, &record), 0);
}

static void end_call(struct live_ages *ages, uint64_t second, uint32_t flags,
		     uint32_t stopped)
{
	const struct pmadv_call_record record = {
		.head = { .type = PMADV_RECORD_CALL, .time_ns = second * SECOND },
		.walk_flags = flags,
		.result = { .stopped = stopped },
	};

	live_ages_call(ages, &record);
}

static struct live_sum pages_of(const struct live_ages *ages, uint64_t seconds)
{
	double page = (double)page_size();
	struct live_sum sum;

	live_ages_sum(ages, seconds * SECOND, &sum);
	return (struct live_sum) {
		.held = sum.held / page, .accessed = sum.accessed / page,
		.idle = sum.idle / page,
	};
}

static double idle_pages(const struct live_ages *ages, uint64_t seconds)
{
	return pages_of(ages, seconds).idle;
}

/*
 * As in test_ages.c: a hundred pages, all accessed before 1 s, 30 of them until 30 s,
 * 10 until 90 s; and 50 behind a gap that were swapped out all the time.
 */
static void test_idle(void **state)
{
	struct age_histogram histogram;
	struct live_ages ages = { };
	double total = 0;

	(void)state;
	walk(&ages, 1, 0, 100, 100, 0);
	walk(&ages, 1, 1000, 50, 0, 50);
	assert_float_equal(idle_pages(&ages, 1), 0, 0.01);
	walk(&ages, 30, 0, 100, 30, 0);
	walk(&ages, 30, 1000, 50, 0, 50);
	assert_float_equal(pages_of(&ages, 1).accessed, 30, 0.01);
	walk(&ages, 90, 0, 100, 10, 60);
	walk(&ages, 90, 1000, 50, 0, 50);
	assert_float_equal(pages_of(&ages, 1).held, 150, 0.01);
	assert_float_equal(pages_of(&ages, 1).accessed, 10, 0.01);
	assert_float_equal(idle_pages(&ages, 0), 150, 0.01);
	assert_float_equal(idle_pages(&ages, 60), 140, 0.01);
	assert_float_equal(idle_pages(&ages, 61), 120, 0.01);
	assert_float_equal(idle_pages(&ages, 90), 0, 0.01);

	live_ages_histogram(&ages, &histogram);
	assert_true(histogram.longest_ns == 89 * SECOND);
	for (size_t i = 0; i < AGE_CLASSES; i++)
		total += histogram.bytes[i];
	assert_float_equal(total, 150.0 * (double)page_size(), 0.01);
	live_ages_free(&ages);
}

/* A policy may decide about other pieces of a mapping each time. */
static void test_pieces(void **state)
{
	struct live_ages ages = { };

	(void)state;
	walk(&ages, 1, 0, 100, 100, 0);
	walk(&ages, 10, 0, 25, 0, 0);
	walk(&ages, 10, 25, 75, 75, 0);
	assert_int_equal(ages.parts.nr, 2);
	assert_float_equal(idle_pages(&ages, 9), 25, 0.01);
	walk(&ages, 20, 0, 100, 0, 0);
	assert_int_equal(ages.parts.nr, 1);
	assert_float_equal(pages_of(&ages, 1).held, 100, 0.01);
	assert_float_equal(idle_pages(&ages, 10), 100, 0.01);
	assert_float_equal(idle_pages(&ages, 19), 25, 0.01);
	/* In the middle of it. */
	walk(&ages, 30, 40, 20, 20, 0);
	assert_int_equal(ages.parts.nr, 3);
	assert_float_equal(idle_pages(&ages, 10), 80, 0.01);
	assert_float_equal(pages_of(&ages, 1).accessed, 20, 0.01);
	live_ages_free(&ages);
}

/* What a walk over everything does not come to is no longer mapped. */
static void test_unmapped(void **state)
{
	const uint32_t all = PMADV_ENTIRE_ADDRESS_SPACE;
	struct live_ages ages = { };

	(void)state;
	walk(&ages, 1, 0, 10, 10, 0);
	walk(&ages, 1, 20, 10, 10, 0);
	walk(&ages, 1, 40, 10, 10, 0);
	end_call(&ages, 2, all, 0);
	walk(&ages, 3, 0, 10, 0, 0);
	pass_over(&ages, 3, 20, 10, 0);
	/* Other calls do not tell: of a part, dry, or one that was ended. */
	end_call(&ages, 4, 0, 0);
	end_call(&ages, 4, all | PMADV_DRY_RUN, 0);
	end_call(&ages, 4, all, PMADV_STOPPED_SIGNAL);
	assert_float_equal(pages_of(&ages, 1).held, 30, 0.01);
	end_call(&ages, 4, all, 0);
	assert_float_equal(pages_of(&ages, 1).held, 20, 0.01);
	assert_float_equal(idle_pages(&ages, 2), 20, 0.01);
	live_ages_free(&ages);
}

static void test_dry(void **state)
{
	struct live_ages ages = { };
	char bar[8];
	struct live_sum sum;

	(void)state;
	pass_over(&ages, 1, 0, 10, PMADV_DRY_RUN);
	pass_over(&ages, 1, 0, 10, 0);
	live_ages_sum(&ages, SECOND, &sum);
	assert_true(sum.held < 1);
	live_bar(&sum, 7, bar);
	assert_string_equal(bar, "");
	live_ages_free(&ages);
}

/* In each walk one page less is used: idle times may get shorter, and no longer. */
static void test_many(void **state)
{
	struct live_ages ages = { };

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		walk(&ages, 1 + i, 0, 100, 100 - i, 0);
	assert_float_equal(pages_of(&ages, 1).held, 100, 0.01);
	assert_float_equal(pages_of(&ages, 1).accessed, 1, 0.01);
	for (uint64_t seconds = 0; seconds < 100; seconds++) {
		double idle = idle_pages(&ages, seconds), truth = 100 - (double)seconds;

		assert_true(idle <= truth + 0.01);
		/* Half as long is as well as it has to be known. */
		assert_true(idle >= 100 - 2 * (double)seconds - 1);
	}
	live_ages_free(&ages);
}

static void test_bar(void **state)
{
	static const struct {
		struct live_sum sum;
		const char *bar;
	} bars[] = {
		{ { 100, 0, 0 }, "++++++++++" },
		{ { 100, 0, 100 }, ".........." },
		{ { 100, 100, 0 }, "##########" },
		{ { 100, 20, 50 }, "##+++....." },
		/* Accessed at a time that is long ago. */
		{ { 100, 100, 100 }, "##########" },
	};
	char bar[11];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
		live_bar(&bars[i].sum, 10, bar);
		assert_string_equal(bar, bars[i].bar);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle), cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_unmapped), cmocka_unit_test(test_dry),
		cmocka_unit_test(test_many), cmocka_unit_test(test_bar),
	};

	return cmocka_run_group_tests_name("live ages", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/* When the daemon walks: the state machine, on made-up and on recorded samples. */
#include "test.h"

#include <inttypes.h>

#include "daemon/idle.h"
#include "daemon/pacer.h"

#define S	1000000000ULL

/* A pacer, its clock, and counters that the tests raise. */
static struct pacer pacer;
static struct pacer_config config;
static struct pacer_sample sample;

static int reset(void **state)
{
	(void)state;
	memset(&pacer, 0, sizeof(pacer));
	memset(&sample, 0, sizeof(sample));
	memset(&config, 0, sizeof(config));
	config.every_ns = 10 * S;
	config.hold_min_ns = 5 * S;
	config.hold_max_ns = 15 * S;
	sample.now_ns = 1000 * S;
	sample.available = 1 << 30;
	sample.counted = true;
	return 0;
}

static enum pacer_state after(uint64_t ns)
{
	enum pacer_state state;

	sample.now_ns += ns;
	state = pacer_step(&pacer, &config, &sample);
	sample.pressed = false;
	return state;
}

static void done(void)
{
	pacer_done(&pacer, &config, sample.now_ns);
}

static void every(void **state)
{
	(void)state;
	assert_int_equal(after(0), PACER_WALK);
	/* It stays there until the round is done. */
	assert_int_equal(after(3 * S), PACER_WALK);
	done();
	assert_int_equal(after(6 * S), PACER_WAIT);
	assert_int_equal(after(1 * S), PACER_WALK);
	/* One that took too long is followed at once by the next, not by two. */
	sample.now_ns += 35 * S;
	done();
	assert_int_equal(after(0), PACER_WALK);
	done();
	assert_int_equal(after(1 * S), PACER_WAIT);
}

static void wanted(void **state)
{
	(void)state;
	config.on_pressure = true;
	assert_int_equal(after(0), PACER_WAIT);
	sample.pressed = true;
	assert_int_equal(after(1 * S), PACER_WALK);
	done();
	/* Pressure before it is due is not forgotten; once is one round. */
	sample.pressed = true;
	assert_int_equal(after(2 * S), PACER_WAIT);
	assert_int_equal(after(8 * S), PACER_WALK);
	done();
	assert_int_equal(after(20 * S), PACER_WAIT);

	config.on_pressure = false;
	config.free_under = 1 << 20;
	assert_int_equal(after(20 * S), PACER_WAIT);
	sample.available = (1 << 20) - 1;
	assert_int_equal(after(1 * S), PACER_WALK);
}

static void budget_of_pages(void **state)
{
	uint64_t pages = 0, begin;

	(void)state;
	config.pages_per_second = 1000;
	assert_int_equal(after(0), PACER_WALK);
	begin = sample.now_ns;
	assert_int_equal(pacer_pages(&pacer, &config), 1000);
	/* A large folio may be more than there was: that is paid off. */
	pacer_charge(&pacer, &config, 1500, S);
	assert_int_equal(pacer_pages(&pacer, &config), 0);
	after(S / 4);
	assert_int_equal(pacer_pages(&pacer, &config), 0);
	after(S / 2);
	assert_int_equal(pacer_pages(&pacer, &config), 250);

	for (pages = 1500; sample.now_ns < begin + 100 * S; after(S / 10)) {
		uint64_t now = pacer_pages(&pacer, &config);

		pacer_charge(&pacer, &config, now, 0);
		pages += now;
	}
	assert_in_range(pages, 99000, 101000);

	/* An hour of rest, or of suspend, saves up no more than a second. */
	after(3600 * S);
	assert_int_equal(pacer_pages(&pacer, &config), 1000);
	done();
	assert_int_equal(pacer_pages(&pacer, &config), 0);
}

static void budget_of_time(void **state)
{
	uint64_t used = 0, begin;

	(void)state;
	config.cpu_percent = 5;
	after(0);
	for (begin = sample.now_ns; sample.now_ns < begin + 100 * S; after(S / 10)) {
		/* Calls of 30 ms, as long as there is some left. */
		while (pacer_pages(&pacer, &config)) {
			assert_true(pacer_pages(&pacer, &config) == UINT64_MAX);
			pacer_charge(&pacer, &config, 1 << 20, 30000000);
			used += 30000000;
			sample.now_ns += 30000000;
		}
	}
	assert_in_range(used, 49 * S / 10, 51 * S / 10);
}

/* As long as @refaults and @stalled pass in each second. */
static void rates(uint64_t seconds, uint64_t refaults, uint64_t stalled,
		  enum pacer_state want)
{
	for (uint64_t i = 0; i < seconds; i++) {
		sample.refaults += refaults;
		sample.stalled_ns += stalled;
		if (after(S) != want)
			fail_msg("second %" PRIu64 ": %s instead of %s", i,
				 pacer_state_text(pacer.state), pacer_state_text(want));
	}
}

static void backs_off(void **state)
{
	(void)state;
	config.every_ns = 1 * S;
	config.max_refaults = 100;
	assert_int_equal(after(0), PACER_WALK);
	done();
	rates(1, 100, 0, PACER_WALK);
	rates(1, 101, 0, PACER_BACK_OFF);
	/* Five seconds; then it is still too much, for ten, and for the most. */
	rates(4, 0, 0, PACER_BACK_OFF);
	rates(1, 500, 0, PACER_BACK_OFF);
	rates(9, 0, 0, PACER_BACK_OFF);
	rates(1, 500, 0, PACER_BACK_OFF);
	rates(14, 500, 0, PACER_BACK_OFF);
	rates(1, 500, 0, PACER_BACK_OFF);
	rates(14, 500, 0, PACER_BACK_OFF);
	/* The round that was under way goes on. */
	rates(1, 0, 0, PACER_WALK);
	done();
	rates(1, 0, 0, PACER_WALK);
	/* 15 seconds, halved by the two rounds that went well, but for the least. */
	done();
	rates(1, 500, 0, PACER_BACK_OFF);
	rates(4, 0, 0, PACER_BACK_OFF);
	rates(1, 0, 0, PACER_WALK);
}

static void stalls(void **state)
{
	(void)state;
	config.max_stall_percent = 10;
	assert_int_equal(after(0), PACER_WALK);
	rates(1, 1 << 20, S / 10, PACER_WALK);
	rates(1, 0, S / 10 + 1, PACER_BACK_OFF);
}

static void odd_samples(void **state)
{
	(void)state;
	config.every_ns = 1 * S;
	config.max_refaults = 100;
	sample.refaults = 1 << 30;
	/* Counts from before the first sample are not a rate. */
	assert_int_equal(after(0), PACER_WALK);
	done();
	/* A cgroup went away with what it had counted. */
	sample.refaults = 5;
	assert_int_equal(after(1 * S), PACER_WALK);
	done();
	/* Woken after a moment: ten in a millisecond are not yet many a second. */
	sample.refaults += 10;
	assert_int_equal(after(S / 1000), PACER_WAIT);
	assert_int_equal(after(S), PACER_WALK);
	/* The same sample again. */
	assert_int_equal(after(0), PACER_WALK);
}

static void not_counted(void **state)
{
	(void)state;
	config.every_ns = 1 * S;
	config.max_refaults = 100;
	sample.counted = false;
	assert_int_equal(after(0), PACER_WALK);
	done();
	/* The first that are read are no rate. */
	sample.counted = true;
	sample.refaults = 1000;
	assert_int_equal(after(1 * S), PACER_WALK);
	done();
	/* Counters that were not read are 0, and neither few nor many the next time. */
	sample.counted = false;
	sample.refaults = 0;
	assert_int_equal(after(1 * S), PACER_WALK);
	done();
	sample.counted = true;
	sample.refaults = 1200;
	assert_int_equal(after(1 * S), PACER_WALK);
	done();
	/* What was too much remains so until they are read again. */
	sample.refaults += 101;
	assert_int_equal(after(1 * S), PACER_BACK_OFF);
	sample.counted = false;
	sample.refaults = 0;
	rates(4, 0, 0, PACER_BACK_OFF);
	assert_int_equal(after(1 * S), PACER_BACK_OFF);
	sample.counted = true;
	sample.refaults = 1301;
	rates(9, 0, 0, PACER_BACK_OFF);
	rates(1, 0, 0, PACER_WALK);
}

static void recorded(void **state)
{
	const char *path = getenv("PMADV_TEST_SAMPLES");
	char line[256], got[128] = "", want[128] = "";
	size_t nr = 0;
	FILE *file;

	(void)state;
	assert_non_null(path);
	file = fopen(path, "re");
	assert_non_null(file);
	config.every_ns = 5 * S;
	config.max_refaults = 300;
	config.hold_min_ns = 4 * S;
	config.hold_max_ns = 16 * S;

	while (fgets(line, sizeof(line), file)) {
		if (*line == '#')
			continue;
		assert_int_equal(sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
					" %c", &sample.now_ns, &sample.refaults,
					&sample.stalled_ns, &sample.available, &want[nr]), 5);
		switch (after(0)) {
		case PACER_WALK:
			got[nr] = 'r';
			done();
			break;
		case PACER_BACK_OFF:
			got[nr] = 'b';
			break;
		case PACER_WAIT:
			got[nr] = '-';
			break;
		}
		assert_true(++nr < sizeof(got) - 1);
	}
	fclose(file);
	assert_in_range(nr, 70, 80);
	assert_string_equal(got, want);
}

static void idle(void **state)
{
	struct idle idle = { .since_ns = 100 * S, .cpu_ns = 7 * S };

	(void)state;
	/* 1% is idle, whenever one looks. */
	idle_update(&idle, 7 * S + S / 100, 101 * S);
	assert_int_equal(idle.since_ns, 100 * S);
	idle.walked = true;
	idle_update(&idle, 7 * S + S / 10, 110 * S);
	assert_int_equal(idle.since_ns, 100 * S);
	assert_true(idle.walked);
	idle_update(&idle, 7 * S + S / 2, 111 * S);
	assert_int_equal(idle.since_ns, 111 * S);
	assert_false(idle.walked);
	idle_update(&idle, 7 * S + S / 2, 200 * S);
	assert_int_equal(idle.since_ns, 111 * S);
}

int main(void)
{
#define TEST(name)	cmocka_unit_test_setup(name, reset)
	const struct CMUnitTest tests[] = {
		TEST(every), TEST(wanted), TEST(budget_of_pages), TEST(budget_of_time),
		TEST(backs_off), TEST(stalls), TEST(odd_samples), TEST(not_counted),
		TEST(recorded), TEST(idle),
	};

	return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/* Goals of the daemon's rules: what is understood, and the rate that follows. */
#include "test.h"

#include <inttypes.h>

#include "daemon/goal.h"
#include "daemon/pacer.h"
#include "lib/util.h"

#define S	1000000000ULL
#define MIB	(1ULL << 20)

static struct goal goal;
static struct goal_control control;
static struct goal_reading reading;

static void begin(const char *text)
{
	assert_int_equal(goal_parse(text, &goal), 0);
	memset(&control, 0, sizeof(control));
	memset(&reading, 0, sizeof(reading));
	reading.now_ns = 1000 * S;
	reading.known = true;
}

/* A period of the controller; @number is the reading at its end. */
static enum goal_state period(double number, uint64_t advised)
{
	reading.now_ns += GOAL_PERIOD_NS;
	reading.number = number;
	reading.advised += advised;
	assert_true(goal_step(&control, &goal, 0, &reading));
	return control.state;
}

/* One that uses all of the rate. */
static enum goal_state used(double number)
{
	return period(number, control.rate * GOAL_PERIOD_NS / S);
}

static void understood(void **state)
{
	static const struct {
		const char *text;
		enum goal_kind kind;
		double number;
	} good[] = {
		{ "psi some 0.1%", GOAL_PSI, 0.1 },
		{ "psi  some\t100%", GOAL_PSI, 100 },
		{ "refaults 50/s", GOAL_REFAULTS, 50 },
		{ "refaults 0.5/s", GOAL_REFAULTS, 0.5 },
		{ "memory 400M", GOAL_MEMORY, 400 * MIB },
		{ "free 2G", GOAL_FREE, 2048 * MIB },
		{ "free 20%", GOAL_FREE, 20 },
		{ "file /run/latency 30", GOAL_FILE, 30 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(goal_parse(good[i].text, &goal), 0);
		assert_int_equal(goal.kind, good[i].kind);
		assert_float_equal(goal.number, good[i].number, 0.000001);
		assert_string_equal(goal.text, good[i].text);
		goal_free(&goal);
	}
	assert_int_equal(goal_parse("free 20%", &goal), 0);
	goal_resolve(&goal, 1000 * MIB);
	goal_resolve(&goal, 1000 * MIB);
	assert_float_equal(goal.number, 200 * MIB, 1);
	goal_free(&goal);
}

static void not_understood(void **state)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "", -EINVAL },
		{ "psi", -EINVAL },
		{ "psi some", -EINVAL },
		{ "psi full 1%", -EINVAL },
		{ "psi some 1", -EINVAL },
		{ "psi some 0%", -ERANGE },
		{ "psi some 101%", -ERANGE },
		{ "psi some -1%", -EINVAL },
		{ "psi some nan%", -EINVAL },
		{ "psi some 0x1%", -EINVAL },
		{ "psi some 1% more", -EINVAL },
		{ "refaults 50", -EINVAL },
		{ "refaults inf/s", -EINVAL },
		{ "memory 0", -ERANGE },
		{ "memory 10%", -EINVAL },
		{ "free 0%", -ERANGE },
		{ "file latency 30", -EINVAL },
		{ "file /run/latency", -EINVAL },
		{ "speed 7", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (goal_parse(bad[i].text, &goal) != bad[i].err || goal.text)
			fail_msg("'%s'", bad[i].text);
}

static void grows_and_halves(void **state)
{
	double stalled = 5 * S;

	(void)state;
	begin("psi some 1%");
	/* What was counted before is no rate. */
	assert_int_equal(period(stalled, 0), GOAL_UNKNOWN);
	assert_int_equal(period(stalled, 0), GOAL_RECLAIMS);
	assert_true(control.rate == GOAL_MIN_RATE);
	for (int i = 0; i < 4; i++)
		assert_int_equal(used(stalled), GOAL_RECLAIMS);
	assert_true(control.rate == GOAL_MIN_RATE * 5 / 4 * 5 / 4 * 5 / 4 * 5 / 4);
	/* 0.9 % is near enough: neither more nor less. */
	assert_int_equal(used(stalled += 0.009 * GOAL_PERIOD_NS), GOAL_RECLAIMS);
	assert_float_equal(control.value, 0.9, 0.000001);
	assert_true(control.rate > 2 * GOAL_MIN_RATE);
	/* 1.1 % is too much, and 0.9 % then not little enough to go on. */
	assert_int_equal(used(stalled += 0.011 * GOAL_PERIOD_NS), GOAL_REACHED);
	assert_in_range(control.rate, GOAL_MIN_RATE, GOAL_MIN_RATE * 5 / 4);
	assert_int_equal(period(stalled += 0.009 * GOAL_PERIOD_NS, 0), GOAL_REACHED);
	assert_int_equal(period(stalled, 0), GOAL_RECLAIMS);
	goal_free(&goal);
}

static void unused_rates_stay(void **state)
{
	(void)state;
	begin("file /run/latency 30");
	for (int i = 0; i < 20; i++)
		assert_int_equal(period(7, control.rate / 2), GOAL_RECLAIMS);
	assert_true(control.rate == GOAL_MIN_RATE);
	assert_float_equal(control.value, 7, 0);
	goal_free(&goal);
}

static void limits(void **state)
{
	(void)state;
	begin("refaults 50/s");
	for (int i = 0; i < 100; i++)
		used(0);
	assert_true(control.rate == GOAL_MAX_RATE);
	/* The rule's. */
	reading.now_ns += GOAL_PERIOD_NS;
	goal_step(&control, &goal, 3 * MIB, &reading);
	assert_true(control.rate == 3 * MIB);
	reading.now_ns += GOAL_PERIOD_NS;
	goal_step(&control, &goal, 4096, &reading);
	assert_true(control.rate == 4096);
	/* Even if it is below where rates begin. */
	memset(&control, 0, sizeof(control));
	for (int i = 0; i < 2; i++) {
		reading.now_ns += GOAL_PERIOD_NS;
		goal_step(&control, &goal, 4096, &reading);
	}
	assert_true(control.state == GOAL_RECLAIMS && control.rate == 4096);
	goal_free(&goal);
}

static void amounts(void **state)
{
	(void)state;
	begin("memory 320M");
	/* What is missing, in ten seconds. */
	assert_int_equal(period(420 * MIB, 0), GOAL_RECLAIMS);
	assert_true(control.rate == 10 * MIB);
	assert_int_equal(period(321 * MIB, 0), GOAL_RECLAIMS);
	assert_true(control.rate == GOAL_MIN_RATE);
	assert_int_equal(period(320 * MIB, 0), GOAL_REACHED);
	/* A thirty-second more than the goal is let be. */
	assert_int_equal(period(330 * MIB, 0), GOAL_REACHED);
	assert_int_equal(period(331 * MIB, 0), GOAL_RECLAIMS);
	goal_free(&goal);

	begin("free 320M");
	assert_int_equal(period(400 * MIB, 0), GOAL_REACHED);
	assert_int_equal(period(300 * MIB, 0), GOAL_RECLAIMS);
	assert_true(control.rate == 2 * MIB);
	goal_free(&goal);
}

static void too_early(void **state)
{
	(void)state;
	begin("file /run/latency 30");
	period(100, 0);
	reading.now_ns += GOAL_PERIOD_NS - 1;
	reading.number = 7;
	assert_false(goal_step(&control, &goal, 0, &reading));
	assert_int_equal(control.state, GOAL_REACHED);
	goal_free(&goal);
}

static void unreadable(void **state)
{
	(void)state;
	begin("refaults 50/s");
	period(100, 0);
	assert_int_equal(period(100, 0), GOAL_RECLAIMS);
	/* Not known is no permission. */
	reading.known = false;
	assert_true(goal_step(&control, &goal, 0, &reading));
	assert_int_equal(control.state, GOAL_UNKNOWN);
	/* What was counted meanwhile is not of one period. */
	reading.known = true;
	assert_int_equal(period(1000000, 0), GOAL_UNKNOWN);
	assert_int_equal(period(1000000, 0), GOAL_RECLAIMS);
	/* Of a cgroup that is gone, its counts are missing. */
	assert_int_equal(period(5, 0), GOAL_RECLAIMS);
	assert_float_equal(control.value, 0, 0);
	goal_free(&goal);
}

/* Nothing is begun while there is nothing to do, and what is under way pauses. */
static void paced(void **state)
{
	struct pacer_sample sample = { .now_ns = 1000 * S, .satisfied = true };
	struct pacer_config config = { .every_ns = S };
	struct pacer pacer = { };

	(void)state;
	assert_int_equal(pacer_step(&pacer, &config, &sample), PACER_WAIT);
	sample.satisfied = false;
	assert_int_equal(pacer_step(&pacer, &config, &sample), PACER_WALK);
	assert_true(pacer_pages(&pacer, &config) > 0);
	sample.satisfied = true;
	assert_int_equal(pacer_step(&pacer, &config, &sample), PACER_WALK);
	assert_int_equal(pacer_pages(&pacer, &config), 0);
}

/*
 * The recorded samples of the pacer's test, of a redis-server whose clients read all
 * of it at times: each of these bursts halves the rate, and what was reclaimed by
 * then grows it again.
 */
static void recorded(void **state)
{
	const char *path = getenv("PMADV_TEST_SAMPLES");
	uint64_t now, anon, stalled, available, above = 0, highest = 0, halved = 0;
	char line[256], want;
	FILE *samples;

	(void)state;
	assert_non_null(path);
	samples = fopen(path, "re");
	assert_non_null(samples);
	begin("refaults 300/s");
	while (fgets(line, sizeof(line), samples)) {
		uint64_t before = control.rate;

		if (*line == '#')
			continue;
		assert_int_equal(sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
					" %c", &now, &anon, &stalled, &available, &want), 5);
		reading.now_ns = now;
		reading.number = (double)anon;
		reading.advised += control.rate;
		if (!goal_step(&control, &goal, 0, &reading))
			continue;
		assert_true(control.state != GOAL_REACHED || control.rate <= before);
		above += control.value > 300;
		halved += control.state == GOAL_REACHED && control.rate < before;
		highest = control.rate > highest ? control.rate : highest;
	}
	fclose(samples);
	goal_free(&goal);
	assert_in_range(above, 2, 20);
	assert_in_range(halved, 1, above);
	assert_in_range(highest, 2 * GOAL_MIN_RATE, GOAL_MAX_RATE / 4);
}

static void texts(void **state)
{
	char buf[GOAL_VALUE_LEN];

	(void)state;
	assert_string_equal(goal_value_text(GOAL_PSI, 0.0312, buf), "0.0312 %");
	assert_string_equal(goal_value_text(GOAL_REFAULTS, 12, buf), "12/s");
	assert_string_equal(goal_value_text(GOAL_MEMORY, 400 * MIB, buf), "400M");
	assert_string_equal(goal_value_text(GOAL_FILE, 7, buf), "7");
	assert_string_equal(goal_state_text(GOAL_REACHED), "reached");
}

int main(void)
{
#define TEST(name)	cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		TEST(understood), TEST(not_understood), TEST(grows_and_halves),
		TEST(unused_rates_stay), TEST(limits), TEST(amounts), TEST(too_early),
		TEST(unreadable), TEST(paced), TEST(recorded), TEST(texts),
	};

	return cmocka_run_group_tests_name("goal", tests, NULL, NULL);
}

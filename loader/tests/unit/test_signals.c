// SPDX-License-Identifier: GPL-2.0
/* What several signals at about the same time ask for. */
#include "test.h"

#include <signal.h>

#include "lib/signals.h"
#include "lib/util.h"

static int take_signals(void **state)
{
	(void)state;
	return signals_init() || signals_take_usr1();
}

/*
 * A handler that another signal interrupts between its comparison and its store loses that
 * signal: too short a time to be met on purpose, so what prevents it is looked at.
 */
static void one_at_a_time(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	struct sigaction action;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		assert_int_equal(sigaction(signals[i], NULL, &action), 0);
		for (size_t j = 0; j < ARRAY_SIZE(signals); j++)
			assert_true(sigismember(&action.sa_mask, signals[j]));
	}
}

/* The end is what counts, whatever else was asked for. */
static void term_outweighs(void **state)
{
	(void)state;
	raise(SIGHUP);
	raise(SIGTERM);
	raise(SIGHUP);
	raise(SIGUSR1);
	assert_false(stop_forget(SIGHUP));
	assert_true(stop_forget(SIGTERM));
	assert_int_equal(stop_asked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(term_outweighs),
	};

	return cmocka_run_group_tests(tests, take_signals, NULL);
}

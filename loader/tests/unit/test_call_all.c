// SPDX-License-Identifier: GPL-2.0
/* pmadv_call_all(): many calls that make one walk, with a kernel that plays a part. */
#include "test.h"

#include <stdarg.h>
#include <stdbool.h>

static long play(long number, ...);

#define syscall play
#include <pmadv/process_madvise.h>
#undef syscall

#include "lib/util.h"

#define ADDR	0x10000ULL
#define STEP	0x1000ULL

/* What each call does: so much, or it fails. */
static const struct part {
	int err;
	uint32_t stopped;
	uint32_t error;		/* of a range that failed */
} *part;

static uint64_t at;
static int nr_calls;

static long play(long number, ...)
{
	struct pmadv_result *result;
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 5; i++)
		(void)va_arg(args, long);
	result = va_arg(args, struct pmadv_result *);
	va_end(args);

	nr_calls++;
	assert_true(result->cursor == at);
	if (!part->err) {
		at = result->cursor ? result->cursor + STEP : ADDR;
		result->stopped = part->stopped;
		result->cursor = part->stopped ? at : 0;
		result->error = part->error;
		result->error_addr = part->error ? 0xbad000 : 0;
		result->bytes_advised = STEP;
		result->ranges_seen = 1;
	}
	errno = part->err;
	return (part++)->err ? -1 : (long)STEP;
}

#define ADVISES(how)	{ .stopped = PMADV_STOPPED_##how }
#define FAILS(errno_)	{ .err = (errno_) }

static ssize_t walk(const struct part *parts, struct pmadv_result *sum)
{
	memset(sum, 0, sizeof(*sum));
	part = parts;
	nr_calls = 0;
	at = 0;
	return pmadv_call_all(7, NULL, 0, MADV_COLD, PMADV_ENTIRE_ADDRESS_SPACE, sum, NULL);
}

static void complete(void **state)
{
	const struct part parts[] = { ADVISES(SIGNAL), ADVISES(SIGNAL), ADVISES(NOT) };
	struct pmadv_result sum;

	(void)state;
	assert_int_equal(walk(parts, &sum), 3 * STEP);
	assert_int_equal(nr_calls, 3);
	assert_int_equal(sum.stopped, PMADV_STOPPED_NOT);
	assert_true(sum.cursor == 0);
	assert_int_equal(sum.ranges_seen, 3);
}

/* Interrupted before it began, which is no reason to end. */
static void interrupted(void **state)
{
	const struct part parts[] = { FAILS(EINTR), ADVISES(SIGNAL), FAILS(EINTR),
				      ADVISES(NOT) };
	struct pmadv_result sum;

	(void)state;
	assert_int_equal(walk(parts, &sum), 2 * STEP);
	assert_int_equal(nr_calls, 4);
	assert_int_equal(sum.stopped, PMADV_STOPPED_NOT);
}

/* A later call fails, and there is nothing of it in the result. */
static void later_call_fails(void **state)
{
	static const struct {
		int err;
		uint32_t stopped;
	} cases[] = {
		{ ESRCH, PMADV_STOPPED_EXITED },
		{ ENOENT, PMADV_STOPPED_DETACHED },
		{ ESTALE, PMADV_STOPPED_STALE },
		{ EACCES, PMADV_STOPPED_ERROR },
		{ EPERM, PMADV_STOPPED_ERROR },
		{ EBADF, PMADV_STOPPED_ERROR },
		{ ENOMEM, PMADV_STOPPED_ERROR },
	};
	struct pmadv_result sum;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct part parts[] = {
			{ .stopped = PMADV_STOPPED_SIGNAL, .error = EINVAL },
			FAILS(cases[i].err),
		};
		bool error = cases[i].stopped == PMADV_STOPPED_ERROR;

		assert_int_equal(walk(parts, &sum), STEP);
		assert_int_equal(nr_calls, 2);
		assert_int_equal(sum.stopped, cases[i].stopped);
		/* What it takes to go on, and what was wrong. */
		assert_true(sum.cursor == ADDR);
		if (error) {
			assert_int_equal(sum.error, cases[i].err);
			assert_true(sum.error_addr == ADDR);
		} else {
			assert_int_equal(sum.error, EINVAL);
			assert_true(sum.error_addr == 0xbad000);
		}
		assert_true(sum.bytes_advised == STEP);
	}
}

static void nothing_advised(void **state)
{
	const struct part first[] = { FAILS(EACCES) };
	const struct part later[] = { FAILS(EINTR), FAILS(ESRCH) };
	struct pmadv_result sum;

	(void)state;
	assert_int_equal(walk(first, &sum), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(sum.stopped, PMADV_STOPPED_ERROR);
	assert_int_equal(walk(later, &sum), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(sum.stopped, PMADV_STOPPED_EXITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(later_call_fails),
		cmocka_unit_test(nothing_advised),
	};

	return cmocka_run_group_tests_name("call_all", tests, NULL, NULL);
}

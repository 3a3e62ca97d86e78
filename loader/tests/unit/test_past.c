// SPDX-License-Identifier: GPL-2.0
/* Whether a rule of the daemon walks a process again. */
#include "test.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "daemon/past.h"

#define SECOND 1000000000ULL
#define MB (1 << 20)

static struct vec pasts;

static int forget(void **state)
{
	(void)state;
	vec_free(&pasts);
	return 0;
}

static bool allows(const struct rule *rule, uint64_t now_ns)
{
	return past_allows(&pasts, rule, getpid(), now_ns);
}

static void intervals(void **state)
{
	const struct rule rule = { .min_interval_ns = 10 * SECOND };

	(void)state;
	assert_true(allows(&rule, 0));
	past_note(&pasts, getpid(), 100 * SECOND);
	assert_false(allows(&rule, 110 * SECOND - 1));
	assert_true(allows(&rule, 110 * SECOND));
	past_note(&pasts, getpid(), 110 * SECOND);
	assert_false(allows(&rule, 119 * SECOND));
	assert_int_equal(pasts.nr, 1);
}

static void growth(void **state)
{
	const struct rule rule = { .rss_grew = 8 * MB };
	char *memory = mmap(NULL, 32 * MB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_true(allows(&rule, 0));
	memset(memory, 1, 16 * MB);
	past_note(&pasts, getpid(), SECOND);
	/* What was there at its last walk is no growth, nor is a little more. */
	assert_false(allows(&rule, 2 * SECOND));
	memset(memory + 16 * MB, 1, 4 * MB);
	assert_false(allows(&rule, 2 * SECOND));
	memset(memory + 20 * MB, 1, 12 * MB);
	assert_true(allows(&rule, 2 * SECOND));
	/* A process that shrank has not grown by nearly 2^64 bytes. */
	past_note(&pasts, getpid(), 2 * SECOND);
	munmap(memory, 32 * MB);
	assert_false(allows(&rule, 3 * SECOND));
}

/* A number that belongs to another process now has no past. */
static void others(void **state)
{
	const struct rule rule = { .min_interval_ns = 10 * SECOND };
	struct past *past;

	(void)state;
	past_note(&pasts, getpid(), SECOND);
	past = pasts.items;
	past->started++;
	assert_true(allows(&rule, 2 * SECOND));
	past_forget_gone(&pasts);
	assert_int_equal(pasts.nr, 0);
}

static void gone(void **state)
{
	pid_t child = fork();

	(void)state;
	if (!child)
		pause();
	past_note(&pasts, child, SECOND);
	past_note(&pasts, getpid(), SECOND);
	past_forget_gone(&pasts);
	assert_int_equal(pasts.nr, 2);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	past_forget_gone(&pasts);
	assert_int_equal(pasts.nr, 1);
	assert_int_equal(((struct past *)pasts.items)->pid, getpid());
	past_note(&pasts, child, SECOND);
	assert_int_equal(pasts.nr, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(intervals, forget),
		cmocka_unit_test_teardown(growth, forget),
		cmocka_unit_test_teardown(others, forget),
		cmocka_unit_test_teardown(gone, forget),
	};

	return cmocka_run_group_tests_name("past", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The hook of process_madvise(2), tested: every verdict and every member, what
 * a policy may not do, attaching, replacing and detaching while it is asked.
 *
 * To be run as root on a kernel that has it. Arguments name the tests to run,
 * as patterns; "-l" lists them.
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>

#include "kselftest.h"
#include "hook.h"

static const struct hook_test *const groups[] = {
	hook_constant_tests,
	hook_attach_tests,
	hook_verdict_tests,
	hook_range_tests,
	hook_contended_tests,
	hook_young_tests,
	hook_member_tests,
	hook_error_tests,
	hook_kfunc_tests,
	hook_page_tests,
	hook_scope_tests,
	hook_hostile_tests,
	hook_right_tests,
	hook_shipped_tests,
	hook_race_tests,
};

/* State of the running test. */
static bool failed;
static const char *skipped;

bool hook_expect(bool holds, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	if (holds)
		return true;
	failed = true;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	return false;
}

bool hook_expect_eq(long long got, long long want, const char *got_text,
		    const char *want_text, const char *file, int line)
{
	return hook_expect(got == want, file, line,
			   "%s is %lld, not %lld (%s)", got_text, got, want,
			   want_text);
}

void hook_skip(const char *why)
{
	skipped = why;
}

static void run_test(const struct hook_test *test)
{
	struct hook h = { .test = test };
	int err = 0;

	failed = false;
	skipped = NULL;
	alarm(300);	/* better killed than hanging without a word */

	if (test->setup)
		err = test->setup(&h);
	if (err)
		hook_expect(false, __FILE__, __LINE__, "setup: %s",
			    strerror(-err));
	else if (!skipped)
		test->run(&h);
	if (test->cleanup)
		test->cleanup(&h);
	hook_cleanup(&h);

	if (failed)
		ksft_test_result_code(KSFT_FAIL, test->name, "%s",
				      test->description);
	else if (skipped)
		ksft_test_result_code(KSFT_SKIP, test->name, "%s", skipped);
	else
		ksft_test_result_code(KSFT_PASS, test->name, "%s",
				      test->description);
}

static bool chosen(const struct hook_test *test, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, test->name, 0))
			return true;
	return false;
}

typedef void (*test_fn)(const struct hook_test *test);

/* Call @fn, unless it is NULL, for every test asked for. Returns how many. */
static unsigned int each_test(char **patterns, test_fn fn)
{
	const struct hook_test *test;
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_LEN(groups); i++) {
		for (test = groups[i]; test->name; test++) {
			if (!chosen(test, patterns))
				continue;
			nr++;
			if (fn)
				fn(test);
		}
	}
	return nr;
}

static void list_test(const struct hook_test *test)
{
	printf("%-24s %s\n", test->name, test->description);
}

/* Tests expect refusals; what libbpf says of them would only be noise. */
static int print_nothing(enum libbpf_print_level level, const char *fmt,
			 va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "-l")) {
		each_test(argv + 2, list_test);
		return 0;
	}

	ksft_print_header();
	if (!getenv("HOOK_VERBOSE"))
		libbpf_set_print(print_nothing);
	if (access(HOOK_SYSFS, F_OK))
		ksft_exit_skip("this kernel has no CONFIG_PROCESS_MADVISE_BPF\n");
	if (pin_to_cpu(0))
		ksft_exit_fail_perror("cannot stay on CPU 0");

	ksft_set_plan(each_test(argv + 1, NULL));
	each_test(argv + 1, run_test);
	ksft_finished();
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own test harness, with as much time for a test as it takes on
 * the debug kernel in an emulator: only what hangs is to be killed. Arguments
 * name the tests to run, as patterns of what the test is called in the output;
 * those that begin with a dash are the harness's own.
 */
#ifndef SELFTESTS_HARNESS_H
#define SELFTESTS_HARNESS_H

#include <fnmatch.h>

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

/* Does "TEST", "FIXTURE.TEST" or "FIXTURE.VARIANT.TEST" match one? */
static inline bool harness_matches(const struct __fixture_metadata *f,
				   const struct __fixture_variant_metadata *v,
				   const struct __test_metadata *t, char **patterns)
{
	char plain[256], full[256];

	snprintf(plain, sizeof(plain), "%s.%s", f->name, t->name);
	snprintf(full, sizeof(full), "%s.%s.%s", f->name, v ? v->name : "", t->name);
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, t->name, 0) ||
		    !fnmatch(*patterns, plain, 0) || !fnmatch(*patterns, full, 0))
			return true;
	return false;
}

/* Leave the tests and the variants for which there is a match. */
static inline void harness_choose(struct __fixture_metadata *f, char **patterns)
{
	struct __fixture_variant_metadata *v, **vlink = &f->variant;
	struct __test_metadata *t, **tlink = &f->tests;
	bool match;

	while ((t = *tlink)) {
		match = harness_matches(f, NULL, t, patterns);
		for (v = f->variant; v && !match; v = v->next)
			match = harness_matches(f, v, t, patterns);
		if (match)
			tlink = &t->next;
		else
			*tlink = t->next;
	}
	while ((v = *vlink)) {
		match = false;
		for (t = f->tests; t && !match; t = t->next)
			match = harness_matches(f, v, t, patterns);
		if (match)
			vlink = &v->next;
		else
			*vlink = v->next;
	}
}

static inline int harness_main(int argc, char **argv)
{
	struct __fixture_metadata *f;

	if (argc > 1 && argv[1][0] != '-') {
		for (f = __fixture_list; f; f = f->next)
			harness_choose(f, argv + 1);
		argv[1] = NULL;
		argc = 1;
	}
	return test_harness_run(argc, argv);
}

#undef TEST_HARNESS_MAIN
#define TEST_HARNESS_MAIN \
	int main(int argc, char **argv) { return harness_main(argc, argv); }

#endif /* SELFTESTS_HARNESS_H */

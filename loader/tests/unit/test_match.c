// SPDX-License-Identifier: GPL-2.0
/* Which processes a rule of the daemon is for, and for how long they are idle. */
#include "test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "daemon/config.h"
#include "daemon/idle.h"
#include "daemon/match.h"
#include "lib/text.h"
#include "proc/cgroup.h"
#include "proc/process.h"

#define SECOND 1000000000ULL

/* A process with a name, a badness and a uid that nothing else here has. */
static pid_t child;

static void be_child(int ready)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "we");
	bool done = file && fputs("321", file) >= 0;

	done = file && !fclose(file) && done;
	done = done && !prctl(PR_SET_NAME, "test-match[1]");
	done = done && !prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!done || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int start_child(void **state)
{
	int ready[2];
	char byte;

	(void)state;
	if (pipe(ready))
		return -1;
	child = fork();
	if (!child)
		be_child(ready[1]);
	close(ready[1]);
	return child > 0 && read(ready[0], &byte, 1) == 1 ? close(ready[0]) : -1;
}

static int end_child(void **state)
{
	(void)state;
	kill(child, SIGKILL);
	return waitpid(child, NULL, 0) == child ? 0 : -1;
}

static bool match_command(const char *pattern)
{
	char text[64];
	struct rule rule = { .command = text };

	snprintf(text, sizeof(text), "%s", pattern);
	return match_process(&rule, child);
}

static void commands(void **state)
{
	(void)state;
	assert_true(match_command("test-match\\[1\\]"));
	assert_true(match_command("test-ma*"));
	assert_true(match_command("*"));
	/* The program behind it. */
	assert_true(match_command("test_match"));
	assert_false(match_command("test-match[1]"));
	assert_false(match_command("est-ma*"));
	assert_false(match_command("Test-ma*"));
	assert_false(match_command(""));
}

static void spans(void **state)
{
	struct rule rule = { .oom_score_adj = { true, 321, 321 } };

	(void)state;
	assert_true(match_process(&rule, child));
	rule.oom_score_adj.low = -1000;
	assert_true(match_process(&rule, child));
	rule.oom_score_adj.high = 320;
	assert_false(match_process(&rule, child));
	rule.oom_score_adj = (struct span){ true, 322, 1000 };
	assert_false(match_process(&rule, child));
	/* What is not given is no condition. */
	rule.oom_score_adj.given = false;
	assert_true(match_process(&rule, child));

	rule.uid = (struct span){ true, getuid(), getuid() };
	assert_true(match_process(&rule, child));
	rule.uid.low++;
	rule.uid.high++;
	assert_false(match_process(&rule, child));
}

static void sizes(void **state)
{
	struct rule rule = {};
	uint64_t resident, swapped;

	(void)state;
	assert_int_equal(process_memory(child, &resident, &swapped), 0);
	rule.rss_above = resident / 2;
	assert_true(match_process(&rule, child));
	rule.rss_above = resident * 2;
	assert_false(match_process(&rule, child));
}

/* All conditions have to hold, and nothing holds for a process that is gone. */
static void together(void **state)
{
	char command[] = "test-ma*";
	struct rule rule = {
		.command = command,
		.oom_score_adj = { true, 321, 321 },
		.rss_above = 1,
	};
	pid_t gone = fork();

	(void)state;
	if (!gone)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_true(match_process(&rule, child));
	assert_false(match_process(&rule, gone));
	rule.command = NULL;
	rule.rss_above = 0;
	assert_false(match_process(&rule, gone));
	rule.oom_score_adj.given = false;
	rule.uid = (struct span){ true, 0, INT64_MAX };
	assert_false(match_process(&rule, gone));
	/* Nobody froze us. */
	rule = (struct rule){ .frozen = true };
	assert_false(match_process(&rule, child));
}

static bool in_cgroup(const char *pattern)
{
	char text[PATH_MAX];
	struct rule rule = { .cgroup = text };

	snprintf(text, sizeof(text), "%s", pattern);
	return match_cgroup(&rule, child);
}

static void cgroups(void **state)
{
	char path[PATH_MAX], mount[PATH_MAX], *below;
	struct rule rule = {};

	(void)state;
	assert_true(match_cgroup(&rule, child));
	assert_false(in_cgroup("/no/such"));
	/* Without cgroup v2 there is nothing to be in. */
	if (cgroup_of(child, path) || cgroup_mount(mount)) {
		assert_false(in_cgroup("/"));
		return;
	}
	below = path + strlen(mount);
	assert_true(in_cgroup("/"));
	assert_true(in_cgroup(*below ? below : "/"));
	strcat(path, "/x");
	assert_false(in_cgroup(below));
}

static void idle_for(void **state)
{
	struct idle idle = { .since_ns = SECOND, .walked = true };

	(void)state;
	/* A hundredth of a CPU is idle, and more is not. */
	idle_update(&idle, SECOND / 10, 11 * SECOND);
	assert_int_equal(idle.since_ns, SECOND);
	assert_true(idle.walked);
	idle_update(&idle, SECOND / 10 + 1, 11 * SECOND);
	assert_int_equal(idle.since_ns, 11 * SECOND);
	assert_int_equal(idle.cpu_ns, SECOND / 10 + 1);
	assert_false(idle.walked);
}

static void idle_looks(void **state)
{
	struct vec idles = {};
	struct idle *idle;

	(void)state;
	idle_look(&idles, child, SECOND);
	idle_look(&idles, getpid(), SECOND);
	assert_int_equal(idles.nr, 2);
	idle_end_look(&idles);
	assert_int_equal(idles.nr, 2);

	idle = idle_find(&idles, child);
	assert_non_null(idle);
	assert_int_equal(idle->since_ns, SECOND);
	idle->walked = true;
	idle_look(&idles, child, 2 * SECOND);
	assert_int_equal(idle->since_ns, SECOND);
	assert_true(idle->walked);

	/* Another process with the same number has been idle for no time. */
	idle->started++;
	idle_look(&idles, child, 3 * SECOND);
	assert_int_equal(idle->since_ns, 3 * SECOND);
	assert_false(idle->walked);

	/* The one that was not looked at is forgotten, the other is kept. */
	idle_end_look(&idles);
	assert_int_equal(idles.nr, 1);
	assert_null(idle_find(&idles, getpid()));
	assert_non_null(idle_find(&idles, child));
	idle_end_look(&idles);
	assert_int_equal(idles.nr, 0);
	vec_free(&idles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),
		cmocka_unit_test(spans),
		cmocka_unit_test(sizes),
		cmocka_unit_test(together),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(idle_for),
		cmocka_unit_test(idle_looks),
	};

	return cmocka_run_group_tests_name("match", tests, start_child, end_child);
}

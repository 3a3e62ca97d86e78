// SPDX-License-Identifier: GPL-2.0
/* How short memory is, for a rule of the daemon, and where nobody can tell. */
#include "test.h"

#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <pmadv/recording.h>

#include "daemon/config.h"
#include "daemon/goal.h"
#include "daemon/pacer.h"
#include "daemon/pressure.h"
#include "proc/cgroup.h"

static void of_system(void **state)
{
	const struct rule rule = {};
	struct pacer_sample sample = {};

	(void)state;
	pressure_count(&rule, &sample);
	assert_true(sample.counted);
	assert_int_equal(sample.no_stalls, access("/proc/pressure/memory", R_OK) != 0);
}

static bool is_known(const struct rule *rule, const struct pacer_sample *sample)
{
	struct goal_reading reading = {};

	goal_read(rule, sample, &reading);
	return reading.known;
}

/* What nobody counts is not 0, with which a goal for it would be followed forever. */
static void of_goals(void **state)
{
	struct rule rule = { .goal.kind = GOAL_PSI };
	struct pacer_sample sample = { .available = PMADV_UNKNOWN };

	(void)state;
	assert_false(is_known(&rule, &sample));
	sample.counted = true;
	assert_true(is_known(&rule, &sample));
	sample.no_stalls = true;
	assert_false(is_known(&rule, &sample));
	rule.goal.kind = GOAL_REFAULTS;
	assert_true(is_known(&rule, &sample));
	rule.goal.kind = GOAL_FREE;
	assert_false(is_known(&rule, &sample));
	sample.available = 7;
	assert_true(is_known(&rule, &sample));
}

static bool fed(char *path, const char *text)
{
	const struct rule rule = { .goal = { .kind = GOAL_FILE, .path = path } };
	const struct pacer_sample sample = {};
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return is_known(&rule, &sample);
}

static void of_files(void **state)
{
	char folder[] = "/tmp/test_pressure.XXXXXX", path[64];
	const struct rule rule = { .goal = { .kind = GOAL_FILE, .path = path } };
	const struct pacer_sample sample = {};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fed", folder);
	assert_false(is_known(&rule, &sample));
	assert_true(fed(path, "12.5\n"));
	assert_true(fed(path, "-3"));
	assert_false(fed(path, ""));
	assert_false(fed(path, "\n"));
	assert_false(fed(path, "12 ms\n"));
	assert_false(fed(path, "nan"));
	assert_false(fed(path, "1e999"));
	unlink(path);
	/* With nobody to write it. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(is_known(&rule, &sample));
	unlink(path);
	rmdir(folder);
}

static void of_no_cgroup(void **state)
{
	char name[] = "it", pattern[] = "/no/such/*";
	const struct rule rule = { .name = name, .cgroup = pattern };
	struct pacer_sample sample = {};

	/* Such a cgroup may come later: so far it has refaulted nothing. */
	(void)state;
	pressure_count(&rule, &sample);
	assert_true(sample.counted);
	assert_int_equal(sample.refaults, 0);
}

/* However many cgroups have no counters, those of the system are added once. */
static void of_cgroups(void **state)
{
	char name[] = "it", pattern[] = "/test_pressure.*", mount[PATH_MAX], path[PATH_MAX + 32];
	const struct rule rule = { .name = name, .cgroup = pattern }, all = {};
	struct pacer_sample sample = {}, before = {};
	int made = 0;

	(void)state;
	for (int i = 0; !cgroup_mount(mount) && i < 8; i++) {
		snprintf(path, sizeof(path), "%s/test_pressure.%d", mount, i);
		made += !mkdir(path, 0755);
	}
	pressure_count(&all, &before);
	pressure_count(&rule, &sample);
	for (int i = 0; i < made; i++) {
		snprintf(path, sizeof(path), "%s/test_pressure.%d", mount, i);
		rmdir(path);
	}
	if (!made)
		skip();
	assert_true(sample.counted);
	assert_true(sample.refaults <= before.refaults + before.refaults / 2);
}

/* Where there is no /proc, nobody can find a cgroup. */
static int count_without_proc(const char *folder)
{
	char name[] = "it", pattern[] = "/*";
	const struct rule rule = { .name = name, .cgroup = pattern }, all = {};
	struct pacer_sample sample = {};

	if (chroot(folder) && (unshare(CLONE_NEWUSER) || chroot(folder)))
		return 77;
	if (chdir("/"))
		return 1;
	pressure_count(&rule, &sample);
	if (sample.counted)
		return 2;
	pressure_count(&all, &sample);
	return sample.no_stalls ? 0 : 3;
}

/* Nothing of these counters is no measurement: the next one would be all since boot. */
static void unknown(void **state)
{
	char folder[] = "/tmp/test_pressure.XXXXXX";
	int status;
	pid_t child;

	(void)state;
	assert_non_null(mkdtemp(folder));
	child = fork();
	if (!child)
		_exit(count_without_proc(folder));
	assert_int_equal(waitpid(child, &status, 0), child);
	rmdir(folder);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, as where cgroups are mounted is remembered. */
		cmocka_unit_test(unknown),
		cmocka_unit_test(of_system),
		cmocka_unit_test(of_goals),
		cmocka_unit_test(of_files),
		cmocka_unit_test(of_no_cgroup),
		cmocka_unit_test(of_cgroups),
	};

	return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}

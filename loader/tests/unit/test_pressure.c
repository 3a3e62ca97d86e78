// SPDX-License-Identifier: GPL-2.0
/* How short memory is, for a rule of the daemon, and where nobody can tell. */
#include "test.h"

#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/config.h"
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
	const struct rule rule = { .name = name, .cgroup = pattern };
	struct pacer_sample sample = {};

	if (chroot(folder) && (unshare(CLONE_NEWUSER) || chroot(folder)))
		return 77;
	if (chdir("/"))
		return 1;
	pressure_count(&rule, &sample);
	return sample.counted ? 2 : 0;
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
		cmocka_unit_test(of_no_cgroup),
		cmocka_unit_test(of_cgroups),
	};

	return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}

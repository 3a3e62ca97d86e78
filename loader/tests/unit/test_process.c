// SPDX-License-Identifier: GPL-2.0
/* What /proc says of a process, and where its cgroup is when mounts change. */
#include "test.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "proc/cgroup.h"
#include "proc/process.h"

/* The number after "@key:" in our status, as sscanf() finds it. */
static uint64_t number_in_status(const char *key)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256], name[64];
	uint64_t number, found = UINT64_MAX;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63[^:]: %" SCNu64, name, &number) == 2 && !strcmp(name, key))
			found = number;
	fclose(file);
	return found;
}

static void of_status(void **state)
{
	struct process_status status;

	(void)state;
	/* Another one than that of its group, if we may. */
	if (!geteuid())
		assert_int_equal(setreuid(1234, 0), 0);
	assert_int_equal(process_status(getpid(), &status), 0);
	assert_true(status.has_memory);
	assert_int_equal(status.uid, number_in_status("Uid"));
	if (!geteuid())
		assert_int_equal(setreuid(0, 0), 0);
	assert_int_equal(status.swapped, number_in_status("VmSwap") * 1024);
	/* It is a few pages more or less from one look to the next. */
	assert_in_range(status.resident, number_in_status("VmRSS") * 1024 / 2,
			number_in_status("VmRSS") * 1024 * 2);
}

static void of_stat(void **state)
{
	struct process_stat stat, child;
	int pipes[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		/* Until the parent has looked. */
		close(pipes[1]);
		_exit((int)read(pipes[0], &pid, 1));
	}
	assert_int_equal(process_stat(getpid(), &stat), 0);
	assert_int_equal(stat.parent, getppid());
	assert_int_equal(process_stat(pid, &child), 0);
	assert_int_equal(child.parent, getpid());
	assert_true(child.started >= stat.started);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_stat(pid, &child), -ESRCH);
}

static void memory(void **state)
{
	siginfo_t info;
	pid_t pid;

	(void)state;
	assert_true(process_has_memory(getpid()));
	pid = fork();
	if (!pid)
		_exit(0);
	/* A zombie has none any more. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(process_has_memory(pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* Who is gone is for others to find: that is no kernel thread. */
	assert_true(process_has_memory(pid));
}

#define NO_MOUNT	77

/* Returns what differs from what is expected of the mount, as an exit status. */
static int move_mount_away(void)
{
	char before[PATH_MAX], between[PATH_MAX], after[PATH_MAX];
	char folder[] = "/tmp/test_process.XXXXXX";
	int wrong = 0;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    cgroup_mount(before))
		return NO_MOUNT;
	if (!mkdtemp(folder) || cgroup_mount(between) || strcmp(before, between))
		return 1;
	if (mount(before, folder, NULL, MS_BIND, NULL) || umount2(before, MNT_DETACH))
		wrong = 2;
	else if (cgroup_mount(after) || strcmp(after, folder))
		wrong = 3;
	umount2(folder, MNT_DETACH);
	/* Without any, the one that is known is not given out. */
	if (!wrong && cgroup_mount(after) != -ENOENT)
		wrong = 4;
	rmdir(folder);
	return wrong;
}

static void mounts_change(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	/* In a mount namespace of its own, which the file that tells of changes is of. */
	if (!pid)
		_exit(move_mount_away());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNT)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_change),
		cmocka_unit_test(of_status),
		cmocka_unit_test(of_stat),
		cmocka_unit_test(memory),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}

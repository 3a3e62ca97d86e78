// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to keep an eye on many processes: a recording of a thousand targets, and
 * the daemon with a rule for 250 cgroups of four processes each.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define CGROUPS		250
#define EACH		4
#define MANY		(CGROUPS * EACH)
#define WATCH_NS	20000000000ULL
#define OUT		"/tmp/bench-many"

static pid_t sleepers[MANY];
static char top[256];

static void end_sleepers(void)
{
	for (int i = 0; i < MANY; i++) {
		if (sleepers[i] > 0) {
			kill(sleepers[i], SIGKILL);
			waitpid(sleepers[i], NULL, 0);
		}
		sleepers[i] = 0;
	}
}

/* @in_cgroup: four of them in each cgroup, else all in ours. */
static int start_sleepers(bool in_cgroup)
{
	char path[320], text[16];

	for (int i = 0; i < MANY; i++) {
		sleepers[i] = fork();
		if (sleepers[i] < 0)
			return -errno;
		if (!sleepers[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		snprintf(path, sizeof(path), "%s/%d/cgroup.procs", top, i / EACH);
		snprintf(text, sizeof(text), "%d", sleepers[i]);
		if (in_cgroup && write_file(path, text))
			return -EIO;
	}
	return 0;
}

/* The pmadv beside us, with its output in a file of its own. */
static pid_t start_pmadv(char **argv)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 16);
	pid_t pid;
	int fd;

	if (length < 0)
		return -errno;
	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/../pmadv");
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(OUT ".log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execv(path, argv);
	_exit(127);
}

static uint64_t used_ns(pid_t pid)
{
	struct timespec used = { 0 };
	clockid_t clock;

	if (!clock_getcpuclockid(pid, &clock))
		clock_gettime(clock, &used);
	return used.tv_sec * 1000000000ULL + used.tv_nsec;
}

/* Processor time a second, once it has got going. */
static int watch(const char *name, pid_t pid)
{
	const struct timespec settle = { 5 }, nap = { WATCH_NS / 1000000000ULL };
	uint64_t began, used;
	int status;

	nanosleep(&settle, NULL);
	began = now_ns();
	used = used_ns(pid);
	nanosleep(&nap, NULL);
	used = used_ns(pid) - used;
	began = now_ns() - began;
	if (waitpid(pid, &status, WNOHANG)) {
		fprintf(stderr, "pmadv ended; see %s.log\n", OUT);
		return -ECHILD;
	}
	sample(name, (double)used * 1e9 / (double)began);
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
	return 0;
}

/* All of them become targets of a recording by one walk. */
static int advise_all(void)
{
	static char numbers[MANY][12];
	static char *argv[MANY + 5] = { "pmadv", "advise", "--quiet", "--advice=cold" };
	pid_t pid;
	int status;

	for (int i = 0; i < MANY; i++) {
		snprintf(numbers[i], sizeof(numbers[i]), "%d", sleepers[i]);
		argv[i + 4] = numbers[i];
	}
	pid = start_pmadv(argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	return status ? -EIO : 0;
}

static int record_many(void)
{
	char *argv[] = { "pmadv", "record", "--output", OUT ".rec", "--buffer=16M", NULL };
	const struct timespec begun = { 3 };
	pid_t pid;
	int err;

	err = start_sleepers(false);
	if (err)
		return err;
	pid = start_pmadv(argv);
	if (pid < 0)
		return pid;
	nanosleep(&begun, NULL);
	err = advise_all();
	if (!err)
		err = watch("many.record", pid);
	else
		kill(pid, SIGKILL);
	return err;
}

/* Where cgroup v2 is mounted, in @top; a folder in it. */
static int find_cgroups(void)
{
	char type[32], path[200], line[512];
	FILE *mounts = fopen("/proc/mounts", "re");
	int err = -ENOENT;

	while (mounts && err && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %199s %31s", path, type) == 2 && !strcmp(type, "cgroup2"))
			err = 0;
	if (mounts)
		fclose(mounts);
	if (!err)
		snprintf(top, sizeof(top), "%s/bench-many", path);
	return err;
}

static int make_cgroups(void)
{
	char path[320];

	if (mkdir(top, 0755))
		return -errno;
	for (int i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), "%s/%d", top, i);
		if (mkdir(path, 0755))
			return -errno;
	}
	return 0;
}

static void remove_cgroups(void)
{
	char path[320];

	for (int i = 0; i < CGROUPS; i++) {
		snprintf(path, sizeof(path), "%s/%d", top, i);
		rmdir(path);
	}
	rmdir(top);
}

static int watch_cgroups(void)
{
	static const char rule[] = "[rule many]\n"
				   "cgroup = /bench-many/*\n"
				   "policy = noop\n"
				   "idle = 1h\n"
				   "back-off-refaults = 500\n";
	char *argv[] = { "pmadv", "daemon", "--config", OUT ".conf", NULL };
	FILE *config = fopen(OUT ".conf", "we");
	pid_t pid;
	int err;

	if (!config || fputs(rule, config) < 0 || fclose(config))
		return -EIO;
	err = start_sleepers(true);
	if (err)
		return err;
	pid = start_pmadv(argv);
	return pid < 0 ? pid : watch("many.daemon", pid);
}

int bench_many(const struct options *opts)
{
	int err;

	(void)opts;
	err = record_many();
	end_sleepers();
	if (err)
		return failed("a recording of many", err);
	err = find_cgroups();
	if (!err)
		err = make_cgroups();
	if (!err)
		err = watch_cgroups();
	end_sleepers();
	remove_cgroups();
	return err ? failed("a daemon of many cgroups", err) : 0;
}

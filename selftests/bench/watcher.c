// SPDX-License-Identifier: GPL-2.0
/*
 * pmadv monitor as it is installed: how many records a second it takes, and
 * what it costs while few come.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

#define WATCHER_OUT	"/tmp/bench-monitor.out"
#define WATCHER_ERR	"/tmp/bench-monitor.err"

#define FLOOD_NS	4000000000ULL
#define TRICKLE_NS	8000000000ULL
#define TRICKLE_VMAS	2000
#define TRICKLE_HZ	10	/* times that many are 20,000 a second */

static void watcher_exec(void)
{
	int out = open(WATCHER_OUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = open(WATCHER_ERR, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (out < 0 || err < 0)
		_exit(126);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	pin_to_cpu(1);
	execlp("pmadv", "pmadv", "monitor", "--interval", "1", "--json", NULL);
	_exit(127);
}

/* Read a whole file of at most that many bytes, or nothing. */
static void read_text(const char *path, char *buf, size_t size)
{
	if (read_file(path, buf, size) < 0)
		buf[0] = '\0';
}

int watcher_start(struct watcher *watcher)
{
	struct timespec pause = { 0, 10000000 };
	char text[4096];
	unsigned int i;

	unlink(WATCHER_ERR);
	watcher->pid = fork();
	if (watcher->pid < 0)
		return -errno;
	if (!watcher->pid)
		watcher_exec();
	for (i = 0; i < 2000; i++) {
		read_text(WATCHER_ERR, text, sizeof(text));
		if (strstr(text, "watching"))
			return 0;
		if (waitpid(watcher->pid, NULL, WNOHANG))
			break;
		nanosleep(&pause, NULL);
	}
	fputs(text, stderr);
	return failed("pmadv monitor does not begin", -EIO);
}

/* The sum of a number over all lines of a type. */
static uint64_t add_up(const char *text, const char *type, const char *name)
{
	char type_key[64], name_key[64];
	uint64_t sum = 0;

	snprintf(type_key, sizeof(type_key), "\"type\":\"%s\"", type);
	snprintf(name_key, sizeof(name_key), "\"%s\":", name);
	while (*text) {
		const char *end = strchrnul(text, '\n');
		const char *key = strstr(text, type_key);
		const char *value = strstr(text, name_key);

		if (key && key < end && value && value < end)
			sum += strtoull(value + strlen(name_key), NULL, 10);
		text = *end ? end + 1 : end;
	}
	return sum;
}

int watcher_stop(struct watcher *watcher)
{
	static char text[1 << 20];
	int status;

	kill(watcher->pid, SIGINT);
	if (waitpid(watcher->pid, &status, 0) != watcher->pid)
		return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return failed("pmadv monitor failed", -EIO);
	read_text(WATCHER_OUT, text, sizeof(text));
	watcher->records = add_up(text, "summary", "ranges_seen") +
			   add_up(text, "summary", "calls");
	watcher->lost = add_up(text, "end", "lost");
	return 0;
}

static uint64_t watcher_cpu_ns(const struct watcher *watcher)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(watcher->pid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Make as many records as possible: walks that decide nothing, in succession. */
static int flood(struct crowd *crowd)
{
	uint64_t began, took, made = 0;
	struct pmadv_result result;
	struct watcher watcher;
	int err;

	err = watcher_start(&watcher);
	if (err)
		return err;
	began = now_ns();
	do {
		err = policy_walk(crowd->target.pidfd, &result);
		made += result.ranges_seen + 1;		/* and one for the call */
		took = now_ns() - began;
	} while (!err && took < FLOOD_NS);
	if (!err)
		err = watcher_stop(&watcher);
	if (err)
		return err;
	sample("records.made", made / (took / 1e9));
	sample("records.lost", watcher.lost);
	sample("records.missing", (double)made - watcher.records - watcher.lost);
	return 0;
}

static int trickle(struct crowd *crowd)
{
	struct timespec due;
	struct pmadv_result result;
	struct watcher watcher;
	uint64_t began, took, cpu, made = 0;
	int err;

	err = watcher_start(&watcher);
	if (err)
		return err;
	clock_gettime(CLOCK_MONOTONIC, &due);
	began = now_ns();
	cpu = watcher_cpu_ns(&watcher);
	do {
		err = policy_walk(crowd->target.pidfd, &result);
		made += result.ranges_seen;
		due.tv_nsec += 1000000000 / TRICKLE_HZ;
		if (due.tv_nsec >= 1000000000) {
			due.tv_sec++;
			due.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		took = now_ns() - began;
	} while (!err && took < TRICKLE_NS);
	cpu = watcher_cpu_ns(&watcher) - cpu;
	if (!err)
		err = watcher_stop(&watcher);
	if (err)
		return err;
	sample("records.trickle", made / (took / 1e9));
	sample("records.cpu", 100.0 * cpu / took);
	return 0;
}

static int with_noop(unsigned int vmas, int (*run)(struct crowd *crowd))
{
	struct policy policy;
	struct crowd crowd;
	int err;

	err = crowd_start(&crowd, vmas);
	if (err)
		return err;
	err = policy_attach_noop(&policy);
	if (!err) {
		err = run(&crowd);
		policy_detach(&policy);
	}
	crowd_stop(&crowd);
	return err;
}

int bench_records(const struct options *opts)
{
	int err;

	err = with_noop(opts->vmas, flood);
	if (!err)
		err = with_noop(TRICKLE_VMAS, trickle);
	return err ? failed("records", err) : 0;
}

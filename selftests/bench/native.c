// SPDX-License-Identifier: GPL-2.0
/*
 * The engine for stock kernels on the kernel that runs, against the best monitor in
 * user space. Processor time, as the machine does other things, too; each round has
 * a walk by each of them, so that what slows one down slows down the others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "lib/engine.h"

#define GIB		(1UL << 30)
/* Before the first sample: what is allocated once, and caches. */
#define WARM_UP		2
/* A walk of few mappings is over too soon to be measured alone. */
#define USUAL_WALKS	50

/**
 * struct contest - a process, and who walks it
 * @pid: The process.
 * @pidfd: The same.
 * @crowd: If it is one: its pages are accessed before each walk.
 * @engine: Asks a policy that decides what @monitor does.
 * @monitor: In user space.
 * @walks: So many walks make a sample.
 * @mappings: What a sample is divided by, for each walk.
 */
struct contest {
	pid_t pid;
	int pidfd;
	struct crowd *crowd;
	struct tested_engine *engine;
	struct monitor monitor;
	unsigned int walks;
	unsigned int mappings;
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int by_engine(struct contest *contest)
{
	struct tested_walk walk = { .pid = contest->pid, .pidfd = contest->pidfd };
	int err = tested_engine_walk(contest->engine, &walk);

	if (!err && walk.result.ranges_advised != contest->monitor.advised)
		fprintf(stderr, "bench: the engine advised %llu ranges, the monitor %lu\n",
			(unsigned long long)walk.result.ranges_advised,
			(unsigned long)contest->monitor.advised);
	return err;
}

static int by_maps(struct contest *contest)
{
	return monitor_maps(&contest->monitor);
}

static int by_query(struct contest *contest)
{
	return monitor_query(&contest->monitor);
}

/* What it takes per mapping; printed if there is a name. */
static int take_sample(struct contest *contest, const char *row, const char *who,
		       int (*walk)(struct contest *contest))
{
	uint64_t began, took = 0;
	unsigned int i;
	char name[64];
	int err = 0;

	for (i = 0; i < contest->walks && !err; i++) {
		if (contest->crowd)
			err = crowd_touch(contest->crowd);
		began = cpu_ns();
		if (!err)
			err = walk(contest);
		took += cpu_ns() - began;
	}
	snprintf(name, sizeof(name), "native.%s.%s", row, who);
	if (!err && *row)
		sample(name, (double)took / contest->walks / contest->mappings);
	return err;
}

/* Maps first, as the engine compares with what the monitor did. */
static int take_round(struct contest *contest, const char *row)
{
	int err = take_sample(contest, row, "maps", by_maps);

	if (!err)
		err = take_sample(contest, row, "engine", by_engine);
	if (err)
		return err;
	err = take_sample(contest, row, "query", by_query);
	/* Linux 6.11 has it. */
	return err == -ENOTTY ? 0 : err;
}

/* Ask, and choose what has @min_bytes or more. */
static int hold_contest(struct contest *contest, const struct target *target,
			const char *row, unsigned int rounds, uint64_t min_bytes)
{
	const char *settings[] = { NULL, "advice=20", NULL };
	char least[64];
	unsigned int i;
	int err;

	snprintf(least, sizeof(least), "min_bytes=%llu", (unsigned long long)min_bytes);
	settings[0] = least;
	contest->pid = target->pid;
	contest->pidfd = target->pidfd;
	err = tested_engine_open(&contest->engine, "bench.d/bench.bpf.o", settings);
	if (err)
		return failed("the engine", err);
	err = monitor_open(&contest->monitor, target, MADV_COLD, min_bytes);
	if (err)
		goto close_engine;
	for (i = 0; i < WARM_UP + rounds && !err; i++)
		err = take_round(contest, i < WARM_UP ? "" : row);
	monitor_close(&contest->monitor);
close_engine:
	tested_engine_close(contest->engine);
	return err ? failed(row, err) : 0;
}

static int with_crowd(const char *row, const struct options *opts, uint64_t min_bytes)
{
	struct crowd crowd;
	struct contest contest = {
		.crowd = &crowd, .walks = 1, .mappings = opts->vmas,
	};
	int err = crowd_start(&crowd, opts->vmas);

	if (err)
		return failed("the target", err);
	err = hold_contest(&contest, &crowd.target, row, opts->samples, min_bytes);
	crowd_stop(&crowd);
	return err;
}

/* An interpreter with some libraries, as so many processes are. */
static pid_t start_usual(int *ready)
{
	static const char program[] =
		"import ctypes, json, time\n"
		"print(flush=True)\n"
		"time.sleep(10000)\n";
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (!pid) {
		dup2(ends[1], 1);
		close(ends[0]);
		execlp("python3", "python3", "-c", program, NULL);
		_exit(1);
	}
	close(ends[1]);
	*ready = ends[0];
	return pid < 0 ? -errno : pid;
}

static int count_mappings(pid_t pid)
{
	struct mapping *maps;
	int nr = read_maps(pid, &maps);

	if (nr > 0)
		free(maps);
	return nr;
}

static int with_usual(unsigned int rounds)
{
	struct contest contest = { .walks = USUAL_WALKS };
	struct target target = {};
	int ready = -1, nr, err = -ESRCH;
	char c;

	target.pid = start_usual(&ready);
	if (target.pid < 0)
		return failed("python3", target.pid);
	if (read(ready, &c, 1) != 1)
		goto kill;
	nr = count_mappings(target.pid);
	target.pidfd = pidfd_open_pid(target.pid, 0);
	if (nr > 0 && target.pidfd >= 0) {
		contest.mappings = nr;
		sample("native.usual.mappings", nr);
		err = hold_contest(&contest, &target, "usual", rounds, ~0ULL >> 1);
		close(target.pidfd);
	}
kill:
	kill(target.pid, SIGKILL);
	waitpid(target.pid, NULL, 0);
	close(ready);
	return err ? failed("a usual process", err) : 0;
}

int bench_native(const struct options *opts)
{
	int err = with_crowd("ask", opts, ~0ULL >> 1);

	if (!err)
		err = with_crowd("few", opts, BIG);
	return err ? err : with_crowd("all", opts, 0);
}

int bench_usual(const struct options *opts)
{
	return with_usual(opts->samples);
}

static long do_map_small(unsigned long len, unsigned long unused1, unsigned long unused2)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	unsigned long i;

	if (p == MAP_FAILED || madvise(p, len, MADV_NOHUGEPAGE))
		return 0;
	for (i = 0; i < len; i += PAGE)
		p[i] = 1;
	return (long)p;
}

/* How long it takes to look which pages of a GiB in memory are young. */
int bench_young(const struct options *opts)
{
	struct tested_engine *engine;
	struct target target;
	unsigned long addr;
	unsigned int i;
	uint64_t began;
	uint64_t young;
	long present;
	int err;

	err = tested_engine_open(&engine, "bench.d/bench.bpf.o", NULL);
	if (err)
		return failed("the engine", err);
	err = target_start(&target);
	if (err)
		goto close_engine;
	addr = target_call(&target, do_map_small, GIB, 0, 0);
	err = addr ? 0 : -ENOMEM;
	for (i = 0; i < WARM_UP + opts->samples && !err; i++) {
		began = cpu_ns();
		present = tested_engine_scan(engine, target.pid, addr, addr + GIB, &young);
		if (i >= WARM_UP)
			sample("young.scan", cpu_ns() - began);
		if (present != (long)(GIB / PAGE) || !young)
			err = present < 0 ? present : -ENODATA;
	}
	target_stop(&target);
close_engine:
	tested_engine_close(engine);
	return err ? failed("young pages", err) : 0;
}

/* In a process of its own, as the command does it: nothing is known yet. */
int bench_load(const struct options *opts)
{
	struct tested_engine *engine;
	int status = 0, err;
	unsigned int i;
	uint64_t began;
	pid_t pid;

	for (i = 0; i < opts->samples && !status; i++) {
		fflush(NULL);
		pid = fork();
		if (!pid) {
			began = cpu_ns();
			err = tested_engine_open(&engine, "../bpf/noop.bpf.o", NULL);
			if (!err)
				sample("load", cpu_ns() - began);
			_exit(err ? 1 : 0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return failed("loading", -errno);
	}
	return status ? failed("loading", -EIO) : 0;
}

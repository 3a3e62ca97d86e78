// SPDX-License-Identifier: GPL-2.0
/*
 * PAGEOUT of much memory to zram: how long it takes, and what a thread of the
 * target that maps and unmaps meanwhile has to wait.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define MEMORY		(512UL << 20)
#define MEMORY_LONG	(1UL << 30)
#define BIG_ENOUGH	(1UL << 20)	/* for the policy to page it out */
#define PAUSE_NS	1000000L
#define MAX_LATENCIES	100000

/* A quarter of each page is noise: it compresses as memory in use does. */
#define NOISE_WORDS	(PAGE / sizeof(uint64_t) / 4)

long do_map_data(unsigned long len, unsigned long unused1, unsigned long unused2)
{
	uint64_t *words, noise = 88172645463325252ULL;
	unsigned long i;
	char *p;

	(void)unused1;
	(void)unused2;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (p == MAP_FAILED || madvise(p, len, MADV_NOHUGEPAGE))
		return 0;
	for (words = (uint64_t *)p; (char *)words < p + len; words += PAGE / 8) {
		for (i = 0; i < NOISE_WORDS; i++) {
			noise ^= noise << 13;
			noise ^= noise >> 7;
			noise ^= noise << 17;
			words[i] = noise;
		}
		for (; i < PAGE / 8; i++)
			words[i] = (uintptr_t)p + i / 4;
	}
	return (long)p;
}

int page_out(const struct target *target, unsigned long addr, unsigned long len)
{
	struct iovec vec = { (void *)addr, len };
	struct pmadv_result result;
	long ret;

	if (kernel_is_ours())
		return policy_walk(target->pidfd, &result);
	ret = pmadv(target->pidfd, &vec, 1, MADV_PAGEOUT, 0, NULL);
	return ret < 0 ? ret : 0;
}

static int pageout_once(const char *name, struct target *target)
{
	uint64_t began, took;
	unsigned long addr;
	struct pages pages;
	int err;

	addr = target_call(target, do_map_data, MEMORY, 0, 0);
	if (!addr)
		return -ENOMEM;
	began = now_ns();
	err = page_out(target, addr, MEMORY);
	took = now_ns() - began;
	if (!err)
		err = pagemap(target->pid, addr, MEMORY, &pages);
	if (err)
		return err;
	sample(name, took);
	/* selftests/bench/run checks that all was paged out. */
	sample("pageout.left", MEMORY / PAGE - pages.swapped);
	return target_call(target, do_unmap, addr, MEMORY, 0);
}

/* The same with a policy, and a monitor that gets each record of it. */
static int with_policy(int (*run)(const struct options *opts, struct target *target),
		       const struct options *opts, struct target *target,
		       bool watched)
{
	struct watcher watcher;
	struct policy policy;
	int err;

	if (!kernel_is_ours())
		return run(opts, target);

	err = policy_attach(&policy, MADV_PAGEOUT, BIG_ENOUGH, 0);
	if (err)
		return failed("the policy", err);
	if (watched)
		err = watcher_start(&watcher);
	if (!err)
		err = run(opts, target);
	if (watched)
		watcher_stop(&watcher);
	policy_detach(&policy);
	return err;
}

static int run_pageout(const struct options *opts, struct target *target)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < opts->samples; i++)
		err = pageout_once("pageout", target);
	return err;
}

int bench_pageout(const struct options *opts)
{
	struct target target;
	int err;

	err = target_start(&target);
	if (err)
		return failed("the target", err);
	err = with_policy(run_pageout, opts, &target, true);
	target_stop(&target);
	return err ? failed("pageout", err) : 0;
}

/* Memory shared by the target's thread and the process that pages out. */
struct shared {
	volatile bool stop;
	volatile unsigned int nr;
	struct {
		uint64_t began;
		uint64_t took;
	} map[MAX_LATENCIES];
};

static struct shared *shared;

static void *map_and_unmap(void *unused)
{
	struct timespec pause = { 0, PAUSE_NS };
	uint64_t began;
	char *p;

	(void)unused;
	/* Not where the pages go out: it is the lock that it shall wait for. */
	pin_to_cpu(1);
	while (!shared->stop && shared->nr < MAX_LATENCIES) {
		began = now_ns();
		p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || munmap(p, PAGE))
			break;
		shared->map[shared->nr].began = began;
		shared->map[shared->nr].took = now_ns() - began;
		shared->nr++;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Only those that overlap the call; the last one may end after it. */
static int count_latencies(struct latencies *latencies)
{
	uint64_t *took = malloc((shared->nr + 1) * sizeof(*took));
	unsigned int i, nr = 0;

	if (!took)
		return -ENOMEM;
	for (i = 0; i < shared->nr; i++)
		if (shared->map[i].began < latencies->ended &&
		    shared->map[i].began + shared->map[i].took > latencies->began)
			took[nr++] = shared->map[i].took;
	if (nr) {
		qsort(took, nr, sizeof(*took), compare);
		latencies->p99 = took[(nr * 99 + 99) / 100 - 1];
		latencies->max = took[nr - 1];
	}
	latencies->nr = nr;
	free(took);
	return nr ? 0 : -ENODATA;
}

int latencies_open(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED ? -errno : 0;
}

void latencies_close(void)
{
	munmap(shared, sizeof(*shared));
}

int latencies_while(struct target *target, unsigned long len,
		    struct latencies *latencies)
{
	struct timespec pause = { 0, 200 * PAUSE_NS };
	unsigned long addr;
	int err;

	addr = target_call(target, do_map_data, len, 0, 0);
	if (!addr)
		return -ENOMEM;
	err = start_thread(target, map_and_unmap);
	if (err)
		return err;
	nanosleep(&pause, NULL);
	latencies->began = now_ns();
	err = page_out(target, addr, len);
	latencies->ended = now_ns();
	nanosleep(&pause, NULL);
	shared->stop = true;
	nanosleep(&pause, NULL);
	return err ? err : count_latencies(latencies);
}

static int run_latency(const struct options *opts, struct target *target)
{
	struct latencies latencies;
	int err;

	(void)opts;
	err = latencies_while(target, MEMORY_LONG, &latencies);
	if (err)
		return err;
	sample("latency.p99", latencies.p99);
	sample("latency.max", latencies.max);
	sample("latency.maps", latencies.nr);
	sample("latency.pageout", latencies.ended - latencies.began);
	return 0;
}

int bench_latency(const struct options *opts)
{
	struct target target;
	int err;

	err = latencies_open();
	if (err)
		return failed("shared memory", err);
	err = target_start(&target);
	if (err)
		return failed("the target", err);
	err = with_policy(run_latency, opts, &target, false);
	target_stop(&target);
	latencies_close();
	return err ? failed("latency", err) : 0;
}

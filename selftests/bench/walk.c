// SPDX-License-Identifier: GPL-2.0
/*
 * Walks of a process with many mappings: by a policy, by a monitor in user
 * space, by somebody who has the ranges already.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Shows whether a walk allocates memory for each mapping. */
#define VMAS_FEW	1000

typedef int (*walk_fn)(void *data);

/* How long a walk of pages that were just accessed takes, per mapping. */
static int time_walk(struct crowd *crowd, const char *name, unsigned int samples,
		     walk_fn walk, void *data)
{
	uint64_t began;
	int err = 0;

	while (!err && samples--) {
		err = crowd_touch(crowd);
		if (err)
			break;
		began = now_ns();
		err = walk(data);
		sample(name, (double)(now_ns() - began) / crowd->nr);
	}
	return err ? failed(name, err) : 0;
}

static int walk_policy(void *data)
{
	struct pmadv_result result;
	struct crowd *crowd = data;

	return policy_walk(crowd->target.pidfd, &result);
}

static int walk_maps(void *data)
{
	return monitor_maps(data);
}

static int walk_query(void *data)
{
	return monitor_query(data);
}

static int by_policy(struct crowd *crowd, const char *name, unsigned int samples,
		     uint64_t min_bytes)
{
	struct policy policy;
	int err;

	err = policy_attach(&policy, MADV_COLD, min_bytes, 0);
	if (err)
		return failed("the policy", err);
	err = time_walk(crowd, name, samples, walk_policy, crowd);
	policy_detach(&policy);
	return err;
}

/* How often a walk by the policy in force allocates kernel memory. */
static int count_allocations(struct crowd *crowd, const char *name)
{
	uint64_t before, after;
	struct counter counter;
	int err;

	err = counter_open(&counter);
	if (err)
		return err;
	/* Not the first, which may find this CPU's caches empty. */
	err = walk_policy(crowd);
	before = counter_read(&counter);
	if (!err)
		err = walk_policy(crowd);
	after = counter_read(&counter);
	counter_close(&counter);
	if (!err)
		sample(name, after - before);
	return err;
}

static int by_noop(struct crowd *crowd, unsigned int samples)
{
	struct crowd small;
	struct policy policy;
	int err;

	err = policy_attach_noop(&policy);
	if (err)
		return failed("the policy noop", err);
	err = time_walk(crowd, "noop", samples, walk_policy, crowd);
	if (!err)
		err = count_allocations(crowd, "noop.allocations.many");
	if (err)
		goto detach;

	err = crowd_start(&small, VMAS_FEW);
	if (!err) {
		err = count_allocations(&small, "noop.allocations.few");
		crowd_stop(&small);
	}
detach:
	policy_detach(&policy);
	return err ? failed("noop", err) : 0;
}

static int by_monitor(struct crowd *crowd, const char *what, unsigned int samples,
		      uint64_t min_bytes)
{
	struct monitor monitor;
	char name[64];
	int err;

	err = monitor_open(&monitor, &crowd->target, MADV_COLD, min_bytes);
	if (err)
		return failed("the monitor", err);
	snprintf(name, sizeof(name), "%s.maps", what);
	err = time_walk(crowd, name, samples, walk_maps, &monitor);
	snprintf(name, sizeof(name), "%s.query", what);
	if (!err)
		err = time_walk(crowd, name, samples, walk_query, &monitor);
	monitor_close(&monitor);
	return err;
}

int known_open(struct known *known, const struct crowd *crowd)
{
	unsigned int i;

	known->pidfd = crowd->target.pidfd;
	known->nr = crowd->nr;
	known->vec = calloc(known->nr, sizeof(*known->vec));
	if (!known->vec)
		return -ENOMEM;
	for (i = 0; i < known->nr; i++) {
		known->vec[i].iov_base = (void *)(crowd->addr + crowd_offset(i));
		known->vec[i].iov_len = crowd_len(i);
	}
	return 0;
}

void known_close(struct known *known)
{
	free(known->vec);
}

int known_walk(const struct known *known)
{
	unsigned int i, n;
	long ret;

	for (i = 0; i < known->nr; i += n) {
		n = known->nr - i < VECTOR ? known->nr - i : VECTOR;
		ret = pmadv(known->pidfd, known->vec + i, n, MADV_COLD, 0, NULL);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int walk_known(void *data)
{
	return known_walk(data);
}

static int by_known(struct crowd *crowd, unsigned int samples)
{
	struct known known;
	int err;

	err = known_open(&known, crowd);
	if (err)
		return failed("vectors", err);
	err = time_walk(crowd, "vector", samples, walk_known, &known);
	known_close(&known);
	return err;
}

static int with_crowd(const struct options *opts,
		      int (*run)(struct crowd *crowd, unsigned int samples))
{
	struct crowd crowd;
	int err;

	err = crowd_start(&crowd, opts->vmas);
	if (err)
		return failed("the target", err);
	err = run(&crowd, opts->samples);
	crowd_stop(&crowd);
	return err;
}

static int few(struct crowd *crowd, unsigned int samples)
{
	return kernel_is_ours() ? by_policy(crowd, "few.policy", samples, BIG) :
				  by_monitor(crowd, "few", samples, BIG);
}

static int all(struct crowd *crowd, unsigned int samples)
{
	return kernel_is_ours() ? by_policy(crowd, "all.policy", samples, 0) :
				  by_monitor(crowd, "all", samples, 0);
}

int bench_few(const struct options *opts)
{
	return with_crowd(opts, few);
}

int bench_all(const struct options *opts)
{
	return with_crowd(opts, all);
}

int bench_noop(const struct options *opts)
{
	return with_crowd(opts, by_noop);
}

int bench_vector(const struct options *opts)
{
	return with_crowd(opts, by_known);
}

// SPDX-License-Identifier: GPL-2.0
/* Shared by the measurements; bench.h describes each function. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"
#include "bench_policy.skel.h"
#include "policy_noop.skel.h"

bool kernel_is_ours(void)
{
	return !access("/sys/kernel/mm/process_madvise", F_OK);
}

void sample(const char *name, double value)
{
	printf("sample %s %.17g\n", name, value);
	fflush(stdout);
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

int failed(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(-err));
	return err;
}

unsigned long crowd_len(unsigned int i)
{
	return i % BIG_EVERY ? PAGE : BIG;
}

unsigned long crowd_offset(unsigned int i)
{
	/* A page and a hole for each, and more for the big ones before it. */
	return 2 * PAGE * i +
	       (i + BIG_EVERY - 1) / BIG_EVERY * (BIG - PAGE);
}

static long do_crowd(unsigned long nr, unsigned long len, unsigned long unused)
{
	unsigned long i;
	char *p;

	(void)unused;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (p == MAP_FAILED || madvise(p, len, MADV_NOHUGEPAGE))
		return 0;
	for (i = 0; i < nr; i++)
		if (munmap(p + crowd_offset(i) + crowd_len(i), PAGE))
			return 0;
	return (long)p;
}

static long do_start_thread(unsigned long run, unsigned long unused1,
			    unsigned long unused2)
{
	pthread_t thread;

	(void)unused1;
	(void)unused2;
	return -pthread_create(&thread, NULL, (void *(*)(void *))run, NULL);
}

/* The target is a fork of ours, so that functions are where they are here. */
int start_thread(struct target *target, void *(*run)(void *unused))
{
	return target_call(target, do_start_thread, (unsigned long)run, 0, 0);
}

static long do_crowd_touch(unsigned long addr, unsigned long nr, unsigned long unused)
{
	unsigned long i, page;

	(void)unused;
	for (i = 0; i < nr; i++)
		for (page = 0; page < crowd_len(i); page += PAGE)
			(*(volatile char *)(addr + crowd_offset(i) + page))++;
	return 0;
}

int crowd_start(struct crowd *crowd, unsigned int nr)
{
	int err;

	memset(crowd, 0, sizeof(*crowd));
	err = write_file("/proc/sys/vm/max_map_count", "1000000");
	if (err)
		return err;
	err = target_start(&crowd->target);
	if (err)
		return err;
	crowd->nr = nr;
	crowd->len = crowd_offset(nr);
	crowd->addr = target_call(&crowd->target, do_crowd, nr, crowd->len, 0);
	err = crowd->addr ? crowd_touch(crowd) : -ENOMEM;
	if (err)
		crowd_stop(crowd);
	return err;
}

int crowd_touch(struct crowd *crowd)
{
	return target_call(&crowd->target, do_crowd_touch, crowd->addr,
			   crowd->nr, 0);
}

void crowd_stop(struct crowd *crowd)
{
	target_stop(&crowd->target);
}

static int policy_link(struct policy *policy, struct bpf_map *map)
{
	policy->link = bpf_map__attach_struct_ops(map);
	return policy->link ? 0 : -errno;
}

int policy_attach(struct policy *policy, int advice, uint64_t min_bytes,
		  uint64_t cgroup_id)
{
	int err;

	memset(policy, 0, sizeof(*policy));
	policy->skel = bench_policy__open();
	if (!policy->skel)
		return -errno;
	policy->skel->rodata->advice = advice;
	policy->skel->rodata->min_bytes = min_bytes;
	policy->skel->struct_ops.bench->cgroup_id = cgroup_id;
	err = bench_policy__load(policy->skel);
	if (!err)
		err = policy_link(policy, policy->skel->maps.bench);
	if (err)
		policy_detach(policy);
	return err;
}

int policy_attach_noop(struct policy *policy)
{
	int err;

	memset(policy, 0, sizeof(*policy));
	policy->noop = policy_noop__open_and_load();
	if (!policy->noop)
		return -errno;
	err = policy_link(policy, policy->noop->maps.noop);
	if (err)
		policy_detach(policy);
	return err;
}

void policy_detach(struct policy *policy)
{
	bpf_link__destroy(policy->link);
	bench_policy__destroy(policy->skel);
	policy_noop__destroy(policy->noop);
	memset(policy, 0, sizeof(*policy));
}

int policy_walk(int pidfd, struct pmadv_result *result)
{
	long ret;

	memset(result, 0, sizeof(*result));
	result->size = sizeof(*result);
	ret = pmadv(pidfd, NULL, 0, 0, PMADV_POLICY | PMADV_RESULT |
		    PMADV_ENTIRE_ADDRESS_SPACE, result);
	if (ret < 0)
		return ret;
	return result->stopped ? -EINTR : 0;
}

static int counter_open_event(const char *name)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
	};
	char path[128], id[32];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/kmem/%s/id", name);
	len = read_file(path, id, sizeof(id));
	if (len < 0)
		return len;
	attr.config = strtoull(id, NULL, 0);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int counter_open(struct counter *counter)
{
	static const char *const events[] = {
		"kmalloc", "kmem_cache_alloc", "mm_page_alloc",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(events); i++) {
		counter->fds[i] = counter_open_event(events[i]);
		if (counter->fds[i] < 0) {
			int err = counter->fds[i];

			while (i--)
				close(counter->fds[i]);
			return err;
		}
	}
	return 0;
}

uint64_t counter_read(const struct counter *counter)
{
	uint64_t value, sum = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(counter->fds); i++)
		if (read(counter->fds[i], &value, sizeof(value)) == sizeof(value))
			sum += value;
	return sum;
}

void counter_close(struct counter *counter)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(counter->fds); i++)
		close(counter->fds[i]);
}

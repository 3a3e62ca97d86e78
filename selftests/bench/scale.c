// SPDX-License-Identifier: GPL-2.0
/*
 * How the cost of a walk grows with the number of mappings and of resident
 * pages, and how much kernel memory a policy takes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"

#define MB		(1UL << 20)
#define NR_POLICIES	64
#define CGROUPS		"/sys/fs/cgroup/bench"

static const unsigned int vmas[] = { 1000, 10000, 60000 };
static const unsigned int megabytes[] = { 64, 256, 1024, 4096 };

static int scale_vmas(const struct options *opts, unsigned int nr)
{
	struct pmadv_result result;
	struct crowd crowd;
	char name[64];
	uint64_t began;
	unsigned int i;
	int err;

	err = crowd_start(&crowd, nr);
	if (err)
		return err;
	snprintf(name, sizeof(name), "scale.vmas.%u", nr);
	for (i = 0; !err && i < opts->samples; i++) {
		err = crowd_touch(&crowd);
		if (err)
			break;
		began = now_ns();
		err = policy_walk(crowd.target.pidfd, &result);
		sample(name, now_ns() - began);
	}
	crowd_stop(&crowd);
	return err;
}

static int scale_pages(const struct options *opts, struct target *target,
		       unsigned long addr, unsigned int mb)
{
	struct iovec vec = { (void *)addr, mb * MB };
	char name[64];
	uint64_t began;
	unsigned int i;
	long ret;

	snprintf(name, sizeof(name), "scale.megabytes.%u", mb);
	for (i = 0; i < opts->samples; i++) {
		target_call(target, do_read, addr, mb * MB, 0);
		began = now_ns();
		ret = pmadv(target->pidfd, &vec, 1, 0, PMADV_POLICY, NULL);
		if (ret != (long)(mb * MB))
			return ret < 0 ? ret : -EIO;
		sample(name, now_ns() - began);
	}
	return 0;
}

static int scale_all_pages(const struct options *opts)
{
	unsigned int largest = megabytes[ARRAY_LEN(megabytes) - 1];
	struct target target;
	unsigned long addr;
	unsigned int i;
	int err;

	err = target_start(&target);
	if (err)
		return err;
	addr = target_call(&target, do_map_filled, largest * MB, 1, 0);
	if (!addr)
		err = -ENOMEM;
	for (i = 0; !err && i < ARRAY_LEN(megabytes); i++)
		err = scale_pages(opts, &target, addr, megabytes[i]);
	target_stop(&target);
	return err;
}

int bench_scale(const struct options *opts)
{
	struct policy policy;
	unsigned int i;
	int err;

	err = policy_attach(&policy, MADV_COLD, 0, 0);
	if (err)
		return failed("the policy", err);
	for (i = 0; !err && i < ARRAY_LEN(vmas); i++)
		err = scale_vmas(opts, vmas[i]);
	if (!err)
		err = scale_all_pages(opts);
	policy_detach(&policy);
	return err ? failed("scale", err) : 0;
}

/* Everything of the kernel's that /proc/meminfo has a name for, in bytes. */
static long kernel_memory(void)
{
	static const char *const names[] = { "Slab:", "VmallocUsed:", "Percpu:" };
	char text[8192];
	unsigned int i;
	long sum = 0;

	if (read_file("/proc/meminfo", text, sizeof(text)) < 0)
		return 0;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		const char *line = strstr(text, names[i]);

		if (line)
			sum += strtol(line + strlen(names[i]), NULL, 10) * 1024;
	}
	return sum;
}

/* One policy for each of the first @nr cgroups below CGROUPS. */
static int attach_many(struct policy *policies, unsigned int nr)
{
	struct stat st;
	char path[64];
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), CGROUPS "/%u", i);
		if (stat(path, &st))
			return -errno;
		err = policy_attach(&policies[i], MADV_COLD, 0, st.st_ino);
		if (err)
			return err;
	}
	return 0;
}

static int make_cgroups(void)
{
	char path[64];
	unsigned int i;

	if (mkdir(CGROUPS, 0755) && errno != EEXIST)
		return -errno;
	for (i = 0; i < NR_POLICIES; i++) {
		snprintf(path, sizeof(path), CGROUPS "/%u", i);
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/*
 * The kernel's memory for a policy: the policy, its program, its maps, its type
 * information and the descriptors of who attached it.
 */
int bench_memory(const struct options *opts)
{
	static struct policy policies[NR_POLICIES];
	unsigned int i;
	long before;
	int err;

	(void)opts;
	err = make_cgroups();
	/* The first one includes what is allocated once for all. */
	if (!err)
		err = attach_many(policies, 1);
	if (err)
		return failed("a policy", err);
	policy_detach(&policies[0]);

	before = kernel_memory();
	err = attach_many(policies, NR_POLICIES);
	if (!err)
		sample("memory.policy", (kernel_memory() - before) / NR_POLICIES);
	for (i = 0; i < NR_POLICIES; i++)
		policy_detach(&policies[i]);
	return err ? failed("policies", err) : 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* /sys/kernel/mm/process_madvise: the policies in force and their counters. */
#ifndef PMADV_SYSFS_H
#define PMADV_SYSFS_H

#include <stdint.h>
#include <sys/types.h>

#include <linux/process_madvise.h>
#include <pmadv/engine_state.h>
#include <pmadv/hook.h>

#include "lib/util.h"

#define SYSFS_DIR	"/sys/kernel/mm/process_madvise"

struct sysfs_policy {
	char name[PMADV_NAME_LEN];
	uint64_t cgroup_id;
	uint64_t link_id;
	uint64_t inner_refused;		/* bits of MADV_ constants */
	uint64_t calls;
	uint64_t errors;
	uint64_t invalid_verdicts;
	/* The counts that a policy has in sysfs; the other members are 0. */
	struct pmadv_result counts;
	/* Of an engine, see policy/engines.h: */
	int32_t process;		/* whose it is; 0: the kernel's hook */
	uint64_t ejected;
	struct pmadv_exactness exact;
};

/*
 * All policies, as struct sysfs_policy. Returns 0, -ELACKS or -errno, and
 * reports nothing.
 */
int sysfs_policies(struct vec *policies);
const struct sysfs_policy *sysfs_policy_of_link(const struct vec *policies,
						uint64_t link_id);

/*
 * The policy of the nearest cgroup that contains @pid, or the system's; NULL if
 * there is none, or if @pid is outside of our cgroup namespace. For a walk, the
 * kernel itself looks up the policy.
 */
const struct sysfs_policy *sysfs_policy_of_process(const struct vec *policies,
						   pid_t pid);

/* The number of ejections since boot, and the last one: "NAME: KIND: message" or "". */
int sysfs_ejected(uint64_t *count);
int sysfs_last_ejection(char *text, size_t size);

#endif /* PMADV_SYSFS_H */

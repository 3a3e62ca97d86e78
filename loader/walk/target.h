/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TARGET: a process id, the path of a cgroup, or the name of a command; which
 * of them it is follows from its form, or from a prefix "pid:", "cgroup:" or
 * "comm:".
 */
#ifndef PMADV_TARGET_H
#define PMADV_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/util.h"
#include "proc/process.h"

/* A process, held by its pidfd, so that its number cannot be reused. */
struct target {
	pid_t pid;
	int pidfd;
	char name[PROCESS_NAME_LEN];
};

/*
 * Find the processes that @names stand for, each once, as struct target in
 * @targets. A name without a process is an error, which is reported, unless
 * @none_ok is set, as in later rounds of run.
 */
int targets_find(char *const *names, int nr, bool none_ok, struct vec *targets);

/*
 * Selects processes. It is called again once the pidfd is open, and must give
 * the same answer.
 */
struct target_filter {
	bool (*wanted)(pid_t pid, void *data);
	void *data;
};

/*
 * Add the processes that @filter wants, out of those of the cgroup in folder
 * @cgroup and of its descendants, or out of all if it is NULL. Returns 0 or
 * -errno, and reports nothing.
 */
int targets_filter(const char *cgroup, const struct target_filter *filter,
		   struct vec *targets);
void targets_free(struct vec *targets);

#endif /* PMADV_TARGET_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TARGET: a pid, the path of a cgroup, or the name of a command; which of them
 * is deduced, or said with "pid:", "cgroup:" or "comm:" in front.
 */
#ifndef PMADV_TARGET_H
#define PMADV_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/util.h"
#include "proc/process.h"

/* A process, held by its pidfd: its number cannot come to mean another one. */
struct target {
	pid_t pid;
	int pidfd;
	char name[PROCESS_NAME_LEN];
};

/*
 * The processes that @names stand for, each once, in @targets (of struct
 * target). None for a name is an error, said here; with @none_ok, as on a
 * later round of run, it is not.
 */
int targets_find(char *const *names, int nr, bool none_ok, struct vec *targets);

/* Chooses processes; asked again once the pidfd is there, so it must not tire. */
struct target_filter {
	bool (*wanted)(pid_t pid, void *data);
	void *data;
};

/*
 * Add the processes of the cgroup whose folder is @cgroup and of those below,
 * or all there are if it is NULL, that @filter wants. 0 or -errno; says nothing.
 */
int targets_filter(const char *cgroup, const struct target_filter *filter,
		   struct vec *targets);
void targets_free(struct vec *targets);

#endif /* PMADV_TARGET_H */

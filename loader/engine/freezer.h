/* SPDX-License-Identifier: GPL-2.0 */
/* The cgroup of a target stands still while a batch is asked about and advised. */
#ifndef PMADV_FREEZER_H
#define PMADV_FREEZER_H

#include <stdbool.h>
#include <sys/types.h>

struct freezer {
	int freeze;	/* cgroup.freeze; -1: there is nothing to freeze */
	int events;	/* cgroup.events */
	int pipe;	/* to the process that thaws it should we be killed */
	pid_t guard;
	bool frozen;
};

/*
 * Get ready to freeze the cgroup (v2) of @pid. 0; -EBUSY if we are in it ourselves,
 * -EOPNOTSUPP if it has none that can be frozen, or another error. Nothing reported.
 */
int freezer_open(struct freezer *freezer, pid_t pid);
/* Leaves alone what somebody else has frozen. */
void freezer_freeze(struct freezer *freezer);
void freezer_thaw(struct freezer *freezer);
void freezer_close(struct freezer *freezer);

#endif /* PMADV_FREEZER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the daemon has in force, and bringing it in line with its rules. The
 * state is the kernel's: the links are pinned in a folder of the daemon's own,
 * and the name of a pin says what it is, NAME@CGROUP-FINGERPRINT. Whoever starts
 * next reads it there.
 */
#ifndef PMADV_SCOPES_H
#define PMADV_SCOPES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/config.h"
#include "lib/util.h"
#include "policy/links.h"

#define SCOPES_DIR	PIN_DIR "/daemon"

/* A scope: a cgroup, or the system. */
struct scope {
	uint64_t cgroup_id;	/* 0: the system */
	char name[PMADV_NAME_LEN];
	uint32_t fingerprint;
	char pin[PATH_MAX];
	int link_fd;		/* -1: none, and not tried again */
	bool wanted;		/* by a rule, when last checked */
};

struct scopes {
	int lock_fd;
	uint64_t ejected_before;
	struct vec scopes;	/* of struct scope */
};

/* Take over from an earlier daemon, and make sure there is only one. Reports errors. */
int scopes_open(struct scopes *scopes);

/*
 * Put in force the policies that the rules want, and detach those that no rule
 * wants. A policy that is in force as wanted is left alone. A scope for which
 * this fails is reported, and left out until @retry. Only -ENOMEM and the like
 * are errors.
 */
int scopes_apply(struct scopes *scopes, const struct config *config, bool retry);

/* The process id of the daemon that runs, 0 if none does. */
pid_t scopes_owner(void);

/* Detach all policies. */
void scopes_detach(struct scopes *scopes);
void scopes_close(struct scopes *scopes);

#endif /* PMADV_SCOPES_H */

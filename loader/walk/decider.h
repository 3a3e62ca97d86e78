/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A policy that decides in walks of ours: put in force through the kernel's hook,
 * or, on a kernel that has none, asked by the engine.
 */
#ifndef PMADV_DECIDER_H
#define PMADV_DECIDER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "lib/util.h"
#include "policy/policy.h"

struct decider {
	struct policy hook;		/* in force; not with the engine */
	struct engine *engine;		/* NULL: the hook it is */
	char cgroup[PATH_MAX];		/* the engine's scope; "": the system */
};

/* "hook" or "engine": what decides on the running kernel. */
const char *engine_in_use(void);

/*
 * Open policy @name, set its knobs and put it to work, for the processes of @cgroup
 * or, if that is NULL, for all. Reports what is wrong. decider_close() undoes all.
 */
int decider_open(struct decider *decider, const char *name, const struct vec *set,
		 const char *cgroup);
void decider_close(struct decider *decider);

const char *decider_name(const struct decider *decider);
/* Is a process in its scope? */
bool decider_covers(const struct decider *decider, pid_t pid);
/*
 * Wait at most so long, or less if we are asked to stop, for the policy to leave;
 * did it? One of the engine leaves only in our own walks.
 */
bool decider_left(const struct decider *decider, int64_t timeout_ns);
/* Say why it left. */
int decider_say_left(const struct decider *decider);

#endif /* PMADV_DECIDER_H */

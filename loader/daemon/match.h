/* SPDX-License-Identifier: GPL-2.0 */
/* Which processes a rule of the daemon is for. */
#ifndef PMADV_MATCH_H
#define PMADV_MATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/config.h"

/* All but "cgroup" and "idle": those are for whoever looks for processes. */
bool match_process(const struct rule *rule, pid_t pid);
/* Is @pid in a cgroup that the rule is for, or below one? */
bool match_cgroup(const struct rule *rule, pid_t pid);

#endif /* PMADV_MATCH_H */

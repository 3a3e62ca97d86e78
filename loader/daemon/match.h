/* SPDX-License-Identifier: GPL-2.0 */
/* Which processes a rule of the daemon is for. */
#ifndef PMADV_MATCH_H
#define PMADV_MATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/config.h"

/* Checks all conditions but "cgroup" and "idle", which the caller checks. */
bool match_process(const struct rule *rule, pid_t pid);
/* Is @pid in a cgroup that the rule matches, or below one? */
bool match_cgroup(const struct rule *rule, pid_t pid);

#endif /* PMADV_MATCH_H */

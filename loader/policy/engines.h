/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policies on a kernel without the hook: the engines of the processes that run
 * now, found by a map that each of them has.
 */
#ifndef PMADV_ENGINES_H
#define PMADV_ENGINES_H

#include <stdint.h>

#include "lib/util.h"

/*
 * All that are at work, as struct sysfs_policy whose link_id is the id of the map.
 * Returns 0, -EPERM (this needs CAP_SYS_ADMIN) or another error, and reports nothing.
 */
int engines_running(struct vec *policies);

/* What decides on this kernel: the policies in force or, without the hook, those. */
int policies_at_work(struct vec *policies);

/* Ejections since boot or, without the hook, of the policies at work. 0 or -errno. */
int policies_ejected(const struct vec *policies, uint64_t *ejected);

/* Report an error of policies_at_work(). */
int policies_say_error(int err);

#endif /* PMADV_ENGINES_H */

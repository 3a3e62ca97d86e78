/* SPDX-License-Identifier: GPL-2.0 */
/* How short memory is in the system or in cgroups, for the daemon's pacers. */
#ifndef PMADV_PRESSURE_H
#define PMADV_PRESSURE_H

#include <stdint.h>

#include "daemon/config.h"
#include "daemon/goal.h"
#include "daemon/pacer.h"

/* The available and the total memory, in bytes. Returns 0 or -errno. */
int memory_available(uint64_t *available, uint64_t *total);

/*
 * Put into @sample the refaults and stalls of the cgroups that @rule matches, or of the
 * system if it has no pattern for them. If the cgroups cannot be found that is
 * reported, and nothing counted.
 */
void pressure_count(const struct rule *rule, struct pacer_sample *sample);

/*
 * What the goal of @rule is about, out of @sample, in which pressure_count() put the
 * counters, or out of the cgroups or the file that the rule names.
 */
void goal_read(const struct rule *rule, const struct pacer_sample *sample,
	       struct goal_reading *reading);

/* A file descriptor that polls POLLPRI when the pressure is exceeded, or -errno. */
int pressure_open(const struct pressure *pressure);

#endif /* PMADV_PRESSURE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* How short memory is, of the system or of cgroups, for the daemon's pacers. */
#ifndef PMADV_PRESSURE_H
#define PMADV_PRESSURE_H

#include <stdint.h>

#include "daemon/config.h"
#include "daemon/pacer.h"

/* Memory that is available, and all there is, in bytes; 0 or -errno. */
int memory_available(uint64_t *available, uint64_t *total);

/*
 * Add to @sample the refaults and stalls of the cgroup whose folder is @path or,
 * if it is NULL or has no memory controller, of the system.
 */
void pressure_add(const char *path, struct pacer_sample *sample);

/* A file descriptor that polls POLLPRI when that pressure is exceeded; -errno. */
int pressure_open(const struct pressure *pressure);

#endif /* PMADV_PRESSURE_H */

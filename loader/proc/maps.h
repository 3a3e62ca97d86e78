/* SPDX-License-Identifier: GPL-2.0 */
/* The mappings of a process, as /proc/PID/maps, smaps and pagemap show them. */
#ifndef PMADV_MAPS_H
#define PMADV_MAPS_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/util.h"

struct map_name {
	uint64_t start;
	uint64_t end;
	char perms[5];		/* "rw-p" */
	char *name;		/* "" if it has none */
	/* In bytes, if requested. */
	uint64_t resident;
	uint64_t swapped;
	uint64_t accessed;
	uint64_t huge;		/* in pages that one entry of a PMD maps */
};

/* Read the mappings of a process, in order, as struct map_name. */
int maps_read(pid_t pid, struct vec *maps);
/* The same, with how much of each is resident, swapped out, and was accessed. */
int maps_read_usage(pid_t pid, struct vec *maps);
/* How much of a range is resident and swapped out, in bytes. Returns 0 or -errno. */
int range_usage(pid_t pid, uint64_t start, uint64_t end, uint64_t *resident,
		uint64_t *swapped);
void maps_free(struct vec *maps);
/* The mapping at @address, or NULL. */
const struct map_name *maps_find(const struct vec *maps, uint64_t address);
/* The name of the mapping at @address; "" if there is none. */
const char *maps_name(const struct vec *maps, uint64_t address);

#endif /* PMADV_MAPS_H */

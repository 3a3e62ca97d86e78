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
	/* In bytes, if they were asked for. */
	uint64_t resident;
	uint64_t swapped;
	uint64_t accessed;
};

/* The mappings of a process as they are now, of struct map_name, in order. */
int maps_read(pid_t pid, struct vec *maps);
/* The same with what of each is resident, swapped out, and was accessed. */
int maps_read_usage(pid_t pid, struct vec *maps);
/* What is resident and swapped out of any range, in bytes; 0 or -errno. */
int range_usage(pid_t pid, uint64_t start, uint64_t end, uint64_t *resident,
		uint64_t *swapped);
void maps_free(struct vec *maps);
/* The mapping at @address, or NULL. */
const struct map_name *maps_find(const struct vec *maps, uint64_t address);
/* What the mapping at @address was called; "" if there is none. */
const char *maps_name(const struct vec *maps, uint64_t address);

#endif /* PMADV_MAPS_H */

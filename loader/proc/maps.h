/* SPDX-License-Identifier: GPL-2.0 */
/* Names for what a range is: of its flags, and of what /proc/PID/maps calls it. */
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

/* "rw-p anon heap" of enum pmadv_vma_flag. */
#define VMA_TEXT_LEN	96
const char *vma_flags_text(uint32_t flags, char buf[VMA_TEXT_LEN]);

/* "pageout", "skip" ... of a verdict, "-" for none. */
#define VERDICT_TEXT_LEN	24
const char *verdict_text(int32_t verdict, char buf[VERDICT_TEXT_LEN]);
const char *outcome_text(uint32_t outcome);
/* Why a call ended early, for a sentence; NULL if it did not. */
const char *stopped_text(uint32_t stopped);
/* The same in one word, for JSON. */
const char *stopped_word(uint32_t stopped);

#endif /* PMADV_MAPS_H */

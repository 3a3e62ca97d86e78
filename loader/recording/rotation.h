/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording in several files: the one that is being written has the name that was
 * asked for, those that are full have the time in theirs, as with perf record
 * --switch-output.
 */
#ifndef PMADV_ROTATION_H
#define PMADV_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/util.h"

#define ROTATION_SIZE_LEAST	(1U << 20)

struct rotation {
	const char *path;
	uint64_t max_size;	/* bytes; 0: any */
	uint64_t max_time;	/* nanoseconds; 0: any */
	uint64_t max_files;	/* to keep, with the one that is being written; 0: all */
	uint64_t base;		/* bytes of what the file that is written began with */
	uint64_t named;		/* the time in the last name, in hundredths of a second */
	struct vec full;	/* of char *, oldest first */
};

/*
 * Is the file full, that has @size bytes and was begun @age nanoseconds ago? If what is
 * known of all targets is more than half of a file, it may have as much again: else one
 * would follow the other with nothing new in it.
 */
bool rotation_due(const struct rotation *rotation, uint64_t size, uint64_t age);

/* With the rights that are left: may files be made beside this one? Reports why not. */
int rotation_check(const struct rotation *rotation);

/*
 * Give the file, which is complete, the name it keeps, and remove the oldest if there
 * are too many. Reports errors.
 */
int rotation_turn(struct rotation *rotation);
void rotation_free(struct rotation *rotation);

#endif /* PMADV_ROTATION_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a monitor, in whatever process, sees what the engine does: it attaches a
 * uprobe to a function of this program that is called with each record. While
 * nobody does, no record is made.
 */
#ifndef PMADV_WATCHED_H
#define PMADV_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

#include <pmadv/monitor.h>

/* Does anybody watch? The kernel counts those that do. */
bool watched(void);
/* Show a struct pmadv_range_record or pmadv_call_record to whoever watches. */
void watched_record(const struct pmadv_record *record);

/* Where this program's file has the function, and the count of those who watch it. */
struct watched_place {
	uint64_t function;
	uint64_t count;
};

/* 0, or -ENOENT if our own file does not say. */
int watched_find(struct watched_place *place);

#endif /* PMADV_WATCHED_H */

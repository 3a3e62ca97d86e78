/* SPDX-License-Identifier: GPL-2.0 */
/* The processes that a recording samples: those that were advised and still exist. */
#ifndef PMADV_SEEN_H
#define PMADV_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include <pmadv/monitor.h>

#include "lib/util.h"

/* A process that was advised; @tgid is the key. */
struct seen {
	int32_t tgid;
	char comm[PMADV_COMM_LEN];
	struct vec maps;	/* of struct map_name, as they were last read */
	bool fresh;		/* every range that was seen is in one of them */
	bool gone;		/* at the last sample */
};

struct seen_all {
	struct vec list;	/* of struct seen */
	size_t last;		/* most records are about the same one */
	uint64_t total;		/* processes so far */
};

/* The process that a record is about; it exists again if it was gone. NULL: no memory. */
struct seen *seen_note(struct seen_all *all, const struct pmadv_record *head);

/*
 * Before each sample: forget those that were gone at the last one and were not advised
 * since. Records of a process are read up to a sample later than it ended.
 */
void seen_forget_gone(struct seen_all *all);
void seen_free(struct seen_all *all);

#endif /* PMADV_SEEN_H */

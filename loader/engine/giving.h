/* SPDX-License-Identifier: GPL-2.0 */
/* The answers of a batch become advice, piece by piece. */
#ifndef PMADV_GIVING_H
#define PMADV_GIVING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <pmadv/engine_state.h>

#include "engine/engine.h"

/* Where giving advice has come. */
struct giving {
	struct engine *engine;
	struct engine_walk *walk;
	pid_t tid;
	uint64_t pages_left;		/* of the walk's budget */
	/* The batch. */
	uint32_t at;			/* the answer in hand */
	struct pmadv_identity base;	/* the target as the answers know it */
	bool exact;			/* it was so at the last check */
	bool rechecked;			/* that is later than when it was asked */
	/* The range in hand, which is given in pieces. */
	uint64_t done;			/* address up to which it was given; 0: begin */
	uint64_t pages;			/* of its cap that were used */
	bool range_exact;
	int error;
	uint64_t began_ns;		/* if somebody is told of each range */
	struct pmadv_stats stats;
};

void giving_begin_batch(struct giving *giving);
/* Is the target what it was when the answers were given? */
bool giving_check(struct giving *giving);
bool giving_exact(const struct giving *giving);
/* Can this kernel tell? */
bool giving_can_tell(const struct giving *giving);
/* Look all answers up again; those whose mapping has changed are dropped. */
void giving_recheck(struct giving *giving);
/* Is there more to give, and not yet a reason to stop? */
bool giving_more(const struct giving *giving);
/* Give the next piece, and check. 0 or -errno. */
int giving_some(struct giving *giving);
/* End the batch here: where to go on, and how many answers are left over. */
uint64_t giving_cut(struct giving *giving, uint64_t *answers);
/* End the batch here, and do not come back. */
void giving_drop(struct giving *giving);
/* Answers that wanted nothing done and were only counted. */
void giving_skipped(struct giving *giving, uint64_t nr);

#endif /* PMADV_GIVING_H */

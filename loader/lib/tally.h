/* SPDX-License-Identifier: GPL-2.0 */
/* Adding up what calls did, range by range. */
#ifndef PMADV_TALLY_H
#define PMADV_TALLY_H

#include <stdint.h>

#include <pmadv/monitor.h>

/* What was done to a target or a range, or in an interval. */
struct tally {
	uint64_t calls;
	struct pmadv_result counts;
};

/* Count a range of @bytes with that enum pmadv_outcome, but for its pages. */
void result_count(struct pmadv_result *result, uint32_t outcome, uint64_t bytes);

/* Count a range, and what happened to its pages. */
void tally_range(struct tally *tally, const struct pmadv_range_record *record);

void tally_add(struct tally *sum, const struct tally *one);

#endif /* PMADV_TALLY_H */

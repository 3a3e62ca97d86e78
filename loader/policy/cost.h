/* SPDX-License-Identifier: GPL-2.0 */
/* The cost of policies' programs: the kernel's own count of runs and time. */
#ifndef PMADV_COST_H
#define PMADV_COST_H

#include <stdint.h>

struct costs;

struct cost {
	uint64_t runs;
	uint64_t time_ns;
};

/*
 * Have the kernel count until costs_close(), which makes each run of any BPF
 * program some nanoseconds slower. Returns 0 or -errno; CAP_SYS_ADMIN is
 * needed.
 */
int costs_open(struct costs **costs);
/*
 * The sum over all programs of the policy with that link, for the time the
 * kernel has counted. Returns 0 or -errno.
 */
int costs_read(const struct costs *costs, uint32_t link_id, struct cost *cost);
void costs_close(struct costs *costs);

#endif /* PMADV_COST_H */

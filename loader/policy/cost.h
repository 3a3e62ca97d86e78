/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of policies cost: the kernel's own count of runs and time. */
#ifndef PMADV_COST_H
#define PMADV_COST_H

#include <stdint.h>

struct costs;

struct cost {
	uint64_t runs;
	uint64_t time_ns;
};

/*
 * Have the kernel count until costs_close(); each run of any BPF program then
 * takes some nanoseconds more. 0 or -errno (it takes CAP_SYS_ADMIN).
 */
int costs_open(struct costs **costs);
/*
 * Of all programs of the policy with that link, as far as somebody had the kernel
 * count; 0 or -errno.
 */
int costs_read(const struct costs *costs, uint32_t link_id, struct cost *cost);
void costs_close(struct costs *costs);

#endif /* PMADV_COST_H */

// SPDX-License-Identifier: GPL-2.0
/* One that was built with other types of the hook. */
#define OTHER_LAYOUT
#include "joined.bpf.h"

char _license[] SEC("license") = "GPL";

__hidden s32 pmadv_policy_advise(u64 *ctx)
{
	struct pmadv_range___pmadv *range = (void *)ctx[0];

	return range->more;
}

// SPDX-License-Identifier: GPL-2.0
/* A policy for test_join.c, with the functions that PMADV_POLICY() leaves. */
#include "joined.bpf.h"

char _license[] SEC("license") = "GPL";

const volatile u32 knob = 1;

__hidden s32 pmadv_policy_advise(u64 *ctx)
{
	struct pmadv_range___pmadv *range = (void *)ctx[0];
	struct task_struct *task = (void *)ctx[1];

	return range->start + task->pid + knob;
}

__hidden s32 pmadv_policy_exit(u64 *ctx)
{
	return 0;
}

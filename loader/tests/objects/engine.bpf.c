// SPDX-License-Identifier: GPL-2.0
/* In place of the engine, for test_join.c. */
#include "joined.bpf.h"

__weak __hidden s32 pmadv_policy_advise(u64 *ctx)
{
	return 0;
}

__weak __hidden s32 pmadv_policy_exit(u64 *ctx)
{
	return 0;
}

SEC("syscall")
s32 engine_ask(u64 *ctx)
{
	struct pmadv_range___pmadv *range = (void *)ctx[0];
	struct task_struct *task = (void *)ctx[1];

	return pmadv_policy_advise(ctx) + range->end + task->pid;
}

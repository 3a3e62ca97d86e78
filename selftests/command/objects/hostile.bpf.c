// SPDX-License-Identifier: GPL-2.0
/*
 * A policy that does what the verifier of a kernel with the hook refuses, and that
 * of any other cannot know to be wrong. For engine.sh.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* Which range to claim instead of the one that is asked about. */
const volatile __u64 claim_start;
const volatile __u64 claim_end;
/* Iterations of doing nothing in each answer. */
const volatile __u32 turns;

static long nothing(u32 i, void *data)
{
	return 0;
}

SEC("struct_ops/hostile_advise")
s32 BPF_PROG(hostile_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	u32 i;

	if (claim_start) {
		range->start = claim_start;
		range->vma_start = claim_start;
		range->vma_end = claim_end;
		range->vma_flags = PMADV_VMA_ANON;
	}
	for (i = 0; i < 8; i++)
		if (turns)
			bpf_loop(turns, nothing, NULL, 0);
	return MADV_COLD;
}

PMADV_POLICY(hostile, advise(hostile_advise));

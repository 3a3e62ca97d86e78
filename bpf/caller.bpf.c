// SPDX-License-Identifier: GPL-2.0
/*
 * caller: does what the caller proposes, with every range.
 *
 * For kernels without the hook, where `pmadv advise --advice` and `pmadv explain`
 * take it when no policy is named; and for whoever wants the statistics of a policy
 * without its decisions. Shows the verdict PMADV_CALLER. Production ready.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/caller_advise")
s32 BPF_PROG(caller_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	return PMADV_CALLER;
}

PMADV_POLICY(caller, advise(caller_advise));

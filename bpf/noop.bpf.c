// SPDX-License-Identifier: GPL-2.0
/*
 * noop: is asked about every range and wants nothing done.
 *
 * For whoever measures: a call with this policy against one without shows what
 * asking costs. Shows the least a policy needs. Production ready, in that it
 * does no harm; it does no good either.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* Without it the kernel would have nobody to ask, and nothing to measure. */
SEC("struct_ops/noop_advise")
s32 BPF_PROG(noop_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	return PMADV_SKIP;
}

PMADV_POLICY(noop, advise(noop_advise));

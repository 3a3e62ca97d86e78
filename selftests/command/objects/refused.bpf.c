// SPDX-License-Identifier: GPL-2.0
/* A policy that the verifier refuses. For loader.sh. */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/refused_advise")
s32 BPF_PROG(refused_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	range->start = 0;
	return PMADV_SKIP;
}

SEC(".struct_ops.link")
struct process_madvise_ops refused = {
	.advise	= (void *)refused_advise,
	.name	= "refused",
};

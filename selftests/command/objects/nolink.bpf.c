// SPDX-License-Identifier: GPL-2.0
/* A policy in the section for those without a link. For loader.sh. */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/nolink_advise")
s32 BPF_PROG(nolink_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	return PMADV_SKIP;
}

SEC(".struct_ops")
struct process_madvise_ops nolink = {
	.advise	= (void *)nolink_advise,
	.name	= "nolink",
};

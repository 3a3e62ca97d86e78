// SPDX-License-Identifier: GPL-2.0
/* Two policies in one object: which of them is meant? For loader.sh. */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/two_advise")
s32 BPF_PROG(two_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	return PMADV_SKIP;
}

SEC(".struct_ops.link")
struct process_madvise_ops one = {
	.advise	= (void *)two_advise,
	.name	= "one",
};

SEC(".struct_ops.link")
struct process_madvise_ops two = {
	.advise	= (void *)two_advise,
	.name	= "two",
};

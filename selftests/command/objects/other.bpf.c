// SPDX-License-Identifier: GPL-2.0
/* A policy for a kernel with another ABI, to be refused. For loader.sh. */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

struct process_madvise_ops___other {
	s32 (*advise)(struct pmadv_range *range, struct task_struct *task,
		      struct vm_area_struct *vma);
	u64 cgroup_id;
	u64 of_another_kernel;
	char name[PMADV_NAME_LEN];
};

SEC("struct_ops/other_advise")
s32 BPF_PROG(other_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	return PMADV_SKIP;
}

SEC(".struct_ops.link")
struct process_madvise_ops___other other = {
	.advise	= (void *)other_advise,
	.of_another_kernel = 1,
	.name	= "other",
};

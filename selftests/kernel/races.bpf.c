// SPDX-License-Identifier: GPL-2.0
/*
 * races: page out what bears the name that says it may be, and nothing else.
 * For tests only.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/races_advise")
s32 BPF_PROG(races_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	static const char may[] = "may";
	char name[8] = {};

	if (bpf_pmadv_vma_name(range, name, sizeof(name)) != sizeof(may) - 1 ||
	    bpf_strncmp(name, sizeof(name), may))
		return PMADV_SKIP;
	return MADV_PAGEOUT;
}

SEC(".struct_ops.link")
struct process_madvise_ops races = {
	.advise	= (void *)races_advise,
	.name	= "races",
};

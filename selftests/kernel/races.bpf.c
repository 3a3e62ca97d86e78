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
	static const char may[] = "may", file[] = "memfd:may";
	char name[16] = {};

	if (bpf_pmadv_vma_name(range, name, sizeof(name)) < 0)
		return PMADV_SKIP;
	if (bpf_strncmp(name, sizeof(may), may) && bpf_strncmp(name, sizeof(file), file))
		return PMADV_SKIP;
	return MADV_PAGEOUT;
}

PMADV_POLICY(races, advise(races_advise));

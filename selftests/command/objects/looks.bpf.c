// SPDX-License-Identifier: GPL-2.0
/* A policy that looks at the task: it cannot be asked about a record. */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/looks_advise")
s32 BPF_PROG(looks_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	return BPF_CORE_READ(task, tgid) == 1 ? PMADV_SKIP : MADV_COLD;
}

PMADV_POLICY(looks, advise(looks_advise));

// SPDX-License-Identifier: GPL-2.0
/*
 * The policy of the benchmark: one advice for private anonymous memory from a
 * size on, nothing for the rest. monitor.c decides the same in user space.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u64 min_bytes;
const volatile __s32 advice;

#define WANTED	(PMADV_VMA_ANON | PMADV_VMA_WRITE)

SEC("struct_ops/bench_advise")
s32 BPF_PROG(bench_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	if ((range->vma_flags & (WANTED | PMADV_VMA_OFF_LIMITS)) != WANTED)
		return PMADV_SKIP;
	return range->end - range->start < min_bytes ? PMADV_SKIP : advice;
}

PMADV_POLICY(bench, advise(bench_advise));

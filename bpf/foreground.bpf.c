// SPDX-License-Identifier: GPL-2.0
/*
 * foreground: read back what was swapped out, because somebody returns.
 *
 * For the same daemon that used background_app, when the program is about to be
 * looked at again: its first touches then find memory instead of the swap
 * device. Only mappings in which a sample shows swapped pages are read; files
 * are left to the page cache, which knows better what it dropped.
 *
 * Shows: sampling. Production ready.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* Read a mapping back if at least so many of the sampled pages are swapped. */
const volatile __u32 min_swapped = 1;

/* Pages sampled in a mapping, 1 to PMADV_MAX_SAMPLE. */
const volatile __u32 sample_pages = 64;

SEC("struct_ops/foreground_advise")
s32 BPF_PROG(foreground_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	struct pmadv_sample sample = {};

	if (!(range->vma_flags & (PMADV_VMA_ANON | PMADV_VMA_SHMEM)))
		return PMADV_SKIP;
	if (bpf_pmadv_sample(range, &sample, sample_pages))
		return PMADV_SKIP;

	return sample.swapped >= min_swapped ? MADV_WILLNEED : PMADV_SKIP;
}

PMADV_POLICY(foreground, advise(foreground_advise));

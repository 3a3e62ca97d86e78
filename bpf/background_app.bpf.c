// SPDX-License-Identifier: GPL-2.0
/*
 * background_app: make room, because nobody looks at this program for now.
 *
 * For a daemon that knows which applications are in the background: an activity
 * manager, a desktop session, a container host. The program's own memory goes
 * to swap, that which it changed of files included; what it only reads of files
 * is dropped. What other programs may use too, and the code that the program
 * needs to come back, is left alone.
 *
 * Shows: deciding from facts about the mapping, modifiers. Production ready.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* Smaller ranges are left alone; in bytes. */
const volatile __u64 min_bytes;

/* Spare what was used since the last walk: walk twice to reclaim the rest. */
const volatile bool skip_young;

#define LEFT_ALONE \
	(PMADV_VMA_OFF_LIMITS | PMADV_VMA_SHARED | PMADV_VMA_EXEC)

SEC("struct_ops/background_app_advise")
s32 BPF_PROG(background_app_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	if (range->vma_flags & LEFT_ALONE)
		return PMADV_SKIP;
	if (range->end - range->start < min_bytes)
		return PMADV_SKIP;

	if (skip_young)
		range->modifiers = PMADV_SKIP_YOUNG;
	return MADV_PAGEOUT;
}

PMADV_POLICY(background_app, advise(background_app_advise));

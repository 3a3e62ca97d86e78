// SPDX-License-Identifier: GPL-2.0
/*
 * cold_pages: reclaim what was not used since the last walk.
 *
 * For a program that is running and should not notice. Walk it every now and
 * then: the time between two walks is the age at which memory counts as cold.
 * Each mapping is decided in chunks. A chunk that a sample shows to be mostly
 * idle is paged out except for its young pages; of a busy chunk no page leaves,
 * but its pages are marked as seen, so that the next walk can tell. The first
 * walk of a program therefore mostly marks.
 *
 * It makes the decision of MGLRU's generations, and has the refaults that follow from
 * it; what either saves has to be measured anew (doc/evaluation.md). It does not back
 * off from what returns, as page_age does.
 *
 * Shows: narrowing the range to give one mapping several verdicts, sampling,
 * modifiers, max_pages. Production ready; mind the swap device when choosing
 * max_pages.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* A chunk is cold if at most this share of its present pages is young; in %. */
const volatile __u32 max_young_pct = 50;

/* Pages sampled in a chunk, 1 to PMADV_MAX_SAMPLE. */
const volatile __u32 sample_pages = 32;

/* Size of a chunk, in pages; 0 decides each mapping as a whole. */
const volatile __u32 chunk_pages = 2048;

/* Page out at most so many pages of a chunk in one walk; 0 is no limit. */
const volatile __u64 max_pages;

#define PAGE_SHIFT	12

SEC("struct_ops/cold_pages_advise")
s32 BPF_PROG(cold_pages_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	u64 chunk = (u64)chunk_pages << PAGE_SHIFT;
	struct pmadv_sample sample = {};

	if (range->vma_flags & (PMADV_VMA_OFF_LIMITS | PMADV_VMA_SHARED))
		return PMADV_SKIP;
	if (chunk && range->end - range->start > chunk)
		range->end = range->start + chunk;
	if (bpf_pmadv_sample(range, &sample, sample_pages) || !sample.present)
		return PMADV_SKIP;

	range->modifiers = PMADV_SKIP_YOUNG;

	/* COLD clears the accessed bits too, and gives up no page. */
	if (sample.young * 100 > sample.present * max_young_pct)
		return MADV_COLD;

	range->max_pages = max_pages;
	return MADV_PAGEOUT;
}

PMADV_POLICY(cold_pages, advise(cold_pages_advise));

// SPDX-License-Identifier: GPL-2.0
/*
 * collapse: huge pages for big anonymous memory that is there already.
 *
 * For virtual machines and big heaps, whose TLB misses cost more than a walk now
 * and then: `pmadv advise qemu-system-x86_64 --policy=collapse --coverage 95` says
 * whether enough of them is in huge pages afterwards, and fails if it is not. Where a
 * huge page would be mostly pages that the target does not have, as where a balloon
 * took memory away, or ones that are swapped out, it is not made: so a target grows
 * by little. khugepaged has that knob, max_ptes_none; MADV_COLLAPSE alone has not.
 *
 * Each place for a huge page is looked at and decided about alone. What is in a huge
 * page already is told to collapse, too, which does nothing with it: the kernel looks,
 * and goes on. Memory that userfaultfd(2) watches, as while a machine migrates, is left
 * alone: who watches wants to fill what is missing.
 *
 * Shows: narrowing the range, looking at pages. Production ready.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* Smaller mappings are left alone; in bytes. */
const volatile __u64 min_bytes = 16 << 20;

/*
 * A huge page may have so many pages that the target does not have in memory, of
 * 512: 64 lets it grow by a seventh at most, 0 not at all.
 */
const volatile __u32 max_absent = 64;

#define LEFT_ALONE							\
	(PMADV_VMA_HUGETLB | PMADV_VMA_SPECIAL | PMADV_VMA_SHARED |	\
	 PMADV_VMA_STACK | PMADV_VMA_UFFD)

#define HUGE_PAGE	(PMADV_MAX_PAGES * 4096ULL)

/* A page table while it is looked at. */
struct scratch {
	u64 busy;
	struct pmadv_pages pages;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline u32 count_absent(const struct pmadv_pages *pages)
{
	u32 nr = PMADV_MAX_PAGES;
	u32 i;

	for (i = 0; i < PMADV_MAX_PAGES / 64; i++)
		nr -= __builtin_popcountll(pages->present[i]);
	return nr;
}

static __always_inline s32 decide(struct pmadv_range *range, struct pmadv_pages *pages)
{
	if (bpf_pmadv_pages(range, pages, 0))
		return PMADV_SKIP;
	return count_absent(pages) <= max_absent ? MADV_COLLAPSE : PMADV_SKIP;
}

SEC("struct_ops/collapse_advise")
s32 BPF_PROG(collapse_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	struct scratch *scratch;
	u32 zero = 0;
	s32 verdict;

	if (!(range->vma_flags & PMADV_VMA_ANON) || range->vma_flags & LEFT_ALONE)
		return PMADV_SKIP;
	if (range->vma_end - range->vma_start < min_bytes)
		return PMADV_SKIP;
	/* A page table is a place for a huge page, if all of it is in the range. */
	pmadv_one_table(range);
	if (range->end - range->start < HUGE_PAGE)
		return PMADV_SKIP;
	scratch = bpf_map_lookup_elem(&scratches, &zero);
	/* Another walk may be in here that lost the processor to this one. */
	if (!scratch || __sync_val_compare_and_swap(&scratch->busy, 0, 1))
		return PMADV_SKIP;
	verdict = decide(range, &scratch->pages);
	scratch->busy = 0;
	return verdict;
}

PMADV_POLICY(collapse, advise(collapse_advise));

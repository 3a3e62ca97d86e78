/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by process_madvise(2), its policies and mm/madvise.c. */
#ifndef _MM_PROCESS_MADVISE_H
#define _MM_PROCESS_MADVISE_H

#include <linux/bitmap.h>
#include <linux/find.h>
#include <linux/mmu_notifier.h>
#include <linux/page_idle.h>
#include <linux/process_madvise.h>
#include <linux/swap.h>

struct pmadv_call;

bool pmadv_must_stop(struct pmadv_call *call);
bool pmadv_must_yield(struct pmadv_call *call);
void pmadv_add_stats(struct pmadv_stats *sum, const struct pmadv_stats *stats);

/**
 * struct madvise_batch - what ranges advised under one hold of mmap_lock share
 * @drained: Pages that @cpu had in flight are on their LRU lists. Zero to begin
 *	with, and whenever the lock is let go.
 * @cpu: The CPU that the caller was on then.
 */
struct madvise_batch {
	bool drained;
	int cpu;
};

/**
 * struct madvise_ctl - one round of advice: how far it may go, what it did
 * @call: The call it is a round of.
 * @batch: Shared with the rounds before and after it.
 * @stats: Counts of this round.
 * @start: Where the round begins.
 * @reached: First address that was not dealt with.
 * @pages_left: Pages that may still be deactivated or isolated.
 * @selected: Pages the advice is for: bit i is the page i of the round. NULL is
 *	all; else the round is within one page table.
 * @skip_young: Spare accessed pages and clear their accessed bit.
 * @drain: The range is begun: have all CPUs put the pages they have in flight
 *	on their LRU lists. COLLAPSE.
 *
 * Only process_madvise(2) calls with flags have one; everybody else passes
 * NULL and gets the whole range advised, uncounted.
 */
struct madvise_ctl {
	struct pmadv_call *call;
	struct madvise_batch *batch;
	struct pmadv_stats stats;
	unsigned long start;
	unsigned long reached;
	u64 pages_left;
	const unsigned long *selected;
	bool skip_young;
	bool drain;
};

/*
 * Should the page walk end at @addr? A walk passes at least one page table
 * before it yields, so that writers cannot starve it and no decision is left
 * undone.
 */
static inline bool madvise_ctl_pause(struct madvise_ctl *ctl,
				     unsigned long addr)
{
	if (!ctl)
		return false;
	if (ctl->pages_left &&
	    (addr == ctl->start || (!pmadv_must_stop(ctl->call) &&
				    !pmadv_must_yield(ctl->call))))
		return false;
	ctl->reached = addr;
	return true;
}

/*
 * The end, at most @end, of the selected pages from @addr on; @addr if the page
 * there is not selected.
 */
static inline unsigned long madvise_ctl_selected(const struct madvise_ctl *ctl,
						 unsigned long addr,
						 unsigned long end)
{
	unsigned long nr;

	if (!ctl || !ctl->selected)
		return end;
	nr = find_next_zero_bit(ctl->selected, (end - ctl->start) >> PAGE_SHIFT,
				(addr - ctl->start) >> PAGE_SHIFT);
	return ctl->start + (nr << PAGE_SHIFT);
}

/* Is no page between @addr and @end selected? */
static inline bool madvise_ctl_nothing(const struct madvise_ctl *ctl,
				       unsigned long addr, unsigned long end)
{
	unsigned long nr;

	if (!ctl || !ctl->selected)
		return false;
	nr = (end - ctl->start) >> PAGE_SHIFT;
	return find_next_bit(ctl->selected, nr,
			     (addr - ctl->start) >> PAGE_SHIFT) >= nr;
}

/*
 * Were these pages of @folio accessed, through the page table (@young), through
 * another MMU, or before somebody else took the accessed bit and left a note?
 * The next to ask gets to know only what happens from now on.
 */
static inline bool madvise_test_clear_young(struct vm_area_struct *vma,
					    unsigned long addr, unsigned long nr,
					    struct folio *folio, bool young)
{
	young |= mmu_notifier_clear_young(vma->vm_mm, addr,
					  addr + nr * PAGE_SIZE);
	return folio_test_clear_young(folio) || young;
}

/* Who tracks idle pages, and reclaim, must learn of an access we kept for us. */
static inline void madvise_spare_young(struct folio *folio)
{
	folio_mark_accessed(folio);
	folio_clear_idle(folio);
}

/* Charge @nr pages that were deactivated or isolated. */
static inline void madvise_ctl_charge(struct madvise_ctl *ctl, unsigned long nr)
{
	ctl->pages_left -= min_t(u64, ctl->pages_left, nr);
}

int madvise_range_batched(struct mm_struct *mm, unsigned long start,
			  unsigned long end, int behavior,
			  struct madvise_batch *batch);
int madvise_vma_check(struct vm_area_struct *vma, int advice);
int madvise_vma_ctl(struct vm_area_struct *vma, struct vm_area_struct **prev,
		    int advice, struct madvise_ctl *ctl);

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
int madvise_collapse_part(struct vm_area_struct *vma,
			  struct vm_area_struct **prev, unsigned long start,
			  unsigned long end, bool drain);
#else
static inline int madvise_collapse_part(struct vm_area_struct *vma,
					struct vm_area_struct **prev,
					unsigned long start, unsigned long end,
					bool drain)
{
	return -EINVAL;
}
#endif

struct pmadv_policy;

/**
 * struct pmadv_decision - a range while a policy decides about it
 * @range: What the policy sees; its kfuncs find the rest from here.
 * @vma: The mapping, NULL once the advice was carried out.
 * @policy: The policy that is asked, the same for all ranges of a call.
 * @nr_slow: Answers that took too long, one after the other.
 * @nr_selected: Pages that @selected has a bit for.
 * @selected: The pages the answer is for, if @masked: bit i is page i.
 * @masked: The policy selected pages of the range, well or badly.
 * @trusted: And so is this: what it does wrong here is not the target's doing.
 * @erred: It did something wrong in this call, and is asked no more.
 */
struct pmadv_decision {
	struct pmadv_range range;
	struct vm_area_struct *vma;
	struct pmadv_policy *policy;
	u32 nr_slow;
	u32 nr_selected;
	DECLARE_BITMAP(selected, PMADV_MAX_PAGES);
	bool masked;
	bool trusted;
	bool erred;
};

/* Can the pages of @range be told apart? */
static inline bool pmadv_in_one_table(const struct pmadv_range *range)
{
	return range->end > range->start &&
	       range->end - range->start <= PMADV_MAX_PAGES * PAGE_SIZE &&
	       (range->start & PMD_MASK) == ((range->end - 1) & PMD_MASK);
}

#ifdef CONFIG_PROCESS_MADVISE_BPF
struct pmadv_policy *pmadv_policy_get(struct task_struct *task, u64 *refused);
void pmadv_policy_put(struct pmadv_policy *policy);
u32 pmadv_policy_exit_kind(struct pmadv_policy *policy);
bool pmadv_policy_wants_stats(struct pmadv_policy *policy);
int pmadv_policy_begin(struct pmadv_policy *policy, struct pmadv_walk *walk,
		       struct task_struct *task);
void pmadv_policy_end(struct pmadv_policy *policy, struct pmadv_walk *walk,
		      u64 nr_invalid);
bool pmadv_policy_advise(struct pmadv_decision *decision,
			 struct task_struct *task, int *verdict);
void pmadv_policy_advised(struct pmadv_decision *decision,
			  struct pmadv_stats *stats);
void pmadv_policy_error(struct pmadv_decision *decision, u32 kind, s64 code,
			const char *msg);
#else
static inline struct pmadv_policy *pmadv_policy_get(struct task_struct *task,
						    u64 *refused)
{
	return NULL;
}

static inline void pmadv_policy_put(struct pmadv_policy *policy)
{
}

static inline u32 pmadv_policy_exit_kind(struct pmadv_policy *policy)
{
	return PMADV_EXIT_NONE;
}

static inline bool pmadv_policy_wants_stats(struct pmadv_policy *policy)
{
	return false;
}

static inline int pmadv_policy_begin(struct pmadv_policy *policy,
				     struct pmadv_walk *walk,
				     struct task_struct *task)
{
	return 0;
}

static inline void pmadv_policy_end(struct pmadv_policy *policy,
				    struct pmadv_walk *walk, u64 nr_invalid)
{
}

static inline bool pmadv_policy_advise(struct pmadv_decision *decision,
				       struct task_struct *task, int *verdict)
{
	return false;
}

static inline void pmadv_policy_advised(struct pmadv_decision *decision,
					struct pmadv_stats *stats)
{
}

static inline void pmadv_policy_error(struct pmadv_decision *decision, u32 kind,
				      s64 code, const char *msg)
{
}
#endif /* CONFIG_PROCESS_MADVISE_BPF */

#endif /* _MM_PROCESS_MADVISE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * process_madvise(2): advice about another process's memory.
 *
 * Without flags it is a vector of madvise(2) calls. With flags it is a walk
 * that decides about a range and acts on it under one hold of mmap_lock, lets
 * go of the lock for waiting writers and reports what became of the pages; see
 * Documentation/mm/process_madvise.rst.
 */
#include <linux/blkdev.h>
#include <linux/compat.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/huge_mm.h>
#include <linux/hugetlb.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/syscalls.h>
#include <linux/uio.h>
#include <linux/userfaultfd_k.h>
#include <linux/vma_fd.h>

#include "process_madvise.h"

#define CREATE_TRACE_POINTS
#include <trace/events/process_madvise.h>

#define PMADV_FLAGS (PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE |	\
		     PMADV_SKIP_ERRORS | PMADV_DRY_RUN | PMADV_RESULT)

/*
 * How long mmap_lock is kept although a writer waits. Releasing it and sleeping
 * until the writer has run takes 50 to 200 us; many mappings, and some page
 * tables, take less than one.
 */
#define PMADV_HOLD_NS		(1 * NSEC_PER_MSEC)

/*
 * COLLAPSE returns only after its whole range, and looks its mapping up again
 * in between. So it is given one huge page at a time, each decided anew.
 */
#define PMADV_COLLAPSE_PIECE	PMD_SIZE

/* No limit: more pages than any range has. */
#define PMADV_NO_CAP		U64_MAX

/**
 * struct pmadv_call - one flagged call
 * @walk: What a policy and the tracepoints see of it.
 * @task: The target.
 * @mm: Its address space, from mm_access(): the one the caller was allowed to
 *	touch, which after an exec is no longer the target's.
 * @vma_fd: The one mapping the call is about, or NULL.
 * @policy: The policy in force for @task when the call began, or NULL.
 * @refused: Advice that the policies of outer scopes refuse it, as bits.
 * @vmi: Position of the walk.
 * @decision: The range in hand, as the policy sees it.
 * @ctl: The round of advice it is given; without counts between ranges.
 * @batch: What the ranges share while mmap_lock is held.
 * @pages_left: What is left of the caller's budget.
 * @rest_end: End of the range that was decided last. What begins before it is
 *	the rest of that range.
 * @rest_pages: What is left of the policy's cap on that range.
 * @nr_invalid: Invalid verdicts so far.
 * @locked_at: When mmap_lock was taken.
 * @wants_stats: The policy has to hear what became of each range.
 * @locked: mmap_lock is held for reading.
 */
struct pmadv_call {
	struct pmadv_walk walk;
	struct task_struct *task;
	struct mm_struct *mm;
	struct vma_fd *vma_fd;
	struct pmadv_policy *policy;
	u64 refused;
	struct vma_iterator vmi;
	struct pmadv_decision decision;
	struct madvise_ctl ctl;
	struct madvise_batch batch;
	u64 pages_left;
	unsigned long rest_end;
	u64 rest_pages;
	u64 nr_invalid;
	u64 locked_at;
	bool wants_stats;
	bool locked;
};

static atomic64_t pmadv_last_call_id;

static bool process_madvise_behavior_valid(int behavior)
{
	switch (behavior) {
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_WILLNEED:
	case MADV_COLLAPSE:
		return true;
	default:
		return false;
	}
}

static void pmadv_stop(struct pmadv_call *call, enum pmadv_stopped why)
{
	if (!call->walk.result.stopped)
		call->walk.result.stopped = why;
}

static void pmadv_note_error(struct pmadv_call *call, int error,
			     unsigned long addr)
{
	struct pmadv_result *result = &call->walk.result;

	if (!result->error) {
		result->error = -error;
		result->error_addr = addr;
	}
	if (!(call->walk.flags & PMADV_SKIP_ERRORS))
		pmadv_stop(call, PMADV_STOPPED_ERROR);
}

static bool pmadv_policy_left(struct pmadv_call *call)
{
	u32 kind;

	if (!call->policy)
		return false;
	kind = pmadv_policy_exit_kind(call->policy);
	if (kind >= PMADV_EXIT_INVALID)
		pmadv_stop(call, PMADV_STOPPED_EJECTED);
	else if (kind != PMADV_EXIT_NONE)
		pmadv_stop(call, PMADV_STOPPED_DETACHED);
	else if (call->decision.erred)
		pmadv_stop(call, PMADV_STOPPED_POLICY_ERROR);
	else
		return false;
	return true;
}

/* Must the walk stop, for a reason other than its policy? */
static bool pmadv_must_stop_asking(struct pmadv_call *call)
{
	if (call->walk.result.stopped)
		return true;
	/* Pending task work alone, as for io_uring, can wait. */
	if (task_sigpending(current))
		pmadv_stop(call, PMADV_STOPPED_SIGNAL);
	else if (!call->pages_left)
		pmadv_stop(call, PMADV_STOPPED_BUDGET);
	else if (READ_ONCE(call->task->mm) != call->mm)
		pmadv_stop(call, call->vma_fd ? PMADV_STOPPED_STALE :
						PMADV_STOPPED_EXITED);
	else if (call->vma_fd && vma_fd_stale(call->vma_fd))
		pmadv_stop(call, PMADV_STOPPED_STALE);
	return call->walk.result.stopped;
}

/* Checked inside a range before each page table. */
bool pmadv_must_stop(struct pmadv_call *call)
{
	return pmadv_policy_left(call) || pmadv_must_stop_asking(call);
}

/* Checked between ranges, and inside a range before each page table. */
bool pmadv_must_yield(struct pmadv_call *call)
{
	return mmap_lock_is_contended(call->mm) &&
	       ktime_get_ns() - call->locked_at >= PMADV_HOLD_NS;
}

static int pmadv_lock(struct pmadv_call *call)
{
	if (mmap_read_lock_killable(call->mm)) {
		pmadv_stop(call, PMADV_STOPPED_SIGNAL);
		return -EINTR;
	}
	call->locked = true;
	call->locked_at = ktime_get_ns();
	return 0;
}

static void pmadv_unlock(struct pmadv_call *call)
{
	call->batch.drained = false;
	if (call->locked)
		mmap_read_unlock(call->mm);
	call->locked = false;
}

/*
 * Release mmap_lock for waiting writers, and take it again. VMAs found before
 * may be gone then. A writer that was woken still has to get a CPU; without the
 * sleep this task would retake the lock before it runs.
 */
static int pmadv_yield(struct pmadv_call *call)
{
	pmadv_unlock(call);
	call->walk.result.yields++;
	usleep_range(50, 100);
	return pmadv_lock(call);
}

static u32 pmadv_vma_kind(struct vm_area_struct *vma)
{
	if (is_vm_hugetlb_page(vma))
		return PMADV_VMA_HUGETLB;
	if (vma->vm_flags & VM_SPECIAL)
		return PMADV_VMA_SPECIAL;
	if (vma_is_anonymous(vma))
		return PMADV_VMA_ANON;
	if (!vma->vm_file)
		return 0;
	return shmem_mapping(vma->vm_file->f_mapping) ? PMADV_VMA_SHMEM :
							PMADV_VMA_FILE;
}

static u32 pmadv_flag(vm_flags_t flags, vm_flags_t flag, u32 ours)
{
	return flags & flag ? ours : 0;
}

/* Policies see bits of our own: vm_flags change, and some are internal. */
static u32 pmadv_vma_flags(struct vm_area_struct *vma)
{
	vm_flags_t vm_flags = vma->vm_flags;
	u32 flags = pmadv_vma_kind(vma);

	flags |= pmadv_flag(vm_flags, VM_READ, PMADV_VMA_READ);
	flags |= pmadv_flag(vm_flags, VM_WRITE, PMADV_VMA_WRITE);
	flags |= pmadv_flag(vm_flags, VM_EXEC, PMADV_VMA_EXEC);
	flags |= pmadv_flag(vm_flags, VM_MAYSHARE, PMADV_VMA_SHARED);
	flags |= pmadv_flag(vm_flags, VM_LOCKED, PMADV_VMA_LOCKED);
	flags |= pmadv_flag(vm_flags, VM_GROWSDOWN, PMADV_VMA_STACK);
	flags |= pmadv_flag(vm_flags, VM_HUGEPAGE, PMADV_VMA_HUGEPAGE);
#ifdef CONFIG_64BIT
	flags |= pmadv_flag(vm_flags, VM_SEALED, PMADV_VMA_SEALED);
#endif
	if (vma_is_initial_stack(vma))
		flags |= PMADV_VMA_STACK;
	if (vma_is_initial_heap(vma))
		flags |= PMADV_VMA_HEAP;
	if (anon_vma_name(vma))
		flags |= PMADV_VMA_NAMED;
	if (userfaultfd_armed(vma))
		flags |= PMADV_VMA_UFFD;
	return flags;
}

/* A policy may only have lowered the end and set known modifiers. */
static int pmadv_check_answer(struct pmadv_call *call,
			      struct pmadv_range *range, u64 end)
{
	if (range->end <= range->start || range->end > end ||
	    !PAGE_ALIGNED(range->end)) {
		range->end = end;
		pmadv_policy_error(&call->decision, PMADV_EXIT_NO_PROGRESS, 0,
				   "narrowed a range to nothing or widened it");
		return -EINVAL;
	}
	return range->modifiers & ~PMADV_SKIP_YOUNG ? -EINVAL : 0;
}

/* Pages are selected for COLD and PAGEOUT, and in one page table. */
static bool pmadv_selection_valid(const struct pmadv_decision *decision,
				  int advice)
{
	const struct pmadv_range *range = &decision->range;

	if (!decision->masked)
		return true;
	return (advice == MADV_COLD || advice == MADV_PAGEOUT) &&
	       pmadv_in_one_table(range) &&
	       range->end - range->start <=
	       (u64)decision->nr_selected << PAGE_SHIFT;
}

/*
 * The advice that a verdict stands for, PMADV_SKIP, -EINVAL if it is none, or
 * -EPERM for advice that is not this policy's to give.
 */
static int pmadv_verdict_advice(struct pmadv_call *call, int verdict)
{
	int advice = verdict;

	if (verdict == PMADV_STOP) {
		pmadv_stop(call, PMADV_STOPPED_POLICY);
		return PMADV_SKIP;
	}
	if (verdict == PMADV_CALLER)
		advice = call->walk.advice;
	if (advice == PMADV_SKIP)
		return PMADV_SKIP;
	if (!process_madvise_behavior_valid(advice) ||
	    !pmadv_selection_valid(&call->decision, advice))
		return -EINVAL;
	return call->refused & BIT_ULL(advice) ? -EPERM : advice;
}

static void pmadv_count_invalid(struct pmadv_call *call)
{
	if (++call->nr_invalid == PMADV_MAX_INVALID)
		pmadv_policy_error(&call->decision, PMADV_EXIT_INVALID, 0,
				   "too many invalid verdicts in one call");
}

/*
 * What is to be done with the range? Returns advice or PMADV_SKIP, -EINVAL for
 * an answer that is none, -EPERM for one that an outer policy refuses,
 * -ECANCELED if there is no answer because the policy left or erred. *@verdict
 * is the answer itself, for whoever watches.
 */
static int pmadv_decide(struct pmadv_call *call, int *verdict)
{
	struct pmadv_decision *decision = &call->decision;
	u64 end = decision->range.end;
	int advice;

	if (!call->policy) {
		*verdict = call->walk.advice;
		return *verdict;
	}

	if (!pmadv_policy_advise(decision, call->task, verdict)) {
		pmadv_policy_left(call);
		return -ECANCELED;
	}

	advice = pmadv_check_answer(call, &decision->range, end);
	if (!advice)
		advice = pmadv_verdict_advice(call, *verdict);
	if (advice >= 0 || advice == -EPERM)
		return advice;

	pmadv_count_invalid(call);
	pmadv_policy_left(call);
	return -EINVAL;
}

/* May this call give @advice to @vma? */
static int pmadv_check(struct pmadv_call *call, struct vm_area_struct *vma,
		       int advice)
{
	/* COLLAPSE may reach a mapping that took the place of this one. */
	if (call->vma_fd && advice == MADV_COLLAPSE)
		return -EOPNOTSUPP;
	return madvise_vma_check(vma, advice);
}

/* For these, budgets and caps count address space instead of pages. */
static bool pmadv_counts_addresses(int advice)
{
	return advice == MADV_WILLNEED || advice == MADV_COLLAPSE;
}

/* The end of one round of @advice. */
static unsigned long pmadv_round_end(int advice, struct madvise_ctl *ctl,
				     unsigned long end)
{
	unsigned long size = end - ctl->start;

	if (!pmadv_counts_addresses(advice))
		return end;
	if (ctl->pages_left < size >> PAGE_SHIFT)
		size = ctl->pages_left << PAGE_SHIFT;
	if (advice == MADV_COLLAPSE && size > PMADV_COLLAPSE_PIECE)
		size = PMADV_COLLAPSE_PIECE;
	if (advice == MADV_COLLAPSE)
		return min(end, ALIGN(ctl->start + size, PMD_SIZE));
	return ctl->start + size;
}

/*
 * How many pages may be taken? For a new range, the policy's cap; for the rest
 * of a range, at most what is left of that cap.
 */
static u64 pmadv_cap(struct pmadv_call *call, struct pmadv_range *range)
{
	u64 cap = range->max_pages ?: PMADV_NO_CAP;

	call->ctl.drain = range->start >= call->rest_end;
	if (call->ctl.drain) {
		call->rest_end = range->end;
		call->rest_pages = cap;
	}
	return min(cap, call->rest_pages);
}

/*
 * Charge @used pages to @cap. Returns the address to go on from, which is past
 * the range if the cap ended it.
 */
static unsigned long pmadv_charge_cap(struct pmadv_call *call, u64 cap,
				      u64 used)
{
	const struct pmadv_range *range = &call->decision.range;
	unsigned long reached = call->ctl.reached;

	if (call->rest_pages != PMADV_NO_CAP)
		call->rest_pages -= min(used, call->rest_pages);
	if (!call->rest_pages)
		return call->rest_end;
	if (used >= cap)
		return range->end;
	if (reached < range->end && cap != PMADV_NO_CAP)
		call->rest_pages = min(call->rest_pages, cap - used);
	return reached;
}

/*
 * Give @advice to the decided range, and lower its end to the address reached.
 * Returns the address to go on from.
 */
static unsigned long pmadv_act(struct pmadv_call *call, int advice, int *error)
{
	struct pmadv_range *range = &call->decision.range;
	struct vm_area_struct *vma = call->decision.vma, *prev;
	struct madvise_ctl *ctl = &call->ctl;
	u64 cap = pmadv_cap(call, range);
	u64 pages = min(call->pages_left, cap);
	unsigned long next;
	u64 used;

	ctl->pages_left = pages;
	ctl->start = range->start;
	ctl->reached = pmadv_round_end(advice, ctl, range->end);
	ctl->selected = call->decision.masked ? call->decision.selected : NULL;
	ctl->skip_young = range->modifiers & PMADV_SKIP_YOUNG;

	*error = madvise_vma_ctl(vma, &prev, advice, ctl);
	if (pmadv_counts_addresses(advice))
		madvise_ctl_charge(ctl, (ctl->reached - ctl->start) >> PAGE_SHIFT);

	used = pages - ctl->pages_left;
	call->pages_left -= used;
	next = pmadv_charge_cap(call, cap, used);
	if (!prev) {	/* mmap_lock was dropped, the VMA may be gone */
		vma_iter_set(&call->vmi, next);
		call->locked_at = ktime_get_ns();
	}
	range->end = ctl->reached;
	return next;
}

void pmadv_add_stats(struct pmadv_stats *sum, const struct pmadv_stats *stats)
{
	sum->scanned += stats->scanned;
	sum->young += stats->young;
	sum->shared += stats->shared;
	sum->deactivated += stats->deactivated;
	sum->isolated += stats->isolated;
	sum->reclaimed += stats->reclaimed;
	sum->written_back += stats->written_back;
	sum->activated += stats->activated;
	sum->swapped += stats->swapped;
	sum->time_ns += stats->time_ns;
}

/* How much of the range got its advice? */
static u64 pmadv_bytes(const struct pmadv_decision *decision)
{
	u64 bytes = decision->range.end - decision->range.start;

	if (!decision->masked)
		return bytes;
	return (u64)bitmap_weight(decision->selected, bytes >> PAGE_SHIFT)
	       << PAGE_SHIFT;
}

static void pmadv_count_range(struct pmadv_result *result,
			      const struct pmadv_decision *decision,
			      enum pmadv_outcome outcome)
{
	result->ranges_seen++;
	switch (outcome) {
	case PMADV_ADVISED:
		result->ranges_advised++;
		result->bytes_advised += pmadv_bytes(decision);
		break;
	case PMADV_SKIPPED:
		result->ranges_skipped++;
		break;
	case PMADV_REFUSED:
		result->ranges_refused++;
		break;
	case PMADV_FAILED:
		result->ranges_failed++;
		break;
	}
}

static void pmadv_set_range(struct pmadv_call *call, struct vm_area_struct *vma,
			    unsigned long start, unsigned long end)
{
	u64 max_pages = 0;

	if (start < call->rest_end && call->rest_pages != PMADV_NO_CAP) {
		end = min(end, call->rest_end);
		max_pages = call->rest_pages;
	}
	call->decision.range = (struct pmadv_range) {
		.start = start,
		.end = end,
		.vma_start = vma->vm_start,
		.vma_end = vma->vm_end,
		.max_pages = max_pages,
		.vma_flags = pmadv_vma_flags(vma),
		.advice = call->walk.advice,
		.walk_flags = call->walk.flags,
		.call_id = call->walk.result.call_id,
	};
	call->decision.vma = vma;
	call->decision.masked = false;
}

/* Report the outcome of a range to the tracepoint and to the policy. */
static void pmadv_report(struct pmadv_call *call, u64 began, int verdict,
			 enum pmadv_outcome outcome, int error)
{
	struct pmadv_stats *stats = &call->ctl.stats;

	stats->time_ns = ktime_get_ns() - began;
	trace_pmadv_range(&call->walk, call->task, &call->decision.range,
			  verdict, outcome, -error, stats);
	if (call->wants_stats)
		pmadv_policy_advised(&call->decision, stats);
	stats->time_ns = 0;
}

/*
 * Decide about [@start, @end) of @vma, and act on it. Returns the address to go
 * on from.
 */
static unsigned long pmadv_do_range(struct pmadv_call *call,
				    struct vm_area_struct *vma,
				    unsigned long start, unsigned long end)
{
	struct pmadv_result *result = &call->walk.result;
	bool watched = call->wants_stats || trace_pmadv_range_enabled();
	u64 began = watched ? ktime_get_ns() : 0;
	enum pmadv_outcome outcome = PMADV_SKIPPED;
	int advice, verdict, error = 0;
	bool acted = false;
	unsigned long next;

	pmadv_set_range(call, vma, start, end);
	advice = pmadv_decide(call, &verdict);
	if (advice == -ECANCELED)
		return start;
	if (result->stopped && advice == PMADV_SKIP)
		next = start;
	else
		next = call->decision.range.end;

	if (advice < 0) {
		error = advice;
		outcome = PMADV_REFUSED;
	} else if (advice) {
		error = pmadv_check(call, vma, advice);
		outcome = error ? PMADV_REFUSED : PMADV_ADVISED;
		acted = !error && !(call->walk.flags & PMADV_DRY_RUN);
		if (acted)
			next = pmadv_act(call, advice, &error);
		if (acted && error)
			outcome = PMADV_FAILED;
	}
	if (error) {
		pmadv_note_error(call, error, start);
		if (result->stopped)
			next = start;
	}

	call->decision.vma = NULL;
	pmadv_count_range(result, &call->decision, outcome);
	if (acted)
		pmadv_add_stats(&result->stats, &call->ctl.stats);
	if (watched)
		pmadv_report(call, began, verdict, outcome, error);
	if (acted)
		memset(&call->ctl.stats, 0, sizeof(call->ctl.stats));
	return next;
}

/*
 * Walk the mappings in [@addr, @end). Returns the first address that was not
 * dealt with. mmap_lock is held on entry and, unless the call was killed, on
 * return.
 */
static unsigned long pmadv_walk_range(struct pmadv_call *call,
				      unsigned long addr, unsigned long end)
{
	bool holes_count = !(call->walk.flags & PMADV_ENTIRE_ADDRESS_SPACE);
	struct vm_area_struct *vma;

	vma_iter_set(&call->vmi, addr);
	call->rest_end = 0;
	while (addr < end && !pmadv_must_stop_asking(call)) {
		unsigned long next;

		if (pmadv_must_yield(call)) {
			if (pmadv_yield(call))
				break;
			vma_iter_set(&call->vmi, addr);
			continue;
		}
		cond_resched();

		vma = vma_find(&call->vmi, end);
		next = vma ? max(addr, vma->vm_start) : end;
		if (call->vma_fd && addr < next) {
			/* munmap() has removed it, and is about to mark it */
			pmadv_stop(call, PMADV_STOPPED_STALE);
			break;
		}
		if (holes_count && addr < next) {
			call->walk.result.holes++;
			if (!(call->walk.flags & PMADV_SKIP_ERRORS)) {
				pmadv_note_error(call, -ENOMEM, addr);
				break;
			}
		}
		addr = next;
		if (!vma)
			break;

		next = min(end, vma->vm_end);
		addr = pmadv_do_range(call, vma, addr, next);
		if (addr != next)	/* the same VMA again, or it is gone */
			vma_iter_set(&call->vmi, addr);
	}
	return addr;
}

static void pmadv_walk_ranges(struct pmadv_call *call, const struct iovec *iov,
			      unsigned long nr)
{
	struct pmadv_result *result = &call->walk.result;
	unsigned long i = result->cursor_index;
	unsigned long addr = result->cursor;
	struct blk_plug plug;

	result->cursor = 0;
	result->cursor_index = 0;
	blk_start_plug(&plug);
	for (; i < nr && !result->stopped; i++, addr = 0) {
		unsigned long start = (unsigned long)iov[i].iov_base;
		unsigned long end = start + iov[i].iov_len;

		addr = pmadv_walk_range(call, addr ?: start, end);
		if (addr < end) {
			result->cursor = addr;
			result->cursor_index = i;
		}
	}
	blk_finish_plug(&plug);
}

/*
 * Untag the addresses of the ranges, and refuse invalid ranges before anything
 * is done. mmap_lock is held.
 */
static int pmadv_check_ranges(struct pmadv_call *call, struct iovec *iov,
			      unsigned long nr)
{
	const struct pmadv_result *result = &call->walk.result;
	unsigned long i, start, len;

	for (i = 0; i < nr; i++) {
		start = (unsigned long)iov[i].iov_base;
		len = PAGE_ALIGN(iov[i].iov_len);
		if (!PAGE_ALIGNED(start))
			goto invalid;
		start = untagged_addr_remote(call->mm, start);
		if (start + len < start)
			goto invalid;
		if (call->vma_fd &&
		    !vma_fd_contains(call->vma_fd, start, start + len))
			goto invalid;
		iov[i].iov_base = (void __user *)start;
		iov[i].iov_len = len;
	}

	if (!result->cursor && !result->cursor_index)
		return 0;
	if (result->cursor_index >= nr)
		goto invalid;
	if (!result->cursor)
		return 0;
	start = (unsigned long)iov[result->cursor_index].iov_base;
	len = iov[result->cursor_index].iov_len;
	if (!PAGE_ALIGNED(result->cursor) || result->cursor < start ||
	    result->cursor - start >= len)
		goto invalid;
	return 0;

invalid:
	return -EINVAL;
}

/* The return value of a call whose ranges were walked. */
static ssize_t pmadv_return_value(const struct pmadv_result *result)
{
	u64 max = in_compat_syscall() ? MAX_RW_COUNT : LONG_MAX;

	if (result->bytes_advised)
		return min(result->bytes_advised, max);

	switch (result->stopped) {
	case PMADV_STOPPED_SIGNAL:
		return -EINTR;
	case PMADV_STOPPED_EXITED:
		return -ESRCH;
	case PMADV_STOPPED_STALE:
		return -ESTALE;
	case PMADV_STOPPED_DETACHED:
	case PMADV_STOPPED_EJECTED:
	case PMADV_STOPPED_POLICY_ERROR:
		return -ECANCELED;
	case PMADV_STOPPED_ERROR:
		return -(ssize_t)result->error;
	default:
		return 0;
	}
}

/*
 * Whoever has this capability can detach policies, and gains nothing by having
 * one ejected. It is read first: one that an exec gave to the target comes after
 * an address space that is not the one we walk.
 */
static bool pmadv_target_trusted(struct pmadv_call *call)
{
	if (!has_capability_noaudit(call->task, CAP_SYS_ADMIN))
		return false;
	smp_rmb();	/* commit_creds() comes after exec_mmap() */
	return READ_ONCE(call->task->mm) == call->mm;
}

/*
 * Find the policy in force and call its begin(). If it leaves in between, it
 * was not the policy of this call: look again.
 */
static int pmadv_begin(struct pmadv_call *call)
{
	int ret;

	do {
		call->policy = pmadv_policy_get(call->task, &call->refused);
		if (!call->policy)
			return -ENOENT;
		ret = pmadv_policy_begin(call->policy, &call->walk, call->task);
		if (!ret) {
			call->wants_stats = pmadv_policy_wants_stats(call->policy);
			call->decision.policy = call->policy;
			call->decision.trusted = pmadv_target_trusted(call);
			return 0;
		}
		pmadv_policy_put(call->policy);
		call->policy = NULL;
	} while (ret > 0);

	return ret;
}

/*
 * Walk the target, for which the caller's rights have been checked. *@valid is
 * set if the result is to be returned to the caller.
 */
static ssize_t pmadv_run(struct pmadv_call *call, struct iovec *iov,
			 unsigned long nr, bool *valid)
{
	struct pmadv_result *result = &call->walk.result;
	u64 began = ktime_get_ns();
	ssize_t ret;

	vma_iter_init(&call->vmi, call->mm, 0);
	if (pmadv_lock(call))
		return -EINTR;
	ret = pmadv_check_ranges(call, iov, nr);
	pmadv_unlock(call);
	if (ret)
		return ret;

	*valid = true;
	result->call_id = atomic64_inc_return(&pmadv_last_call_id);
	if (call->walk.flags & PMADV_POLICY) {
		ret = pmadv_begin(call);
		if (ret)
			goto out;
	}

	if (!pmadv_lock(call))
		pmadv_walk_ranges(call, iov, nr);
	pmadv_unlock(call);

	result->stats.time_ns = ktime_get_ns() - began;
	ret = pmadv_return_value(result);
	if (call->policy) {
		pmadv_policy_end(call->policy, &call->walk, call->nr_invalid);
		pmadv_policy_put(call->policy);
	}
out:
	trace_pmadv_call(&call->walk, call->task, ret);
	return ret;
}

static bool pmadv_advice_valid(int advice, unsigned int flags)
{
	return process_madvise_behavior_valid(advice) ||
	       (!advice && (flags & PMADV_POLICY));
}

static struct mm_struct *pmadv_mm_access(struct pmadv_call *call)
{
	if (call->vma_fd)
		return vma_fd_mm_access(call->vma_fd, &call->task);
	return mm_access(call->task, PTRACE_MODE_READ_FSCREDS);
}

/* Check the caller's rights to the target, then walk it. */
static ssize_t pmadv_on_task(struct pmadv_call *call, struct iovec *iov,
			     unsigned long nr, bool *valid)
{
	ssize_t ret = -EPERM;

	if (!pmadv_advice_valid(call->walk.advice, call->walk.flags))
		return -EINVAL;

	call->mm = pmadv_mm_access(call);
	if (IS_ERR(call->mm))
		return PTR_ERR(call->mm);

	if (call->mm == current->mm || capable(CAP_SYS_NICE))
		ret = pmadv_run(call, iov, nr, valid);

	mmput(call->mm);
	return ret;
}

/* Find the target of @fd, a pidfd or a VMA fd. */
static ssize_t pmadv_on_fd(struct pmadv_call *call, int fd, struct iovec *iov,
			   unsigned long nr, bool *valid)
{
	struct fd file = fdget(fd);
	unsigned int f_flags;
	ssize_t ret;

	if (fd_file(file))
		call->vma_fd = vma_fd_from_file(fd_file(file));
	if (call->vma_fd && (call->walk.flags & PMADV_ENTIRE_ADDRESS_SPACE)) {
		ret = -EINVAL;
		goto put_file;
	}

	call->task = call->vma_fd ? vma_fd_get_task(call->vma_fd) :
				    pidfd_get_task(fd, &f_flags);
	if (IS_ERR(call->task)) {
		ret = PTR_ERR(call->task);
		goto put_file;
	}
	ret = pmadv_on_task(call, iov, nr, valid);
	put_task_struct(call->task);
put_file:
	fdput(file);
	return ret;
}

static int pmadv_read_result(struct pmadv_result *result,
			     struct pmadv_result __user *uresult)
{
	u32 size;
	int ret;

	if (get_user(size, &uresult->size))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < PMADV_RESULT_SIZE_VER0)
		return -EINVAL;
	ret = copy_struct_from_user(result, sizeof(*result), uresult, size);
	if (ret)
		return ret;

	/*
	 * Only these members are input; clear the others. The size is the one
	 * that was checked, even if user space has changed it since.
	 */
	*result = (struct pmadv_result) {
		.size = size,
		.max_pages = result->max_pages,
		.cursor = result->cursor,
		.cursor_index = result->cursor_index,
	};
	return 0;
}

static int pmadv_write_result(struct pmadv_result __user *uresult,
			      const struct pmadv_result *result)
{
	size_t size = min_t(size_t, result->size, sizeof(*result));

	return copy_to_user(uresult, result, size) ? -EFAULT : 0;
}

static ssize_t process_madvise_flags(int pidfd, const struct iovec __user *vec,
				     size_t vlen, int advice,
				     unsigned int flags,
				     struct pmadv_result __user *uresult)
{
	struct pmadv_call call = {
		.walk.flags = flags,
		.walk.advice = advice,
		.ctl.call = &call,
		.ctl.batch = &call.batch,
	};
	struct iovec iovstack[UIO_FASTIOV] = {};
	struct iovec *iov = iovstack;
	bool valid = false;
	ssize_t ret;

	if (flags & ~PMADV_FLAGS)
		return -EINVAL;
	if (flags & (PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE))
		call.walk.flags |= PMADV_SKIP_ERRORS;

	if (flags & PMADV_RESULT) {
		ret = pmadv_read_result(&call.walk.result, uresult);
		if (ret)
			return ret;
	}
	call.pages_left = call.walk.result.max_pages ?: U64_MAX;

	if (flags & PMADV_ENTIRE_ADDRESS_SPACE) {
		if (vec || vlen)
			return -EINVAL;
		iov->iov_len = TASK_SIZE_MAX;
		vlen = 1;
	} else {
		iov = iovec_from_user(vec, vlen, ARRAY_SIZE(iovstack), iovstack,
				      in_compat_syscall());
		if (IS_ERR(iov))
			return PTR_ERR(iov);
	}

	ret = pmadv_on_fd(&call, pidfd, iov, vlen, &valid);
	if (valid && (flags & PMADV_RESULT) &&
	    pmadv_write_result(uresult, &call.walk.result))
		ret = -EFAULT;

	if (iov != iovstack)
		kfree(iov);
	return ret;
}

/* Advise one range with the checks of madvise(2). mmap_lock is held. */
static int pmadv_vector_range(struct mm_struct *mm, unsigned long start,
			      size_t len_in, int behavior,
			      struct madvise_batch *batch)
{
	size_t len = PAGE_ALIGN(len_in);

	if (!PAGE_ALIGNED(start) || len < len_in || start + len < start)
		return -EINVAL;
	if (!len)
		return 0;

	start = untagged_addr_remote(mm, start);
	return madvise_range_batched(mm, start, start + len, behavior, batch);
}

/*
 * Advise each range as madvise(2) does, up to the first error. mmap_lock is
 * released in between only if a writer waits for it.
 */
static int pmadv_vector(struct mm_struct *mm, struct iov_iter *iter,
			int behavior)
{
	struct madvise_batch batch = {};
	struct blk_plug plug;
	int ret = 0;

	blk_start_plug(&plug);
	mmap_read_lock(mm);
	while (iov_iter_count(iter)) {
		ret = pmadv_vector_range(mm, (unsigned long)iter_iov_addr(iter),
					 iter_iov_len(iter), behavior, &batch);
		if (ret < 0)
			break;
		iov_iter_advance(iter, iter_iov_len(iter));

		if (mmap_lock_is_contended(mm)) {
			mmap_read_unlock(mm);
			batch.drained = false;
			mmap_read_lock(mm);
		}
	}
	mmap_read_unlock(mm);
	blk_finish_plug(&plug);

	return ret;
}

static ssize_t process_madvise_vector(int pidfd, const struct iovec __user *vec,
				      size_t vlen, int behavior)
{
	ssize_t ret;
	struct iovec iovstack[UIO_FASTIOV];
	struct iovec *iov = iovstack;
	struct iov_iter iter;
	struct task_struct *task;
	struct mm_struct *mm;
	size_t total_len;
	unsigned int f_flags;

	ret = import_iovec(ITER_DEST, vec, vlen, ARRAY_SIZE(iovstack), &iov, &iter);
	if (ret < 0)
		goto out;

	task = pidfd_get_task(pidfd, &f_flags);
	if (IS_ERR(task)) {
		ret = PTR_ERR(task);
		goto free_iov;
	}

	if (!process_madvise_behavior_valid(behavior)) {
		ret = -EINVAL;
		goto release_task;
	}

	/* Require PTRACE_MODE_READ to avoid leaking ASLR metadata. */
	mm = mm_access(task, PTRACE_MODE_READ_FSCREDS);
	if (IS_ERR(mm)) {
		ret = PTR_ERR(mm);
		goto release_task;
	}

	/*
	 * Require CAP_SYS_NICE for influencing process performance. Note that
	 * only non-destructive hints are currently supported.
	 */
	if (mm != current->mm && !capable(CAP_SYS_NICE)) {
		ret = -EPERM;
		goto release_mm;
	}

	total_len = iov_iter_count(&iter);
	ret = pmadv_vector(mm, &iter, behavior);
	ret = (total_len - iov_iter_count(&iter)) ? : ret;

release_mm:
	mmput(mm);
release_task:
	put_task_struct(task);
free_iov:
	kfree(iov);
out:
	return ret;
}

SYSCALL_DEFINE6(process_madvise, int, pidfd, const struct iovec __user *, vec,
		size_t, vlen, int, behavior, unsigned int, flags,
		struct pmadv_result __user *, result)
{
	if (!flags)
		return process_madvise_vector(pidfd, vec, vlen, behavior);
	return process_madvise_flags(pidfd, vec, vlen, behavior, flags, result);
}

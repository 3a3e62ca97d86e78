/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a BPF policy sees of process_madvise(2).
 *
 * A policy is a struct_ops map of type struct process_madvise_ops. It decides
 * which advice each range of another process's memory gets; only calls of
 * process_madvise(2) with PMADV_POLICY ask it. Everything here is for in-kernel
 * BPF programs, which find it through BTF: it may change between releases. The
 * stable part is in <uapi/linux/process_madvise.h>.
 */
#ifndef _LINUX_PROCESS_MADVISE_H
#define _LINUX_PROCESS_MADVISE_H

#include <linux/types.h>
#include <uapi/linux/process_madvise.h>

struct cgroup;
struct task_struct;
struct vm_area_struct;

/**
 * enum pmadv_verdict - answers of a policy, besides the advice itself
 *
 * The advice is one of MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_COLLAPSE.
 * Any other answer is invalid: nothing is done, the range counts as refused,
 * and PMADV_MAX_INVALID of them in one call are an error of the policy. No verdict is
 * negative or near a MADV_ constant: an errno that a policy returns by mistake
 * is never taken for one.
 *
 * @PMADV_SKIP: Do nothing with this range. It is 0, so that an empty program
 *	does nothing; MADV_NORMAL, which is 0 as well, is not an advice here.
 * @PMADV_CALLER: Give the advice that the caller proposed, if any.
 * @PMADV_STOP: Do nothing with this range and end the call.
 */
enum pmadv_verdict {
	PMADV_SKIP	= 0,
	PMADV_CALLER	= 0x1000,
	PMADV_STOP	= 0x1001,
};

/**
 * enum pmadv_modifier - how a policy's advice is carried out
 * @PMADV_SKIP_YOUNG: With COLD and PAGEOUT, spare pages accessed since the last
 *	walk, and clear their accessed bit for the next walk to see.
 */
enum pmadv_modifier {
	PMADV_SKIP_YOUNG	= 1U << 0,
};

/**
 * enum pmadv_pages_flag - what looking at pages does to them
 * @PMADV_CLEAR_YOUNG: Clear the accessed bits of those that no other process maps;
 *	whoever else goes by accesses learns of them. Not in a dry run.
 */
enum pmadv_pages_flag {
	PMADV_CLEAR_YOUNG	= 1U << 0,
};

/**
 * enum pmadv_vma_flag - facts about the mapping a policy is asked about
 * @PMADV_VMA_READ: Readable.
 * @PMADV_VMA_WRITE: Writable.
 * @PMADV_VMA_EXEC: Executable.
 * @PMADV_VMA_ANON: Anonymous memory.
 * @PMADV_VMA_FILE: Maps a file that is not on shmem, tmpfs or hugetlbfs.
 * @PMADV_VMA_SHMEM: Maps shmem: tmpfs, memfd, System V, shared anonymous.
 * @PMADV_VMA_SHARED: MAP_SHARED.
 * @PMADV_VMA_STACK: The main thread's stack, or one that grows down.
 * @PMADV_VMA_HEAP: The brk heap.
 * @PMADV_VMA_LOCKED: Locked with mlock(2).
 * @PMADV_VMA_HUGETLB: Backed by hugetlbfs.
 * @PMADV_VMA_SPECIAL: Device memory, vDSO and others without ordinary pages.
 * @PMADV_VMA_NAMED: Anonymous memory with a name (PR_SET_VMA_ANON_NAME).
 * @PMADV_VMA_SEALED: Sealed with mseal(2).
 * @PMADV_VMA_HUGEPAGE: Its owner gave it MADV_HUGEPAGE.
 * @PMADV_VMA_UFFD: Registered with userfaultfd(2).
 */
enum pmadv_vma_flag {
	PMADV_VMA_READ		= 1U << 0,
	PMADV_VMA_WRITE		= 1U << 1,
	PMADV_VMA_EXEC		= 1U << 2,
	PMADV_VMA_ANON		= 1U << 3,
	PMADV_VMA_FILE		= 1U << 4,
	PMADV_VMA_SHMEM		= 1U << 5,
	PMADV_VMA_SHARED	= 1U << 6,
	PMADV_VMA_STACK		= 1U << 7,
	PMADV_VMA_HEAP		= 1U << 8,
	PMADV_VMA_LOCKED	= 1U << 9,
	PMADV_VMA_HUGETLB	= 1U << 10,
	PMADV_VMA_SPECIAL	= 1U << 11,
	PMADV_VMA_NAMED		= 1U << 12,
	PMADV_VMA_SEALED	= 1U << 13,
	PMADV_VMA_HUGEPAGE	= 1U << 14,
	PMADV_VMA_UFFD		= 1U << 15,
};

/**
 * enum pmadv_outcome - what became of a range
 * @PMADV_ADVISED: It got the advice (or would: PMADV_DRY_RUN).
 * @PMADV_SKIPPED: The policy wanted nothing done.
 * @PMADV_REFUSED: The kernel does not allow that advice there.
 * @PMADV_FAILED: The advice was tried and failed.
 */
enum pmadv_outcome {
	PMADV_ADVISED,
	PMADV_SKIPPED,
	PMADV_REFUSED,
	PMADV_FAILED,
};

/**
 * enum pmadv_exit_kind - why a policy is no longer in force
 *
 * Kinds from PMADV_EXIT_INVALID on are ejections: the kernel took the policy
 * out because of what it did, to a target that can't have provoked it.
 *
 * @PMADV_EXIT_NONE: It is in force.
 * @PMADV_EXIT_DETACHED: Its link was closed, unpinned or detached.
 * @PMADV_EXIT_REPLACED: Its link was updated to another policy.
 * @PMADV_EXIT_CGROUP: The cgroup it was attached to was removed.
 * @PMADV_EXIT_ADMIN: All policies were detached through sysfs.
 * @PMADV_EXIT_INVALID: PMADV_MAX_INVALID invalid verdicts in one call.
 * @PMADV_EXIT_NO_PROGRESS: It narrowed a range to nothing or widened it.
 * @PMADV_EXIT_ERROR: It called bpf_pmadv_error().
 * @PMADV_EXIT_SLOW: PMADV_MAX_SLOW answers in a row took longer than
 *	PMADV_MAX_ADVISE_NS, or one a hundred times as long.
 */
enum pmadv_exit_kind {
	PMADV_EXIT_NONE		= 0,
	PMADV_EXIT_DETACHED	= 1,
	PMADV_EXIT_REPLACED	= 2,
	PMADV_EXIT_CGROUP	= 3,
	PMADV_EXIT_ADMIN	= 4,
	PMADV_EXIT_INVALID	= 64,
	PMADV_EXIT_NO_PROGRESS	= 65,
	PMADV_EXIT_ERROR	= 66,
	PMADV_EXIT_SLOW		= 67,
};

/**
 * enum pmadv_limit - limits of a policy
 * @PMADV_NAME_LEN: Size of a policy's name, with its NUL.
 * @PMADV_EXIT_MSG_LEN: Size of an exit message, with its NUL.
 * @PMADV_MAX_INVALID: So many invalid verdicts in one call are an error.
 * @PMADV_MAX_SAMPLE: Pages that one sample may look at.
 * @PMADV_MAX_PAGES: Pages of one page table that can be told apart.
 * @PMADV_MAX_ADVISE_NS: Time that one answer may take, in nanoseconds.
 * @PMADV_MAX_SLOW: So many answers in a row that take longer are an error.
 */
enum pmadv_limit {
	PMADV_NAME_LEN		= 16,
	PMADV_EXIT_MSG_LEN	= 128,
	PMADV_MAX_INVALID	= 64,
	PMADV_MAX_SAMPLE	= 64,
	PMADV_MAX_PAGES		= 512,
	PMADV_MAX_ADVISE_NS	= 10000000,
	PMADV_MAX_SLOW		= 8,
};

/**
 * struct pmadv_walk - one call of process_madvise(2)
 * @flags: enum pmadv_flag, with those that others imply.
 * @advice: The caller's proposal, a MADV_ constant, or 0.
 * @result: Counts so far; &pmadv_result.call_id names the call.
 *
 * Read-only for policies.
 */
struct pmadv_walk {
	u32 flags;
	s32 advice;
	struct pmadv_result result;
};

/**
 * struct pmadv_range - the range a policy is asked about
 * @start: First address of the range, page aligned.
 * @end: Address after the range, page aligned. Writable: a policy may lower it
 *	(page aligned, above @start) to answer for the first part only, and is
 *	then asked about the rest.
 * @vma_start: First address of the mapping that @start is in.
 * @vma_end: Address after that mapping.
 * @max_pages: Writable: deactivate or isolate no more pages than this in the
 *	range; the rest of it is left as it is. 0 is no limit. It comes as 0 or,
 *	if the walk let a writer in before such a limit was reached, as what is
 *	left of it for the rest of that range; then it can only be lowered.
 * @vma_flags: enum pmadv_vma_flag.
 * @modifiers: Writable: enum pmadv_modifier, initially 0.
 * @advice: The caller's proposal, a MADV_ constant, or 0.
 * @walk_flags: enum pmadv_flag of the call.
 * @call_id: The call's number.
 */
struct pmadv_range {
	u64 start;
	u64 end;
	u64 vma_start;
	u64 vma_end;
	u64 max_pages;
	u32 vma_flags;
	u32 modifiers;
	s32 advice;
	u32 walk_flags;
	u64 call_id;
};

/**
 * struct pmadv_sample - what a sample of a range's pages showed
 * @looked_at: Pages sampled: all of the range if it has no more than asked
 *	for, else evenly spaced ones.
 * @present: Of those, pages in memory and mapped.
 * @young: Of @present, pages accessed since their accessed bit was cleared: by
 *	the processor, by another MMU (mmu_notifier_test_young()), or by one of
 *	the two before somebody else who tracks idle pages took the bit.
 * @dirty: Of @present, pages written to through this mapping.
 * @swapped: Pages swapped out.
 */
struct pmadv_sample {
	u32 looked_at;
	u32 present;
	u32 young;
	u32 dirty;
	u32 swapped;
};

/**
 * struct pmadv_pages - each page of a range
 * @present: Pages in memory and mapped.
 * @young: Of @present, pages accessed, as in struct pmadv_sample.
 * @dirty: Of @present, pages written to through this mapping.
 * @swapped: Pages swapped out.
 *
 * Page i of the range is bit i % 64 of element i / 64. Bits past the range are
 * clear.
 */
struct pmadv_pages {
	u64 present[PMADV_MAX_PAGES / 64];
	u64 young[PMADV_MAX_PAGES / 64];
	u64 dirty[PMADV_MAX_PAGES / 64];
	u64 swapped[PMADV_MAX_PAGES / 64];
};

/**
 * struct pmadv_exit_info - why a policy leaves
 * @kind: enum pmadv_exit_kind.
 * @code: The error code given to bpf_pmadv_error(), else 0.
 * @msg: The reason, in one line of text.
 */
struct pmadv_exit_info {
	u32 kind;
	s64 code;
	char msg[PMADV_EXIT_MSG_LEN];
};

/**
 * struct process_madvise_ops - a policy
 *
 * Every function is optional; without @advise every range is skipped. Unknown
 * bits in @flags and @inner_refused, an empty @name and a @cgroup_id that names no
 * cgroup are refused when the policy is attached.
 */
struct process_madvise_ops {
	/**
	 * @advise: Decide about one range. Not sleepable: mmap_lock of the
	 * target is held for reading from here until the advice was carried
	 * out, so what is advised is what was asked about. For the same reason
	 * it has to be quick: see PMADV_MAX_ADVISE_NS.
	 * @range: The range; see there for what may be written.
	 * @task: The target, as named by the caller's pidfd.
	 * @vma: The mapping that the range is part of.
	 *
	 * Return: the advice, a MADV_ constant, or an enum pmadv_verdict.
	 */
	s32 (*advise)(struct pmadv_range *range, struct task_struct *task,
		      struct vm_area_struct *vma);

	/**
	 * @advised: A range was dealt with, up to &pmadv_range.end. Not
	 * sleepable. Called for every range that @advise was asked about,
	 * unless the policy left meanwhile.
	 */
	void (*advised)(struct pmadv_range *range, struct pmadv_stats *stats);

	/**
	 * @begin: A call starts. May sleep; no lock is held. Runs for the caller.
	 *
	 * Return: 0 to go on, or a negative errno with which the call fails
	 * before anything is done. A positive value counts as -EINVAL.
	 */
	s32 (*begin)(struct pmadv_walk *walk, struct task_struct *task);

	/**
	 * @end: A call that @begin let through ends. May sleep; no lock is
	 * held. Not called if the policy left meanwhile.
	 */
	void (*end)(struct pmadv_walk *walk, struct pmadv_stats *stats);

	/**
	 * @init: The policy is about to be put in force. May sleep, but holds
	 * up whoever attaches or detaches struct_ops meanwhile.
	 *
	 * Return: 0, or a negative errno with which attaching fails.
	 */
	s32 (*init)(void);

	/**
	 * @exit: The policy is no longer in force, and nobody is inside it; the
	 * last call it gets. May sleep; runs in a kernel worker.
	 */
	void (*exit)(struct pmadv_exit_info *info);

	/**
	 * @cgroup_id: The scope: a cgroup (v2) and those of its descendants
	 * that have no policy of their own. 0 is the whole system.
	 */
	u64 cgroup_id;

	/** @flags: None is defined yet. */
	u64 flags;

	/**
	 * @inner_refused: Advice that policies of scopes inside this one can't
	 * give: bit n stands for the MADV_ constant n. What they answer is
	 * refused then, with EPERM; this policy itself is not bound by it.
	 */
	u64 inner_refused;

	/** @name: Shown in sysfs and in the kernel log. */
	char name[PMADV_NAME_LEN];
};

#ifdef CONFIG_PROCESS_MADVISE_BPF
void pmadv_cgroup_offline(struct cgroup *cgrp);
#else
static inline void pmadv_cgroup_offline(struct cgroup *cgrp)
{
}
#endif

#endif /* _LINUX_PROCESS_MADVISE_H */

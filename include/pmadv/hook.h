/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Constants of the hook, for policies and for user space that reads what they
 * did: verdicts, modifiers, facts about mappings, outcomes, exit kinds, limits.
 *
 * The kernel has them as enums, described in its include/linux/process_madvise.h
 * and found in its BTF; unlike <linux/process_madvise.h> they may change from one
 * release to the next. Here they are macros, so that a policy compiles with the
 * vmlinux.h of any kernel; include that first. A test compares the two.
 */
#ifndef _PMADV_HOOK_H
#define _PMADV_HOOK_H

/* enum pmadv_verdict: answers besides the four advices. None is negative. */
#define PMADV_SKIP		0	/* do nothing with this range */
#define PMADV_CALLER		0x1000	/* what the caller proposed, if anything */
#define PMADV_STOP		0x1001	/* do nothing, and end the call */

/* enum pmadv_modifier: how advice is carried out. */
#define PMADV_SKIP_YOUNG	(1U << 0)	/* spare pages in use, mark them */

/* enum pmadv_pages_flag: what looking at pages does to them. */
#define PMADV_CLEAR_YOUNG	(1U << 0)	/* take their accessed bits */

/* enum pmadv_vma_flag: facts about the mapping. */
#define PMADV_VMA_READ		(1U << 0)
#define PMADV_VMA_WRITE		(1U << 1)
#define PMADV_VMA_EXEC		(1U << 2)
#define PMADV_VMA_ANON		(1U << 3)	/* anonymous memory */
#define PMADV_VMA_FILE		(1U << 4)	/* a file, but none of: */
#define PMADV_VMA_SHMEM		(1U << 5)	/* tmpfs, memfd, shared anonymous */
#define PMADV_VMA_SHARED	(1U << 6)	/* MAP_SHARED */
#define PMADV_VMA_STACK		(1U << 7)	/* of the main thread, or grows down */
#define PMADV_VMA_HEAP		(1U << 8)	/* brk(2) */
#define PMADV_VMA_LOCKED	(1U << 9)	/* mlock(2) */
#define PMADV_VMA_HUGETLB	(1U << 10)	/* hugetlbfs */
#define PMADV_VMA_SPECIAL	(1U << 11)	/* no ordinary pages: devices, vDSO */
#define PMADV_VMA_NAMED		(1U << 12)	/* PR_SET_VMA_ANON_NAME */
#define PMADV_VMA_SEALED	(1U << 13)	/* mseal(2) */
#define PMADV_VMA_HUGEPAGE	(1U << 14)	/* MADV_HUGEPAGE */
#define PMADV_VMA_UFFD		(1U << 15)	/* userfaultfd(2) */

/* enum pmadv_outcome: what became of a range. */
#define PMADV_ADVISED		0	/* it got the advice, or would: dry run */
#define PMADV_SKIPPED		1	/* the policy wanted nothing done */
#define PMADV_REFUSED		2	/* the kernel does not allow that there */
#define PMADV_FAILED		3	/* the advice was tried and failed */

/* enum pmadv_exit_kind: why a policy left; from INVALID on, ejections. */
#define PMADV_EXIT_NONE		0	/* it is in force */
#define PMADV_EXIT_DETACHED	1	/* its link was closed or detached */
#define PMADV_EXIT_REPLACED	2	/* its link was updated */
#define PMADV_EXIT_CGROUP	3	/* its cgroup was removed */
#define PMADV_EXIT_ADMIN	4	/* detach_all in sysfs */
#define PMADV_EXIT_INVALID	64	/* invalid verdicts */
#define PMADV_EXIT_NO_PROGRESS	65	/* an end that no range can have */
#define PMADV_EXIT_ERROR	66	/* bpf_pmadv_error() */
#define PMADV_EXIT_SLOW		67	/* answers that took too long */

/* enum pmadv_limit */
#define PMADV_NAME_LEN		16	/* of a policy's name, with its NUL */
#define PMADV_EXIT_MSG_LEN	128	/* of an exit message, with its NUL */
#define PMADV_MAX_INVALID	64	/* invalid verdicts in a call: an error */
#define PMADV_MAX_SAMPLE	64	/* pages that one sample may look at */
#define PMADV_MAX_PAGES		512	/* of one page table, told apart */
#define PMADV_MAX_ADVISE_NS	10000000	/* that one answer may take */
#define PMADV_MAX_SLOW		8	/* slower ones in a row: an error */

#endif /* _PMADV_HOOK_H */

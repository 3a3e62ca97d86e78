/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * process_madvise(2): advice about another process's memory.
 *
 *	ssize_t process_madvise(int pidfd, const struct iovec *vec, size_t vlen,
 *				int advice, unsigned int flags,
 *				struct pmadv_result *result);
 *
 * With flags == 0 the call is what process_madvise(2) documents and the sixth
 * argument is not read. Everything below is opt-in, through the flags. Kernel
 * and user space share this one file; see Documentation/mm/process_madvise.rst
 * for what is guaranteed.
 */
#ifndef _UAPI_LINUX_PROCESS_MADVISE_H
#define _UAPI_LINUX_PROCESS_MADVISE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * enum pmadv_flag - flags of process_madvise(2)
 *
 * An unknown bit is refused with EINVAL before anything else is checked, so a
 * call that fails otherwise can probe for a flag.
 *
 * @PMADV_POLICY: Ask the policy in force for the target about every range.
 *	@advice is a proposal, which the policy may take, change or refuse; 0
 *	means no proposal, although MADV_NORMAL is 0, too: that advice is never
 *	accepted. Without a policy in force the call fails with ENOENT. Implies
 *	PMADV_SKIP_ERRORS.
 * @PMADV_ENTIRE_ADDRESS_SPACE: Walk everything the target has mapped. @vec
 *	must be NULL and @vlen 0, else EINVAL. Implies PMADV_SKIP_ERRORS.
 * @PMADV_SKIP_ERRORS: Count holes and ranges that cannot take the advice and
 *	go on. Without it, a call with flags ends at the first of them.
 * @PMADV_DRY_RUN: Decide and count, change nothing.
 * @PMADV_RESULT: The sixth argument points to a struct pmadv_result.
 */
enum pmadv_flag {
	PMADV_POLICY			= 1U << 0,
	PMADV_ENTIRE_ADDRESS_SPACE	= 1U << 1,
	PMADV_SKIP_ERRORS		= 1U << 2,
	PMADV_DRY_RUN			= 1U << 3,
	PMADV_RESULT			= 1U << 4,
};

/**
 * enum pmadv_stopped - why a call ended before the end of its ranges
 * @PMADV_STOPPED_NOT: It did not: all ranges were walked.
 * @PMADV_STOPPED_SIGNAL: The caller has a signal pending, or is to stop without
 *	one (frozen, traced): call again to go on.
 * @PMADV_STOPPED_POLICY: The policy answered PMADV_STOP.
 * @PMADV_STOPPED_DETACHED: The policy was detached or replaced meanwhile.
 * @PMADV_STOPPED_EJECTED: The kernel ejected the policy.
 * @PMADV_STOPPED_BUDGET: &pmadv_result.max_pages was reached.
 * @PMADV_STOPPED_EXITED: The target exited or executed another program.
 * @PMADV_STOPPED_ERROR: A range failed and PMADV_SKIP_ERRORS was not given.
 * @PMADV_STOPPED_STALE: The mapping that the VMA fd stands for is gone.
 * @PMADV_STOPPED_POLICY_ERROR: The policy erred about this target, and stays in
 *	force.
 */
enum pmadv_stopped {
	PMADV_STOPPED_NOT,
	PMADV_STOPPED_SIGNAL,
	PMADV_STOPPED_POLICY,
	PMADV_STOPPED_DETACHED,
	PMADV_STOPPED_EJECTED,
	PMADV_STOPPED_BUDGET,
	PMADV_STOPPED_EXITED,
	PMADV_STOPPED_ERROR,
	PMADV_STOPPED_STALE,
	PMADV_STOPPED_POLICY_ERROR,
};

/**
 * struct pmadv_stats - what happened to the pages, counted where it happened
 *
 * All but @time_ns count base pages. Only COLD and PAGEOUT look at single
 * pages; WILLNEED and COLLAPSE change @time_ns only.
 *
 * @scanned: Present pages looked at.
 * @young: Of @scanned, those accessed since their accessed bit was last
 *	cleared. With PMADV_SKIP_YOUNG they were left alone.
 * @shared: Of @scanned, those left alone because others map them, too, or
 *	because the caller may not page out the file they belong to.
 * @deactivated: Moved, or on their way, to the inactive list (COLD).
 * @isolated: Taken off the LRU to be reclaimed (PAGEOUT).
 * @reclaimed: Freed by the time the call went on. Pages whose write to a slow
 *	swap device is still under way are in @written_back only.
 * @written_back: Written, or being written, to swap or to their file.
 * @activated: Put back on the active list because reclaim could not free them:
 *	dirty file pages, pages without swap space, pinned pages.
 * @swapped: Not present because they were swapped out before.
 * @time_ns: Time spent deciding and acting, in nanoseconds.
 */
struct pmadv_stats {
	__u64 scanned;
	__u64 young;
	__u64 shared;
	__u64 deactivated;
	__u64 isolated;
	__u64 reclaimed;
	__u64 written_back;
	__u64 activated;
	__u64 swapped;
	__u64 time_ns;
};

/**
 * struct pmadv_result - what a call did, and where it can go on
 *
 * It is extensible, and grows at its end only. @size tells the kernel which
 * version the caller was built with. If the structure is larger than the
 * kernel's, the part that the kernel does not know must be zero (else E2BIG);
 * a structure smaller than PMADV_RESULT_SIZE_VER0 gives EINVAL. Zero it before
 * the first call.
 *
 * To go on after a call that ended early (@stopped is not 0), call again with
 * the same arguments and the structure as it came back: @cursor and
 * @cursor_index are read as the place to start. Counts are those of one call;
 * the sums over such calls are exact for bytes and pages. If the walk stopped
 * or let a writer in inside a range, the rest is decided afresh and counts as
 * another range.
 *
 * The structure is written whenever the arguments are valid, the target was
 * found and the caller has the rights, whatever the call returns.
 *
 * @size: In: sizeof(struct pmadv_result).
 * @stopped: Out: enum pmadv_stopped.
 * @max_pages: In: end the call after this many pages were deactivated or
 *	isolated, or this many pages' worth of address space got WILLNEED or
 *	COLLAPSE. A large folio is never divided for it, so the limit may be
 *	exceeded by less than one folio. 0: no limit.
 * @cursor: In: address to start from, in the range @cursor_index; 0 for the
 *	start of that range. Out: first address not dealt with, 0 when
 *	complete.
 * @cursor_index: In and out: index into @vec that @cursor belongs to.
 * @error: Out: errno of the first range that was refused or failed, 0 if none.
 * @error_addr: Out: where that range begins.
 * @call_id: Out: number of this call, which the tracepoints show, too.
 * @ranges_seen: Out: ranges decided; the sum of the four below.
 * @ranges_advised: Out: ranges that got advice (or would: PMADV_DRY_RUN).
 * @ranges_skipped: Out: ranges with which the policy wanted nothing done.
 * @ranges_refused: Out: ranges where the kernel does not allow the advice:
 *	locked, hugetlb or PFN-mapped memory, somebody else's file, an invalid
 *	verdict.
 * @ranges_failed: Out: ranges where the advice was tried and failed.
 * @holes: Out: unmapped gaps inside explicit ranges.
 * @bytes_advised: Out: length of address space that got advice, in bytes. Where
 *	a policy selected pages, theirs.
 * @yields: Out: releases of mmap_lock for a waiting writer; 0 under VMA locks.
 * @stats: Out: what happened to the pages.
 */
struct pmadv_result {
	__u32 size;
	__u32 stopped;
	__u64 max_pages;
	__u64 cursor;
	__u32 cursor_index;
	__u32 error;
	__u64 error_addr;
	__u64 call_id;
	__u64 ranges_seen;
	__u64 ranges_advised;
	__u64 ranges_skipped;
	__u64 ranges_refused;
	__u64 ranges_failed;
	__u64 holes;
	__u64 bytes_advised;
	__u64 yields;
	struct pmadv_stats stats;
};

#define PMADV_RESULT_SIZE_VER0	192	/* sizeof the first published struct */

/**
 * struct pidfd_vma - argument of ioctl(pidfd, PIDFD_GET_VMA)
 *
 * The call returns a file descriptor, close-on-exec, that stands for exactly
 * the mapping that is at @addr now. process_madvise(2) with flags takes it in
 * place of a pidfd; all ranges must lie in [@start, @end), else EINVAL. Once
 * any part of the mapping was unmapped, mapped over or moved, or the process
 * executed another program or exited, calls fail with ESTALE and poll(2)
 * reports EPOLLHUP. mprotect(2), splits, merges and growth leave it valid. It can be
 * passed on; the same rights are checked when it is opened and at each use:
 * PTRACE_MODE_READ_FSCREDS and, for another process, CAP_SYS_NICE.
 *
 * Errors: EINVAL (@flags), EFAULT, ESRCH, EACCES, EPERM, ENOMEM (nothing is
 * mapped at @addr, or the kernel is out of memory), EMFILE, ENFILE, EINTR; a
 * kernel that does not know the operation gives ENOTTY or EINVAL.
 *
 * @addr: In: an address in the target.
 * @flags: In: must be 0.
 * @start: Out: first address of the mapping.
 * @end: Out: address after it.
 */
struct pidfd_vma {
	__u64 addr;
	__u64 flags;
	__u64 start;
	__u64 end;
};

/* 0xFF is PIDFS_IOCTL_MAGIC; the number is out of the way of linux/pidfd.h. */
#define PIDFD_GET_VMA	_IOWR(0xFF, 0x60, struct pidfd_vma)

#endif /* _UAPI_LINUX_PROCESS_MADVISE_H */

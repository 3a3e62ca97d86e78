/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Direct use of process_madvise(2) from C11 and C++17, with every flag.
 *
 * Compile with -I include -I include/uapi (or with the headers installed).
 * Nothing is linked: all functions are thin and inline. Errors come as libc has
 * them, -1 and errno. A complete program is selftests/examples/example.c.
 */
#ifndef _PMADV_PROCESS_MADVISE_H
#define _PMADV_PROCESS_MADVISE_H

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/process_madvise.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise	440
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open		434
#endif
#ifndef MADV_COLD
#define MADV_COLD		20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pmadv_open - get a pidfd
 * @pid: The process.
 *
 * Return: the file descriptor, or -1 and errno.
 */
static inline int pmadv_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/**
 * pmadv_open_vma - get a VMA fd: exactly the mapping that is at an address now
 * @pidfd: Whose mapping.
 * @addr: An address in it.
 * @vma: What was found, its bounds among it.
 *
 * pmadv_call() and pmadv_call_all() take it in place of a pidfd, with ranges
 * inside its bounds, and fail with ESTALE once the mapping is gone; poll(2)
 * then gives EPOLLHUP. See ioctl PIDFD_GET_VMA in <linux/process_madvise.h>.
 *
 * Return: the file descriptor, close-on-exec, or -1 and errno.
 */
static inline int pmadv_open_vma(int pidfd, __u64 addr, struct pidfd_vma *vma)
{
	memset(vma, 0, sizeof(*vma));
	vma->addr = addr;
	return ioctl(pidfd, PIDFD_GET_VMA, vma);
}

/**
 * pmadv_call - process_madvise(2), with all its six arguments
 * @pidfd: The target, or a VMA fd.
 * @vec: Ranges in the target; NULL with PMADV_ENTIRE_ADDRESS_SPACE.
 * @vlen: How many; 0 with PMADV_ENTIRE_ADDRESS_SPACE.
 * @advice: A MADV_ constant; may be 0 with PMADV_POLICY.
 * @flags: enum pmadv_flag. PMADV_RESULT is set here if @result is given.
 * @result: Zeroed, or as the call before returned it; NULL if of no interest.
 *	Its size is filled in here.
 *
 * Return: bytes advised, or -1 and errno.
 */
static inline ssize_t pmadv_call(int pidfd, const struct iovec *vec, size_t vlen,
				 int advice, unsigned int flags,
				 struct pmadv_result *result)
{
	if (result) {
		result->size = sizeof(*result);
		flags |= PMADV_RESULT;
	}
	return (ssize_t)syscall(SYS_process_madvise, pidfd, vec, vlen, advice,
				flags, result);
}

/**
 * pmadv_stats_add - add up what happened to the pages
 * @sum: Counts so far; zeroed before the first.
 * @one: What is added.
 */
static inline void pmadv_stats_add(struct pmadv_stats *sum,
				   const struct pmadv_stats *one)
{
	sum->scanned += one->scanned;
	sum->young += one->young;
	sum->shared += one->shared;
	sum->deactivated += one->deactivated;
	sum->isolated += one->isolated;
	sum->reclaimed += one->reclaimed;
	sum->written_back += one->written_back;
	sum->activated += one->activated;
	sum->swapped += one->swapped;
	sum->time_ns += one->time_ns;
}

/**
 * pmadv_result_add - add up the counts of the calls that make one walk
 * @sum: What the calls before did; zeroed before the first.
 * @one: What this call did.
 *
 * Counts and times are summed; @sum keeps the first error, and takes the
 * latest reason for stopping, cursor and call number.
 */
static inline void pmadv_result_add(struct pmadv_result *sum,
				    const struct pmadv_result *one)
{
	sum->size = sizeof(*sum);
	sum->stopped = one->stopped;
	sum->cursor = one->cursor;
	sum->cursor_index = one->cursor_index;
	sum->call_id = one->call_id;
	if (!sum->error) {
		sum->error = one->error;
		sum->error_addr = one->error_addr;
	}
	sum->ranges_seen += one->ranges_seen;
	sum->ranges_advised += one->ranges_advised;
	sum->ranges_skipped += one->ranges_skipped;
	sum->ranges_refused += one->ranges_refused;
	sum->ranges_failed += one->ranges_failed;
	sum->holes += one->holes;
	sum->bytes_advised += one->bytes_advised;
	sum->yields += one->yields;
	pmadv_stats_add(&sum->stats, &one->stats);
}

/**
 * pmadv_stopped_by - what ended a walk, one of whose calls failed as a whole
 * @err: errno of the call, which wrote no &pmadv_result.stopped.
 *
 * Return: enum pmadv_stopped; PMADV_STOPPED_ERROR if none of them says it.
 */
static inline __u32 pmadv_stopped_by(int err)
{
	switch (err) {
	case EINTR:
		return PMADV_STOPPED_SIGNAL;
	case ENOENT:
		return PMADV_STOPPED_DETACHED;
	case ESRCH:
		return PMADV_STOPPED_EXITED;
	case ESTALE:
		return PMADV_STOPPED_STALE;
	default:
		return PMADV_STOPPED_ERROR;
	}
}

/**
 * pmadv_call_all - call, and call again as long as only signals end it early
 * @pidfd: The target.
 * @vec: As for pmadv_call().
 * @vlen: As for pmadv_call().
 * @advice: As for pmadv_call().
 * @flags: As for pmadv_call().
 * @sum: What was done by all calls together. &pmadv_result.max_pages,
 *	&pmadv_result.cursor and &pmadv_result.cursor_index are read as for one
 *	call, the rest is overwritten. max_pages holds for each of the calls.
 * @stop: Looked at after each signal: ends the walk if it points to a value
 *	other than 0, for a handler to set. May be NULL.
 *
 * &pmadv_result.stopped of @sum says how it ended; if that is not
 * PMADV_STOPPED_NOT, the same call with @sum as it is does the rest. A call may
 * fail after others that did something: because the process has exited
 * (PMADV_STOPPED_EXITED), the policy was detached (PMADV_STOPPED_DETACHED), the
 * mapping of a VMA fd is gone (PMADV_STOPPED_STALE), or anything else
 * (PMADV_STOPPED_ERROR; &pmadv_result.error is then the errno of that call,
 * &pmadv_result.error_addr where it was to go on).
 *
 * Return: bytes advised, or -1 and errno if none were and it failed.
 */
static inline ssize_t pmadv_call_all(int pidfd, const struct iovec *vec,
				     size_t vlen, int advice, unsigned int flags,
				     struct pmadv_result *sum,
				     const volatile int *stop)
{
	const struct pmadv_result from = *sum;
	struct pmadv_result one;
	ssize_t ret;

	memset(sum, 0, sizeof(*sum));
	sum->max_pages = from.max_pages;
	sum->cursor = from.cursor;
	sum->cursor_index = from.cursor_index;

	do {
		/* Counts are not carried over: the call may not get to write them. */
		memset(&one, 0, sizeof(one));
		one.max_pages = sum->max_pages;
		one.cursor = sum->cursor;
		one.cursor_index = sum->cursor_index;

		ret = pmadv_call(pidfd, vec, vlen, advice, flags, &one);
		/* Those that fail before the walk, or cannot write, do not say. */
		if (ret < 0 && !one.stopped)
			one.stopped = pmadv_stopped_by(errno);
		pmadv_result_add(sum, &one);
		if (ret < 0 && one.stopped == PMADV_STOPPED_ERROR) {
			sum->error = (__u32)errno;
			sum->error_addr = one.cursor;
		}
	} while (one.stopped == PMADV_STOPPED_SIGNAL && !(stop && *stop));

	if (ret < 0 && !sum->bytes_advised)
		return -1;
	return (ssize_t)sum->bytes_advised;
}

#ifdef __cplusplus
}
#endif

#endif /* _PMADV_PROCESS_MADVISE_H */

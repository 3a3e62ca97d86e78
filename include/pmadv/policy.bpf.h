/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything a policy (BPF side) includes.
 *
 * A policy is a struct process_madvise_ops in a .struct_ops.link map. Its
 * types, and what each member may do, come from the kernel's BTF (vmlinux.h);
 * include/linux/process_madvise.h in the kernel tree documents them. Constants
 * come from <pmadv/hook.h>; the advices and the prototypes of kfuncs, which BTF
 * does not carry, are declared here.
 *
 *	SEC("struct_ops/NAME_advise")
 *	s32 BPF_PROG(NAME_advise, struct pmadv_range *range,
 *		     struct task_struct *task, struct vm_area_struct *vma)
 *
 * range, task and vma may be read as far as the verifier lets; of them only
 * range->end, range->max_pages and range->modifiers may be written. None of
 * the pointers is valid after the function returned.
 */
#ifndef __PMADV_POLICY_BPF_H
#define __PMADV_POLICY_BPF_H

/* Declared below, with documentation, whatever the kernel's BTF carries. */
#define BPF_NO_KFUNC_PROTOTYPES

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <pmadv/hook.h>

/* The advices a policy may answer, besides enum pmadv_verdict. */
#define MADV_WILLNEED	3
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#define MADV_COLLAPSE	25

/* The kernel refuses COLD and PAGEOUT for such mappings: no need to ask. */
#define PMADV_VMA_OFF_LIMITS \
	(PMADV_VMA_LOCKED | PMADV_VMA_HUGETLB | PMADV_VMA_SPECIAL)

/*
 * kfuncs. All take the range that advise() or advised() was called with and
 * may be called from nowhere else; none sleeps, none changes the target.
 */

/**
 * bpf_pmadv_vma_name - the name of the mapping the range is part of
 * @range: The range the policy is asked about.
 * @buf: Where the name goes. Always a string when the call succeeds; a name
 *	that is too long is cut off.
 * @buf__sz: Size of @buf in bytes, 1 or more.
 *
 * The name is the one given with PR_SET_VMA_ANON_NAME (what /proc/PID/maps
 * shows inside "[anon:...]"), or the last component of the mapped file's path
 * (which for memfd_create() is "memfd:" and its name).
 *
 * Return: length of the name in @buf without its NUL; -ENOENT if the mapping
 * has no name, or from advised(), when there may be no mapping any more;
 * -EINVAL if @buf__sz is 0.
 */
extern int bpf_pmadv_vma_name(struct pmadv_range *range, char *buf,
			      u32 buf__sz) __ksym;

/**
 * bpf_pmadv_sample - look at some pages of the range
 * @range: The range the policy is asked about. If the policy has lowered
 *	range->end, only what is left is sampled.
 * @sample: What was found, counted in base pages.
 * @nr: How many pages to look at, 1 to PMADV_MAX_SAMPLE: evenly spaced ones,
 *	or all if the range has no more. The cost is that of so many page-table
 *	walks, for however large a range.
 *
 * Takes the page tables' locks one at a time, and clears nothing: asking twice
 * gives the same answer.
 *
 * Return: 0; -EINVAL if @nr is out of bounds, if range->end is not one the
 * range may have, or from advised(); -EOPNOTSUPP for hugetlb, DAX and special
 * mappings. @sample is zeroed unless the call succeeds.
 */
extern int bpf_pmadv_sample(struct pmadv_range *range,
			    struct pmadv_sample *sample, u32 nr) __ksym;

/**
 * bpf_pmadv_error - give up: eject this policy
 * @range: The range the policy is asked about.
 * @code: A number for whoever reads exit(info), for instance a negative errno.
 * @msg__str: One line for a person. A constant string, at most
 *	PMADV_EXIT_MSG_LEN - 1 bytes are kept.
 *
 * Whatever advise() returns then, nothing is done with the range, nor with the
 * rest of the walk. The first error wins: later ones are ignored. exit() runs
 * some time after the function returned, with PMADV_EXIT_ERROR, @code and
 * @msg__str, which the kernel log and sysfs show as well.
 */
extern void bpf_pmadv_error(struct pmadv_range *range, s64 code,
			    const char *msg__str) __ksym;

#endif /* __PMADV_POLICY_BPF_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything a policy (BPF side) includes.
 *
 *	SEC("struct_ops/NAME_advise")
 *	s32 BPF_PROG(NAME_advise, struct pmadv_range *range,
 *		     struct task_struct *task, struct vm_area_struct *vma)
 *	{
 *		return range->vma_flags & PMADV_VMA_ANON ? MADV_PAGEOUT : PMADV_SKIP;
 *	}
 *
 *	PMADV_POLICY(NAME, advise(NAME_advise));
 *
 * range, task and vma may be read as far as the verifier lets; of them only
 * range->end, range->max_pages and range->modifiers may be written. None of
 * the pointers is valid after the function returned.
 *
 * The object runs on every kernel from 5.15 on: through the hook where the
 * kernel has it, else through pmadv's engine, which is linked with it when it is
 * loaded. So it compiles with the vmlinux.h of any kernel: the types of the hook
 * are declared here, as flavours of the kernel's, which documents what each
 * member may do in include/linux/process_madvise.h. The constants are in
 * <pmadv/hook.h>.
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

#include <pmadv/policy_types.bpf.h>

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
 * may be called from nowhere else; none sleeps. Only bpf_pmadv_pages() with
 * PMADV_CLEAR_YOUNG changes anything of the target, its accessed bits.
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
			      u32 buf__sz) __weak __ksym;

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
			    struct pmadv_sample *sample, u32 nr) __weak __ksym;

/**
 * bpf_pmadv_pages - look at each page of the range
 * @range: The range the policy is asked about, at most a page table of it: the
 *	policy lowers range->end first. pmadv_one_table() does.
 * @pages: What was found. Page i of the range is bit i % 64 of element i / 64.
 *	It takes half of a program's stack: keep it in a map, by CPU.
 * @flags: 0 to only look, or PMADV_CLEAR_YOUNG: clear the accessed bits of the
 *	pages that COLD or PAGEOUT would reach, so that the next look shows what
 *	was accessed in between. Whoever else goes by accesses, reclaim for one,
 *	learns of them. A dry run clears nothing.
 *
 * A huge page has one accessed bit, for all of it, whatever part of it the range
 * has.
 *
 * Through the engine, accessed bits are cleared by giving MADV_COLD to the young
 * pages, after the answer was carried out and except for those it was about: they
 * are the first to be reclaimed until they are used again. A page accessed between
 * the look and that may not look accessed the next time.
 *
 * Return: 0; -EINVAL for an unknown flag, if the range is empty or does not lie
 * within one page table, or from advised(); -EOPNOTSUPP for hugetlb, DAX and
 * special mappings, and through the engine where it cannot read page tables.
 */
extern int bpf_pmadv_pages(struct pmadv_range *range, struct pmadv_pages *pages,
			   u32 flags) __weak __ksym;

/**
 * bpf_pmadv_select - answer for some pages of the range only
 * @range: The range the policy is asked about.
 * @mask: The pages, as bpf_pmadv_pages() numbers them. It is copied.
 * @mask__sz: Size of @mask in bytes, a multiple of 8 from 8 to
 *	PMADV_MAX_PAGES / 8.
 *
 * The answer, MADV_COLD or MADV_PAGEOUT, then is for exactly these pages; a large
 * folio, or a huge page, of which only a part is selected is split. Any other
 * advice, a range that is not within one page table or has more pages than the
 * mask has bits, and any advice after this has failed are invalid verdicts.
 * Called again, it replaces the mask; for the next range there is none.
 *
 * Return: 0; -EINVAL for a wrong size, or from advised().
 */
extern int bpf_pmadv_select(struct pmadv_range *range, const u64 *mask,
			    u32 mask__sz) __weak __ksym;

/**
 * bpf_pmadv_error - give up
 * @range: The range the policy is asked about.
 * @code: A number for whoever reads exit(info), for instance a negative errno.
 * @msg__str: One line for a person. A constant string, at most
 *	PMADV_EXIT_MSG_LEN - 1 bytes are kept.
 *
 * Whatever advise() returns then, nothing is done with the range, nor with the
 * rest of the walk. The first error wins: later ones are ignored. If the target
 * has CAP_SYS_ADMIN, the policy is ejected: exit() runs some time after the
 * function returned, with PMADV_EXIT_ERROR, @code and @msg__str, which the kernel
 * log and sysfs show as well. Any other target may have provoked the error: it
 * goes to the log, is counted, and the policy stays in force.
 */
extern void bpf_pmadv_error(struct pmadv_range *range, s64 code,
			    const char *msg__str) __weak __ksym;

/*
 * On a kernel without the hook its kfuncs are functions of pmadv's engine, which
 * take the place of these when the two objects are linked. Whether the kfunc is
 * there decides the branch when the program is loaded: it costs nothing.
 */
#ifdef PMADV_ENGINE
__hidden int pmadv_engine_vma_name(struct pmadv_range *range, char *buf,
				   u32 buf__sz);
__hidden int pmadv_engine_sample(struct pmadv_range *range,
				 struct pmadv_sample *sample, u32 nr);
__hidden int pmadv_engine_pages(struct pmadv_range *range,
				struct pmadv_pages *pages, u32 flags);
__hidden int pmadv_engine_select(struct pmadv_range *range, const u64 *mask,
				 u32 mask__sz);
__hidden int pmadv_engine_error(struct pmadv_range *range, s64 code,
				const char *msg__str);
#else
__hidden __weak int pmadv_engine_vma_name(struct pmadv_range *range, char *buf,
					  u32 buf__sz)
{
	return -95;	/* EOPNOTSUPP */
}

__hidden __weak int pmadv_engine_sample(struct pmadv_range *range,
					struct pmadv_sample *sample, u32 nr)
{
	return -95;	/* EOPNOTSUPP */
}

__hidden __weak int pmadv_engine_pages(struct pmadv_range *range,
				       struct pmadv_pages *pages, u32 flags)
{
	return -95;	/* EOPNOTSUPP */
}

__hidden __weak int pmadv_engine_select(struct pmadv_range *range,
					const u64 *mask, u32 mask__sz)
{
	return -95;	/* EOPNOTSUPP */
}

__hidden __weak int pmadv_engine_error(struct pmadv_range *range, s64 code,
				       const char *msg__str)
{
	return 0;
}
#endif

#define bpf_pmadv_vma_name(range, buf, buf__sz)				\
	(bpf_ksym_exists(bpf_pmadv_vma_name) ?				\
		 bpf_pmadv_vma_name(range, buf, buf__sz) :		\
		 pmadv_engine_vma_name(range, buf, buf__sz))
#define bpf_pmadv_sample(range, sample, nr)				\
	(bpf_ksym_exists(bpf_pmadv_sample) ?				\
		 bpf_pmadv_sample(range, sample, nr) :			\
		 pmadv_engine_sample(range, sample, nr))
#define bpf_pmadv_pages(range, pages, flags)				\
	(bpf_ksym_exists(bpf_pmadv_pages) ?				\
		 bpf_pmadv_pages(range, pages, flags) :			\
		 pmadv_engine_pages(range, pages, flags))
#define bpf_pmadv_select(range, mask, mask__sz)				\
	(bpf_ksym_exists(bpf_pmadv_select) ?				\
		 bpf_pmadv_select(range, mask, mask__sz) :		\
		 pmadv_engine_select(range, mask, mask__sz))
#define bpf_pmadv_error(range, code, msg__str)				\
	(bpf_ksym_exists(bpf_pmadv_error) ?				\
		 bpf_pmadv_error(range, code, msg__str) :		\
		 (void)pmadv_engine_error(range, code, msg__str))

/* Lower the end of a range to that of the page table that it begins in. */
static __always_inline void pmadv_one_table(struct pmadv_range *range)
{
	u64 end = (range->start | (PMADV_MAX_PAGES * 4096 - 1)) + 1;

	if (range->end > end)
		range->end = end;
}

/**
 * PMADV_POLICY - make functions a policy
 * @_name: Its name, at most PMADV_NAME_LEN - 1 characters of a C identifier.
 * @...: Its members, each as MEMBER(VALUE), in any order: advise(), advised(),
 *	begin(), end(), init() and exit() take functions defined above with
 *	BPF_PROG(); cgroup_id() and flags() take numbers; inner_refused() takes
 *	advice that policies of cgroups inside this one's can't give, as
 *	1ULL << MADV_PAGEOUT, for instance: it is about the hook alone.
 *
 *	PMADV_POLICY(NAME, advise(NAME_advise), begin(NAME_begin));
 *
 * Once in an object, at its end. It makes the struct_ops map and, for the
 * engine, a hidden function for each member. Nothing refers to these, so where
 * the kernel has the hook nothing of them is loaded.
 */
#define PMADV_POLICY(_name, ...)					\
	__PMADV_EACH(__PMADV_FN_, __VA_ARGS__)				\
	SEC(".struct_ops.link")						\
	struct process_madvise_ops _name = {				\
		__PMADV_EACH(__PMADV_OP_, __VA_ARGS__)			\
		.name = #_name,						\
	}

/* Called as the kernel calls them, with an array of what BPF_PROG() takes. */
#define __PMADV_FN_S32(member, fn, ...)					\
	__hidden s32 pmadv_policy_##member(unsigned long long *ctx)	\
	{								\
		return ____##fn(ctx, ##__VA_ARGS__);			\
	}
#define __PMADV_FN_VOID(member, fn, ...)				\
	__hidden s32 pmadv_policy_##member(unsigned long long *ctx)	\
	{								\
		____##fn(ctx, ##__VA_ARGS__);				\
		return 0;						\
	}
#define __PMADV_FN_advise(fn) \
	__PMADV_FN_S32(advise, fn, (void *)ctx[0], (void *)ctx[1], (void *)ctx[2])
#define __PMADV_FN_advised(fn) \
	__PMADV_FN_VOID(advised, fn, (void *)ctx[0], (void *)ctx[1])
#define __PMADV_FN_begin(fn) \
	__PMADV_FN_S32(begin, fn, (void *)ctx[0], (void *)ctx[1])
#define __PMADV_FN_end(fn) \
	__PMADV_FN_VOID(end, fn, (void *)ctx[0], (void *)ctx[1])
#define __PMADV_FN_init(fn)		__PMADV_FN_S32(init, fn)
#define __PMADV_FN_exit(fn)		__PMADV_FN_VOID(exit, fn, (void *)ctx[0])
#define __PMADV_FN_cgroup_id(id)
#define __PMADV_FN_flags(bits)
#define __PMADV_FN_inner_refused(bits)

#define __PMADV_OP_advise(fn)		.advise = (void *)fn,
#define __PMADV_OP_advised(fn)		.advised = (void *)fn,
#define __PMADV_OP_begin(fn)		.begin = (void *)fn,
#define __PMADV_OP_end(fn)		.end = (void *)fn,
#define __PMADV_OP_init(fn)		.init = (void *)fn,
#define __PMADV_OP_exit(fn)		.exit = (void *)fn,
#define __PMADV_OP_cgroup_id(id)	.cgroup_id = id,
#define __PMADV_OP_flags(bits)		.flags = bits,
#define __PMADV_OP_inner_refused(bits)	.inner_refused = bits,

/* "advise(f)" behind __PMADV_FN_ is the call __PMADV_FN_advise(f). */
#define __PMADV_E1(do, m)	do##m
#define __PMADV_E2(do, m, ...)	do##m __PMADV_E1(do, __VA_ARGS__)
#define __PMADV_E3(do, m, ...)	do##m __PMADV_E2(do, __VA_ARGS__)
#define __PMADV_E4(do, m, ...)	do##m __PMADV_E3(do, __VA_ARGS__)
#define __PMADV_E5(do, m, ...)	do##m __PMADV_E4(do, __VA_ARGS__)
#define __PMADV_E6(do, m, ...)	do##m __PMADV_E5(do, __VA_ARGS__)
#define __PMADV_E7(do, m, ...)	do##m __PMADV_E6(do, __VA_ARGS__)
#define __PMADV_E8(do, m, ...)	do##m __PMADV_E7(do, __VA_ARGS__)
#define __PMADV_NTH(_1, _2, _3, _4, _5, _6, _7, _8, n, ...)	n
#define __PMADV_EACH(do, ...)						\
	__PMADV_NTH(__VA_ARGS__, __PMADV_E8, __PMADV_E7, __PMADV_E6,	\
		    __PMADV_E5, __PMADV_E4, __PMADV_E3, __PMADV_E2,	\
		    __PMADV_E1)(do, __VA_ARGS__)

#endif /* __PMADV_POLICY_BPF_H */

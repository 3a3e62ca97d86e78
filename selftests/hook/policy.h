/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by a hook test and its policy, bpf/policy.bpf.c. Plain types only:
 * both sides define __u32 and the like themselves.
 */
#ifndef SELFTESTS_HOOK_POLICY_H
#define SELFTESTS_HOOK_POLICY_H

#define HOOK_RULES	16
#define HOOK_SEEN	128
#define HOOK_NAME_LEN	32
/* Page tables that masks are kept for, and u64 of each. */
#define HOOK_TABLES	4
#define HOOK_WORDS	8

/**
 * enum hook_do - what else a rule makes the policy do
 * @HOOK_DO_NAME: Ask for the mapping's name.
 * @HOOK_DO_SAMPLE: Sample &hook_rule.sample_nr pages.
 * @HOOK_DO_SET_END: Set the range's end to &hook_rule.set_end, right or wrong.
 * @HOOK_DO_ERROR: Give up, twice, to see that the first error wins.
 * @HOOK_DO_ERROR_LATE: Give up when told that the range was advised.
 * @HOOK_DO_PAGES: Look at each page.
 * @HOOK_DO_SELECT: Select the pages of a mask.
 * @HOOK_DO_ONE_TABLE: Narrow the range to its page table.
 */
enum hook_do {
	HOOK_DO_NAME		= 1U << 0,
	HOOK_DO_SAMPLE		= 1U << 1,
	HOOK_DO_SET_END		= 1U << 2,
	HOOK_DO_ERROR		= 1U << 3,
	HOOK_DO_ERROR_LATE	= 1U << 4,
	HOOK_DO_PAGES		= 1U << 5,
	HOOK_DO_SELECT		= 1U << 6,
	HOOK_DO_ONE_TABLE	= 1U << 7,
};

/**
 * enum hook_hold - where the policy stays until the test lets it go on
 * @HOOK_HOLD_ADVISE: In advise(), where mmap_lock is held.
 * @HOOK_HOLD_BEGIN: In begin(), where it is not.
 * @HOOK_HOLD_INIT: In init(), before the policy is in force.
 * @HOOK_HOLD_EXIT: In exit(), when it is so no more.
 */
enum hook_hold {
	HOOK_HOLD_ADVISE	= 1U << 0,
	HOOK_HOLD_BEGIN		= 1U << 1,
	HOOK_HOLD_INIT		= 1U << 2,
	HOOK_HOLD_EXIT		= 1U << 3,
};

/**
 * struct hook_rule - what to answer for a stretch of addresses
 * @start: First address. A range is matched by where it begins.
 * @end: Address after the last one; the range is narrowed to it.
 * @step: Narrow the range to so many bytes; 0 does not.
 * @max_pages: Written to the range.
 * @rest_pages: Written instead to the rest of a range, unless 0.
 * @set_end: See HOOK_DO_SET_END.
 * @verdict: The answer.
 * @modifiers: Written to the range.
 * @todo: enum hook_do.
 * @sample_nr: See HOOK_DO_SAMPLE.
 */
struct hook_rule {
	__u64 start;
	__u64 end;
	__u64 step;
	__u64 max_pages;
	__u64 rest_pages;
	__u64 set_end;
	__s32 verdict;
	__u32 modifiers;
	__u32 todo;
	__u32 sample_nr;
};

/**
 * struct hook_seen - one range the policy was asked about
 * @start: The range as it came, and so on for what has the name of a member of
 *	struct pmadv_range.
 * @tgid: The target's.
 * @name_ret: What bpf_pmadv_vma_name() returned.
 * @name: What it wrote.
 * @sample_ret: What bpf_pmadv_sample() returned, and so on for what it wrote.
 * @advised: advised() was called, and so on for what that was told.
 */
struct hook_seen {
	__u64 start;
	__u64 end;
	__u64 vma_start;
	__u64 vma_end;
	__u64 max_pages;
	__u64 call_id;
	__u32 vma_flags;
	__u32 modifiers;
	__s32 advice;
	__u32 walk_flags;
	__s32 tgid;
	__s32 name_ret;
	char name[HOOK_NAME_LEN];
	__s32 sample_ret;
	__u32 looked_at;
	__u32 present;
	__u32 young;
	__u32 dirty;
	__u32 swapped;
	__u32 advised;
	__s32 late_name_ret;
	__s32 late_sample_ret;
	__u64 advised_end;
	__u64 scanned;
	__u64 reclaimed;
	__u64 deactivated;
};

#endif /* SELFTESTS_HOOK_POLICY_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of the policy by_name, shared by bpf/by_name.bpf.c and whoever
 * fills them before it is loaded.
 *
 * The policy has two knobs made of this:
 *
 *	const volatile struct pmadv_name_rule rules[PMADV_NAME_RULES];
 *	const volatile __u32 nr_rules;
 */
#ifndef __PMADV_BY_NAME_H
#define __PMADV_BY_NAME_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include <pmadv/knobs.h>

#define PMADV_NAME_RULES	32
#define PMADV_PATTERN_LEN	64

/**
 * struct pmadv_name_rule - one rule; the first that matches decides
 * @pattern: Matched against the whole name, with its NUL. '*' stands for any
 *	number of characters, '?' for one; there is no way to quote them. The
 *	name is the one of PR_SET_VMA_ANON_NAME, without "[anon:" and "]", or
 *	the last component of the mapped file's path.
 * @advice: The verdict: a MADV_ constant or enum pmadv_verdict.
 * @kind: Which mappings the rule is for: enum pmadv_vma_flag bits that a
 *	mapping must have, all of them. PMADV_VMA_NAMED for named anonymous
 *	memory, PMADV_VMA_FILE for files, 0 for whatever has a name.
 */
struct pmadv_name_rule {
	char pattern[PMADV_PATTERN_LEN] PMADV_KNOB_VMA_NAME;
	__s32 advice;
	__u32 kind PMADV_KNOB_VMA_FACTS;
};

#endif /* __PMADV_BY_NAME_H */

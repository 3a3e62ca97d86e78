/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a policy describes its knobs to whoever fills them before it is loaded, where
 * a type alone does not say it. Usable in BPF and in C; what is described stands in
 * the object's BTF, as declaration tags of the members of a structure.
 *
 * A table is an array of such structures, with its number of used elements in a
 * knob called nr_ and its name:
 *
 *	struct rule {
 *		char mapping[32] PMADV_KNOB_VMA_NAME;
 *		__u32 facts PMADV_KNOB_VMA_FACTS;
 *		__s32 advice;
 *	};
 *	const volatile struct rule rules[8];
 *	const volatile __u32 nr_rules;
 *
 * pmadv then takes what /proc/PID/maps shows: --set 'rules+=[anon:heap]=pageout' and
 * --set 'rules+=file:*.so=cold'. The number that follows is the first other integer
 * or enum of the structure; if its name ends with "advice" or "verdict", the words
 * for these are taken as well.
 */
#ifndef __PMADV_KNOBS_H
#define __PMADV_KNOBS_H

#if defined(__has_attribute)
#if __has_attribute(btf_decl_tag)
#define PMADV_KNOB_TAG(tag)	__attribute__((btf_decl_tag("pmadv:" tag)))
#endif
#endif

#ifndef PMADV_KNOB_TAG
#define PMADV_KNOB_TAG(tag)
#endif

/*
 * A string: the name of a mapping, as bpf_pmadv_vma_name() gives it. Of a file that
 * is the last component of its path: a '/' in such a name is refused.
 */
#define PMADV_KNOB_VMA_NAME	PMADV_KNOB_TAG("vma_name")

/*
 * A __u32 beside it: the facts (PMADV_VMA_*) that the mapping must have.
 * "[anon:NAME]" sets it to PMADV_VMA_NAMED, "file:NAME" to PMADV_VMA_FILE, and NAME
 * alone to 0.
 */
#define PMADV_KNOB_VMA_FACTS	PMADV_KNOB_TAG("vma_facts")

#endif /* __PMADV_KNOBS_H */

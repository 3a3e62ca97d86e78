/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For files of many small policies: ADVISE(name) { ... } POLICY(name); is one that
 * has an advise() and nothing else.
 */
#ifndef SELFTESTS_ADVISE_ONLY_BPF_H
#define SELFTESTS_ADVISE_ONLY_BPF_H

#include <pmadv/policy.bpf.h>

#define ADVISE(name)							\
SEC("struct_ops/" #name)						\
s32 BPF_PROG(name##_advise, struct pmadv_range *range,			\
	     struct task_struct *task, struct vm_area_struct *vma)

#define POLICY(what)							\
SEC(".struct_ops.link")							\
struct process_madvise_ops what = {					\
	.advise	= (void *)what##_advise,				\
	.name	= #what,						\
}

#endif /* SELFTESTS_ADVISE_ONLY_BPF_H */

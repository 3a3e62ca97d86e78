// SPDX-License-Identifier: GPL-2.0
/* bad: gets itself ejected, as told. For loader.sh. */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

enum how {
	HOW_NOT,
	HOW_ERROR,
	HOW_INVALID,
	HOW_NO_PROGRESS,
	HOW_INIT,
};

const volatile enum how how = HOW_NOT;

SEC("struct_ops/bad_advise")
s32 BPF_PROG(bad_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	switch (how) {
	case HOW_ERROR:
		bpf_pmadv_error(range, -7, "told to fail");
		return PMADV_SKIP;
	case HOW_INVALID:
		return 4;	/* MADV_DONTNEED loses data */
	case HOW_NO_PROGRESS:
		range->end = range->start;
		return MADV_COLD;
	default:
		return PMADV_SKIP;
	}
}

SEC("struct_ops.s/bad_init")
s32 BPF_PROG(bad_init)
{
	return how == HOW_INIT ? -5 : 0;
}

SEC(".struct_ops.link")
struct process_madvise_ops bad = {
	.advise	= (void *)bad_advise,
	.init	= (void *)bad_init,
	.name	= "bad",
};

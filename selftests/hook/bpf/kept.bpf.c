// SPDX-License-Identifier: GPL-2.0
/*
 * A policy that would own a range, which nobody counts references to. The
 * kernel must refuse the type already; so it is in an object of its own.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* A map keeps pointers of the kernel's own type, not of its flavour. */
#pragma push_macro("pmadv_range")
#undef pmadv_range
struct kept {
	struct pmadv_range __kptr *range;
};

/* What nothing looks into, the compiler only declares. */
static __always_inline u64 kept_start(struct kept *k)
{
	return k->range ? k->range->start : 0;
}
#pragma pop_macro("pmadv_range")

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kept);
} keep SEC(".maps");

SEC("struct_ops/kept_advise")
s32 BPF_PROG(kept_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	struct kept *k;
	u32 key = 0;

	k = bpf_map_lookup_elem(&keep, &key);
	if (k && !kept_start(k))
		bpf_kptr_xchg(&k->range, (void *)range);
	return PMADV_SKIP;
}

SEC(".struct_ops.link")
struct process_madvise_ops kept = {
	.advise	= (void *)kept_advise,
	.name	= "kept",
};

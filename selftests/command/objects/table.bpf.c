// SPDX-License-Identifier: GPL-2.0
/* A policy that answers as its knobs say, for the table in engine.sh. */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __s32 answer;
/* Answer each page with another of what is no verdict; the pages behind them: skip. */
const volatile __u32 no_verdicts;
const volatile __u32 modifiers;
const volatile __u64 max_pages;
/* Narrow each range to so many bytes; 0: leave it. */
const volatile __u64 piece;
/* Answer only for mappings with all of these facts, and none of those. */
const volatile __u32 with;
const volatile __u32 without;
/* Answer only if all of so many sampled pages are in memory. */
const volatile __u32 sample;
/* Answer only if of each page is so: 1: it is in memory, 2: and was not accessed. */
const volatile __u32 look;
const volatile __u32 look_flags;
/* Answer only for these of the first 64 pages; no such size: for all. */
const volatile __u64 mask;
const volatile __u32 mask_size;
/* 1: widen the range, 2: narrow it to nothing, 3: give up, 4: an odd end. */
const volatile __u32 bad;
const volatile __s32 refuse_init;
const volatile __s32 refuse_begin;

/* Advice that loses data, that changes what the owner sees, or that is none; then skip. */
static const __s32 invalid[64] = {
	1, 2, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 22, 23, 24, 100, 101, 102,
	103, 5, 26, 1 << 20, MADV_COLD | 1 << 16, PMADV_CALLER - 1, PMADV_STOP + 1,
	2147483647, -1, -2, -3, -2147483647 - 1,
};

/* What was called, for who reads it while it is pinned. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} pmadv_table SEC(".maps");

enum { INIT, BEGIN, ADVISE, ADVISED, END, EXIT, EXIT_KIND, BYTES };

static void count(__u32 what, __u64 by)
{
	__u64 *counter = bpf_map_lookup_elem(&pmadv_table, &what);

	if (counter)
		__sync_fetch_and_add(counter, by);
}

SEC("struct_ops.s/table_init")
s32 BPF_PROG(table_init)
{
	count(INIT, 1);
	return refuse_init;
}

SEC("struct_ops.s/table_begin")
s32 BPF_PROG(table_begin, struct pmadv_walk *walk, struct task_struct *task)
{
	count(BEGIN, 1);
	return refuse_begin;
}

static bool misbehave(struct pmadv_range *range)
{
	switch (bad) {
	case 1:
		range->end += 4096;
		return true;
	case 2:
		range->end = range->start;
		return true;
	case 3:
		bpf_pmadv_error(range, 42, "it was told to");
		return true;
	case 4:
		range->end -= 1;
		return true;
	default:
		return false;
	}
}

/* Half of a stack, and Linux 6.1 has no room for it below the engine's. */
static struct pmadv_pages seen;

/* Of a range of at most 64 pages. */
static bool looks_so(struct pmadv_range *range)
{
	u64 pages = (range->end - range->start) / 4096;

	if (!look)
		return true;
	if (bpf_pmadv_pages(range, &seen, look_flags) || !pages || pages > 64 ||
	    seen.present[0] != ~0ULL >> (64 - pages))
		return false;
	return look == 1 || !seen.young[0];
}

static __s32 no_verdict(struct pmadv_range *range)
{
	__u64 page = (range->start - range->vma_start) / 4096;

	range->end = range->start + 4096;
	/* Or the verifier does not see the bound. */
	barrier_var(page);
	return invalid[page & 63];
}

static void choose(struct pmadv_range *range)
{
	u64 masks[PMADV_MAX_PAGES / 64] = { mask };
	u32 size = mask_size;

	if (size && size <= sizeof(masks))
		bpf_pmadv_select(range, masks, size);
}

SEC("struct_ops/table_advise")
s32 BPF_PROG(table_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	struct pmadv_sample sampled = {};

	count(ADVISE, 1);
	if ((range->vma_flags & with) != with || range->vma_flags & without)
		return PMADV_SKIP;
	if (misbehave(range))
		return MADV_COLD;
	if (no_verdicts)
		return no_verdict(range);
	if (piece && range->end - range->start > piece)
		range->end = range->start + piece;
	if (sample && (bpf_pmadv_sample(range, &sampled, sample) ||
		       sampled.present != sampled.looked_at))
		return PMADV_SKIP;
	if (!looks_so(range))
		return PMADV_SKIP;
	choose(range);
	range->modifiers = modifiers;
	range->max_pages = max_pages;
	return answer;
}

SEC("struct_ops/table_advised")
void BPF_PROG(table_advised, struct pmadv_range *range, struct pmadv_stats *stats)
{
	count(ADVISED, 1);
}

SEC("struct_ops.s/table_end")
void BPF_PROG(table_end, struct pmadv_walk *walk, struct pmadv_stats *stats)
{
	count(END, 1);
	count(BYTES, walk->result.bytes_advised);
}

SEC("struct_ops.s/table_exit")
void BPF_PROG(table_exit, struct pmadv_exit_info *info)
{
	count(EXIT, 1);
	count(EXIT_KIND, info->kind);
}

PMADV_POLICY(table, init(table_init), begin(table_begin), advise(table_advise),
	     advised(table_advised), end(table_end), exit(table_exit));

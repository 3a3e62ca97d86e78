// SPDX-License-Identifier: GPL-2.0
/*
 * Policies of the torture. None knows what it wants: calm answers anything that
 * is an answer, rude also what is none, and is ejected for it. For tests only.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

#define PAGE	4096UL

/* A seed repeats what they answer, as far as walks come in the same order. */
__u64 seed = 1;
__u64 asked;
__u64 inits;
__u64 exits;
__u64 ejections;

static u64 random(void)
{
	u64 x = seed + __sync_fetch_and_add(&asked, 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static s32 verdict(u64 r)
{
	switch (r & 15) {
	case 0 ... 5:
		return MADV_PAGEOUT;
	case 6 ... 9:
		return MADV_COLD;
	case 10:
		return MADV_WILLNEED;
	case 11:
		return MADV_COLLAPSE;
	case 12 ... 13:
		return PMADV_CALLER;
	case 14:
		return r & 0x700 ? PMADV_SKIP : PMADV_STOP;
	}
	return PMADV_SKIP;
}

/* Any part of the range from its start, any cap, with or without modifiers. */
static void narrow(struct pmadv_range *range, u64 r)
{
	u64 pages = (range->end - range->start) / PAGE;

	if (r & 1 && pages)
		range->end = range->start + (1 + (r >> 8) % pages) * PAGE;
	if (r & 2)
		range->max_pages = (r >> 16) % 64;
	if (r & 4)
		range->modifiers = PMADV_SKIP_YOUNG;
}

static void look(struct pmadv_range *range, u64 r)
{
	struct pmadv_sample sample;
	char name[16];

	bpf_pmadv_vma_name(range, name, sizeof(name));
	bpf_pmadv_sample(range, &sample, r % (PMADV_MAX_SAMPLE + 2));
}

/* Some pages of the range, often after a look at them. */
static void choose(struct pmadv_range *range, u64 r)
{
	u64 mask[PMADV_MAX_PAGES / 64];
	struct pmadv_pages pages;
	u32 i;

	if (r & 1)
		bpf_pmadv_pages(range, &pages, r >> 1 & PMADV_CLEAR_YOUNG);
	for (i = 0; i < PMADV_MAX_PAGES / 64; i++)
		mask[i] = r & 4 ? random() : ~0ULL << (r >> 8 & 63);
	bpf_pmadv_select(range, mask, sizeof(mask));
}

SEC("struct_ops/calm_advise")
s32 BPF_PROG(calm_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	u64 r = random();

	narrow(range, r >> 32);
	if (r & 0x100000)
		look(range, r >> 48);
	if (r & 0x600000)
		return verdict(r);
	pmadv_one_table(range);
	choose(range, random());
	return r & 1 ? MADV_PAGEOUT : MADV_COLD;
}

SEC("struct_ops/rude_advise")
s32 BPF_PROG(rude_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	u64 r = random();

	if (!(r & 15))
		return r >> 32;
	if (!(r & 0xfff0))
		range->end = r >> 16;
	if (!(r & 0xfff0000))
		bpf_pmadv_error(range, r, "because");
	if (r & 0x10000000)
		range->modifiers = r >> 40;
	/* Mostly too long for it. */
	if (!(r & 0xe0000000))
		choose(range, r >> 40);
	return verdict(r >> 32);
}

SEC("struct_ops/both_advised")
void BPF_PROG(both_advised, struct pmadv_range *range,
	      struct pmadv_stats *stats)
{
	range->end = ~0ULL;
}

/* Nobody may be kept waiting for long, so it fails now and then instead. */
SEC("struct_ops.s/both_begin")
s32 BPF_PROG(both_begin, struct pmadv_walk *walk, struct task_struct *task)
{
	return random() % 64 ? 0 : -11;
}

SEC("struct_ops.s/both_end")
void BPF_PROG(both_end, struct pmadv_walk *walk, struct pmadv_stats *stats)
{
}

SEC("struct_ops.s/both_init")
s32 BPF_PROG(both_init)
{
	__sync_fetch_and_add(&inits, 1);
	return 0;
}

SEC("struct_ops.s/both_exit")
void BPF_PROG(both_exit, struct pmadv_exit_info *info)
{
	__sync_fetch_and_add(&exits, 1);
	if (info->kind >= PMADV_EXIT_INVALID)
		__sync_fetch_and_add(&ejections, 1);
}

#define POLICY(what, advises)						\
SEC(".struct_ops.link")							\
struct process_madvise_ops what = {					\
	.advise		= (void *)advises##_advise,			\
	.advised	= (void *)both_advised,				\
	.begin		= (void *)both_begin,				\
	.end		= (void *)both_end,				\
	.init		= (void *)both_init,				\
	.exit		= (void *)both_exit,				\
	.name		= #what,					\
}

/* Two of each: a link is updated from one to the other. */
POLICY(calm, calm);
POLICY(calm_twin, calm);
POLICY(rude, rude);
POLICY(rude_twin, rude);

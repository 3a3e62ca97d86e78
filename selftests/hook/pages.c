// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: a policy that sees each page and answers for some of them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>

#include "hook.h"

#define TABLE_PAGES	(HUGE / PAGE)
#define MTHP		"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/"
#define MTHP_PAGES	16

/* The pages of the target in one page table, so that one range has them all. */
static int setup_pages(struct hook *h)
{
	int err = hook_setup_attached(h);

	if (err)
		return err;
	h->addr = target_call(&h->target, do_map_filled, h->len, 1, 1);
	return h->addr ? 0 : -ENOMEM;
}

static bool bit(const __u64 *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* Have the policy look at the first page table of the target's memory. */
static void look(struct hook *h, unsigned int pages_flags, unsigned int flags)
{
	hook_reset(h->skel);
	h->skel->bss->pages_flags = pages_flags;
	hook_rule(h->skel, h->addr, h->addr + h->len, PMADV_SKIP)->todo =
		HOOK_DO_PAGES | HOOK_DO_ONE_TABLE;
	EXPECT_EQ(hook_walk(h, 0, flags), 0);
	EXPECT_EQ(h->skel->bss->pages_ret, 0);
}

static void expect_bits(const __u64 *bits, size_t from, size_t to,
			const char *what)
{
	size_t i;

	for (i = 0; i < HOOK_WORDS * 64; i++)
		if (!EXPECT(bit(bits, i) == (i >= from && i < to), ": %s, page %zu",
			    what, i))
			return;
}

/* 64 pages: the first 16 swapped, one gone, the last 8 used since. */
static void run_pages(struct hook *h)
{
	typeof(h->skel->bss->pages) *seen = &h->skel->bss->pages;
	struct hook_rule *rule;

	look(h, 0, 0);
	expect_bits(seen->present, 0, 64, "present");
	expect_bits(seen->young, 0, 64, "young");
	expect_bits(seen->dirty, 0, 64, "dirty");
	expect_bits(seen->swapped, 0, 0, "swapped");

	hook_reset(h->skel);
	hook_rule(h->skel, h->addr, h->addr + 16 * PAGE, MADV_PAGEOUT);
	rule = hook_rule(h->skel, h->addr + 16 * PAGE, h->addr + h->len,
			 MADV_COLD);
	rule->modifiers = PMADV_SKIP_YOUNG;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	target_call(&h->target, do_read, h->addr + 56 * PAGE, 8 * PAGE, 0);
	EXPECT_EQ(target_call(&h->target, do_madvise, h->addr + 16 * PAGE, PAGE,
			      MADV_DONTNEED), 0);

	look(h, 0, 0);
	expect_bits(seen->present, 17, 64, "present");
	expect_bits(seen->young, 56, 64, "young");
	expect_bits(seen->dirty, 17, 64, "dirty");
	expect_bits(seen->swapped, 0, 16, "swapped");

	/* Looking changed nothing. */
	look(h, 0, 0);
	expect_bits(seen->young, 56, 64, "young");
}

static void run_pages_clear(struct hook *h)
{
	typeof(h->skel->bss->pages) *seen = &h->skel->bss->pages;

	look(h, PMADV_CLEAR_YOUNG, PMADV_DRY_RUN);
	expect_bits(seen->young, 0, 64, "young");
	look(h, PMADV_CLEAR_YOUNG, 0);
	expect_bits(seen->young, 0, 64, "young");
	look(h, 0, 0);
	expect_bits(seen->young, 0, 0, "young");
	expect_bits(seen->present, 0, 64, "present");

	target_call(&h->target, do_read, h->addr + 8 * PAGE, 24 * PAGE, 0);
	look(h, PMADV_CLEAR_YOUNG, 0);
	expect_bits(seen->young, 8, 32, "young");
	look(h, PMADV_CLEAR_YOUNG, 0);
	expect_bits(seen->young, 0, 0, "young");
	hook_expect_intact(h);
}

/* Memory that was only read: one huge page of zeroes, which everybody has. */
static void run_pages_zero(struct hook *h)
{
	typeof(h->skel->bss->pages) *seen = &h->skel->bss->pages;
	unsigned long base = target_call(&h->target, do_map, 2 * HUGE,
					 PROT_READ | PROT_WRITE, 0);

	if (!EXPECT(base, ""))
		return;
	h->addr = (base + HUGE - 1) / HUGE * HUGE;
	h->len = HUGE;
	EXPECT_EQ(target_call(&h->target, do_madvise, base, 2 * HUGE,
			      MADV_HUGEPAGE), 0);
	target_call(&h->target, do_read, h->addr, PAGE, 0);
	look(h, PMADV_CLEAR_YOUNG, 0);
	if (!bit(seen->present, TABLE_PAGES - 1)) {
		hook_skip("no huge page of zeroes was to be had");
		return;
	}
	expect_bits(seen->present, 0, TABLE_PAGES, "present");
	expect_bits(seen->dirty, 0, 0, "dirty");
	expect_bits(seen->swapped, 0, 0, "swapped");
}

static void run_pages_wrong(struct hook *h)
{
	struct hook_rule *rule;

	hook_reset(h->skel);
	rule = hook_rule(h->skel, h->addr, h->addr + h->len, PMADV_SKIP);
	rule->todo = HOOK_DO_PAGES;
	h->skel->bss->pages_flags = 2;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->pages_ret, -EINVAL);
	EXPECT_EQ(h->skel->bss->late_pages_ret, -EINVAL);

	/* Two page tables, however few pages. */
	h->skel->bss->pages_flags = 0;
	h->len = 2 * HUGE;
	h->addr = target_call(&h->target, do_map_filled, h->len, 1, 1);
	if (!EXPECT(h->addr, ""))
		return;
	rule->start = h->addr;
	rule->end = h->addr + h->len;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->pages_ret, -EINVAL);
	EXPECT_EQ(hook_walk_range(h, h->addr + HUGE - PAGE, 2 * PAGE, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->pages_ret, -EINVAL);
	EXPECT_EQ(hook_walk_range(h, h->addr + HUGE - PAGE, PAGE, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->pages_ret, 0);
}

/* ---- some of the pages ------------------------------------------------ */

static struct hook_rule *choose(struct hook *h, int verdict)
{
	struct hook_rule *rule;

	hook_reset(h->skel);
	rule = hook_rule(h->skel, h->addr, h->addr + h->len, verdict);
	rule->todo = HOOK_DO_SELECT | HOOK_DO_ONE_TABLE;
	return rule;
}

/* A page in @of of the pages, at random, or runs of such length. */
static void fill_masks(struct hook *h, unsigned int of, unsigned int run)
{
	size_t i, j;

	memset(h->skel->bss->masks, 0, sizeof(h->skel->bss->masks));
	for (i = 0; i < HOOK_TABLES * TABLE_PAGES; i += run)
		for (j = i; j < i + run && !(random() % of); j++)
			h->skel->bss->masks[j / TABLE_PAGES]
					    [j % TABLE_PAGES / 64] |=
				1ULL << j % 64;
}

/* Page i of the target's memory, as the masks number it. */
static bool chosen(struct hook *h, size_t i)
{
	unsigned long addr = h->addr + i * PAGE;
	unsigned long table = addr / HUGE - h->addr / HUGE;
	size_t at = table ? addr % HUGE / PAGE : i;

	return bit(h->skel->bss->masks[table], at);
}

/* Are exactly the chosen pages swapped out? Returns how many are. */
static size_t expect_chosen_out(struct hook *h)
{
	size_t i, nr = h->len / PAGE, wrong = 0, out = 0;
	uint64_t *entries = calloc(nr, sizeof(*entries));
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", h->target.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (EXPECT(entries && fd >= 0, "") &&
	    EXPECT_EQ(pread(fd, entries, nr * 8, h->addr / PAGE * 8), nr * 8))
		for (i = 0; i < nr; i++) {
			bool swapped = entries[i] >> 62 & 1;

			out += swapped;
			wrong += swapped != chosen(h, i);
		}
	EXPECT_EQ(wrong, 0);
	close(fd);
	free(entries);
	return out;
}

static void expect_selected(struct hook *h, unsigned int of, unsigned int run)
{
	size_t out;

	fill_masks(h, of, run);
	choose(h, MADV_PAGEOUT);
	EXPECT(hook_walk(h, 0, 0) >= 0, "");
	EXPECT_EQ(h->skel->bss->select_ret, 0);
	EXPECT_EQ(h->skel->bss->late_select_ret, -EINVAL);
	out = expect_chosen_out(h);
	EXPECT_EQ(h->result.bytes_advised, out * PAGE);
	EXPECT_EQ(h->result.stats.reclaimed, out);
	hook_expect_intact(h);
}

/* Three page tables, from the middle of one to that of another. */
static void run_select(struct hook *h)
{
	unsigned long base;
	unsigned int i;

	base = target_call(&h->target, do_map_filled, 4 * HUGE, 1, 1);
	if (!EXPECT(base, ""))
		return;
	h->addr = base + HUGE / 2 + 5 * PAGE;
	h->len = 2 * HUGE;
	/* Small pages: huge ones are the next test's. */
	EXPECT_EQ(target_call(&h->target, do_madvise, base, 4 * HUGE,
			      MADV_PAGEOUT), 0);
	hook_expect_intact(h);

	srandom(1);
	for (i = 1; i < 6; i++)
		expect_selected(h, i, 1);
	expect_selected(h, 2, 7);
	expect_selected(h, 2, 64);
	/* None of them. */
	expect_selected(h, 1 << 30, 64);
	EXPECT_EQ(h->result.stats.scanned, 0);

	fill_masks(h, 3, 1);
	choose(h, MADV_COLD);
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	EXPECT_EQ(h->result.stats.deactivated * PAGE, h->result.bytes_advised);
	EXPECT_EQ(hook_present(h, h->addr, h->len), h->len / PAGE);
}

/* With a cap, the first pages of the mask; and of them not the young ones. */
static void run_select_limited(struct hook *h)
{
	struct hook_rule *rule = choose(h, MADV_PAGEOUT);

	memset(h->skel->bss->masks, 0, sizeof(h->skel->bss->masks));
	h->skel->bss->masks[0][0] = 0xffff0000ffff0000;
	rule->modifiers = PMADV_SKIP_YOUNG;
	EXPECT_EQ(hook_walk(h, 0, 0), 32 * PAGE);
	EXPECT_EQ(h->result.stats.young, 32);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);

	rule->max_pages = 20;
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	EXPECT_EQ(hook_swapped(h, h->addr + 16 * PAGE, 16 * PAGE), 16);
	EXPECT_EQ(hook_swapped(h, h->addr + 48 * PAGE, 4 * PAGE), 4);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 20);
	hook_expect_intact(h);
}

/* In one page table, too little for a huge page, and no folio at its start. */
static long do_map_large(unsigned long len, unsigned long unused1,
			 unsigned long unused2)
{
	unsigned long addr = do_map(2 * HUGE, PROT_NONE, 0);

	if (!addr)
		return 0;
	addr = (addr + HUGE - 1) / HUGE * HUGE + 69 * PAGE;
	if (mprotect((void *)addr, len, PROT_READ | PROT_WRITE))
		return 0;
	fill(addr, len, 1);
	return addr;
}

static long mthp_stat(const char *name)
{
	char path[128], text[32] = "";

	snprintf(path, sizeof(path), MTHP "stats/%s", name);
	return read_file(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

/* Folios of 16 pages: those selected whole are not split. */
static void run_select_large(struct hook *h)
{
	long allocated, split;
	unsigned int i;

	if (write_file(MTHP "enabled", "always")) {
		hook_skip("this kernel has no large folios for anonymous memory");
		return;
	}
	srandom(2);
	for (i = 1; i < 5; i++) {
		allocated = mthp_stat("anon_fault_alloc");
		h->len = 64 * PAGE;
		h->addr = target_call(&h->target, do_map_large, h->len, 0, 0);
		if (!EXPECT(h->addr, ""))
			return;
		EXPECT(mthp_stat("anon_fault_alloc") > allocated, "");
		expect_selected(h, i, 1);
	}

	h->len = 8 * MTHP_PAGES * PAGE;
	h->addr = target_call(&h->target, do_map_large, h->len, 0, 0);
	if (!EXPECT(h->addr, ""))
		return;
	split = mthp_stat("split");
	memset(h->skel->bss->masks, 0, sizeof(h->skel->bss->masks));
	/* From the first aligned folio on, two of them. */
	i = MTHP_PAGES - h->addr / PAGE % MTHP_PAGES;
	h->skel->bss->masks[0][0] = 0xffffffffULL << i;
	choose(h, MADV_COLD);
	EXPECT_EQ(hook_walk(h, 0, 0), 32 * PAGE);
	EXPECT_EQ(h->result.stats.deactivated, 32);
	EXPECT_EQ(mthp_stat("split"), split);
	hook_expect_intact(h);
}

static void cleanup_large(struct hook *h)
{
	write_file(MTHP "enabled", "never");
}

static bool map_huge(struct hook *h)
{
	h->len = HUGE;
	h->addr = target_call(&h->target, do_map_filled, HUGE, 1, 1);
	return EXPECT(h->addr, "") &&
	       smaps(h->target.pid, "AnonHugePages", h->addr,
		     h->addr + HUGE) == HUGE;
}

static void run_select_huge(struct hook *h)
{
	size_t huge;

	srandom(3);
	if (!map_huge(h)) {
		hook_skip("no huge page was to be had");
		return;
	}
	look(h, PMADV_CLEAR_YOUNG, 0);
	expect_bits(h->skel->bss->pages.young, 0, TABLE_PAGES, "young");
	look(h, PMADV_CLEAR_YOUNG, 0);
	expect_bits(h->skel->bss->pages.young, 0, 0, "young");
	look(h, 0, 0);
	expect_bits(h->skel->bss->pages.young, 0, 0, "young");
	expect_bits(h->skel->bss->pages.present, 0, TABLE_PAGES, "present");
	target_call(&h->target, do_read, h->addr + 7 * PAGE, PAGE, 0);
	look(h, 0, 0);
	expect_bits(h->skel->bss->pages.young, 0, TABLE_PAGES, "young");

	/* None of it, which is no reason to split it. */
	expect_selected(h, 1 << 30, 64);
	huge = smaps(h->target.pid, "AnonHugePages", h->addr, h->addr + HUGE);
	EXPECT_EQ(huge, HUGE);
	expect_selected(h, 3, 1);
	if (map_huge(h))
		expect_selected(h, 1, 1);
}

/* ---- masks that are none ---------------------------------------------- */

static void expect_refused(struct hook *h, const char *what)
{
	EXPECT(hook_walk(h, MADV_WILLNEED, 0) == 0, ": %s", what);
	EXPECT(h->result.ranges_refused == 1, ": %s", what);
	EXPECT(h->result.error == EINVAL, ": %s", what);
	hook_expect_untouched(h);
}

static void run_select_wrong(struct hook *h)
{
	static const unsigned int sizes[] = { 0, 1, 4, 63, 65, 72, 128 };
	struct hook_rule *rule = choose(h, MADV_PAGEOUT);
	unsigned int i;

	memset(h->skel->bss->masks, 0xff, sizeof(h->skel->bss->masks));
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		h->skel->data->mask_size = sizes[i];
		expect_refused(h, "a wrong size");
		EXPECT_EQ(h->skel->bss->select_ret, -EINVAL);
	}

	/* A wrong size matters to advice only. */
	rule->verdict = PMADV_SKIP;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 1);

	h->skel->data->mask_size = sizeof(h->skel->bss->masks[0]);
	rule->verdict = MADV_WILLNEED;
	expect_refused(h, "WILLNEED");
	rule->verdict = MADV_COLLAPSE;
	expect_refused(h, "COLLAPSE");
	rule->verdict = PMADV_CALLER;
	expect_refused(h, "the caller's WILLNEED");
	EXPECT_EQ(hook_walk(h, MADV_COLD, 0), h->len);
	EXPECT_EQ(h->result.stats.deactivated, 64);

	/* The mask has a bit less than the range has pages. */
	rule->verdict = MADV_PAGEOUT;
	h->len = 65 * PAGE;
	h->addr = target_call(&h->target, do_map_filled, h->len, 1, 1);
	if (!EXPECT(h->addr, ""))
		return;
	rule->start = h->addr;
	rule->end = h->addr + h->len;
	h->skel->data->mask_size = 8;
	expect_refused(h, "a short mask");
	rule->step = 64 * PAGE;
	h->skel->bss->masks[0][0] = 1;
	EXPECT_EQ(hook_walk(h, 0, 0), 2 * PAGE);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 2);
	hook_expect_intact(h);
}

/* Few pages, but of two page tables; and more than one page table. */
static void run_select_far(struct hook *h)
{
	unsigned long base;

	base = target_call(&h->target, do_map_filled, 2 * HUGE, 1, 1);
	if (!EXPECT(base, ""))
		return;
	memset(h->skel->bss->masks, 0xff, sizeof(h->skel->bss->masks));
	h->addr = base + HUGE - PAGE;
	h->len = 2 * PAGE;
	choose(h, MADV_PAGEOUT)->todo = HOOK_DO_SELECT;
	expect_refused(h, "two page tables");
	h->addr = base;
	h->len = 2 * HUGE;
	choose(h, MADV_PAGEOUT)->todo = HOOK_DO_SELECT;
	expect_refused(h, "two full page tables");
}

/* A mask is for one range: the next answer is for all of its pages. */
static void run_select_once(struct hook *h)
{
	struct hook_rule *rule;

	memset(h->skel->bss->masks, 0, sizeof(h->skel->bss->masks));
	h->skel->bss->masks[0][0] = 3;
	rule = hook_rule(h->skel, h->addr, h->addr + 32 * PAGE, MADV_PAGEOUT);
	rule->todo = HOOK_DO_SELECT;
	hook_rule(h->skel, h->addr + 32 * PAGE, h->addr + h->len, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk(h, 0, 0), 34 * PAGE);
	EXPECT_EQ(hook_swapped(h, h->addr, 32 * PAGE), 2);
	EXPECT_EQ(hook_swapped(h, h->addr + 32 * PAGE, 32 * PAGE), 32);
	hook_expect_intact(h);
}

const struct hook_test hook_page_tests[] = {
	{
		.name = "pages",
		.description = "bpf_pmadv_pages() shows each page, and changes nothing",
		.setup = setup_pages,
		.run = run_pages,
	},
	{
		.name = "pages_clear",
		.description = "bpf_pmadv_pages() takes accessed bits, but not in a dry run",
		.setup = setup_pages,
		.run = run_pages_clear,
	},
	{
		.name = "pages_zero",
		.description = "the huge page of zeroes is there to be looked at",
		.setup = setup_pages,
		.run = run_pages_zero,
	},
	{
		.name = "pages_wrong",
		.description = "bpf_pmadv_pages() refuses flags and ranges it can't take",
		.setup = setup_pages,
		.run = run_pages_wrong,
	},
	{
		.name = "select",
		.description = "advice reaches exactly the pages that were selected",
		.setup = setup_pages,
		.run = run_select,
	},
	{
		.name = "select_limited",
		.description = "a cap and PMADV_SKIP_YOUNG hold among selected pages",
		.setup = setup_pages,
		.run = run_select_limited,
	},
	{
		.name = "select_large",
		.description = "large folios are split where a selection cuts them",
		.setup = setup_pages,
		.run = run_select_large,
		.cleanup = cleanup_large,
	},
	{
		.name = "select_huge",
		.description = "and so is a huge page, unless all or nothing is selected",
		.setup = setup_pages,
		.run = run_select_huge,
	},
	{
		.name = "select_wrong",
		.description = "a selection the kernel can't take makes advice invalid",
		.setup = setup_pages,
		.run = run_select_wrong,
	},
	{
		.name = "select_far",
		.description = "so does one for pages of two page tables",
		.setup = setup_pages,
		.run = run_select_far,
	},
	{
		.name = "select_once",
		.description = "a selection is for one range",
		.setup = setup_pages,
		.run = run_select_once,
	},
	{ }
};

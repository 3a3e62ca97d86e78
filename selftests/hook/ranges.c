// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: what a policy may change about the range it is asked
 * about, and what it may not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>

#include "hook.h"

static struct hook_rule *answer(struct hook *h, int verdict)
{
	hook_reset(h->skel);
	return hook_rule(h->skel, h->addr, h->addr + h->len, verdict);
}

static void run_narrow(struct hook *h)
{
	unsigned long a = h->addr, b = a + 8 * PAGE, c = b + 16 * PAGE;
	const struct hook_seen *seen = h->skel->bss->seen;
	unsigned int i;

	hook_reset(h->skel);
	hook_rule(h->skel, a, b, MADV_COLD);
	hook_rule(h->skel, b, c, MADV_PAGEOUT);
	hook_rule(h->skel, c, a + h->len, PMADV_SKIP);

	EXPECT_EQ(hook_walk(h, 0, 0), c - a);
	EXPECT_EQ(h->result.ranges_seen, 3);
	EXPECT_EQ(h->result.ranges_advised, 2);
	EXPECT_EQ(h->result.ranges_skipped, 1);
	EXPECT_EQ(h->result.stats.deactivated, 8);
	EXPECT_EQ(h->result.stats.reclaimed, 16);
	EXPECT_EQ(hook_swapped(h, b, c - b), 16);
	EXPECT_EQ(hook_swapped(h, a, h->len), 16);

	/* It is one mapping; each time the policy is asked from where it stopped. */
	EXPECT_EQ(h->skel->bss->nr_seen, 3);
	EXPECT_EQ(seen[0].start, a);
	EXPECT_EQ(seen[1].start, b);
	EXPECT_EQ(seen[2].start, c);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(seen[i].end, a + h->len);
		EXPECT_EQ(seen[i].vma_start, a);
		EXPECT_EQ(seen[i].vma_end, a + h->len);
		EXPECT_EQ(seen[i].max_pages, 0);
		EXPECT_EQ(seen[i].modifiers, 0);
		EXPECT_EQ(seen[i].call_id, h->result.call_id);
		EXPECT_EQ(seen[i].advised, 1);
	}
	EXPECT_EQ(seen[0].advised_end, b);
	EXPECT_EQ(seen[1].advised_end, c);
	EXPECT_EQ(seen[2].advised_end, a + h->len);
	hook_expect_intact(h);
}

/* Every other page: a rule for the even ones, more rules than pages allow. */
static void run_pagewise(struct hook *h)
{
	unsigned int i, wrong = 0;
	struct hook_rule *rule;

	EXPECT_EQ(hook_map(h, HOOK_RULES), 0);
	hook_reset(h->skel);
	for (i = 0; i < HOOK_RULES; i++) {
		rule = hook_rule(h->skel, h->addr + i * PAGE,
				 h->addr + (i + 1) * PAGE,
				 i % 2 ? PMADV_SKIP : MADV_PAGEOUT);
		if (!rule)
			return;
	}

	EXPECT_EQ(hook_walk(h, 0, 0), h->len / 2);
	EXPECT_EQ(h->result.ranges_seen, HOOK_RULES);
	EXPECT_EQ(h->result.ranges_advised, HOOK_RULES / 2);
	for (i = 0; i < HOOK_RULES; i++)
		wrong += hook_swapped(h, h->addr + i * PAGE, PAGE) != !(i % 2);
	EXPECT_EQ(wrong, 0);
	hook_expect_intact(h);
}

/* An explicit range inside the mapping is what the policy is asked about. */
static void run_inside(struct hook *h)
{
	const struct hook_seen *seen = h->skel->bss->seen;
	unsigned long from = h->addr + 10 * PAGE;

	answer(h, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk_range(h, from, 5 * PAGE, MADV_COLD, 0), 5 * PAGE);
	EXPECT_EQ(seen[0].start, from);
	EXPECT_EQ(seen[0].end, from + 5 * PAGE);
	EXPECT_EQ(seen[0].vma_start, h->addr);
	EXPECT_EQ(seen[0].vma_end, h->addr + h->len);
	EXPECT_EQ(seen[0].tgid, h->target.pid);
	EXPECT_EQ(hook_swapped(h, from, 5 * PAGE), 5);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 5);
	hook_expect_intact(h);
}

static void run_max_pages(struct hook *h)
{
	struct hook_rule *rule = answer(h, MADV_PAGEOUT);
	unsigned long half = h->addr + 32 * PAGE;

	/* 10 of the first half, 3 of the second; then the walk is complete. */
	rule->end = half;
	rule->max_pages = 10;
	rule = hook_rule(h->skel, half, h->addr + h->len, MADV_PAGEOUT);
	rule->max_pages = 3;

	EXPECT(hook_walk(h, 0, 0) > 0, "");
	EXPECT_EQ(h->result.stats.isolated, 13);
	EXPECT_EQ(h->result.ranges_seen, 2);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_NOT);
	EXPECT_EQ(h->result.cursor, 0);
	EXPECT_EQ(h->skel->bss->nr_seen, 2);
	EXPECT_EQ(hook_swapped(h, h->addr, 32 * PAGE), 10);
	EXPECT_EQ(hook_swapped(h, half, 32 * PAGE), 3);

	/* The next walk takes the next ones: what is out is no page any more. */
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 26);

	/* A cap that is never reached caps nothing. */
	rule = answer(h, MADV_PAGEOUT);
	rule->max_pages = 1000;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);

	hook_expect_intact(h);
	rule = answer(h, MADV_COLD);
	rule->max_pages = 7;
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	EXPECT_EQ(h->result.stats.deactivated, 7);
	hook_expect_intact(h);
}

/* The caller's budget holds whatever the policy says. */
static void run_budget(struct hook *h)
{
	struct iovec vec = { (void *)h->addr, h->len };
	unsigned int calls = 0;
	long ret;

	answer(h, MADV_PAGEOUT)->step = 16 * PAGE;
	memset(&h->result, 0, sizeof(h->result));
	h->result.size = sizeof(h->result);
	do {
		h->result.max_pages = 20;
		ret = pmadv(h->target.pidfd, &vec, 1, 0,
			    PMADV_POLICY | PMADV_RESULT, &h->result);
		EXPECT(ret > 0, "");
		EXPECT(h->result.stats.isolated <= 20, "");
		calls++;
	} while (h->result.stopped == PMADV_STOPPED_BUDGET && calls < 10);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_NOT);
	EXPECT_EQ(calls, 4);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

static void run_skip_young(struct hook *h)
{
	struct hook_rule *rule = answer(h, MADV_PAGEOUT);
	const struct pmadv_stats *stats = &h->result.stats;

	rule->modifiers = PMADV_SKIP_YOUNG;

	/* All pages were just written to. */
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->scanned, 64);
	EXPECT_EQ(stats->young, 64);
	EXPECT_EQ(stats->isolated, 0);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);

	/* Some are used, the others not. */
	target_call(&h->target, do_read, h->addr + 8 * PAGE, 24 * PAGE, 0);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 24);
	EXPECT_EQ(stats->reclaimed, 40);
	EXPECT_EQ(hook_present(h, h->addr + 8 * PAGE, 24 * PAGE), 24);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 40);

	/* And then none. */
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 0);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

/* Without the modifier, young pages go like any other; with it, COLD minds. */
static void run_young_cold(struct hook *h)
{
	struct hook_rule *rule = answer(h, MADV_COLD);

	rule->modifiers = PMADV_SKIP_YOUNG;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.stats.young, 64);
	EXPECT_EQ(h->result.stats.deactivated, 0);

	target_call(&h->target, do_read, h->addr, 16 * PAGE, 0);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.stats.young, 16);
	EXPECT_EQ(h->result.stats.deactivated, 48);

	target_call(&h->target, do_read, h->addr, h->len, 0);
	answer(h, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

/*
 * A huge page has one accessed bit for all of it, a large folio is spared if
 * any of its pages was used; neither is split for being looked at.
 */
static void expect_young_huge(struct hook *h, const char *what)
{
	const unsigned long nr = h->len / PAGE;
	const struct pmadv_stats *stats = &h->result.stats;

	answer(h, MADV_PAGEOUT)->modifiers = PMADV_SKIP_YOUNG;
	EXPECT(hook_walk(h, 0, 0) == (long)h->len, ", %s", what);
	EXPECT(stats->young == nr, ", %s: %llu", what, stats->young);
	EXPECT(stats->isolated == 0, ", %s: %llu", what, stats->isolated);
	EXPECT(hook_present(h, h->addr, h->len) == (long)nr, ", %s", what);

	target_call(&h->target, do_read, h->addr, PAGE, 0);
	EXPECT(hook_walk(h, 0, 0) == (long)h->len, ", %s", what);
	EXPECT(hook_present(h, h->addr, PAGE) == 1, ", %s", what);

	EXPECT(hook_walk(h, 0, 0) == (long)h->len, ", %s", what);
	EXPECT(stats->young == 0, ", %s: %llu", what, stats->young);
	EXPECT(hook_swapped(h, h->addr, h->len) == (long)nr, ", %s", what);
	hook_expect_intact(h);
}

static void run_young_huge(struct hook *h)
{
	unsigned long end;

	h->len = HUGE;
	h->addr = target_call(&h->target, do_map_filled, HUGE, 1, 1);
	end = h->addr + h->len;
	if (!EXPECT(h->addr, ""))
		return;
	if (smaps(h->target.pid, "AnonHugePages", h->addr, end) != HUGE) {
		hook_skip("no transparent huge page was to be had");
		return;
	}
	expect_young_huge(h, "huge page");
}

#define MTHP	"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"

/* 64 KiB pieces, one folio each. */
static long do_map_large(unsigned long len, unsigned long unused1,
			 unsigned long unused2)
{
	unsigned long addr = do_map(len + HUGE, PROT_READ | PROT_WRITE, 0);

	addr = (addr + HUGE - 1) & ~(HUGE - 1);
	if (madvise((void *)addr, len, MADV_HUGEPAGE))
		return 0;
	fill(addr, len, 1);
	return addr;
}

static void run_young_large(struct hook *h)
{
	if (write_file(MTHP, "madvise")) {
		hook_skip("this kernel has no large folios of 64 KiB");
		return;
	}
	h->addr = target_call(&h->target, do_map_large, h->len, 0, 0);
	if (EXPECT(h->addr, ""))
		expect_young_huge(h, "large folio");
}

static void cleanup_young_large(struct hook *h)
{
	write_file(MTHP, "never");
}

static void run_modifier_unknown(struct hook *h)
{
	struct hook_rule *rule = answer(h, MADV_PAGEOUT);

	rule->modifiers = PMADV_SKIP_YOUNG | 1U << 31;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_refused, 1);
	EXPECT_EQ(hook_counter("hook", "invalid_verdicts"), 1);
	EXPECT_EQ(hook_present(h, h->addr, h->len), 64);
}

/* Ends that no range can have. Each costs the policy its place. */
static void run_no_progress(struct hook *h)
{
	const unsigned long wrong[] = {
		h->addr,			/* nothing */
		0,
		h->addr - PAGE,			/* backwards */
		h->addr + 1,			/* less than a page */
		h->addr + PAGE + 1,		/* not a page */
		h->addr + h->len + PAGE,	/* beyond the mapping */
		~0UL,
		~0UL << 12,
	};
	struct hook_rule *rule;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(wrong); i++) {
		hook_detach(&h->link);
		if (!EXPECT_EQ(hook_attach_again(h->skel->maps.hook,
						 &h->link), 0))
			return;
		h->skel->bss->exits = 0;
		rule = answer(h, MADV_PAGEOUT);
		rule->todo = HOOK_DO_SET_END | HOOK_DO_SAMPLE;
		rule->set_end = wrong[i];
		rule->sample_nr = 1;

		EXPECT_EQ(hook_walk(h, 0, 0), -ECANCELED);
		EXPECT_EQ(h->result.stopped, PMADV_STOPPED_EJECTED);
		EXPECT_EQ(h->result.bytes_advised, 0);
		EXPECT_EQ(h->skel->bss->nr_seen, 1);
		EXPECT_EQ(h->skel->bss->seen[0].sample_ret,
			  wrong[i] > h->addr && wrong[i] < h->addr + h->len ?
			  0 : -EINVAL);
		hook_expect_exit(h->skel, 1, PMADV_EXIT_NO_PROGRESS);
		EXPECT(hook_hung_up(h->link, 2000), ", end %lx", wrong[i]);
	}
	EXPECT_EQ(hook_present(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

/* A range that the caller gave is not to be widened either. */
static void run_no_widening(struct hook *h)
{
	struct hook_rule *rule = answer(h, MADV_PAGEOUT);

	rule->todo = HOOK_DO_SET_END;
	rule->set_end = h->addr + 32 * PAGE;
	EXPECT_EQ(hook_walk_range(h, h->addr, 16 * PAGE, 0, 0), -ECANCELED);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_NO_PROGRESS);
	EXPECT_EQ(hook_present(h, h->addr, h->len), 64);
}

const struct hook_test hook_range_tests[] = {
	{
		.name = "narrow",
		.description = "one mapping gets several advices",
		.setup = hook_setup_attached,
		.run = run_narrow,
	},
	{
		.name = "pagewise",
		.description = "each page of a mapping gets its own verdict",
		.setup = hook_setup_attached,
		.run = run_pagewise,
	},
	{
		.name = "inside",
		.description = "a range inside a mapping is asked about as it is",
		.setup = hook_setup_attached,
		.run = run_inside,
	},
	{
		.name = "max_pages",
		.description = "a policy's cap is exact and leaves the rest alone",
		.setup = hook_setup_attached,
		.run = run_max_pages,
	},
	{
		.name = "budget",
		.description = "the caller's budget holds, and calls add up",
		.setup = hook_setup_attached,
		.run = run_budget,
	},
	{
		.name = "skip_young",
		.description = "PMADV_SKIP_YOUNG spares pages for one walk",
		.setup = hook_setup_attached,
		.run = run_skip_young,
	},
	{
		.name = "young_cold",
		.description = "PMADV_SKIP_YOUNG goes for MADV_COLD, too",
		.setup = hook_setup_attached,
		.run = run_young_cold,
	},
	{
		.name = "young_huge",
		.description = "PMADV_SKIP_YOUNG spares a huge page as a whole",
		.setup = hook_setup_attached,
		.run = run_young_huge,
	},
	{
		.name = "young_large",
		.description = "PMADV_SKIP_YOUNG spares large folios as a whole",
		.setup = hook_setup_attached,
		.run = run_young_large,
		.cleanup = cleanup_young_large,
	},
	{
		.name = "modifier_unknown",
		.description = "an unknown modifier is an invalid verdict",
		.setup = hook_setup_attached,
		.run = run_modifier_unknown,
	},
	{
		.name = "no_progress",
		.description = "a range narrowed wrongly ejects the policy",
		.setup = hook_setup_attached,
		.run = run_no_progress,
	},
	{
		.name = "no_widening",
		.description = "a caller's range can't be widened",
		.setup = hook_setup_attached,
		.run = run_no_widening,
	},
	{ }
};

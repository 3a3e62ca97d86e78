// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: what a policy said holds while the target changes its
 * mappings, and the target does not pay for being asked about.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "hook.h"

/* What a walk does in one piece at least: one page table. */
#define TABLE_PAGES	(HUGE / PAGE)

/* Map and unmap for ever, on another CPU: there is always somebody waiting. */
static void *write_on(void *unused)
{
	char *p;

	pin_to_cpu(1);
	for (;;) {
		p = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED)
			munmap(p, 32 * PAGE);
	}
	return NULL;
}

static long do_start_writer(unsigned long unused1, unsigned long unused2,
			    unsigned long unused3)
{
	pthread_t thread;

	return -pthread_create(&thread, NULL, write_on, NULL);
}

/* A cap that the walk is interrupted in goes on with what is left of it. */
static void expect_cap(struct hook *h, unsigned long max_pages,
		       unsigned long step)
{
	const struct hook_seen *seen = h->skel->bss->seen;
	const struct pmadv_stats *stats = &h->result.stats;
	unsigned long want = max_pages * (step ? h->len / step : 1);
	struct hook_rule *rule;

	if (!EXPECT_EQ(hook_map(h, 4 * TABLE_PAGES), 0))
		return;
	hook_reset(h->skel);
	rule = hook_rule(h->skel, h->addr, h->addr + h->len, MADV_PAGEOUT);
	rule->max_pages = max_pages;
	rule->step = step;
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	EXPECT(h->result.yields > 0, "");
	EXPECT(stats->isolated == want, ": %llu of a cap of %lu, step %lu",
	       stats->isolated, want, step);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), want);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_NOT);
	if (step)
		return;
	/* Asked for the rest, the policy is told what is left. */
	if (!EXPECT(h->skel->bss->nr_seen > 1, ""))
		return;
	EXPECT_EQ(seen[0].max_pages, 0);
	EXPECT(seen[1].max_pages > 0 && seen[1].max_pages < max_pages,
	       ": %llu", seen[1].max_pages);
	EXPECT_EQ(seen[1].end, h->addr + h->len);
}

static void run_cap_contended(struct hook *h)
{
	EXPECT_EQ(target_call(&h->target, do_start_writer, 0, 0, 0), 0);
	expect_cap(h, TABLE_PAGES + 200, 0);
	expect_cap(h, TABLE_PAGES + 100, 2 * HUGE);
}

const struct hook_test hook_contended_tests[] = {
	{
		.name = "cap_contended",
		.description = "a policy's cap holds when a writer gets in between",
		.setup = hook_setup_attached,
		.run = run_cap_contended,
	},
	{ }
};

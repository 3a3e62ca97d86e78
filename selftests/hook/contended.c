// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: what a policy said holds while the target changes its
 * mappings, and the target does not pay for being asked about.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hook.h"

/* What a walk does in one piece at least: one page table. */
#define TABLE_PAGES	(HUGE / PAGE)

static volatile struct iovec written;

/* Change a mapping for ever, on another CPU: there is always somebody waiting. */
static void *write_on(void *unused)
{
	pin_to_cpu(1);
	for (;;) {
		madvise(written.iov_base, written.iov_len, MADV_DONTFORK);
		madvise(written.iov_base, written.iov_len, MADV_DOFORK);
	}
	return NULL;
}

/* The first time there is nobody yet who does. */
static long do_write_to(unsigned long addr, unsigned long len, unsigned long first)
{
	pthread_t thread;

	written = (struct iovec){ (void *)addr, len };
	return first ? -pthread_create(&thread, NULL, write_on, NULL) : 0;
}

/* A cap that the walk is interrupted in goes on with what is left of it. */
static void expect_cap(struct hook *h, unsigned long max_pages,
		       unsigned long step, bool first)
{
	const struct hook_seen *seen = h->skel->bss->seen;
	const struct pmadv_stats *stats = &h->result.stats;
	unsigned long want = max_pages * (step ? h->len / step : 1);
	struct hook_rule *rule;

	if (!EXPECT_EQ(hook_map(h, 4 * TABLE_PAGES), 0) ||
	    !EXPECT_EQ(target_call(&h->target, do_write_to, h->addr, h->len,
				   first), 0))
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

/* Asked for the rest, the policy may want less of it than is left. */
static void expect_lower_cap(struct hook *h)
{
	struct hook_rule *rule;
	unsigned long isolated;

	if (!EXPECT_EQ(hook_map(h, 4 * TABLE_PAGES), 0) ||
	    !EXPECT_EQ(target_call(&h->target, do_write_to, h->addr, h->len,
				   false), 0))
		return;
	hook_reset(h->skel);
	rule = hook_rule(h->skel, h->addr, h->addr + h->len, MADV_PAGEOUT);
	rule->max_pages = TABLE_PAGES + 200;
	rule->rest_pages = 10;
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	/* So much after the page table in which the writer got in between. */
	isolated = h->result.stats.isolated;
	EXPECT_EQ((h->addr + (isolated - 10) * PAGE) & (HUGE - 1), 0);
	EXPECT(isolated > 10, ": %lu", isolated);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), isolated);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_NOT);
}

static void run_cap_contended(struct hook *h)
{
	expect_cap(h, TABLE_PAGES + 200, 0, true);
	expect_cap(h, TABLE_PAGES + 100, 2 * HUGE, false);
	expect_lower_cap(h);
}

#define TRACE	"/sys/kernel/tracing/instances/pmadv-hook"

static int walk_cold(struct hook *h)
{
	hook_walk(h, 0, 0);
	return 0;
}

/* How many flushes did a process cause, and how many of these of everything? */
static void count_flushes(pid_t pid, unsigned int *all, unsigned int *full)
{
	static char buf[1 << 20];
	char *line, *save, who[32];

	*all = 0;
	*full = 0;
	snprintf(who, sizeof(who), "-%d ", pid);
	if (!EXPECT(read_file(TRACE "/trace", buf, sizeof(buf)) > 0, ""))
		return;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, who) || !strcasestr(line, "mm shootdown"))
			continue;
		++*all;
		*full += !!strstr(line, "pages:-1 ");
	}
}

static int setup_traced(struct hook *h)
{
	rmdir(TRACE);
	if (mkdir(TRACE, 0755))
		return -errno;
	return hook_setup_attached(h);
}

static void cleanup_traced(struct hook *h)
{
	write_file(TRACE "/events/tlb/tlb_flush/enable", "0");
	rmdir(TRACE);
}

/*
 * Whoever clears accessed bits has flushes to do; as long as these are open, a
 * flush in the target at the same time is one of everything. So they are done
 * before the policy is asked again, however long that takes.
 */
static void run_no_open_flush(struct hook *h)
{
	volatile __u64 *nr_seen = &h->skel->bss->nr_seen;
	unsigned long other;
	unsigned int i, all, full;
	pid_t pid;

	other = target_call(&h->target, do_map_filled, 16 * PAGE, 1, 0);
	if (!EXPECT(other, "") ||
	    !EXPECT_EQ(hook_map(h, 16 * TABLE_PAGES), 0))
		return;
	hook_rule(h->skel, h->addr, h->addr + h->len, MADV_COLD)->step = PAGE;

	pid = hook_start(h, walk_cold);
	for (i = 0; !*nr_seen && i < 5000; i++)
		hook_sleep_ms(1);
	h->skel->bss->hold = HOOK_HOLD_ADVISE;
	if (hook_await_held(h->skel, HOOK_HOLD_ADVISE)) {
		EXPECT(*nr_seen > 1, "");
		EXPECT(*nr_seen < h->len / PAGE, "");
		EXPECT_EQ(write_file(TRACE "/events/tlb/tlb_flush/enable",
				     "1"), 0);
		for (i = 0; i < 4; i++)
			EXPECT_EQ(target_call(&h->target, do_madvise,
					      other + i * PAGE, PAGE,
					      MADV_DONTNEED), 0);
		EXPECT(h->skel->bss->held, "");
		count_flushes(h->target.pid, &all, &full);
		EXPECT(all >= 4, ": %u", all);
		EXPECT(full == 0, ": %u of %u flushes were of everything",
		       full, all);
	}
	h->skel->bss->hold = 0;
	waitpid(pid, NULL, 0);
}

const struct hook_test hook_contended_tests[] = {
	{
		.name = "cap_contended",
		.description = "a policy's cap holds when a writer gets in between",
		.setup = hook_setup_attached,
		.run = run_cap_contended,
	},
	{
		.name = "no_open_flush",
		.description = "no TLB flush is outstanding while a policy is asked",
		.setup = setup_traced,
		.run = run_no_open_flush,
		.cleanup = cleanup_traced,
	},
	{ }
};

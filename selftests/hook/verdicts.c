// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: every verdict does what it says, and no other does
 * anything.
 */
#define _GNU_SOURCE
#include <limits.h>

#include "hook.h"

/* One answer for all of the target's memory. */
static struct hook_rule *answer(struct hook *h, int verdict)
{
	hook_reset(h->skel);
	return hook_rule(h->skel, h->addr, h->addr + h->len, verdict);
}

/* The counts of a call that dealt with one range. */
static void expect_one(struct hook *h, unsigned int outcome)
{
	const struct pmadv_result *r = &h->result;

	EXPECT_EQ(r->ranges_seen, 1);
	EXPECT_EQ(r->ranges_advised, outcome == PMADV_ADVISED);
	EXPECT_EQ(r->ranges_skipped, outcome == PMADV_SKIPPED);
	EXPECT_EQ(r->ranges_refused, outcome == PMADV_REFUSED);
	EXPECT_EQ(r->ranges_failed, outcome == PMADV_FAILED);
	EXPECT_EQ(r->bytes_advised, outcome == PMADV_ADVISED ? h->len : 0);
	EXPECT_EQ(r->stopped, PMADV_STOPPED_NOT);
	EXPECT_EQ(r->cursor, 0);
}

static void run_skip(struct hook *h)
{
	answer(h, PMADV_SKIP);
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), 0);
	EXPECT_EQ(h->skel->bss->nr_seen, 1);
	expect_one(h, PMADV_SKIPPED);
	EXPECT_EQ(h->result.stats.scanned, 0);
	EXPECT_EQ(h->result.error, 0);
	hook_expect_untouched(h);
}

static int setup_bare(struct hook *h)
{
	int err = hook_setup_loaded(h);

	return err ? err : hook_attach(h->skel->maps.bare, &h->link);
}

static void run_nobody(struct hook *h)
{
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), 0);
	expect_one(h, PMADV_SKIPPED);
	hook_expect_untouched(h);
}

static void run_pageout(struct hook *h)
{
	const struct pmadv_stats *stats = &h->result.stats;

	answer(h, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	expect_one(h, PMADV_ADVISED);
	EXPECT_EQ(stats->scanned, 64);
	EXPECT_EQ(stats->isolated, 64);
	EXPECT_EQ(stats->reclaimed, 64);
	EXPECT_EQ(stats->deactivated, 0);
	EXPECT(stats->time_ns > 0, "");
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);

	/* Pages that are swapped out already are counted as such. */
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->scanned, 0);
	EXPECT_EQ(stats->swapped, 64);
	hook_expect_intact(h);
}

static void run_cold(struct hook *h)
{
	answer(h, MADV_COLD);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	expect_one(h, PMADV_ADVISED);
	EXPECT_EQ(h->result.stats.scanned, 64);
	EXPECT_EQ(h->result.stats.deactivated, 64);
	EXPECT_EQ(h->result.stats.isolated, 0);
	EXPECT_EQ(hook_present(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

static void run_willneed(struct hook *h)
{
	answer(h, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT(target_call(&h->target, do_read_major, h->addr, h->len, 0) > 0,
	       ": nothing to see without WILLNEED");

	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	answer(h, MADV_WILLNEED);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	expect_one(h, PMADV_ADVISED);
	EXPECT_EQ(target_call(&h->target, do_read_major, h->addr, h->len, 0),
		  0);
	hook_expect_intact(h);
}

static void run_collapse(struct hook *h)
{
	struct target *t = &h->target;

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK)) {
		hook_skip("this kernel has no transparent huge pages");
		return;
	}
	if (!EXPECT_EQ(hook_map_small_pages(h, 2 * HUGE), 0))
		return;
	EXPECT_EQ(smaps(t->pid, "AnonHugePages", h->addr, h->addr + h->len), 0);

	/* In pieces, and the policy is asked about each. */
	answer(h, MADV_COLLAPSE);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT(h->result.ranges_seen > 0, "");
	EXPECT_EQ(h->result.ranges_advised, h->result.ranges_seen);
	EXPECT_EQ(h->result.bytes_advised, h->len);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_NOT);
	EXPECT_EQ(smaps(t->pid, "AnonHugePages", h->addr, h->addr + h->len),
		  h->len);
	hook_expect_intact(h);

	/* Where none fits, it was tried and failed. */
	EXPECT_EQ(hook_map(h, 4), 0);
	answer(h, MADV_COLLAPSE);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_seen, 1);
	EXPECT_EQ(h->result.ranges_failed + h->result.ranges_refused, 1);
	EXPECT_EQ(h->result.error, EINVAL);
	EXPECT_EQ(h->result.error_addr, h->addr);
	hook_expect_intact(h);
}

static void run_caller(struct hook *h)
{
	answer(h, PMADV_CALLER);
	EXPECT_EQ(hook_walk(h, MADV_COLD, 0), h->len);
	expect_one(h, PMADV_ADVISED);
	EXPECT_EQ(h->skel->bss->seen[0].advice, MADV_COLD);
	EXPECT_EQ(h->result.stats.deactivated, 64);

	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), h->len);
	EXPECT_EQ(h->skel->bss->seen[1].advice, MADV_PAGEOUT);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

static void run_caller_none(struct hook *h)
{
	answer(h, PMADV_CALLER);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	expect_one(h, PMADV_SKIPPED);
	EXPECT_EQ(h->skel->bss->seen[0].advice, 0);
	EXPECT_EQ(h->result.error, 0);
	hook_expect_untouched(h);
}

/* The memory in three parts: out, stop, out. */
static void run_stop(struct hook *h)
{
	unsigned long a = h->addr, b = a + 16 * PAGE, c = b + 16 * PAGE;
	struct hook_rule *stop;

	hook_reset(h->skel);
	hook_rule(h->skel, a, b, MADV_PAGEOUT);
	stop = hook_rule(h->skel, b, c, PMADV_STOP);
	hook_rule(h->skel, c, a + h->len, MADV_PAGEOUT);

	EXPECT_EQ(hook_walk(h, 0, 0), 16 * PAGE);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_POLICY);
	EXPECT_EQ(h->result.cursor, b);
	EXPECT_EQ(h->result.ranges_advised, 1);
	EXPECT_EQ(h->result.ranges_seen,
		  h->result.ranges_advised + h->result.ranges_skipped +
		  h->result.ranges_refused + h->result.ranges_failed);
	EXPECT_EQ(hook_swapped(h, a, h->len), 16);
	EXPECT_EQ(h->skel->bss->nr_seen, 2);
	EXPECT_EQ(h->skel->bss->nr_advised, 2);
	EXPECT_EQ(h->skel->bss->ends, 1);

	/* The policy is still in force, and the walk can go on from the cursor. */
	EXPECT(!hook_hung_up(h->link, 0), "");
	stop->verdict = MADV_PAGEOUT;
	EXPECT_EQ(pmadv(h->target.pidfd,
			&(struct iovec){ (void *)h->addr, h->len }, 1, 0,
			PMADV_POLICY | PMADV_RESULT, &h->result), 48 * PAGE);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_NOT);
	EXPECT_EQ(h->result.cursor, 0);
	EXPECT_EQ(hook_swapped(h, a, h->len), 64);
	hook_expect_intact(h);
}

static void run_dry(struct hook *h)
{
	static const int verdicts[] = {
		MADV_PAGEOUT, MADV_COLD, MADV_WILLNEED,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(verdicts); i++) {
		answer(h, verdicts[i]);
		EXPECT_EQ(hook_walk(h, 0, PMADV_DRY_RUN), h->len);
		EXPECT(h->skel->bss->seen[0].walk_flags & PMADV_DRY_RUN, "");
		expect_one(h, PMADV_ADVISED);
		hook_expect_untouched(h);
	}

	answer(h, MADV_REMOVE);
	EXPECT_EQ(hook_walk(h, 0, PMADV_DRY_RUN), 0);
	expect_one(h, PMADV_REFUSED);
	hook_expect_untouched(h);
}

/* The kernel says no where the policy says yes, and the walk goes on. */
static void run_locked(struct hook *h)
{
	static const int verdicts[] = { MADV_PAGEOUT, MADV_COLD };
	unsigned long mid = h->addr + 8 * PAGE;
	unsigned int i;

	EXPECT_EQ(target_call(&h->target, do_mlock, mid, 8 * PAGE, 0), 0);
	for (i = 0; i < ARRAY_LEN(verdicts); i++) {
		answer(h, verdicts[i]);
		EXPECT_EQ(hook_walk(h, 0, 0), h->len - 8 * PAGE);
		EXPECT_EQ(h->result.ranges_seen, 3);
		EXPECT_EQ(h->result.ranges_advised, 2);
		EXPECT_EQ(h->result.ranges_refused, 1);
		EXPECT_EQ(h->result.error, EINVAL);
		EXPECT_EQ(h->result.error_addr, mid);
		EXPECT_EQ(hook_present(h, mid, 8 * PAGE), 8);
		hook_expect_intact(h);
	}
}

/*
 * Advice that loses data, changes what the owner sees, or is none: each range
 * that gets it is refused, counted, and left as it is.
 */
static const struct {
	const char *name;
	int verdict;
} invalid[] = {
	{ "RANDOM", 1 },
	{ "SEQUENTIAL", 2 },
	{ "DONTNEED", 4 },
	{ "FREE", 8 },
	{ "REMOVE", 9 },
	{ "DONTFORK", 10 },
	{ "DOFORK", 11 },
	{ "MERGEABLE", 12 },
	{ "UNMERGEABLE", 13 },
	{ "HUGEPAGE", 14 },
	{ "NOHUGEPAGE", 15 },
	{ "DONTDUMP", 16 },
	{ "DODUMP", 17 },
	{ "WIPEONFORK", 18 },
	{ "KEEPONFORK", 19 },
	{ "POPULATE_READ", 22 },
	{ "POPULATE_WRITE", 23 },
	{ "DONTNEED_LOCKED", 24 },
	{ "HWPOISON", 100 },
	{ "SOFT_OFFLINE", 101 },
	{ "GUARD_INSTALL", 102 },
	{ "GUARD_REMOVE", 103 },
	{ "5", 5 },
	{ "26", 26 },
	{ "-EPERM", -EPERM },
	{ "-ENOENT", -ENOENT },
	{ "-3", -3 },
	{ "below PMADV_CALLER", PMADV_CALLER - 1 },
	{ "above PMADV_STOP", PMADV_STOP + 1 },
	{ "1 << 20", 1 << 20 },
	{ "COLD with a bit above", MADV_COLD | 1 << 16 },
	{ "INT_MAX", INT_MAX },
	{ "INT_MIN", INT_MIN },
};

static void run_invalid(struct hook *h)
{
	long long before = hook_counter("hook", "invalid_verdicts");
	unsigned int i;

	EXPECT_EQ(hook_map(h, 4), 0);

	for (i = 0; i < ARRAY_LEN(invalid); i++) {
		bool fine;

		answer(h, invalid[i].verdict);
		fine = EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), 0);
		expect_one(h, PMADV_REFUSED);
		fine &= EXPECT_EQ(h->result.error, EINVAL);
		fine &= EXPECT_EQ(h->result.error_addr, h->addr);
		fine &= EXPECT_EQ(hook_present(h, h->addr, h->len), 4);
		if (!EXPECT(fine, ", for %s", invalid[i].name))
			break;
	}
	hook_expect_intact(h);
	hook_expect_unmarked(h);
	EXPECT_EQ(hook_counter("hook", "invalid_verdicts") - before,
		  ARRAY_LEN(invalid));
	EXPECT(!hook_hung_up(h->link, 0), "");
}

static void run_invalid_ejects(struct hook *h)
{
	struct hook_rule *rule;
	char text[256] = "";

	EXPECT_EQ(hook_map(h, PMADV_MAX_INVALID + 6), 0);
	rule = answer(h, 4 /* MADV_DONTNEED */);
	rule->step = PAGE;

	/* One less than too many, twice: each call starts afresh. */
	EXPECT_EQ(hook_walk_range(h, h->addr, 63 * PAGE, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_refused, 63);
	EXPECT_EQ(hook_walk_range(h, h->addr, 63 * PAGE, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_refused, 63);
	EXPECT(!hook_hung_up(h->link, 0), "");

	h->skel->bss->nr_seen = 0;
	EXPECT_EQ(hook_walk(h, 0, 0), -ECANCELED);
	EXPECT_EQ(h->skel->bss->nr_seen, PMADV_MAX_INVALID);
	EXPECT_EQ(h->result.ranges_refused, PMADV_MAX_INVALID);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_EJECTED);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_INVALID);
	EXPECT(h->skel->bss->exit_msg[0], "");
	EXPECT(hook_hung_up(h->link, 2000), "");

	EXPECT(read_file(HOOK_SYSFS "/last_ejection", text, sizeof(text)) > 0,
	       "");
	EXPECT(!strncmp(text, "hook: ", 6), ": last_ejection is %s", text);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
	EXPECT_EQ(hook_present(h, h->addr, h->len), h->len / PAGE);
	hook_expect_intact(h);
}

const struct hook_test hook_verdict_tests[] = {
	{
		.name = "skip",
		.description = "PMADV_SKIP does nothing, and is counted",
		.setup = hook_setup_attached,
		.run = run_skip,
	},
	{
		.name = "nobody",
		.description = "a policy without advise() skips everything",
		.setup = setup_bare,
		.run = run_nobody,
	},
	{
		.name = "pageout",
		.description = "MADV_PAGEOUT swaps out every page, once",
		.setup = hook_setup_attached,
		.run = run_pageout,
	},
	{
		.name = "cold",
		.description = "MADV_COLD deactivates and leaves in memory",
		.setup = hook_setup_attached,
		.run = run_cold,
	},
	{
		.name = "willneed",
		.description = "MADV_WILLNEED reads back what was swapped out",
		.setup = hook_setup_attached,
		.run = run_willneed,
	},
	{
		.name = "collapse",
		.description = "MADV_COLLAPSE makes huge pages where one fits",
		.setup = hook_setup_attached,
		.run = run_collapse,
	},
	{
		.name = "caller",
		.description = "PMADV_CALLER does what the caller proposed",
		.setup = hook_setup_attached,
		.run = run_caller,
	},
	{
		.name = "caller_none",
		.description = "PMADV_CALLER skips if nothing was proposed",
		.setup = hook_setup_attached,
		.run = run_caller_none,
	},
	{
		.name = "stop",
		.description = "PMADV_STOP ends the call, which can be resumed",
		.setup = hook_setup_attached,
		.run = run_stop,
	},
	{
		.name = "dry_run",
		.description = "with PMADV_DRY_RUN verdicts are only counted",
		.setup = hook_setup_attached,
		.run = run_dry,
	},
	{
		.name = "locked",
		.description = "no verdict gets locked memory advised",
		.setup = hook_setup_attached,
		.run = run_locked,
	},
	{
		.name = "invalid",
		.description = "any other verdict is refused and does nothing",
		.setup = hook_setup_attached,
		.run = run_invalid,
	},
	{
		.name = "invalid_ejects",
		.description = "64 invalid verdicts in a call eject the policy",
		.setup = hook_setup_attached,
		.run = run_invalid_ejects,
	},
	{ }
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: what a policy does wrong ends the call. Only if the target
 * cannot have provoked it is the policy ejected.
 */
#define _GNU_SOURCE
#include <string.h>

#include "hook.h"

/* Which errors there are, as what a rule makes the policy do. */
static const struct mistake {
	const char *name;
	int verdict;
	__u32 todo;
} mistakes[] = {
	{ "invalid verdicts", 4 /* MADV_DONTNEED */, 0 },
	{ "no progress", PMADV_SKIP, HOOK_DO_SET_END },
	{ "an error", MADV_PAGEOUT, HOOK_DO_ERROR },
	{ "an error after the fact", MADV_COLD, HOOK_DO_ERROR_LATE },
};

static long do_become(unsigned long uid, unsigned long unused1,
		      unsigned long unused2)
{
	return become(uid, 0);
}

/* Walk oneself. Returns why that ended, or -errno. */
static long do_walk_oneself(unsigned long addr, unsigned long len,
			    unsigned long unused)
{
	struct pmadv_result result = { .size = sizeof(result) };
	int pidfd = pidfd_open_pid(getpid(), 0);
	long ret;

	if (pidfd < 0)
		return -errno;
	ret = pmadv_one(pidfd, addr, len, 0, PMADV_POLICY, &result);
	close(pidfd);
	return ret < 0 && ret != -ECANCELED ? ret : result.stopped;
}

/* The policy, for everybody, and somebody without any rights. */
static int setup_hostile(struct hook *h)
{
	int err;

	h->skel = hook_load(0);
	if (!h->skel)
		return errno ? -errno : -EINVAL;
	err = target_start_with(&h->target, do_become, USER);
	if (err)
		return err;
	err = hook_map(h, PMADV_MAX_INVALID + 6);
	return err ? err : hook_attach(h->skel->maps.hook, &h->link);
}

static void make_mistake(struct hook *h, const struct mistake *mistake)
{
	struct hook_rule *rule;

	hook_reset(h->skel);
	rule = hook_rule(h->skel, h->addr, h->addr + h->len, mistake->verdict);
	rule->step = PAGE;
	rule->todo = mistake->todo;
}

static void expect_in_force(struct hook *h, const char *name, long long errors)
{
	EXPECT(!hook_hung_up(h->link, 0), ": %s", name);
	EXPECT(hook_counter("hook", "errors") == errors, ": %s", name);
	EXPECT_EQ(h->skel->bss->exits, 0);
}

static void run_hostile(struct hook *h)
{
	long long errors = 0;
	unsigned int i;
	long ret;

	for (i = 0; i < ARRAY_LEN(mistakes); i++) {
		make_mistake(h, &mistakes[i]);
		ret = target_call(&h->target, do_walk_oneself, h->addr, h->len,
				  0);
		EXPECT(ret == PMADV_STOPPED_POLICY_ERROR, ": %s: %ld",
		       mistakes[i].name, ret);
		expect_in_force(h, mistakes[i].name, ++errors);

		/* Nor does it help that somebody with all rights comes along. */
		ret = hook_walk(h, 0, 0);
		EXPECT(ret == -ECANCELED || ret > 0, ": %ld", ret);
		EXPECT_EQ(h->result.stopped, PMADV_STOPPED_POLICY_ERROR);
		EXPECT(h->result.cursor >= h->addr, "");
		expect_in_force(h, mistakes[i].name, ++errors);
	}
	EXPECT_EQ(h->skel->bss->begins, 2 * i);
	EXPECT_EQ(h->skel->bss->ends, 2 * i);
	hook_expect_intact(h);

	/* Others are served as before, and so is this one when it behaves. */
	hook_reset(h->skel);
	hook_rule(h->skel, h->addr, h->addr + h->len, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_NOT);
}

static void run_trusted(struct hook *h)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(mistakes); i++) {
		hook_detach(&h->link);
		if (!EXPECT_EQ(hook_attach_again(h->skel->maps.hook, &h->link),
			       0))
			return;
		h->skel->bss->exits = 0;
		make_mistake(h, &mistakes[i]);
		hook_walk(h, 0, 0);
		EXPECT_EQ(h->result.stopped, PMADV_STOPPED_EJECTED);
		EXPECT(hook_hung_up(h->link, 5000), ": %s", mistakes[i].name);
		hook_left(h->skel, 1);
		EXPECT(h->skel->bss->exit_kind >= PMADV_EXIT_INVALID, "");
	}
	hook_expect_intact(h);
}

static int setup_trusted(struct hook *h)
{
	int err = hook_setup_attached(h);

	return err ? err : hook_map(h, PMADV_MAX_INVALID + 6);
}

const struct hook_test hook_error_tests[] = {
	{
		.name = "error_hostile",
		.description = "an unprivileged target can't have it ejected",
		.setup = setup_hostile,
		.run = run_hostile,
	},
	{
		.name = "error_trusted",
		.description = "a target that could detach it anyway does",
		.setup = setup_trusted,
		.run = run_trusted,
	},
	{ }
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: putting a policy in force, in the place of another, and
 * out of force; what is refused there.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "hook.h"

static void run_none(struct hook *h)
{
	EXPECT_EQ(hook_walk(h, MADV_COLD, 0), -ENOENT);
	EXPECT_EQ(h->result.ranges_seen, 0);

	/* Loaded is not attached. */
	h->skel = hook_load(0);
	if (!EXPECT(h->skel, ""))
		return;
	EXPECT_EQ(hook_walk(h, MADV_COLD, 0), -ENOENT);
	EXPECT_EQ(h->skel->bss->inits, 0);
}

static void run_busy(struct hook *h)
{
	struct bpf_link *again = NULL;

	EXPECT_EQ(hook_attach(h->skel->maps.hook, &again), -EBUSY);
	EXPECT_EQ(hook_attach(h->skel->maps.other, &again), -EBUSY);
	EXPECT_EQ(h->skel->bss->inits, 1);
	EXPECT_EQ(h->skel->bss->exits, 0);

	/* The first is not disturbed, and leaves a free place. */
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->nr_seen, 1);
	hook_detach(&h->link);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_DETACHED);
	EXPECT_EQ(hook_attach(h->skel->maps.other, &h->link), 0);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->skel->bss->nr_seen, 1);
	EXPECT_EQ(h->skel->bss->other_seen, 1);
}

static void run_again(struct hook *h)
{
	unsigned int i;

	for (i = 1; i <= 5; i++) {
		EXPECT_EQ(h->skel->bss->inits, i);
		EXPECT_EQ(hook_walk(h, 0, 0), 0);
		EXPECT_EQ(h->skel->bss->nr_seen, i);
		hook_detach(&h->link);
		EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
		hook_expect_exit(h->skel, i, PMADV_EXIT_DETACHED);
		EXPECT_EQ(hook_attach_again(h->skel->maps.hook, &h->link), 0);
	}
}

static void run_update(struct hook *h)
{
	struct hook_policy__bss *bss = h->skel->bss;

	EXPECT_EQ(bpf_link__update_map(h->link, h->skel->maps.hook), -EBUSY);
	EXPECT_EQ(bss->exits, 0);

	EXPECT_EQ(bpf_link__update_map(h->link, h->skel->maps.other), 0);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_REPLACED);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(bss->other_seen, 1);
	EXPECT_EQ(bss->nr_seen, 0);
	EXPECT_EQ(hook_counter("hook", "calls"), -ENOENT);
	EXPECT_EQ(hook_counter("other", "calls"), 1);
	EXPECT(!hook_hung_up(h->link, 0), "");

	/* A policy that refuses to be attached: the policy before it stays. */
	bss->init_ret = -ENOSPC;
	EXPECT_EQ(hook_update_again(h->link, h->skel->maps.hook), -ENOSPC);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(bss->other_seen, 2);

	bss->init_ret = 0;
	EXPECT_EQ(bpf_link__update_map(h->link, h->skel->maps.hook), 0);
	EXPECT_EQ(bss->inits, 3);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(bss->nr_seen, 1);
	EXPECT_EQ(hook_counter("hook", "calls"), 1);

	hook_detach(&h->link);
	hook_expect_exit(h->skel, 2, PMADV_EXIT_DETACHED);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
}

/* A link whose policy was ejected is good for nothing any more. */
static void run_update_ejected(struct hook *h)
{
	hook_rule(h->skel, h->addr, h->addr + h->len, PMADV_SKIP)->todo =
		HOOK_DO_ERROR;
	EXPECT_EQ(hook_walk(h, 0, 0), -ECANCELED);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_ERROR);
	EXPECT(hook_hung_up(h->link, 2000), "");
	EXPECT_EQ(bpf_link__update_map(h->link, h->skel->maps.other),
		  -ENOLINK);
	EXPECT_EQ(bpf_link__detach(h->link), 0);
	EXPECT_EQ(h->skel->bss->exits, 1);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
}

static void *attach_other(void *arg)
{
	struct hook *h = arg;

	EXPECT_EQ(hook_attach(h->more[0]->maps.hook, &h->more_link[0]), -EINTR);
	return NULL;
}

static int update_to_other(struct hook *h)
{
	return bpf_link__update_map(h->link, h->skel->maps.other);
}

/*
 * The policy is ejected when the update is under way, but waits for its turn:
 * a policy of the root cgroup, which does not want to in the end, comes first.
 */
static void run_update_too_late(struct hook *h)
{
	pthread_t thread;
	struct stat root;
	int status;
	pid_t pid;

	EXPECT_EQ(stat("/sys/fs/cgroup", &root), 0);
	h->more[0] = hook_load(root.st_ino);
	if (!EXPECT(h->more[0], ""))
		return;
	h->more[0]->bss->hold = HOOK_HOLD_INIT;
	h->more[0]->bss->init_ret = -EINTR;
	hook_rule(h->skel, h->addr, h->addr + h->len, PMADV_SKIP)->todo =
		HOOK_DO_ERROR;
	if (!EXPECT_EQ(pthread_create(&thread, NULL, attach_other, h), 0))
		return;
	hook_await_held(h->more[0], HOOK_HOLD_INIT);
	pid = hook_start(h, update_to_other);
	hook_await_waiting(pid);
	EXPECT_EQ(hook_walk(h, 0, 0), -ECANCELED);
	h->more[0]->bss->hold = 0;

	pthread_join(thread, NULL);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WEXITSTATUS(status), ENOLINK);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_ERROR);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
}

static void *update_slowly(void *arg)
{
	struct hook *h = arg;

	EXPECT_EQ(bpf_link__update_map(h->link, h->more[0]->maps.hook),
		  -ENOLINK);
	return NULL;
}

/* The old policy is ejected while the new one's init() runs. */
static void run_update_ejecting(struct hook *h)
{
	pthread_t thread;

	h->more[0] = hook_load(0);
	if (!EXPECT(h->more[0], ""))
		return;
	h->more[0]->bss->hold = HOOK_HOLD_INIT;
	hook_rule(h->skel, h->addr, h->addr + h->len, PMADV_SKIP)->todo =
		HOOK_DO_ERROR;
	if (!EXPECT_EQ(pthread_create(&thread, NULL, update_slowly, h), 0))
		return;
	hook_await_held(h->more[0], HOOK_HOLD_INIT);
	EXPECT_EQ(hook_walk(h, 0, 0), -ECANCELED);
	h->more[0]->bss->hold = 0;
	pthread_join(thread, NULL);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_ERROR);
	hook_expect_exit(h->more[0], 1, PMADV_EXIT_DETACHED);
	EXPECT(hook_hung_up(h->link, 5000), "");
}

/* While its exit() runs it is out of force, but the next init() must wait. */
static void run_detach_slowly(struct hook *h)
{
	struct bpf_link *again = NULL;

	EXPECT(hook_counter("hook", "link_id") > 0, "");
	h->skel->bss->hold = HOOK_HOLD_EXIT;
	EXPECT_EQ(bpf_link__detach(h->link), 0);
	EXPECT_EQ(hook_counter("hook", "link_id"), -ENOENT);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
	hook_await_held(h->skel, HOOK_HOLD_EXIT);
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &again), -EBUSY);
	EXPECT_EQ(h->skel->bss->inits, 1);

	h->skel->bss->hold = 0;
	hook_expect_exit(h->skel, 1, PMADV_EXIT_DETACHED);
	EXPECT_EQ(hook_attach_again(h->skel->maps.hook, &again), 0);
	hook_detach(&again);
}

static void run_detach(struct hook *h)
{
	EXPECT(!hook_hung_up(h->link, 0), "");
	EXPECT_EQ(bpf_link__detach(h->link), 0);
	EXPECT(hook_hung_up(h->link, 2000), "");
	hook_expect_exit(h->skel, 1, PMADV_EXIT_DETACHED);
	EXPECT_EQ(bpf_link__detach(h->link), 0);
	EXPECT_EQ(h->skel->bss->exits, 1);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
}

/* A pinned link keeps the policy in force when its maker is gone. */
#define PIN	"/sys/fs/bpf/pmadv-hook"

static void run_pin(struct hook *h)
{
	if (access("/sys/fs/bpf", W_OK)) {
		hook_skip("no bpf file system at /sys/fs/bpf");
		return;
	}
	if (!EXPECT_EQ(bpf_link__pin(h->link, PIN), 0))
		return;
	hook_detach(&h->link);
	EXPECT_EQ(h->skel->bss->exits, 0);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->nr_seen, 1);

	EXPECT_EQ(unlink(PIN), 0);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_DETACHED);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
}

static void cleanup_pin(struct hook *h)
{
	unlink(PIN);
}

/* Have a child that has only some of its rights do it; returns its errno. */
static int do_with(struct hook *h, uint64_t caps, int (*call)(struct hook *h))
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return errno;
	if (!pid) {
		if (set_caps(caps))
			_exit(255);
		_exit(-call(h));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

static int attach_hook(struct hook *h)
{
	struct bpf_link *link;

	return hook_attach(h->skel->maps.hook, &link);
}

static void expect_refused(struct hook *h, int (*call)(struct hook *h))
{
	const uint64_t bpf = 1ULL << CAP_BPF, perfmon = 1ULL << CAP_PERFMON;
	const uint64_t nice = 1ULL << CAP_SYS_NICE;

	EXPECT_EQ(do_with(h, 0, call), EPERM);
	EXPECT_EQ(do_with(h, nice | bpf, call), EPERM);
	EXPECT_EQ(do_with(h, nice | perfmon, call), EPERM);
}

static void run_caps(struct hook *h)
{
	const uint64_t caps = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;

	expect_refused(h, attach_hook);
	EXPECT_EQ(h->skel->bss->inits, 0);

	/* Its link goes with it. */
	EXPECT_EQ(do_with(h, caps, attach_hook), 0);
	EXPECT_EQ(h->skel->bss->inits, 1);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_DETACHED);
}

static void run_update_caps(struct hook *h)
{
	const uint64_t caps = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;

	expect_refused(h, update_to_other);
	EXPECT_EQ(h->skel->bss->exits, 0);
	EXPECT_EQ(do_with(h, caps, update_to_other), 0);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_REPLACED);
}

const struct hook_test hook_attach_tests[] = {
	{
		.name = "none",
		.description = "without a policy nothing is done",
		.setup = hook_setup_target,
		.run = run_none,
	},
	{
		.name = "busy",
		.description = "a scope has room for one policy, a map for one link",
		.setup = hook_setup_attached,
		.run = run_busy,
	},
	{
		.name = "again",
		.description = "a policy can come and go again and again",
		.setup = hook_setup_attached,
		.run = run_again,
	},
	{
		.name = "update",
		.description = "a link can be updated to another policy and back",
		.setup = hook_setup_attached,
		.run = run_update,
	},
	{
		.name = "update_ejected",
		.description = "the link of an ejected policy can't be updated",
		.setup = hook_setup_attached,
		.run = run_update_ejected,
	},
	{
		.name = "update_too_late",
		.description = "nor if it was ejected when the update had begun",
		.setup = hook_setup_attached,
		.run = run_update_too_late,
	},
	{
		.name = "update_ejecting",
		.description = "an ejection in the midst of an update ends it",
		.setup = hook_setup_attached,
		.run = run_update_ejecting,
	},
	{
		.name = "detach_slowly",
		.description = "a policy that takes its leave is in nobody's way",
		.setup = hook_setup_attached,
		.run = run_detach_slowly,
	},
	{
		.name = "detach",
		.description = "detaching a link wakes who polls it, once",
		.setup = hook_setup_attached,
		.run = run_detach,
	},
	{
		.name = "pin",
		.description = "a pinned link keeps the policy in force",
		.setup = hook_setup_attached,
		.run = run_pin,
		.cleanup = cleanup_pin,
	},
	{
		.name = "caps",
		.description = "attaching needs CAP_BPF and CAP_PERFMON",
		.setup = hook_setup_loaded,
		.run = run_caps,
	},
	{
		.name = "update_caps",
		.description = "so does updating, whoever has the link",
		.setup = hook_setup_attached,
		.run = run_update_caps,
	},
	{ }
};

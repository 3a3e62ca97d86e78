// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: one policy per cgroup, and the nearest to the target wins.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hook.h"

#define OUTER	HOOK_CGROUP
#define INNER	HOOK_CGROUP "/inner"
#define APART	HOOK_CGROUP "/apart"
#define ROOT	"/sys/fs/cgroup"

/* A cgroup's id is its directory's inode number. */
static uint64_t cgroup_id(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static int join(struct hook *h, const char *cgroup)
{
	char path[128], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	snprintf(pid, sizeof(pid), "%d", h->target.pid);
	return write_file(path, pid);
}

static void remove_cgroups(struct hook *h)
{
	if (h->target.pid > 0)
		join(h, ROOT);
	rmdir(INNER);
	rmdir(APART);
	rmdir(OUTER);
}

static int setup_cgroups(struct hook *h)
{
	if (access(ROOT "/cgroup.procs", W_OK)) {
		hook_skip("no cgroup2 at " ROOT);
		return 0;
	}
	if ((mkdir(OUTER, 0755) && errno != EEXIST) ||
	    (mkdir(INNER, 0755) && errno != EEXIST) ||
	    (mkdir(APART, 0755) && errno != EEXIST))
		return -errno;
	return hook_setup_target(h);
}

/* Attach a policy of its own to a cgroup, as h->more[@i]. */
static int attach_to(struct hook *h, unsigned int i, const char *cgroup)
{
	h->more[i] = hook_load(cgroup_id(cgroup));
	if (!h->more[i])
		return errno ? -errno : -EINVAL;
	return hook_attach(h->more[i]->maps.hook, &h->more_link[i]);
}

/* Walk and say which policy was asked. */
enum who { NOBODY, SYSTEM, FIRST, SECOND };

static unsigned long asked(struct hook_policy *skel)
{
	return skel ? skel->bss->nr_seen : 0;
}

static enum who who_decides(struct hook *h)
{
	unsigned long before[] = {
		asked(h->skel), asked(h->more[0]), asked(h->more[1]),
	};
	long ret = hook_walk(h, 0, 0);

	if (ret == -ENOENT)
		return NOBODY;
	EXPECT_EQ(ret, 0);
	EXPECT_EQ(asked(h->skel) + asked(h->more[0]) + asked(h->more[1]),
		  before[0] + before[1] + before[2] + 1);
	if (asked(h->skel) > before[0])
		return SYSTEM;
	return asked(h->more[0]) > before[1] ? FIRST : SECOND;
}

static void run_nearest(struct hook *h)
{
	/* Only the outer cgroup has one. */
	EXPECT_EQ(attach_to(h, 0, OUTER), 0);
	EXPECT_EQ(who_decides(h), NOBODY);
	EXPECT_EQ(join(h, OUTER), 0);
	EXPECT_EQ(who_decides(h), FIRST);
	EXPECT_EQ(join(h, INNER), 0);
	EXPECT_EQ(who_decides(h), FIRST);

	/* And then the system. */
	h->skel = hook_load(0);
	if (!EXPECT(h->skel, ""))
		return;
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0);
	EXPECT_EQ(who_decides(h), FIRST);
	EXPECT_EQ(join(h, ROOT), 0);
	EXPECT_EQ(who_decides(h), SYSTEM);

	/* Its link finds its own policy, not the one that was there before. */
	EXPECT_EQ(bpf_link__update_map(h->link, h->skel->maps.other), 0);
	EXPECT_EQ(hook_update_again(h->link, h->skel->maps.hook), 0);
	EXPECT_EQ(who_decides(h), SYSTEM);

	/* And the inner one. */
	EXPECT_EQ(attach_to(h, 1, INNER), 0);
	EXPECT_EQ(who_decides(h), SYSTEM);
	EXPECT_EQ(join(h, INNER), 0);
	EXPECT_EQ(who_decides(h), SECOND);
	EXPECT_EQ(join(h, OUTER), 0);
	EXPECT_EQ(who_decides(h), FIRST);

	/* Each is out of force for itself. */
	EXPECT_EQ(join(h, INNER), 0);
	hook_detach(&h->more_link[1]);
	hook_expect_exit(h->more[1], 1, PMADV_EXIT_DETACHED);
	EXPECT_EQ(who_decides(h), FIRST);
	hook_detach(&h->more_link[0]);
	EXPECT_EQ(who_decides(h), SYSTEM);
	hook_detach(&h->link);
	EXPECT_EQ(who_decides(h), NOBODY);
}

static void run_root(struct hook *h)
{
	/* The root cgroup is not the system: it is the nearest for more. */
	h->skel = hook_load(0);
	if (!EXPECT(h->skel, ""))
		return;
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0);
	EXPECT_EQ(attach_to(h, 0, ROOT), 0);
	EXPECT_EQ(who_decides(h), FIRST);
	EXPECT_EQ(join(h, INNER), 0);
	EXPECT_EQ(who_decides(h), FIRST);
	hook_detach(&h->more_link[0]);
	EXPECT_EQ(who_decides(h), SYSTEM);
}

static void run_scope_busy(struct hook *h)
{
	EXPECT_EQ(attach_to(h, 0, OUTER), 0);
	EXPECT_EQ(attach_to(h, 1, OUTER), -EBUSY);
	EXPECT_EQ(hook_counter("hook", "cgroup_id"), cgroup_id(OUTER));

	/* An update can't move a link to another scope. */
	hook_policy__destroy(h->more[1]);
	h->more[1] = hook_load(cgroup_id(INNER));
	if (!EXPECT(h->more[1], ""))
		return;
	EXPECT_EQ(bpf_link__update_map(h->more_link[0], h->more[1]->maps.hook),
		  -EINVAL);
	EXPECT_EQ(h->more[0]->bss->exits, 0);
	EXPECT_EQ(hook_attach(h->more[1]->maps.hook, &h->more_link[1]), 0);
}

static void run_no_cgroup(struct hook *h)
{
	h->skel = hook_load(~0ULL >> 1);
	if (!EXPECT(h->skel, ""))
		return;
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), -ENOENT);
	EXPECT_EQ(h->skel->bss->inits, 0);
}

static void run_removed(struct hook *h)
{
	EXPECT_EQ(attach_to(h, 0, INNER), 0);
	EXPECT(!hook_hung_up(h->more_link[0], 0), "");
	EXPECT_EQ(rmdir(INNER), 0);
	EXPECT(hook_hung_up(h->more_link[0], 5000), "");
	hook_expect_exit(h->more[0], 1, PMADV_EXIT_CGROUP);
	EXPECT(h->more[0]->bss->exit_msg[0], "");

	/* Not an ejection, and the same name is another cgroup. */
	EXPECT_EQ(hook_counter("hook", "calls"), -ENOENT);
	EXPECT_EQ(mkdir(INNER, 0755), 0);
	EXPECT_EQ(attach_to(h, 1, INNER), 0);
	EXPECT_EQ(join(h, INNER), 0);
	EXPECT_EQ(who_decides(h), SECOND);
}

static void *attach_slowly(void *arg)
{
	struct hook *h = arg;

	EXPECT_EQ(hook_attach(h->more[0]->maps.hook, &h->more_link[0]), 0);
	return NULL;
}

static void *update_slowly(void *arg)
{
	struct hook *h = arg;
	int err = bpf_link__update_map(h->more_link[0], h->more[1]->maps.hook);

	/* By then the kernel may be about to detach the old one. */
	EXPECT(!err || err == -ENOLINK, "");
	return NULL;
}

/* Remove the cgroup while @policy is on its way into force. */
static void remove_during(struct hook *h, struct hook_policy *policy,
			  void *(*into_force)(void *arg))
{
	pthread_t thread;

	policy->bss->hold = HOOK_HOLD_INIT;
	if (!EXPECT_EQ(pthread_create(&thread, NULL, into_force, h), 0))
		return;
	hook_await_held(policy, HOOK_HOLD_INIT);
	EXPECT_EQ(rmdir(INNER), 0);
	policy->bss->hold = 0;
	pthread_join(thread, NULL);
	EXPECT(hook_hung_up(h->more_link[0], 5000), "");
}

static void run_removed_attaching(struct hook *h)
{
	h->more[0] = hook_load(cgroup_id(INNER));
	if (!EXPECT(h->more[0], ""))
		return;
	remove_during(h, h->more[0], attach_slowly);
	hook_expect_exit(h->more[0], 1, PMADV_EXIT_CGROUP);
}

static void run_removed_updating(struct hook *h)
{
	EXPECT_EQ(attach_to(h, 0, INNER), 0);
	h->more[1] = hook_load(cgroup_id(INNER));
	if (EXPECT(h->more[1], ""))
		remove_during(h, h->more[1], update_slowly);
	EXPECT(hook_left(h->more[0], 1), "");
	EXPECT(hook_left(h->more[1], 1), "");
}

/* See only the cgroup APART, and below. 0 or -errno. */
static int go_apart(void)
{
	int err = write_file(APART "/cgroup.procs", "0");

	return err ?: unshare(CLONE_NEWCGROUP) ? -errno : 0;
}

static int attach_second_apart(struct hook *h)
{
	return go_apart() ?: hook_attach(h->more[1]->maps.hook,
					 &h->more_link[1]);
}

static int update_first_apart(struct hook *h)
{
	return go_apart() ?: bpf_link__update_map(h->more_link[0],
						  h->more[1]->maps.hook);
}

static void expect_apart(struct hook *h, int (*call)(struct hook *h), int err)
{
	int status = 0;
	pid_t pid = hook_start(h, call);

	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WEXITSTATUS(status), err);
}

/* A namespace hides a cgroup from who attaches, and takes it from nobody. */
static void run_namespace(struct hook *h)
{
	EXPECT_EQ(attach_to(h, 0, OUTER), 0);
	EXPECT_EQ(join(h, INNER), 0);
	h->more[1] = hook_load(cgroup_id(INNER));
	if (!EXPECT(h->more[1], ""))
		return;
	expect_apart(h, attach_second_apart, ENOENT);
	hook_policy__destroy(h->more[1]);

	h->more[1] = hook_load(cgroup_id(OUTER));
	if (!EXPECT(h->more[1], ""))
		return;
	expect_apart(h, update_first_apart, 0);
	EXPECT(!hook_hung_up(h->more_link[0], 500), "");
	EXPECT_EQ(who_decides(h), SECOND);
	EXPECT_EQ(h->more[1]->bss->exits, 0);
	hook_expect_exit(h->more[0], 1, PMADV_EXIT_REPLACED);
}

/* Attach a policy to a cgroup or the system that refuses the inner ones PAGEOUT. */
static struct hook_policy *attach_refusing(uint64_t cgroup, uint64_t refused,
					   struct bpf_link **link)
{
	struct hook_policy *skel = hook_load_refusing(cgroup, refused);

	if (EXPECT(skel, ""))
		EXPECT_EQ(hook_attach(skel->maps.hook, link), 0);
	return skel;
}

/* Is the first answer given, and the second refused, without holding it against? */
static void expect_refused(struct hook *h, struct hook_policy *skel, int given,
			   int refused)
{
	unsigned long half = h->len / 2;
	struct hook_rule *rule;

	rule = hook_rule(skel, h->addr, h->addr + half, given);
	rule->step = half;
	hook_rule(skel, h->addr + half, h->addr + h->len, refused);
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, PMADV_SKIP_ERRORS), half);
	EXPECT_EQ(h->result.ranges_advised, 1);
	EXPECT_EQ(h->result.ranges_refused, 1);
	EXPECT_EQ(h->result.error, EPERM);
	EXPECT_EQ(h->result.error_addr, h->addr + half);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), half);
	hook_reset(skel);
}

static void run_refusing(struct hook *h)
{
	h->skel = attach_refusing(0, 1ULL << MADV_PAGEOUT, &h->link);
	h->more[0] = attach_refusing(cgroup_id(OUTER), 1ULL << MADV_WILLNEED,
				     &h->more_link[0]);
	if (!h->skel || !h->more[0])
		return;
	EXPECT_EQ(join(h, OUTER), 0);
	expect_refused(h, h->more[0], MADV_COLD, MADV_PAGEOUT);
	expect_refused(h, h->more[0], MADV_WILLNEED, PMADV_CALLER);
	EXPECT_EQ(hook_counter("hook", "invalid_verdicts"), 0);

	/* All that are around an inner one refuse it, and none itself. */
	EXPECT_EQ(attach_to(h, 1, INNER), 0);
	EXPECT_EQ(join(h, INNER), 0);
	expect_refused(h, h->more[1], MADV_COLD, MADV_PAGEOUT);
	expect_refused(h, h->more[1], MADV_COLD, MADV_WILLNEED);
	EXPECT_EQ(join(h, ROOT), 0);
	hook_rule(h->skel, h->addr, h->addr + h->len, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), h->len / PAGE);

	/* Those that left refuse nothing. */
	hook_detach(&h->link);
	EXPECT_EQ(join(h, OUTER), 0);
	hook_rule(h->more[0], h->addr, h->addr + h->len, MADV_WILLNEED);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	hook_expect_intact(h);
	hook_rule(h->more[0], h->addr, h->addr + h->len, MADV_PAGEOUT);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
}

static void run_refusing_wrong(struct hook *h)
{
	h->skel = hook_load_refusing(0, 1ULL << MADV_DONTNEED);
	if (!EXPECT(h->skel, ""))
		return;
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), -EINVAL);
}

/* Ejecting one policy leaves the next nearest in charge. */
static void run_scope_ejected(struct hook *h)
{
	h->skel = hook_load(0);
	if (!EXPECT(h->skel, ""))
		return;
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0);
	EXPECT_EQ(attach_to(h, 0, OUTER), 0);
	EXPECT_EQ(join(h, INNER), 0);
	hook_rule(h->more[0], h->addr, h->addr + h->len, PMADV_SKIP)->todo =
		HOOK_DO_ERROR;
	EXPECT_EQ(hook_walk(h, 0, 0), -ECANCELED);
	hook_expect_exit(h->more[0], 1, PMADV_EXIT_ERROR);
	EXPECT_EQ(who_decides(h), SYSTEM);
	EXPECT(!hook_hung_up(h->link, 0), "");
}

static void *attach_slowly_in_vain(void *arg)
{
	struct hook *h = arg;

	EXPECT_EQ(hook_attach(h->more[1]->maps.hook, &h->more_link[1]), -EINTR);
	return NULL;
}

/*
 * And does so at once, when the kernel has yet to detach the link, for which it
 * must wait here: somebody else's init() takes its time.
 */
static void run_ejected_at_once(struct hook *h)
{
	pthread_t thread;

	h->skel = hook_load(0);
	h->more[1] = hook_load(cgroup_id(INNER));
	if (!EXPECT(h->skel && h->more[1], ""))
		return;
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0);
	EXPECT_EQ(attach_to(h, 0, OUTER), 0);
	EXPECT_EQ(join(h, OUTER), 0);
	hook_rule(h->more[0], h->addr, h->addr + h->len, PMADV_SKIP)->todo =
		HOOK_DO_ERROR;

	h->more[1]->bss->hold = HOOK_HOLD_INIT;
	h->more[1]->bss->init_ret = -EINTR;
	if (!EXPECT_EQ(pthread_create(&thread, NULL, attach_slowly_in_vain, h),
		       0))
		return;
	hook_await_held(h->more[1], HOOK_HOLD_INIT);
	EXPECT_EQ(hook_walk(h, 0, 0), -ECANCELED);
	EXPECT_EQ(who_decides(h), SYSTEM);
	EXPECT(!hook_hung_up(h->more_link[0], 0), "");
	h->more[1]->bss->hold = 0;
	pthread_join(thread, NULL);

	/* Whether or not the link is detached by now, the place is free. */
	hook_policy__destroy(h->more[1]);
	EXPECT_EQ(attach_to(h, 1, OUTER), 0);
	EXPECT_EQ(who_decides(h), SECOND);
	hook_expect_exit(h->more[0], 1, PMADV_EXIT_ERROR);
}

const struct hook_test hook_scope_tests[] = {
	{
		.name = "scope_nearest",
		.description = "the policy of the target's nearest cgroup decides",
		.setup = setup_cgroups,
		.run = run_nearest,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_root",
		.description = "the root cgroup is nearer than the system",
		.setup = setup_cgroups,
		.run = run_root,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_busy",
		.description = "one policy per cgroup, and it stays there",
		.setup = setup_cgroups,
		.run = run_scope_busy,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_no_cgroup",
		.description = "an id that is no cgroup's is refused",
		.setup = setup_cgroups,
		.run = run_no_cgroup,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_removed",
		.description = "removing a cgroup detaches its policy",
		.setup = setup_cgroups,
		.run = run_removed,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_removed_attaching",
		.description = "a cgroup that goes too soon takes its policy along",
		.setup = setup_cgroups,
		.run = run_removed_attaching,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_removed_updating",
		.description = "and one that takes the place of another",
		.setup = setup_cgroups,
		.run = run_removed_updating,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_namespace",
		.description = "a link can be updated from any cgroup namespace",
		.setup = setup_cgroups,
		.run = run_namespace,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_refusing",
		.description = "a policy bounds those inside its scope",
		.setup = setup_cgroups,
		.run = run_refusing,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_refusing_wrong",
		.description = "and can refuse them nothing but advice",
		.setup = setup_cgroups,
		.run = run_refusing_wrong,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_ejected",
		.description = "after an ejection the next nearest decides",
		.setup = setup_cgroups,
		.run = run_scope_ejected,
		.cleanup = remove_cgroups,
	},
	{
		.name = "scope_ejected_at_once",
		.description = "even before the link is detached",
		.setup = setup_cgroups,
		.run = run_ejected_at_once,
		.cleanup = remove_cgroups,
	},
	{ }
};

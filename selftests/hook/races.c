// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: policies come, go and change while they are being asked,
 * and the target changes under the walk.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#include "hook.h"

/* Mappings of the target, so many that a walk is under way most of the time. */
#define NR_MAPPINGS	256
#define NR_WALKERS	2

/* A row of mappings that can't be merged: every other one is read-only. */
static long do_map_row(unsigned long unused1, unsigned long unused2,
		       unsigned long unused3)
{
	unsigned long addr, page;

	addr = do_map(NR_MAPPINGS * PAGE, PROT_READ | PROT_WRITE, 0);
	if (!addr)
		return 0;
	fill(addr, NR_MAPPINGS * PAGE, 1);
	for (page = 0; page < NR_MAPPINGS; page += 2)
		if (mprotect((char *)addr + page * PAGE, PAGE, PROT_READ))
			return 0;
	return addr;
}

/**
 * struct walker - a thread that walks the target until told to stop
 * @h: The test's.
 * @stop: Tells it.
 * @walks: Walks it made.
 * @complete: Of these, that came to the end.
 * @detached: That ended because their policy left.
 * @nobody: That found no policy.
 * @wrong: That ended in a way that no walk may.
 * @ranges: Ranges they decided.
 * @yields: How often they let the target go on.
 */
struct walker {
	struct hook *h;
	pthread_t thread;
	bool stop;
	unsigned long walks;
	unsigned long complete;
	unsigned long detached;
	unsigned long nobody;
	unsigned long wrong;
	unsigned long ranges;
	unsigned long yields;
};

static void count_walk(struct walker *w, long ret,
		       const struct pmadv_result *r)
{
	unsigned long end = w->h->addr + w->h->len;
	bool right;

	w->walks++;
	if (ret == -ENOENT) {
		w->nobody++;
		right = !r->ranges_seen;
	} else if (r->stopped == PMADV_STOPPED_NOT) {
		w->complete++;
		right = ret >= 0 && !r->cursor &&
			r->ranges_seen == NR_MAPPINGS;
	} else {
		w->detached++;
		right = r->stopped == PMADV_STOPPED_DETACHED &&
			(ret > 0 || ret == -ECANCELED) &&
			r->cursor >= w->h->addr && r->cursor < end &&
			r->ranges_seen < NR_MAPPINGS + 1;
	}
	if (r->ranges_seen != r->ranges_advised + r->ranges_skipped ||
	    r->bytes_advised != r->ranges_advised * PAGE)
		right = false;
	if (!right && !w->wrong++)
		printf("# ret %ld, stopped %u, cursor %llx of %lx-%lx, seen %llu: advised %llu, skipped %llu, refused %llu, failed %llu\n",
		       ret, r->stopped, r->cursor, w->h->addr, end,
		       r->ranges_seen, r->ranges_advised, r->ranges_skipped,
		       r->ranges_refused, r->ranges_failed);
}

static void *walk_on(void *arg)
{
	struct pmadv_result result;
	struct walker *w = arg;
	long ret;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		ret = pmadv_one(w->h->target.pidfd, w->h->addr, w->h->len, 0,
				PMADV_POLICY, &result);
		count_walk(w, ret, &result);
		/* Grace periods that wait for every task should not take long. */
		if (ret == -ENOENT)
			hook_sleep_ms(1);
		else
			sched_yield();
	}
	return NULL;
}

static unsigned int start_walkers(struct hook *h, struct walker *walkers)
{
	unsigned int i;

	for (i = 0; i < NR_WALKERS; i++) {
		walkers[i] = (struct walker){ .h = h };
		if (!EXPECT_EQ(pthread_create(&walkers[i].thread, NULL, walk_on,
					      &walkers[i]), 0))
			break;
	}
	return i;
}

/* The sums over all walkers, kept in the first of them. */
static void stop_walkers(struct walker *walkers, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		__atomic_store_n(&walkers[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(walkers[i].thread, NULL);
		if (!i)
			continue;
		walkers[0].walks += walkers[i].walks;
		walkers[0].complete += walkers[i].complete;
		walkers[0].detached += walkers[i].detached;
		walkers[0].nobody += walkers[i].nobody;
		walkers[0].wrong += walkers[i].wrong;
	}
	EXPECT_EQ(walkers[0].wrong, 0);
	EXPECT(walkers[0].complete + walkers[0].detached > 0, "");
	printf("# %lu walks: %lu complete, %lu detached, %lu without policy\n",
	       walkers[0].walks, walkers[0].complete, walkers[0].detached,
	       walkers[0].nobody);
}

static void use_all_cpus(bool all)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < (all ? CPU_SETSIZE : 1); i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int setup_row(struct hook *h)
{
	int err;

	use_all_cpus(true);
	h->skel = hook_load(0);
	if (!h->skel)
		return errno ? -errno : -EINVAL;
	h->skel->bss->otherwise = MADV_COLD;
	err = target_start(&h->target);
	if (err)
		return err;
	h->len = NR_MAPPINGS * PAGE;
	h->addr = target_call(&h->target, do_map_row, 0, 0, 0);
	return h->addr ? 0 : -ENOMEM;
}

static void cleanup_row(struct hook *h)
{
	use_all_cpus(false);
}

/* Time limit of a race: the guest's processor is emulated. */
static bool time_left(const struct timespec *since, unsigned int ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 +
	       (now.tv_nsec - since->tv_nsec) / 1000000 < (long)ms;
}

#define RACE_MS		2000
#define RACE_MAX	300

/* Wait until a walker is inside the policy, or is not going to be. */
static void await_walk(struct hook *h)
{
	volatile __u64 *seen = &h->skel->bss->nr_seen;
	__u64 before = *seen;
	unsigned int i;

	for (i = 0; *seen == before && i < 1000; i++)
		sched_yield();
}

static void run_update_walking(struct hook *h)
{
	struct walker walkers[NR_WALKERS];
	struct timespec start;
	unsigned int i, nr;

	if (!EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0))
		return;
	nr = start_walkers(h, walkers);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < RACE_MAX && time_left(&start, RACE_MS); i++) {
		struct bpf_map *to = i % 2 ? h->skel->maps.hook :
					     h->skel->maps.other;

		if (!EXPECT_EQ(hook_update_again(h->link, to), 0))
			break;
	}
	stop_walkers(walkers, nr);
	printf("# %u updates\n", i);
	EXPECT(i >= 5, "");
	EXPECT_EQ(walkers[0].nobody, 0);
	EXPECT_EQ(h->skel->bss->inits, 1 + i / 2);
	EXPECT(hook_left(h->skel, (i + 1) / 2), "");
	EXPECT(h->skel->bss->ends <= h->skel->bss->begins, "");
	hook_expect_intact(h);
}

static void run_detach_walking(struct hook *h)
{
	struct walker walkers[NR_WALKERS];
	struct timespec start;
	unsigned int i, nr;

	nr = start_walkers(h, walkers);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < RACE_MAX && time_left(&start, RACE_MS); i++) {
		if (!EXPECT_EQ(hook_attach_again(h->skel->maps.hook,
						 &h->link), 0))
			break;
		await_walk(h);
		hook_detach(&h->link);
	}
	stop_walkers(walkers, nr);
	printf("# %u times attached and detached\n", i);
	EXPECT(i >= 5, "");
	EXPECT_EQ(h->skel->bss->inits, i);
	hook_expect_exit(h->skel, i, PMADV_EXIT_DETACHED);
	hook_expect_intact(h);
}

/* The programs go, too, as soon as nobody can be inside them. */
static void run_unload_walking(struct hook *h)
{
	struct walker walkers[NR_WALKERS];
	struct timespec start;
	unsigned int i, nr;

	nr = start_walkers(h, walkers);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < RACE_MAX && time_left(&start, RACE_MS); i++) {
		hook_policy__destroy(h->skel);
		h->skel = hook_load(0);
		if (!EXPECT(h->skel, ""))
			break;
		if (!EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0))
			break;
		await_walk(h);
		hook_detach(&h->link);
	}
	stop_walkers(walkers, nr);
	printf("# %u times loaded and unloaded\n", i);
	EXPECT(i > 0, "");
	hook_expect_intact(h);
}

static void *eject_all(void *arg)
{
	struct walker *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		hook_sleep_ms(1);
		write_file(HOOK_SYSFS "/detach_all", "1");
		w->walks++;
	}
	return NULL;
}

/* The kernel and the owner of the link detach at the same time. */
static void run_expel_walking(struct hook *h)
{
	struct walker walkers[NR_WALKERS], expel = { .h = h };
	struct timespec start;
	unsigned int i, nr;
	bool up;

	nr = start_walkers(h, walkers);
	up = EXPECT_EQ(pthread_create(&expel.thread, NULL, eject_all, &expel),
		       0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < RACE_MAX && time_left(&start, RACE_MS); i++) {
		if (!EXPECT_EQ(hook_attach_again(h->skel->maps.hook,
						 &h->link), 0))
			break;
		if (i % 2)
			EXPECT(hook_hung_up(h->link, 5000), "");
		else
			await_walk(h);
		hook_detach(&h->link);
		/* The kernel may still be about to, and keep the place. */
		if (!EXPECT(hook_left(h->skel, i + 1), ": %u", i))
			break;
	}
	if (up) {
		__atomic_store_n(&expel.stop, true, __ATOMIC_RELAXED);
		pthread_join(expel.thread, NULL);
	}
	stop_walkers(walkers, nr);
	printf("# %u times attached, %lu times expelled\n", i, expel.walks);
	EXPECT(i >= 5, "");
	EXPECT_EQ(h->skel->bss->inits, i);
	hook_expect_intact(h);
}

/*
 * The target unmaps and maps while it is walked with all verdicts there are;
 * what it keeps must keep its contents.
 */
static long do_churn(unsigned long ms, unsigned long unused1,
		     unsigned long unused2)
{
	struct timespec start;
	long i, bad = 0;
	char *p;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; time_left(&start, ms); i++) {
		p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return -errno;
		fill((unsigned long)p, 16 * PAGE, i);
		mprotect(p + 4 * PAGE, 4 * PAGE, PROT_READ);
		munmap(p + 8 * PAGE, 4 * PAGE);
		bad += check((unsigned long)p, 8 * PAGE, i);
		bad += check((unsigned long)p + 12 * PAGE, 4 * PAGE, i);
		munmap(p, 16 * PAGE);
	}
	return bad ? -bad : i;
}

static void *walk_everything(void *arg)
{
	static const int verdicts[] = {
		MADV_PAGEOUT, MADV_COLD, MADV_WILLNEED, PMADV_SKIP,
	};
	struct walker *w = arg;
	struct pmadv_result r;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		memset(&r, 0, sizeof(r));
		r.size = sizeof(r);
		w->h->skel->bss->otherwise = verdicts[w->walks % 4];
		if (pmadv(w->h->target.pidfd, NULL, 0, 0,
			  PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE |
			  PMADV_RESULT, &r) < 0)
			w->wrong++;
		w->walks++;
		w->ranges += r.ranges_seen;
		w->yields += r.yields;
	}
	return NULL;
}

static void run_churn(struct hook *h)
{
	struct walker walker = { .h = h };
	long rounds;

	if (!EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0) ||
	    !EXPECT_EQ(pthread_create(&walker.thread, NULL, walk_everything,
				      &walker), 0))
		return;
	rounds = target_call(&h->target, do_churn, RACE_MS, 0, 0);
	__atomic_store_n(&walker.stop, true, __ATOMIC_RELAXED);
	pthread_join(walker.thread, NULL);
	printf("# %lu walks of %lu ranges in %ld rounds, %lu yields\n",
	       walker.walks, walker.ranges, rounds, walker.yields);
	EXPECT(rounds > 0, "");
	EXPECT(walker.walks > 0, "");
	EXPECT_EQ(walker.wrong, 0);
	/* A walk that gives way gets somewhere in between. */
	EXPECT(walker.yields <= walker.ranges + walker.walks, "");
	hook_expect_intact(h);
}

/* The target is gone in the midst of a walk, and the policy is none the wiser. */
static void run_exit_walking(struct hook *h)
{
	struct pmadv_result result;
	unsigned int i, gone = 0;
	long ret;

	if (!EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0))
		return;
	for (i = 0; i < 10; i++) {
		kill(h->target.pid, SIGKILL);
		do {
			ret = pmadv_one(h->target.pidfd, h->addr, h->len, 0,
					PMADV_POLICY, &result);
		} while (ret >= 0 && !result.stopped);
		gone += ret == -ESRCH ||
			result.stopped == PMADV_STOPPED_EXITED;
		target_stop(&h->target);
		if (!EXPECT_EQ(target_start(&h->target), 0))
			return;
		h->addr = target_call(&h->target, do_map_row, 0, 0, 0);
	}
	EXPECT_EQ(gone, i);
	EXPECT(!hook_hung_up(h->link, 0), "");
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	hook_expect_intact(h);
}

static void *walk_once(void *arg)
{
	return (void *)hook_walk(arg, 0, 0);
}

/* Gone before anything was advised: without bytes to return, that is an error. */
static void run_exit_in_advise(struct hook *h)
{
	struct hook_rule *rule = hook_rule(h->skel, h->addr, h->addr + h->len, PMADV_SKIP);
	void *ret = NULL;
	pthread_t walker;
	siginfo_t info;

	if (!EXPECT(rule, ""))
		return;
	rule->step = PAGE;
	h->skel->bss->hold = HOOK_HOLD_ADVISE;
	if (!EXPECT_EQ(pthread_create(&walker, NULL, walk_once, h), 0))
		return;
	if (hook_await_held(h->skel, HOOK_HOLD_ADVISE)) {
		EXPECT_EQ(kill(h->target.pid, SIGKILL), 0);
		EXPECT_EQ(waitid(P_PID, h->target.pid, &info, WEXITED | WNOWAIT), 0);
	}
	h->skel->bss->hold = 0;
	pthread_join(walker, &ret);

	EXPECT_EQ((long)ret, -ESRCH);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_EXITED);
	EXPECT_EQ(h->result.ranges_seen, 1);
	EXPECT_EQ(h->result.bytes_advised, 0);
}

/* Detached while the one range there is goes out: what is left of it stays. */
static void run_detach_in_range(struct hook *h)
{
	pthread_t walker;
	unsigned int ms;

	if (!EXPECT_EQ(hook_map(h, 8192), 0))
		return;
	hook_rule(h->skel, h->addr, h->addr + h->len, MADV_PAGEOUT);
	if (!EXPECT_EQ(pthread_create(&walker, NULL, walk_once, h), 0))
		return;
	for (ms = 0; ms < 60000 && !hook_swapped(h, h->addr, h->len); ms++)
		hook_sleep_ms(1);
	EXPECT_EQ(bpf_link__detach(h->link), 0);
	pthread_join(walker, NULL);

	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_DETACHED);
	EXPECT_EQ(h->result.ranges_advised, 1);
	EXPECT(h->result.cursor > h->addr, "");
	EXPECT(h->result.cursor < h->addr + h->len, "");
	EXPECT(h->result.bytes_advised == h->result.cursor - h->addr, "");
	hook_expect_intact(h);
}

/*
 * Callers that wait for the target's mmap_lock: a walk stays in the policy and
 * keeps the first mapping, or all of them; the target wants that one for writing,
 * and nobody gets the lock any more. They are killed, which must not take it.
 */
static void *want_lock(void *arg)
{
	static int advice = MADV_DOFORK;
	struct hook *h = arg;

	/* What the mapping is already takes no lock of its. */
	advice = advice == MADV_DOFORK ? MADV_DONTFORK : MADV_DOFORK;
	target_call(&h->target, do_madvise, h->addr, PAGE, advice);
	return NULL;
}

static int call_walk(struct hook *h)
{
	return pmadv_one(h->target.pidfd, h->addr, h->len, MADV_COLD,
			 PMADV_SKIP_ERRORS, NULL);
}

/* The same row again and again, in one call that takes a second or more. */
static int call_long_walk(struct hook *h)
{
	static struct iovec vec[1024];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(vec); i++)
		vec[i] = (struct iovec){ (void *)h->addr, h->len };
	return pmadv(h->target.pidfd, vec, i, MADV_COLD, PMADV_SKIP_ERRORS,
		     NULL);
}

static int call_policy(struct hook *h)
{
	return pmadv_one(h->target.pidfd, h->addr, h->len, 0, PMADV_POLICY,
			 NULL);
}

static int call_get_vma(struct hook *h)
{
	struct pidfd_vma arg = { .addr = h->addr };

	return ioctl(h->target.pidfd, PIDFD_GET_VMA, &arg);
}

static const struct {
	const char *where;
	int (*call)(struct hook *h);
	bool under_way;		/* before the lock can't be had */
	unsigned int hold;
} waits[] = {
	{ "before it looks at its ranges", call_walk, false, 0 },
	{ "after it let others have it", call_long_walk, true, 0 },
	{ "after the policy's begin()", call_policy, true, HOOK_HOLD_BEGIN },
	{ "to open a VMA fd", call_get_vma, false, 0 },
};

static void kill_waiting(struct hook *h, unsigned int nr)
{
	pthread_t holder, writer;
	int status = 0;
	pid_t pid = -1;

	/* It takes so long there that it may be ejected. */
	hook_detach(&h->link);
	if (!EXPECT_EQ(hook_attach_again(h->skel->maps.hook, &h->link), 0))
		return;
	h->skel->bss->hold = HOOK_HOLD_ADVISE;
	if (!EXPECT_EQ(pthread_create(&holder, NULL, walk_once, h), 0))
		return;
	hook_await_held(h->skel, HOOK_HOLD_ADVISE);

	h->skel->bss->hold |= waits[nr].hold;
	if (waits[nr].under_way) {
		pid = hook_start(h, waits[nr].call);
		if (waits[nr].hold)
			hook_await_held(h->skel, waits[nr].hold);
		else
			hook_sleep_ms(50);
	}
	if (!EXPECT_EQ(pthread_create(&writer, NULL, want_lock, h), 0))
		goto let_go;
	hook_await_waiting(h->target.pid);
	if (!waits[nr].under_way)
		pid = hook_start(h, waits[nr].call);
	h->skel->bss->hold &= ~waits[nr].hold;

	if (EXPECT(pid > 0, "") && hook_await_waiting(pid)) {
		EXPECT_EQ(kill(pid, SIGKILL), 0);
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT(WIFSIGNALED(status), "");
		EXPECT(h->skel->bss->held & HOOK_HOLD_ADVISE,
		       ": killed %s", waits[nr].where);
	}
	h->skel->bss->hold = 0;
	pthread_join(writer, NULL);
let_go:
	h->skel->bss->hold = 0;
	pthread_join(holder, NULL);
}

static void run_wait_killed(struct hook *h)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(waits); i++)
		kill_waiting(h, i);
	hook_detach(&h->link);
	EXPECT_EQ(hook_attach_again(h->skel->maps.hook, &h->link), 0);
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	hook_expect_intact(h);
}

const struct hook_test hook_race_tests[] = {
	{
		.name = "update_walking",
		.description = "a link is updated while walks ask its policy",
		.setup = setup_row,
		.run = run_update_walking,
		.cleanup = cleanup_row,
	},
	{
		.name = "detach_walking",
		.description = "policies come and go while walks ask them",
		.setup = setup_row,
		.run = run_detach_walking,
		.cleanup = cleanup_row,
	},
	{
		.name = "unload_walking",
		.description = "programs are freed while walks asked them",
		.setup = setup_row,
		.run = run_unload_walking,
		.cleanup = cleanup_row,
	},
	{
		.name = "expel_walking",
		.description = "kernel and owner detach at the same time",
		.setup = setup_row,
		.run = run_expel_walking,
		.cleanup = cleanup_row,
	},
	{
		.name = "churn",
		.description = "a target that maps and unmaps loses nothing",
		.setup = setup_row,
		.run = run_churn,
		.cleanup = cleanup_row,
	},
	{
		.name = "exit_walking",
		.description = "a target that dies ends the walk",
		.setup = setup_row,
		.run = run_exit_walking,
		.cleanup = cleanup_row,
	},
	{
		.name = "exit_in_advise",
		.description = "a target that dies unadvised is an error",
		.setup = hook_setup_attached,
		.run = run_exit_in_advise,
	},
	{
		.name = "detach_in_range",
		.description = "detaching does not wait for the end of a range",
		.setup = hook_setup_attached,
		.run = run_detach_in_range,
	},
	{
		.name = "wait_killed",
		.description = "who waits for the lock can be killed, wherever",
		.setup = setup_row,
		.run = run_wait_killed,
		.cleanup = cleanup_row,
	},
	{ }
};

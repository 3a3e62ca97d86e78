// SPDX-License-Identifier: GPL-2.0
/*
 * Advice that hits another object than the one that was decided about.
 *
 * Threads of a target put two kinds of objects into the same places, as fast as
 * they can: some may be paged out and bear a name that says so, the others must
 * never be. Nothing but advice swaps a page out here, so an object of the other
 * kind that has one swapped out is one that got advice meant for another. Each
 * is taken out of its place by mremap(2), which waits for walks under way, and
 * looked at elsewhere, where no walk goes: none is missed, none counted twice.
 *
 * Whoever gives ranges it read from /proc/PID/maps hits the wrong ones now and
 * then. Through a policy, and through a VMA fd, that must not happen once.
 *
 * On a kernel without the hook the engine asks the same policy. It cannot rule out
 * a wrong object but by freezing the target, and says of each range whether it was
 * proven to be the right one: never more are hit than it does not say that of.
 *
 * Usage: races [PATTERN]...
 *   Only the ways whose name matches one. RANGES in the environment: walk at least
 *   so many ranges with PMADV_POLICY, and as many through VMA fds and by the engine;
 *   otherwise as many as a short run takes. SECONDS: take that long for each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/types.h>

#include "kselftest.h"
#include "lib/engine.h"
#include "lib/util.h"
#include "races.skel.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

#define OBJECT_PAGES	4
#define OBJECT		(OBJECT_PAGES * PAGE)
#define STRIDE		(OBJECT + 2 * PAGE)
#define SLOTS		32
#define CHURNERS	2
#define MAX_WALKERS	16
#define SYSFS		"/sys/kernel/mm/process_madvise"

enum kind { NOTHING, MAY, NEVER, MIXED };

/* Without CONFIG_ANON_VMA_NAME, what may be paged out is of a file of that name. */
static bool named_by_file;
static int may_fd;

/**
 * struct shared - what the target and the walker tell each other
 * @stop: The target shall come to an end.
 * @arena: Where the slots are.
 * @generation: Of each slot: not 0 while there is an object in all of it that
 *	may be paged out, and then another number for each object.
 * @rounds: Times a slot got another content.
 * @examined: Objects that must never be paged out, looked at.
 * @wrong: Of these, the ones that were.
 * @forks: Children made.
 * @failed: Something did not go as it should in the target.
 */
struct shared {
	bool stop;
	unsigned long arena;
	unsigned long generation[SLOTS];
	unsigned long rounds;
	unsigned long examined;
	unsigned long wrong;
	unsigned long forks;
	unsigned long failed;
};

static struct shared *shared;

#define LOAD(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define STORE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_SEQ_CST)
#define ADD(x, v)	__atomic_fetch_add(&(x), v, __ATOMIC_SEQ_CST)

static unsigned long slot_addr(unsigned int slot)
{
	return LOAD(shared->arena) + slot * STRIDE;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * The target ****************************************************************
 */

struct churner {
	pthread_t thread;
	unsigned int nr;
	unsigned long staging;
	unsigned long graveyard;
	int pagemap;
	uint32_t random;
	enum kind kinds[SLOTS];
	unsigned long generation;
};

static unsigned int pick(uint32_t *random, unsigned int of)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random % of;
}

/* Populated at once, because writing may be forbidden a moment later. */
static int map_at(unsigned long addr, size_t len)
{
	return mmap((void *)addr, len, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0) ==
	       MAP_FAILED ? -errno : 0;
}

static int give_name(unsigned long addr, size_t len)
{
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, len, "may") ?
	       -errno : 0;
}

/* Written to as they are made, the pages of a private file mapping are anonymous. */
static int map_may(unsigned long addr)
{
	if (!named_by_file)
		return map_at(addr, OBJECT) ?: give_name(addr, OBJECT);
	return mmap((void *)addr, OBJECT, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_FIXED | MAP_POPULATE, may_fd, 0) == MAP_FAILED ? -errno : 0;
}

static bool is_may(const struct mapping *mapping)
{
	return !strcmp(mapping->name, "[anon:may]") ||
	       !strncmp(mapping->name, "/memfd:may ", 11);
}

/* In the target, which has no file of ours. */
static int choose_names(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	named_by_file = give_name((unsigned long)page, PAGE);
	munmap(page, PAGE);
	if (!named_by_file)
		return 0;
	may_fd = memfd_create("may", MFD_CLOEXEC);
	return may_fd < 0 || ftruncate(may_fd, OBJECT) ? -errno : 0;
}

/* A mapping that mprotect() split must be merged before it can be moved. */
static int move_object(unsigned long from, size_t len, unsigned long to)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (mremap((void *)from, len, len, MREMAP_MAYMOVE |
			   MREMAP_FIXED, (void *)to) != MAP_FAILED)
			return 0;
		if (errno != EFAULT)
			return -errno;
		mprotect((void *)from, len, PROT_READ | PROT_WRITE);
	}
	return -EBUSY;
}

/* Take out what must never be paged out, and see whether it was. */
static int examine(struct churner *c, unsigned long addr, size_t len)
{
	uint64_t entries[OBJECT_PAGES];
	size_t i, nr = len / PAGE;
	bool wrong = false;
	int err;

	err = move_object(addr, len, c->graveyard);
	if (err)
		return err;
	if (pread(c->pagemap, entries, nr * sizeof(*entries),
		  c->graveyard / PAGE * sizeof(*entries)) !=
	    (ssize_t)(nr * sizeof(*entries)))
		return -EIO;
	for (i = 0; i < nr; i++) {
		wrong |= entries[i] >> 62 & 1;
		/* The page must be present or swapped out, or this proves nothing. */
		if (!(entries[i] >> 62 & 3))
			return -EINVAL;
	}
	ADD(shared->examined, 1);
	ADD(shared->wrong, wrong);
	return 0;
}

static int take_out(struct churner *c, unsigned int slot)
{
	unsigned long addr = slot_addr(slot);

	STORE(shared->generation[slot], 0);
	switch (c->kinds[slot]) {
	case NEVER:
		return examine(c, addr, OBJECT);
	case MIXED:
		return examine(c, addr + OBJECT / 2, OBJECT / 2);
	case MAY:
		/* Or leave it there, for something else to be put over it. */
		if (pick(&c->random, 2))
			return do_unmap(addr, OBJECT, 0);
		return 0;
	case NOTHING:
		return 0;
	}
	return -EINVAL;
}

static int put_may(struct churner *c, unsigned long addr)
{
	int err;

	if (pick(&c->random, 2))
		return map_may(addr);
	err = map_may(c->staging);
	return err ? err : move_object(c->staging, OBJECT, addr);
}

static int put_never(struct churner *c, unsigned long addr, size_t len)
{
	return map_at(c->staging, len) ?: move_object(c->staging, len, addr);
}

static int put_in(struct churner *c, unsigned int slot)
{
	unsigned long addr = slot_addr(slot);
	enum kind kind = 1 + pick(&c->random, 3);
	int err = 0;

	/* Half of each other kind alone would leave little of the first. */
	if (kind != NEVER)
		err = put_may(c, addr);
	if (!err && kind == MAY)
		STORE(shared->generation[slot], ++c->generation);
	if (!err && kind == NEVER)
		err = put_never(c, addr, OBJECT);
	if (!err && kind == MIXED)
		err = put_never(c, addr + OBJECT / 2, OBJECT / 2);
	c->kinds[slot] = kind;
	return err;
}

static void await_arena(void)
{
	while (!LOAD(shared->arena))
		usleep(1000);
}

static void *churn(void *arg)
{
	struct churner *c = arg;
	unsigned int slot;
	int err = 0;

	await_arena();
	while (!LOAD(shared->stop) && !err) {
		slot = c->nr + CHURNERS * pick(&c->random, SLOTS / CHURNERS);
		err = take_out(c, slot) ?: put_in(c, slot);
		ADD(shared->rounds, 1);
	}
	if (err) {
		fprintf(stderr, "# the target failed: %s\n", strerror(-err));
		ADD(shared->failed, 1);
		STORE(shared->stop, true);
	}
	return NULL;
}

/* Split and merge, whatever is there. */
static void *protect(void *arg)
{
	struct churner *c = arg;

	await_arena();
	while (!LOAD(shared->stop)) {
		unsigned long addr = slot_addr(pick(&c->random, SLOTS));

		mprotect((void *)(addr + PAGE * pick(&c->random, OBJECT_PAGES)),
			 PAGE, PROT_READ);
		sched_yield();
		mprotect((void *)addr, OBJECT, PROT_READ | PROT_WRITE);
		usleep(1000);
	}
	return NULL;
}

static void *fork_on(void *arg)
{
	pid_t pid;

	await_arena();
	while (!LOAD(shared->stop)) {
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid) {
			ADD(shared->failed, 1);
			break;
		}
		ADD(shared->forks, 1);
		usleep(30000);
	}
	return NULL;
}

static unsigned long reserve(size_t len)
{
	char *p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		       MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? 0 : (unsigned long)p;
}

static int prepare(struct churner *c, unsigned int nr)
{
	c->nr = nr;
	c->random = 2463534242U + nr;
	c->generation = (unsigned long)nr << 48;
	c->staging = reserve(2 * OBJECT);
	c->graveyard = reserve(2 * OBJECT);
	c->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	return c->staging && c->graveyard && c->pagemap >= 0 ? 0 : -ENOMEM;
}

/* Run the threads until told to stop. */
static long do_race(unsigned long a, unsigned long b, unsigned long unused)
{
	struct churner churners[CHURNERS + 2] = {};
	unsigned long arena = reserve(SLOTS * STRIDE);
	unsigned int i, nr;
	int err = arena ? choose_names() : -ENOMEM;

	for (nr = 0; nr < ARRAY_LEN(churners) && !err; nr++) {
		err = prepare(&churners[nr], nr);
		if (!err)
			err = -pthread_create(&churners[nr].thread, NULL,
					      nr < CHURNERS ? churn :
					      nr == CHURNERS ? protect :
					      fork_on, &churners[nr]);
		if (err)
			break;
	}
	/* They wait for it; all that might have taken its place has one. */
	if (!err)
		err = do_unmap(arena, SLOTS * STRIDE, 0);
	if (err)
		STORE(shared->stop, true);
	STORE(shared->arena, arena);
	for (i = 0; i < nr; i++)
		pthread_join(churners[i].thread, NULL);
	return err;
}

/*
 * The walkers ***************************************************************
 */

struct order {
	pthread_t thread;
	struct target t;
	long ret;
};

static void *give_order(void *arg)
{
	struct order *o = arg;

	o->ret = target_call(&o->t, do_race, 0, 0, 0);
	STORE(shared->stop, true);
	return NULL;
}

/**
 * struct tally - what a way to walk did
 * @ranges: Ranges walked.
 * @advised: Of these, those that got advice.
 * @reclaimed: Pages reclaimed.
 * @stale: VMA fds whose mapping was gone.
 * @proven: Ranges that the engine says are proven exact.
 * @again: Answers of the policy that it threw away.
 * @unexpected: Calls that ended in a way that none may.
 */
struct tally {
	unsigned long ranges;
	unsigned long advised;
	unsigned long reclaimed;
	unsigned long stale;
	unsigned long proven;
	unsigned long again;
	unsigned long unexpected;
};

struct walker;

enum whom { NOBODY, HOOK, ENGINE };

/**
 * struct way - a way to walk
 * @name: Its name.
 * @description: What it is.
 * @walk: Walk once.
 * @percent: Of the ranges asked for, the share that it has to walk.
 * @walkers: How many walk together. They share the lock, so more of them get
 *	further, but leave less to writers.
 * @asks: Whom it asks, which not every kernel has.
 * @goes_wrong: It hits wrong objects, and walks until it does.
 * @tells: It hits no more of them than it advised ranges without a proof.
 */
struct way {
	const char *name;
	const char *description;
	int (*walk)(struct walker *w);
	unsigned int percent;
	unsigned int walkers;
	enum whom asks;
	bool goes_wrong;
	bool tells;
};

/**
 * struct walker - one of those that walk a target together
 * @nr: Which of them it is.
 * @way: How.
 * @t: The target.
 * @ranges: Enough is when all of them walked so many,
 * @end: or when it is that late.
 * @total: Ranges that all of them walked so far.
 * @tally: What this one did.
 * @err: What made it give up.
 */
struct walker {
	pthread_t thread;
	unsigned int nr;
	const struct way *way;
	struct target *t;
	unsigned long ranges;
	double end;
	unsigned long *total;
	struct tally tally;
	int err;
};

static void count(struct tally *tally, const struct pmadv_result *r)
{
	tally->ranges += r->ranges_seen;
	tally->advised += r->ranges_advised;
	tally->reclaimed += r->stats.reclaimed;
}

/* The ranges that maps calls "may", one call for each. */
static int walk_by_maps(struct walker *w, unsigned int flags)
{
	struct tally *tally = &w->tally;
	struct pmadv_result r;
	struct mapping *maps;
	int i, n;
	long ret;

	n = read_maps(w->t->pid, &maps);
	if (n < 0)
		return n;
	for (i = 0; i < n && !LOAD(shared->stop); i++) {
		if (!is_may(&maps[i]))
			continue;
		ret = pmadv_one(w->t->pidfd, maps[i].start,
				maps[i].end - maps[i].start, MADV_PAGEOUT,
				flags, flags ? &r : NULL);
		if (ret < 0 && ret != -ENOMEM)
			tally->unexpected++;
		if (flags) {
			count(tally, &r);
		} else {
			tally->ranges++;
			tally->advised += ret > 0;
		}
	}
	free(maps);
	return 0;
}

static int walk_stock(struct walker *w)
{
	return walk_by_maps(w, 0);
}

static int walk_flags(struct walker *w)
{
	return walk_by_maps(w, PMADV_SKIP_ERRORS);
}

static int walk_policy(struct walker *w)
{
	struct pmadv_result r;

	if (pmadv_one(w->t->pidfd, slot_addr(0), SLOTS * STRIDE, 0,
		      PMADV_POLICY, &r) < 0 || r.stopped)
		w->tally.unexpected++;
	count(&w->tally, &r);
	return 0;
}

static int walk_entire(struct walker *w)
{
	struct pmadv_result r = { .size = sizeof(r) };

	if (pmadv(w->t->pidfd, NULL, 0, 0, PMADV_POLICY | PMADV_RESULT |
		  PMADV_ENTIRE_ADDRESS_SPACE, &r) < 0 || r.stopped)
		w->tally.unexpected++;
	count(&w->tally, &r);
	return 0;
}

/* Descriptors for what is, or was, in a walker's slots. */
struct held {
	int fd;
	struct pidfd_vma vma;
};

static __thread struct held held[SLOTS];

static void let_go(void)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (held[i].fd > 0)
			close(held[i].fd);
}

static int hold(struct target *t, unsigned int slot, bool any)
{
	unsigned long generation = LOAD(shared->generation[slot]);
	struct held *h = &held[slot];
	int fd;

	if (!generation && !any)
		return 0;
	h->vma = (struct pidfd_vma){ .addr = slot_addr(slot) };
	fd = ioctl(t->pidfd, PIDFD_GET_VMA, &h->vma);
	if (fd < 0)
		return errno == ENOMEM ? 0 : -errno;
	/* The object did not change meanwhile, so the descriptor is for it. */
	if (!any && LOAD(shared->generation[slot]) != generation) {
		close(fd);
		return 0;
	}
	h->fd = fd;
	return 0;
}

/* A range for each page: the mapping may go in the midst of them. */
static unsigned int pages_of(const struct pidfd_vma *vma, struct iovec *vec)
{
	unsigned long addr = vma->start;
	unsigned int nr;

	for (nr = 0; nr < OBJECT_PAGES && addr < vma->end; nr++, addr += PAGE)
		vec[nr] = (struct iovec){ (void *)addr, PAGE };
	return nr;
}

/* Each walker has slots of its own: a descriptor is closed by who uses it. */
static int walk_held(struct walker *w, int advice, unsigned int flags)
{
	struct tally *tally = &w->tally;
	struct iovec vec[OBJECT_PAGES];
	struct pmadv_result r;
	unsigned int slot;
	long ret;
	int err;

	for (slot = w->nr; slot < SLOTS; slot += w->way->walkers) {
		struct held *h = &held[slot];

		if (h->fd <= 0) {
			err = hold(w->t, slot, flags & PMADV_POLICY);
			if (err)
				return err;
		}
		if (h->fd <= 0) {
			/* Not to keep those from it who change that. */
			usleep(200);
			continue;
		}
		memset(&r, 0, sizeof(r));
		r.size = sizeof(r);
		ret = pmadv(h->fd, vec, pages_of(&h->vma, vec), advice,
			    flags | PMADV_RESULT, &r);
		count(tally, &r);
		if (r.stopped == PMADV_STOPPED_STALE) {
			tally->stale++;
			close(h->fd);
			h->fd = 0;
		} else if (ret < 0 || r.stopped) {
			tally->unexpected++;
		}
	}
	return 0;
}

static int walk_fds(struct walker *w)
{
	return walk_held(w, MADV_PAGEOUT, PMADV_SKIP_ERRORS);
}

/* Whatever is there, and the policy decides. */
static int walk_fds_policy(struct walker *w)
{
	return walk_held(w, 0, PMADV_POLICY);
}

/* One engine, as one walker uses it at a time. */
static struct tested_engine *engine;

/* What is to be advised, learnt in one go. */
struct choice {
	struct iovec vec[2 * SLOTS * OBJECT_PAGES];
	unsigned int nr;
};

static void choose(void *data, uint64_t start, uint64_t end, int advice)
{
	struct choice *choice = data;

	if (choice->nr < ARRAY_LEN(choice->vec))
		choice->vec[choice->nr++] = (struct iovec){ (void *)start, end - start };
}

/* What an engine would be that asks, acts, and does not look back. */
static int walk_asked(struct walker *w)
{
	struct tested_walk walk = {
		.pid = w->t->pid, .pidfd = w->t->pidfd, .dry_run = true, .chosen = choose,
	};
	struct choice choice = {};
	unsigned int at;
	int err;

	walk.data = &choice;
	err = tested_engine_walk(engine, &walk);
	if (err)
		return err;
	w->tally.ranges += choice.nr;
	/* A range that is gone ends a call, those behind it take another. */
	for (at = 0; at < choice.nr; at++) {
		long ret = pmadv(w->t->pidfd, choice.vec + at, choice.nr - at,
				 MADV_PAGEOUT, 0, NULL);

		if (ret < 0 && errno != ENOMEM) {
			w->tally.unexpected++;
			break;
		}
		for (; ret > 0 && at < choice.nr &&
		     ret >= (long)choice.vec[at].iov_len; at++) {
			ret -= choice.vec[at].iov_len;
			w->tally.advised++;
		}
	}
	return 0;
}

static int walk_engine(struct walker *w, bool proven_only, bool freeze)
{
	struct tested_walk walk = {
		.pid = w->t->pid, .pidfd = w->t->pidfd,
		.proven_only = proven_only, .freeze = freeze,
	};
	int err = tested_engine_walk(engine, &walk);

	count(&w->tally, &walk.result);
	w->tally.proven += walk.proven;
	w->tally.again += walk.again;
	w->tally.unexpected += !!walk.result.stopped;
	return err;
}

static int walk_checked(struct walker *w)
{
	return walk_engine(w, false, false);
}

static int walk_proven_only(struct walker *w)
{
	return walk_engine(w, true, false);
}

static int walk_frozen(struct walker *w)
{
	return walk_engine(w, false, true);
}

static const struct way ways[] = {
	{
		.name = "stock",
		.description = "ranges out of maps, flags == 0",
		.walk = walk_stock,
		.percent = 2,
		.walkers = 2,
		.goes_wrong = true,
	},
	{
		.name = "engine_unchecked",
		.description = "the policy asked by an iterator, and its answers carried out",
		.walk = walk_asked,
		.asks = ENGINE,
		.percent = 2,
		.walkers = 1,
		.goes_wrong = true,
	},
	{
		.name = "engine",
		.description = "the engine, which checks before it acts",
		.walk = walk_checked,
		.asks = ENGINE,
		.percent = 100,
		.walkers = 1,
		.tells = true,
	},
	{
		.name = "engine_proven_only",
		.description = "the engine, which rather gives up",
		.walk = walk_proven_only,
		.asks = ENGINE,
		.percent = 100,
		.walkers = 1,
		.tells = true,
	},
	{
		.name = "engine_freeze",
		.description = "the engine, which freezes the target",
		.walk = walk_frozen,
		.asks = ENGINE,
		.percent = 100,
		.walkers = 1,
	},
	{
		.name = "flags",
		.asks = HOOK,
		.description = "ranges out of maps, with flags",
		.walk = walk_flags,
		.percent = 2,
		.walkers = 2,
		.goes_wrong = true,
	},
	{
		.name = "policy",
		.asks = HOOK,
		.description = "PMADV_POLICY over a range",
		.walk = walk_policy,
		.percent = 100,
		.walkers = 2,
	},
	{
		.name = "entire",
		.asks = HOOK,
		.description = "PMADV_POLICY over the entire address space",
		.walk = walk_entire,
		.percent = 100,
		.walkers = 2,
	},
	{
		.name = "vma_fd",
		.asks = HOOK,
		.description = "VMA fds of objects that may be paged out",
		.walk = walk_fds,
		.percent = 90,
		.walkers = 16,
	},
	{
		.name = "vma_fd_policy",
		.asks = HOOK,
		.description = "VMA fds of all objects, with PMADV_POLICY",
		.walk = walk_fds_policy,
		.percent = 10,
		.walkers = 16,
	},
};

/* Pages that the kernel reclaimed of its own accord. */
static long long reclaimed_by_itself(void)
{
	return vmstat("pgsteal_kswapd") + vmstat("pgsteal_direct");
}

/* Where a miss is waited for, enough is not before there is one. */
static bool is_enough(struct walker *w)
{
	if (w->way->goes_wrong && !LOAD(shared->wrong))
		return now() >= w->end + 20;
	return now() >= w->end || LOAD(*w->total) >= w->ranges;
}

static void *walk(void *arg)
{
	struct walker *w = arg;

	while (!LOAD(shared->stop) && !w->err && !is_enough(w)) {
		unsigned long before = w->tally.ranges;

		w->err = w->way->walk(w);
		ADD(*w->total, w->tally.ranges - before);
	}
	let_go();
	return NULL;
}

static int walk_together(const struct way *way, struct target *t,
			 unsigned long ranges, double seconds,
			 struct tally *sum)
{
	struct walker walkers[MAX_WALKERS];
	unsigned long total = 0;
	unsigned int i, nr;
	int err = 0;

	for (nr = 0; nr < way->walkers && !err; nr++) {
		walkers[nr] = (struct walker){
			.nr = nr,
			.way = way,
			.t = t,
			.ranges = ranges,
			.end = now() + seconds,
			.total = &total,
		};
		err = -pthread_create(&walkers[nr].thread, NULL, walk,
				      &walkers[nr]);
		if (err)
			break;
	}
	for (i = 0; i < nr; i++) {
		const struct tally *tally = &walkers[i].tally;

		pthread_join(walkers[i].thread, NULL);
		sum->ranges += tally->ranges;
		sum->advised += tally->advised;
		sum->reclaimed += tally->reclaimed;
		sum->stale += tally->stale;
		sum->proven += tally->proven;
		sum->again += tally->again;
		sum->unexpected += tally->unexpected;
		err = err ?: walkers[i].err;
	}
	return err;
}

static bool expect(bool holds, const char *what)
{
	if (!holds)
		ksft_print_msg("not so: %s\n", what);
	return holds;
}

/* A target that can be frozen is in a cgroup that we are not in. */
static int make_cgroup(char *path, size_t size, pid_t pid)
{
	char mount[256] = "", line[1024], type[64], procs[512], text[16];
	FILE *mounts = fopen("/proc/mounts", "re");
	bool found = false;

	while (!found && mounts && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %255s %63s", mount, type) == 2 &&
		    !strcmp(type, "cgroup2"))
			found = true;
	if (mounts)
		fclose(mounts);
	if (!found)
		return -ENOENT;
	snprintf(path, size, "%s/pmadv_races", mount);
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	snprintf(text, sizeof(text), "%d", pid);
	return write_file(procs, text);
}

static void remove_cgroup(const char *path)
{
	int tries;

	for (tries = 0; *path && rmdir(path) && errno == EBUSY && tries < 100; tries++)
		usleep(10000);
}

/* Say what was seen; did it go as it has to? */
static bool judge(const struct way *way, const struct tally *tally, unsigned long least)
{
	bool good = true;

	good &= expect(!tally->unexpected, "calls end as they may");
	good &= expect(tally->advised > 0, "there was advice");
	good &= expect(shared->examined > 0 && shared->forks > 0,
		       "the target did what it is for");
	if (way->goes_wrong)
		return good & expect(shared->wrong > 0, "the wrong objects are hit");
	good &= expect(tally->ranges >= least, "enough ranges in time");
	/* The engine counts what is gone, which may be because the target moved it. */
	good &= expect(tally->reclaimed > 0, "the right ones are hit");
	if (way->tells)
		return good & expect(shared->wrong <= tally->advised - tally->proven,
				     "no wrong object is hit with a proof");
	return good & expect(!shared->wrong, "no wrong object is hit");
}

/* Walk @ranges in @seconds, or @least if it takes longer. */
static void race(const struct way *way, unsigned long ranges,
		 unsigned long least, double seconds)
{
	long long pressure = reclaimed_by_itself();
	struct tally tally = {};
	struct order order = {};
	double began = now();
	char cgroup[300] = "";
	bool good = true;
	int err;

	memset(shared, 0, sizeof(*shared));
	err = target_start(&order.t);
	if (!err && way->walk == walk_frozen)
		err = make_cgroup(cgroup, sizeof(cgroup), order.t.pid);
	if (!err)
		err = -pthread_create(&order.thread, NULL, give_order, &order);
	if (err)
		ksft_exit_fail_msg("no target: %s\n", strerror(-err));
	while (LOAD(shared->rounds) < 4 * SLOTS && !LOAD(shared->stop))
		usleep(1000);

	err = walk_together(way, &order.t, ranges, seconds, &tally);
	STORE(shared->stop, true);
	pthread_join(order.thread, NULL);
	target_stop(&order.t);
	remove_cgroup(cgroup);
	pressure = reclaimed_by_itself() - pressure;
	if (err == -EOPNOTSUPP) {
		ksft_test_result_skip("%s: this kernel cannot prove anything\n", way->name);
		return;
	}

	ksft_print_msg("%s: %lu ranges walked, %lu advised, %lu pages out, %lu stale in %.0f s\n",
		       way->name, tally.ranges, tally.advised, tally.reclaimed,
		       tally.stale, now() - began);
	if (way->tells)
		ksft_print_msg("%s: %lu proven exact, %lu not; %lu answers thrown away\n",
			       way->name, tally.proven, tally.advised - tally.proven,
			       tally.again);
	ksft_print_msg("%s: %lu changes, %lu forks; %lu of %lu wrong objects hit\n",
		       way->name, shared->rounds, shared->forks, shared->wrong,
		       shared->examined);
	if (pressure) {
		ksft_test_result_skip("%s: memory ran short, pages left for that\n",
				      way->name);
		return;
	}
	good &= expect(!err, "walking goes on");
	good &= expect(!order.ret && !shared->failed, "the target is well");
	good &= judge(way, &tally, least);
	ksft_test_result(good, "%s: %s\n", way->name, way->description);
}

static bool wanted(const struct way *way, bool hook, char **patterns)
{
	/* The engine is for kernels without the hook. */
	if (way->asks == (hook ? ENGINE : HOOK))
		return false;
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, way->name, 0))
			return true;
	return false;
}

/* The policy in force, where there is the hook. */
static struct races *skel;
static struct bpf_link *policy_link;

static int open_hook(void)
{
	skel = races__open_and_load();
	if (!skel)
		return -errno;
	policy_link = bpf_map__attach_struct_ops(skel->maps.races);
	return policy_link ? 0 : -errno;
}

static bool has_swap(void)
{
	char text[4096];

	return read_file("/proc/swaps", text, sizeof(text)) > 0 && strstr(text, "\n/");
}

int main(int argc, char **argv)
{
	const char *asked = getenv("RANGES"), *time = getenv("SECONDS");
	unsigned long ranges = asked ? strtoul(asked, NULL, 10) : time ? ~0UL >> 8 :
				       slow_kernel() ? 3000 : 10000;
	double seconds = time ? strtod(time, NULL) : asked ? 7200 : 6;
	bool hook = !access(SYSFS, F_OK);
	unsigned int i, plan = 0;

	ksft_print_header();
	if (!has_swap())
		ksft_exit_skip("no swap: nothing anonymous can be paged out\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		ksft_exit_fail_perror("mmap");
	if (hook ? open_hook() :
		   tested_engine_open(&engine, "bpf/races.bpf.o", NULL))
		ksft_exit_fail_msg("cannot load the policy\n");

	for (i = 0; i < ARRAY_LEN(ways); i++)
		plan += wanted(&ways[i], hook, argv + 1);
	ksft_set_plan(plan);
	for (i = 0; i < ARRAY_LEN(ways); i++)
		if (wanted(&ways[i], hook, argv + 1))
			race(&ways[i], ranges / 100 * ways[i].percent,
			     asked ? ranges / 100 * ways[i].percent : SLOTS, seconds);
	bpf_link__destroy(policy_link);
	races__destroy(skel);
	tested_engine_close(engine);
	ksft_finished();
}

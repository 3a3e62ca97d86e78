// SPDX-License-Identifier: GPL-2.0
/*
 * The storm. Targets do everything to their memory that a process can; callers
 * walk them with all flags, by pidfd and by VMA fd, and get signals; policies
 * come and go, are updated and ejected, at the system's scope and at cgroups
 * that targets are moved through and that are removed under them; swap goes
 * away and comes back. Each page bears a mark of its process, its address and
 * its generation, and each is looked at again. No target may stop getting on.
 *
 * Usage: storm [--seed N] [--seconds N]
 *   Files are made in $TORTURE_DISK, a folder on a disk, if that is set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <linux/userfaultfd.h>

#include "torture.h"
#include "torture.skel.h"

#define NR_TARGETS	4
#define NR_WALKERS	2
#define NR_SLOTS	12
#define NR_CGROUPS	3
#define MAX_PAGES	256UL
/* On the debug kernel, emulated, with others at work beside it. */
#define STALL_MS	120000

#define CGROUPS		"/sys/fs/cgroup"
#define SYSFS		"/sys/kernel/mm/process_madvise"

/**
 * struct progress - of one target
 * @pid: The process, 0 while there is none.
 * @steps: What it has done.
 * @doing: What it is at.
 */
struct progress {
	_Atomic pid_t pid;
	_Atomic uint64_t steps;
	_Atomic int doing;
};

/* Shared by all processes of the storm. */
static struct storm {
	uint64_t seed;
	struct progress target[NR_TARGETS];
	_Atomic bool stop;
	_Atomic unsigned int failures;
	_Atomic uint64_t pages, wrong, forks, execs, starts;
	_Atomic uint64_t walks, ranges, bytes, yields, resumed, interrupted;
	_Atomic uint64_t vma_fds, stale;
	_Atomic uint64_t attached, updated, detached, ejected, cgroups, moves;
	_Atomic uint64_t swapoffs;
} *storm;

#define count(what)	atomic_fetch_add(&storm->what, 1)
#define add(what, n)	atomic_fetch_add(&storm->what, n)

static void fail(const char *fmt, ...)
{
	va_list args;

	count(failures);
	printf("# pid %d: ", getpid());
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* ---- Targets ---------------------------------------------------------- */

enum kind {
	KIND_FREE,
	KIND_SMALL,
	KIND_THP,
	KIND_SHARED,
	KIND_MEMFD,
	KIND_COW,	/* private copy of a memfd */
	KIND_FILE,	/* shared, on the disk */
	KIND_FILE_COW,	/* private copy of a file on the disk */
	KIND_KSM,
	KIND_HUGETLB,
	KIND_UFFD,
	NR_KINDS,
};

/**
 * struct slot - a mapping of a target
 * @kind: What it is.
 * @addr: Where it is.
 * @was: Where it was when it was filled: the marks name that.
 * @pages: Its length.
 * @gen: Generation of the marks; the process is part of it.
 * @read_only: As far as mprotect(2) goes.
 */
struct slot {
	enum kind kind;
	unsigned long addr;
	unsigned long was;
	unsigned long pages;
	unsigned long gen;
	bool read_only;
};

static struct slot slots[NR_SLOTS];
static struct rng rng;
static int uffd = -1;

static unsigned long next_gen(void)
{
	static unsigned long gen;

	return (unsigned long)getpid() << 32 | ++gen;
}

static size_t slot_len(const struct slot *s)
{
	return s->pages * PAGE;
}

static void check_slot(const struct slot *s, const char *when)
{
	size_t bad;

	if (s->kind == KIND_FREE)
		return;
	bad = check_moved(s->addr, slot_len(s), s->gen, s->was);
	add(pages, s->pages);
	add(wrong, bad);
	if (bad)
		fail("%zu of %lu pages at %#lx, kind %d, are wrong %s", bad,
		     s->pages, s->addr, s->kind, when);
}

static void fill_slot(struct slot *s)
{
	if (s->read_only)
		return;
	s->gen = next_gen();
	s->was = s->addr;
	fill(s->addr, slot_len(s), s->gen);
}

static int open_file(enum kind kind)
{
	const char *disk = getenv("TORTURE_DISK");

	if ((kind == KIND_FILE || kind == KIND_FILE_COW) && disk)
		return open(disk, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return memfd_create("storm", MFD_CLOEXEC);
}

/* Mapped shared and filled; then, for a copy, mapped private in its place. */
static void *map_file(struct slot *s, bool private)
{
	int fd = open_file(s->kind);
	void *p = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, slot_len(s)))
		p = mmap(NULL, slot_len(s), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	if (p != MAP_FAILED) {
		s->addr = (unsigned long)p;
		fill_slot(s);
	}
	if (p != MAP_FAILED && private) {
		if (s->kind == KIND_FILE_COW)
			msync(p, slot_len(s), MS_SYNC);
		p = mmap(p, slot_len(s), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED, fd, 0);
	}
	close(fd);
	return p;
}

static void *map_anon(struct slot *s, int flags)
{
	return mmap(NULL, slot_len(s), PROT_READ | PROT_WRITE,
		    MAP_ANONYMOUS | flags, -1, 0);
}

/* The pages come when they are asked for; see serve_faults(). */
static void *map_uffd(struct slot *s)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *p = map_anon(s, MAP_PRIVATE);

	if (uffd < 0 || p == MAP_FAILED)
		return p;
	reg.range.start = (unsigned long)p;
	reg.range.len = slot_len(s);
	ioctl(uffd, UFFDIO_REGISTER, &reg);
	return p;
}

static void step_map(struct slot *s)
{
	void *p;

	memset(s, 0, sizeof(*s));
	s->kind = KIND_SMALL + rng_below(&rng, NR_KINDS - 1);
	s->pages = 1 + rng_below(&rng, MAX_PAGES);
	if (s->kind == KIND_THP || s->kind == KIND_HUGETLB)
		s->pages = HUGE / PAGE;

	switch (s->kind) {
	case KIND_MEMFD:
	case KIND_FILE:
		p = map_file(s, false);
		break;
	case KIND_COW:
	case KIND_FILE_COW:
		p = map_file(s, true);
		break;
	case KIND_SHARED:
		p = map_anon(s, MAP_SHARED);
		break;
	case KIND_HUGETLB:
		p = map_anon(s, MAP_PRIVATE | MAP_HUGETLB);
		break;
	case KIND_UFFD:
		p = map_uffd(s);
		break;
	default:
		p = map_anon(s, MAP_PRIVATE);
	}
	if (p == MAP_FAILED) {
		s->kind = KIND_FREE;
		return;
	}
	s->addr = (unsigned long)p;
	if (s->kind == KIND_THP)
		madvise(p, slot_len(s), MADV_HUGEPAGE);
	if (s->kind == KIND_KSM)
		madvise(p, slot_len(s), MADV_MERGEABLE);
	if (!s->gen || rng_once_in(&rng, 2))
		fill_slot(s);
}

static void step_unmap(struct slot *s)
{
	check_slot(s, "before it goes");
	munmap((void *)s->addr, slot_len(s));
	s->kind = KIND_FREE;
}

/* A part of it only; the rest stays. */
static void step_cut(struct slot *s)
{
	unsigned long keep = 1 + rng_below(&rng, s->pages);

	if (keep == s->pages || s->kind == KIND_HUGETLB)
		return;
	munmap((void *)(s->addr + keep * PAGE), (s->pages - keep) * PAGE);
	s->pages = keep;
}

static void step_move(struct slot *s)
{
	void *room, *p;

	if (s->kind == KIND_HUGETLB || s->kind == KIND_UFFD)
		return;
	/* Elsewhere for sure: where something is that makes room for it. */
	room = mmap(NULL, slot_len(s), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (room == MAP_FAILED)
		return;
	p = mremap((void *)s->addr, slot_len(s), slot_len(s),
		   MREMAP_MAYMOVE | MREMAP_FIXED, room);
	if (p == MAP_FAILED) {
		munmap(room, slot_len(s));
		return;
	}
	s->addr = (unsigned long)p;
	check_slot(s, "after it was moved");
}

static void step_protect(struct slot *s)
{
	unsigned long half = s->pages / 2 * PAGE;

	if (s->kind == KIND_HUGETLB)
		half = 0;
	s->read_only = !s->read_only;
	mprotect((void *)s->addr, slot_len(s),
		 s->read_only ? PROT_READ : PROT_READ | PROT_WRITE);
	/* Split it in two, for good or for a moment. */
	if (half)
		mprotect((void *)s->addr, half,
			 s->read_only ? PROT_READ | PROT_EXEC :
					PROT_READ | PROT_WRITE);
}

static void step_lock(struct slot *s)
{
	if (mlock((void *)s->addr, slot_len(s)))
		return;
	check_slot(s, "locked");
	munlock((void *)s->addr, slot_len(s));
}

static void step_advise(struct slot *s)
{
	madvise((void *)s->addr, slot_len(s), rng_pick(&rng, advices));
}

/* The child sees what its parent had; what it writes is its own. */
static void step_fork(struct slot *s)
{
	int status, i;
	pid_t pid;

	/* The thread that serves the faults does not exist in the child. */
	pid = fork();
	if (pid < 0)
		return;
	if (!pid) {
		for (i = 0; i < NR_SLOTS; i++)
			if (slots[i].kind != KIND_UFFD)
				check_slot(&slots[i], "in a child");
		if (s->kind == KIND_SMALL || s->kind == KIND_THP ||
		    s->kind == KIND_COW) {
			fill_slot(s);
			check_slot(s, "written by a child");
		}
		_exit(0);
	}
	count(forks);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	check_slot(s, "after a fork");
}

/* "storm target FD WHICH": what main() starts a target with. */
static char *exec_args[5];

static void step_exec(struct slot *s)
{
	(void)s;
	if (!rng_once_in(&rng, 8))
		return;
	count(execs);
	execv("/proc/self/exe", exec_args);
	fail("exec: %s", strerror(errno));
}

static void step_exit(struct slot *s)
{
	(void)s;
	if (rng_once_in(&rng, 16))
		_exit(0);
}

static void step_write(struct slot *s)
{
	check_slot(s, "before it is written");
	fill_slot(s);
}

static void step_check(struct slot *s)
{
	check_slot(s, "when looked at");
}

static const struct {
	const char *name;
	unsigned int weight;
	void (*fn)(struct slot *s);
} steps[] = {
	{ "write", 8, step_write },
	{ "check", 8, step_check },
	{ "unmap", 3, step_unmap },
	{ "cut", 1, step_cut },
	{ "move", 3, step_move },
	{ "protect", 3, step_protect },
	{ "lock", 2, step_lock },
	{ "advise", 2, step_advise },
	{ "fork", 2, step_fork },
	{ "exec", 1, step_exec },
	{ "exit", 1, step_exit },
};

static unsigned int any_step(void)
{
	unsigned int i, sum = 0, at;

	for (i = 0; i < ARRAY_LEN(steps); i++)
		sum += steps[i].weight;
	at = rng_below(&rng, sum);
	for (i = 0; at >= steps[i].weight; i++)
		at -= steps[i].weight;
	return i;
}

/* Answers faults in KIND_UFFD with zeroes; fill_slot() does the rest. */
static void *serve_faults(void *unused)
{
	struct uffdio_zeropage zero = { .range.len = PAGE };
	struct uffd_msg msg;

	(void)unused;
	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		zero.range.start = msg.arg.pagefault.address & ~(PAGE - 1);
		ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static void open_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	pthread_t thread;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd >= 0 && (ioctl(uffd, UFFDIO_API, &api) ||
			  pthread_create(&thread, NULL, serve_faults, NULL))) {
		close(uffd);
		uffd = -1;
	}
}

static int run_target(unsigned int which)
{
	struct progress *me = &storm->target[which];
	unsigned int i;
	int doing;

	rng.state = storm->seed ^ (uint64_t)getpid() << 40;
	open_uffd();
	while (!storm->stop) {
		struct slot *s = &slots[rng_below(&rng, NR_SLOTS)];

		if (s->kind == KIND_FREE) {
			me->doing = -1;
			step_map(s);
		} else {
			doing = any_step();
			me->doing = doing;
			steps[doing].fn(s);
		}
		me->steps++;
	}
	for (i = 0; i < NR_SLOTS; i++)
		check_slot(&slots[i], "in the end");
	return 0;
}

/* ---- Callers ---------------------------------------------------------- */

static void on_alarm(int sig)
{
	(void)sig;
}

/* A signal soon, or now and then none. */
static void alarm_soon(void)
{
	struct itimerval when = {};

	if (rng_once_in(&rng, 4))
		when.it_value.tv_usec = 1 + rng_below(&rng, 30000);
	setitimer(ITIMER_REAL, &when, NULL);
}

static void note_walk(const struct pmadv_result *r)
{
	count(walks);
	add(ranges, r->ranges_seen);
	add(bytes, r->bytes_advised);
	add(yields, r->yields);
	if (r->stopped == PMADV_STOPPED_SIGNAL)
		count(interrupted);
	if (r->ranges_seen != r->ranges_advised + r->ranges_skipped +
			      r->ranges_refused + r->ranges_failed)
		fail("the ranges of call %" PRIu64 " do not add up",
		     (uint64_t)r->call_id);
}

/* Again and again where it stopped, until done or no longer of interest. */
static void walk(int fd, struct iovec *vec, int advice, unsigned int flags)
{
	struct pmadv_result r = { .size = sizeof(r) };
	unsigned int i;
	long ret;

	if (rng_once_in(&rng, 4))
		r.max_pages = 1 + rng_below(&rng, 512);
	for (i = 0; i < 8; i++) {
		alarm_soon();
		ret = pmadv(fd, vec, !!vec, advice, flags | PMADV_RESULT, &r);
		if (!r.call_id)
			break;
		note_walk(&r);
		r.call_id = 0;
		if (ret < 0 || !r.stopped || rng_once_in(&rng, 4))
			break;
		count(resumed);
	}
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
}

/* Select a mapping of the target from its maps; false if there are none. */
static bool any_mapping(pid_t pid, struct iovec *vec)
{
	struct mapping *maps, *m;
	int nr = read_maps(pid, &maps);

	if (nr <= 0)
		return false;
	m = &maps[rng_below(&rng, nr)];
	vec->iov_base = (void *)(unsigned long)m->start;
	vec->iov_len = m->end - m->start;
	free(maps);
	return true;
}

/* Some are kept, and used once more when their time is long past. */
static void keep_vma(int fd, unsigned long addr)
{
	static struct {
		int fd;
		unsigned long addr;
	} kept[16], *k;

	k = &kept[rng_below(&rng, ARRAY_LEN(kept))];
	if (k->fd) {
		if (pmadv_one(k->fd, k->addr, PAGE, MADV_COLD,
			      PMADV_SKIP_ERRORS, NULL) == -ESTALE)
			count(stale);
		close(k->fd);
	}
	k->fd = fd;
	k->addr = addr;
}

static void walk_mapping(int pidfd, pid_t pid, int advice, unsigned int flags)
{
	struct pidfd_vma arg = {};
	struct iovec vec;
	int fd;

	if (!any_mapping(pid, &vec))
		return;
	if (rng_once_in(&rng, 2)) {
		if (rng_once_in(&rng, 4))
			flags = 0;
		if (flags)
			walk(pidfd, &vec, advice, flags);
		else if (advice)
			pmadv(pidfd, &vec, 1, advice, 0, NULL);
		return;
	}
	arg.addr = (unsigned long)vec.iov_base;
	fd = ioctl(pidfd, PIDFD_GET_VMA, &arg);
	if (fd < 0)
		return;
	count(vma_fds);
	vec.iov_base = (void *)(unsigned long)arg.start;
	vec.iov_len = arg.end - arg.start;
	walk(fd, &vec, advice, flags ?: PMADV_SKIP_ERRORS);
	keep_vma(fd, arg.start);
}

static int run_walker(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	unsigned int flags;
	int advice, pidfd;
	pid_t pid;

	sigaction(SIGALRM, &sa, NULL);
	while (!storm->stop) {
		pid = storm->target[rng_below(&rng, NR_TARGETS)].pid;
		pidfd = pid ? pidfd_open_pid(pid, 0) : -1;
		if (pidfd < 0) {
			sleep_ms(1);
			continue;
		}
		flags = rng_next(&rng) & PMADV_ALL;
		advice = rng_pick(&rng, advices);
		if (flags & PMADV_POLICY && rng_once_in(&rng, 2))
			advice = 0;
		if (rng_once_in(&rng, 3))
			walk_mapping(pidfd, pid, advice,
				     flags & ~PMADV_ENTIRE_ADDRESS_SPACE);
		else
			walk(pidfd, NULL, advice,
			     flags | PMADV_ENTIRE_ADDRESS_SPACE);
		if (rng_once_in(&rng, 256))
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		close(pidfd);
	}
	return 0;
}

/* ---- Policies and cgroups --------------------------------------------- */

struct scope {
	struct torture *skel;
	struct bpf_link *link;
	char path[64];
};

static uint64_t cgroup_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static struct torture *load_policies(uint64_t cgroup_id)
{
	struct torture *skel = torture__open();

	if (!skel)
		return NULL;
	skel->struct_ops.calm->cgroup_id = cgroup_id;
	skel->struct_ops.calm_twin->cgroup_id = cgroup_id;
	skel->struct_ops.rude->cgroup_id = cgroup_id;
	skel->struct_ops.rude_twin->cgroup_id = cgroup_id;
	skel->bss->asked = rng_next(&rng);
	if (torture__load(skel)) {
		torture__destroy(skel);
		return NULL;
	}
	return skel;
}

/* Take all there is with the programs; their exit() told the end of each. */
static void leave_scope(struct scope *scope)
{
	volatile struct torture__bss *bss;
	unsigned int i;

	if (scope->link) {
		bpf_link__destroy(scope->link);
		scope->link = NULL;
		count(detached);
	}
	if (!scope->skel)
		return;
	bss = scope->skel->bss;
	for (i = 0; bss->exits != bss->inits && i < 1000; i++)
		sleep_ms(10);
	if (bss->exits != bss->inits)
		fail("%" PRIu64 " policies came, %" PRIu64 " left",
		     (uint64_t)bss->inits, (uint64_t)bss->exits);
	torture__destroy(scope->skel);
	scope->skel = NULL;
}

static struct bpf_map *any_policy(const struct torture *skel)
{
	struct bpf_map *const maps[] = {
		skel->maps.calm, skel->maps.calm_twin,
		skel->maps.rude, skel->maps.rude_twin,
	};

	return rng_pick(&rng, maps);
}

static void change_scope(struct scope *scope)
{
	if (!scope->skel)
		scope->skel = load_policies(scope->path[0] ?
					    cgroup_of(scope->path) : 0);
	if (!scope->skel)
		return;

	switch (rng_below(&rng, 4)) {
	case 0:
		if (scope->link &&
		    !bpf_link__update_map(scope->link, any_policy(scope->skel)))
			count(updated);
		break;
	case 1:
		if (scope->link && !bpf_link__detach(scope->link))
			count(detached);
		/* fall through */
	case 2:
		bpf_link__destroy(scope->link);
		scope->link = bpf_map__attach_struct_ops(any_policy(scope->skel));
		if (scope->link)
			count(attached);
		break;
	case 3:
		if (rng_once_in(&rng, 4))
			leave_scope(scope);
	}
}

static void move_target(const char *path)
{
	pid_t pid = storm->target[rng_below(&rng, NR_TARGETS)].pid;
	char procs[80], text[16];

	if (!pid)
		return;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	snprintf(text, sizeof(text), "%d", pid);
	if (!write_file(procs, text))
		count(moves);
}

/* Out with everybody, and the cgroup is removed under its policy. */
static void replace_cgroup(struct scope *scope)
{
	char procs[80], text[4096], *word, *rest = text;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", scope->path);
	if (read_file(procs, text, sizeof(text)) < 0)
		text[0] = '\0';
	while ((word = strsep(&rest, "\n")) && *word)
		write_file(CGROUPS "/cgroup.procs", word);
	if (rmdir(scope->path))
		return;
	count(cgroups);
	leave_scope(scope);
	mkdir(scope->path, 0755);
}

/* How much may be in memory of a cgroup: plenty, or next to nothing. */
static void squeeze(const char *path)
{
	static const char *const limits[] = { "max", "max", "16M", "4M" };
	char high[80];

	snprintf(high, sizeof(high), "%s/memory.high", path);
	write_file(high, rng_pick(&rng, limits));
}

static void switch_swap(void)
{
	if (access("/dev/zram0", F_OK) || swapoff("/dev/zram0"))
		return;
	count(swapoffs);
	sleep_ms(rng_below(&rng, 200));
	swapon("/dev/zram0", 0);
}

static int run_policies(void)
{
	struct scope scopes[NR_CGROUPS + 1] = {}, *s;
	unsigned int i;
	char text[32];

	libbpf_set_print(NULL);
	write_file(CGROUPS "/cgroup.subtree_control", "+memory");
	for (i = 0; i < NR_CGROUPS; i++) {
		snprintf(scopes[i].path, sizeof(scopes[i].path),
			 CGROUPS "/storm-%u", i);
		mkdir(scopes[i].path, 0755);
	}
	while (!storm->stop) {
		s = &scopes[rng_below(&rng, ARRAY_LEN(scopes))];
		change_scope(s);
		if (s->path[0] && rng_once_in(&rng, 2))
			move_target(s->path);
		if (s->path[0] && rng_once_in(&rng, 16))
			squeeze(s->path);
		if (s->path[0] && rng_once_in(&rng, 24))
			replace_cgroup(s);
		if (rng_once_in(&rng, 64))
			write_file(SYSFS "/detach_all", "1");
		if (rng_once_in(&rng, 256))
			switch_swap();
		sleep_ms(rng_below(&rng, 20));
	}
	for (i = 0; i < ARRAY_LEN(scopes); i++)
		leave_scope(&scopes[i]);
	if (read_file(SYSFS "/ejected", text, sizeof(text)) > 0)
		storm->ejected = strtoull(text, NULL, 0);
	return 0;
}

/* ---- All together ----------------------------------------------------- */

static pid_t start(int (*fn)(void), uint64_t seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rng.state = seed;
	_exit(fn());
}

/* A target is a program of its own, so that it can execute itself anew. */
static void start_target(unsigned int which)
{
	char text[16];
	pid_t pid;

	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(text, sizeof(text), "%u", which);
		exec_args[3] = text;
		execv("/proc/self/exe", exec_args);
		_exit(127);
	}
	storm->target[which].pid = pid > 0 ? pid : 0;
	count(starts);
}

static void say_where(unsigned int which)
{
	struct progress *t = &storm->target[which];
	char path[64], text[2048] = "";

	snprintf(path, sizeof(path), "/proc/%d/stack", t->pid);
	read_file(path, text, sizeof(text));
	fail("target %u (%d) does not get on with %s; its stack:\n%s", which,
	     t->pid, t->doing < 0 ? "map" : steps[t->doing].name, text);
}

/* Targets that ended start again, unless it is over. True if any are left. */
static bool reap(void)
{
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			fail("%d died of signal %d", pid, WTERMSIG(status));
		if (WIFEXITED(status) && WEXITSTATUS(status))
			fail("%d gave up: %d", pid, WEXITSTATUS(status));
		for (i = 0; i < NR_TARGETS; i++) {
			if (storm->target[i].pid != pid)
				continue;
			storm->target[i].pid = 0;
			if (!storm->stop)
				start_target(i);
		}
	}
	return !pid;
}

static void watch(unsigned int seconds)
{
	uint64_t seen[NR_TARGETS] = {}, since[NR_TARGETS];
	uint64_t end = now_ms() + seconds * 1000ULL;
	unsigned int i;

	for (i = 0; i < NR_TARGETS; i++)
		since[i] = now_ms();
	while (now_ms() < end && storm->failures < 20) {
		sleep_ms(50);
		reap();
		for (i = 0; i < NR_TARGETS; i++) {
			if (storm->target[i].steps != seen[i]) {
				seen[i] = storm->target[i].steps;
				since[i] = now_ms();
			} else if (now_ms() - since[i] > STALL_MS) {
				say_where(i);
				since[i] = now_ms();
			}
		}
	}
}

/* Everybody finishes what it is at. One that does not is stuck. */
static void finish(void)
{
	uint64_t end = now_ms() + STALL_MS;
	unsigned int i;

	storm->stop = true;
	while (now_ms() < end) {
		if (!reap())
			return;
		sleep_ms(20);
	}
	for (i = 0; i < NR_TARGETS; i++)
		if (storm->target[i].pid)
			say_where(i);
	fail("not all processes came to an end");
}

static void report(void)
{
	uint64_t steps_done = 0;
	unsigned int i;

	for (i = 0; i < NR_TARGETS; i++)
		steps_done += storm->target[i].steps;
	torture_count("target_steps", steps_done);
	torture_count("targets", storm->starts + storm->execs + storm->forks);
	torture_count("pages_verified", storm->pages);
	torture_count("walks", storm->walks);
	torture_count("walks_resumed", storm->resumed);
	torture_count("walks_interrupted", storm->interrupted);
	torture_count("ranges", storm->ranges);
	torture_count("bytes_advised", storm->bytes);
	torture_count("yields", storm->yields);
	torture_count("vma_fds", storm->vma_fds);
	torture_count("vma_fds_stale", storm->stale);
	torture_count("policies_attached", storm->attached);
	torture_count("policies_updated", storm->updated);
	torture_count("policies_detached", storm->detached);
	torture_count("policies_ejected", storm->ejected);
	torture_count("cgroups_removed", storm->cgroups);
	torture_count("targets_moved", storm->moves);
	torture_count("swapoffs", storm->swapoffs);
}

/* Targets start with an open file of what they share with the others. */
static int map_storm(int fd)
{
	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	return storm == MAP_FAILED ? -errno : 0;
}

static int make_storm(char *text, size_t size)
{
	int fd = memfd_create("storm", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*storm)))
		return -errno;
	snprintf(text, size, "%d", fd);
	return map_storm(fd);
}

int main(int argc, char **argv)
{
	struct torture_options o;
	unsigned int i;
	uint64_t end;
	char fd[16];
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && !strcmp(argv[1], "target")) {
		for (i = 0; i < 4; i++)
			exec_args[i] = argv[i];
		err = map_storm(atoi(argv[2]));
		return err ? 1 : run_target(atoi(argv[3]));
	}
	if (torture_options(argc, argv, &o))
		return 2;
	err = make_storm(fd, sizeof(fd));
	if (err) {
		fprintf(stderr, "storm: %s\n", strerror(-err));
		return 1;
	}
	exec_args[0] = "storm";
	exec_args[1] = "target";
	exec_args[2] = fd;
	storm->seed = o.seed;
	for (i = 0; i < NR_TARGETS; i++)
		start_target(i);
	for (i = 0; i < NR_WALKERS; i++)
		start(run_walker, o.seed + 1 + i);
	start(run_policies, o.seed);
	/* Loading policies takes a while where everything is checked. */
	end = now_ms() + STALL_MS;
	while (!storm->attached && now_ms() < end)
		watch(1);
	watch(o.seconds);
	finish();
	report();
	return storm->failures ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Walks that give way and can be cancelled: writers of the target's address
 * space get in between, signals and the target's end stop a walk within one
 * page table, and what the calls say adds up to what one call would have said.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/io_uring.h>

#include "lib/harness.h"
#include "lib/util.h"

/* The piece that a walk does without a check: one page table. */
#define CHUNK		HUGE
#define CHUNK_PAGES	(CHUNK / PAGE)

/* stderr is not buffered: nothing is lost where a process just ends. */
#define note(fmt, ...)	fprintf(stderr, "# " fmt "\n", ##__VA_ARGS__)

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

static void renew(struct pmadv_result *r)
{
	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
}

/* The sums over calls; who asks for an end of the walk gets the last one. */
static void add_up(struct pmadv_result *sum, const struct pmadv_result *r)
{
	sum->stopped = r->stopped;
	sum->cursor = r->cursor;
	sum->ranges_refused += r->ranges_refused;
	sum->ranges_failed += r->ranges_failed;
	sum->holes += r->holes;
	sum->bytes_advised += r->bytes_advised;
	sum->yields += r->yields;
	sum->stats.scanned += r->stats.scanned;
	sum->stats.deactivated += r->stats.deactivated;
	sum->stats.isolated += r->stats.isolated;
	sum->stats.reclaimed += r->stats.reclaimed;
	sum->stats.written_back += r->stats.written_back;
	sum->stats.swapped += r->stats.swapped;
}

/* Is the page at this address of a process swapped out? */
static bool is_swapped(int pagemap_fd, unsigned long addr)
{
	uint64_t entry = 0;

	return pread(pagemap_fd, &entry, sizeof(entry),
		     addr / PAGE * sizeof(entry)) == sizeof(entry) &&
	       entry >> 62 & 1;
}

/* Memory that the processes of a test share; see share(). */
struct shared {
	volatile bool acted;
	volatile bool stop;
	volatile bool begun;
	volatile unsigned long rounds;
	volatile unsigned long long worst_ns;
	volatile unsigned long bad;
};

static struct shared *shared;

static int share(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED ? -errno : 0;
}

/* Does /proc/PID/stat have this of the process's name and state? */
static bool stat_says(pid_t pid, const char *text)
{
	char path[64], stat[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return read_file(path, stat, sizeof(stat)) > 0 && strstr(stat, text);
}

/* Wait for it to say so, for some seconds. */
static void await_state(pid_t pid, const char *text)
{
	int i;

	for (i = 0; i < 500 && !stat_says(pid, text); i++)
		sleep_ms(10);
}

/*
 * An accomplice on the other CPU, who watches a page of the target leave and
 * then does something: so it is in the midst of a walk that it happens.
 */
struct accomplice {
	pid_t pid;
	pid_t victim;
	int sig;
	bool revive;	/* after it was stopped */
};

static void assist(const struct accomplice *a, pid_t target,
		   unsigned long addr)
{
	char path[64];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL);
	alarm(120);
	pin_to_cpu(1);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", target);
	fd = open(path, O_RDONLY);
	while (!is_swapped(fd, addr))
		;
	kill(a->victim, a->sig);
	shared->acted = true;
	while (a->revive && !stat_says(a->victim, ") T"))
		;
	if (a->revive)
		kill(a->victim, SIGCONT);
	_exit(0);
}

static int accomplice_start(struct accomplice *a, pid_t target,
			    unsigned long addr)
{
	shared->acted = false;
	a->pid = fork();
	if (!a->pid)
		assist(a, target, addr);
	return a->pid < 0 ? -errno : 0;
}

/* Has it done its part? */
static bool accomplice_end(struct accomplice *a)
{
	int status;

	while (waitpid(a->pid, &status, 0) < 0 && errno == EINTR)
		;
	return !status;
}

static void on_signal(int sig)
{
}

FIXTURE(walk)
{
	struct target t;
	unsigned long addr;
	size_t len;
	size_t npages;
	struct iovec vec;
	struct pmadv_result r;
	struct pages pages;
};

FIXTURE_SETUP(walk)
{
	self->len = (slow_kernel() ? 6 : 10) * CHUNK;
	self->npages = self->len / PAGE;
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, share());
	ASSERT_EQ(0, target_start(&self->t));
	/* Page tables' worth, from the start of one. */
	self->addr = target_call(&self->t, do_map_filled, self->len + CHUNK, 1,
				 0);
	ASSERT_NE(0, self->addr);
	self->addr = (self->addr + CHUNK - 1) & ~(CHUNK - 1);
	self->vec = (struct iovec){ (void *)self->addr, self->len };
	renew(&self->r);
}

FIXTURE_TEARDOWN(walk)
{
	target_stop(&self->t);
}

/* Pages of the target that are out in [addr + from, addr + to), -1 on error. */
#define swapped(from, to)						\
({									\
	struct pages _p;						\
	pagemap(self->t.pid, self->addr + (from), (to) - (from), &_p) ?	\
		-1L : (long)_p.swapped;					\
})

/*
 * Signals *******************************************************************
 */

FIXTURE(signals)
{
	struct target t;
};

FIXTURE_VARIANT(signals)
{
	int sig;
	void (*handler)(int sig);
	int flags;
	bool block;
	bool revive;
	bool ends;
};

FIXTURE_VARIANT_ADD(signals, alarm) {
	.sig = SIGALRM, .handler = on_signal, .ends = true,
};

FIXTURE_VARIANT_ADD(signals, handled) {
	.sig = SIGUSR1, .handler = on_signal, .ends = true,
};

/* A call that is cut short has done something: it is not started anew. */
FIXTURE_VARIANT_ADD(signals, restarting) {
	.sig = SIGUSR1, .handler = on_signal, .flags = SA_RESTART, .ends = true,
};

FIXTURE_VARIANT_ADD(signals, realtime) {
	.sig = 40, .handler = on_signal, .ends = true,
};

FIXTURE_VARIANT_ADD(signals, stop) {
	.sig = SIGSTOP, .revive = true, .ends = true,
};

FIXTURE_VARIANT_ADD(signals, blocked) {
	.sig = SIGUSR1, .handler = on_signal, .block = true,
};

FIXTURE_VARIANT_ADD(signals, ignored) {
	.sig = SIGUSR1, .handler = SIG_IGN,
};

FIXTURE_VARIANT_ADD(signals, ignored_by_default) {
	.sig = SIGURG,
};

FIXTURE_SETUP(signals)
{
	struct sigaction act = {
		.sa_handler = variant->handler,
		.sa_flags = variant->flags,
	};
	sigset_t set;

	ASSERT_EQ(0, share());
	if (variant->handler)
		ASSERT_EQ(0, sigaction(variant->sig, &act, NULL));
	if (variant->block) {
		sigemptyset(&set);
		sigaddset(&set, variant->sig);
		ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	}
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&self->t));
}

FIXTURE_TEARDOWN(signals)
{
	target_stop(&self->t);
}

TEST_F(signals, end_a_walk)
{
	const size_t len = 6 * CHUNK, npages = len / PAGE;
	struct accomplice a = {
		.victim = getpid(),
		.sig = variant->sig,
		.revive = variant->revive,
	};
	struct pmadv_result r = {}, sum;
	unsigned long addr, done;
	struct pages pages;
	struct iovec vec;
	bool in_time = false;
	int tries;
	long ret;

	addr = target_call(&self->t, do_map_filled, len + CHUNK, 1, 0);
	ASSERT_NE(0, addr);
	addr = (addr + CHUNK - 1) & ~(CHUNK - 1);
	vec = (struct iovec){ (void *)addr, len };

	/*
	 * In the second of six ranges; unless it comes too late, which is not a
	 * failure.
	 */
	for (tries = 0; tries < 5 && !in_time; tries++) {
		if (tries)
			target_call(&self->t, do_fill, addr, len, 1);
		ASSERT_EQ(0, accomplice_start(&a, self->t.pid, addr + CHUNK));
		renew(&r);
		ret = pmadv(self->t.pidfd, &vec, 1, MADV_PAGEOUT, PMADV_RESULT,
			    &r);
		in_time = r.stopped || shared->acted;
		EXPECT_TRUE(accomplice_end(&a));
	}
	ASSERT_TRUE(in_time);
	EXPECT_EQ(ret, r.bytes_advised);
	renew(&sum);
	add_up(&sum, &r);
	if (variant->ends) {
		done = r.cursor - addr;
		EXPECT_EQ(PMADV_STOPPED_SIGNAL, r.stopped);
		EXPECT_LE(2 * CHUNK, done);
		EXPECT_GT(len, done);
		EXPECT_EQ(0, done % CHUNK);
		EXPECT_EQ(done, r.bytes_advised);
		EXPECT_EQ(done / PAGE, r.stats.scanned);
		EXPECT_EQ(done / PAGE, r.stats.isolated);
		EXPECT_EQ(done / PAGE, r.stats.reclaimed);
		ASSERT_EQ(0, pagemap(self->t.pid, addr, done, &pages));
		EXPECT_EQ(done / PAGE, pages.swapped);
		ASSERT_EQ(0, pagemap(self->t.pid, r.cursor, len - done,
				     &pages));
		EXPECT_EQ(0, pages.swapped);

		ret = pmadv(self->t.pidfd, &vec, 1, MADV_PAGEOUT, PMADV_RESULT,
			    &r);
		EXPECT_EQ(len - done, ret);
		add_up(&sum, &r);
	}
	EXPECT_EQ(PMADV_STOPPED_NOT, sum.stopped);
	EXPECT_EQ(0, sum.cursor);
	EXPECT_EQ(len, sum.bytes_advised);
	EXPECT_EQ(npages, sum.stats.scanned);
	EXPECT_EQ(npages, sum.stats.isolated);
	EXPECT_EQ(npages, sum.stats.reclaimed);
	EXPECT_EQ(0, sum.stats.swapped);
	EXPECT_EQ(0, target_call(&self->t, do_check, addr, len, 1));
}

/* The best of a few tries: the signal has to travel, too. */
TEST_F(walk, signal_ends_it_within_a_chunk)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct accomplice a = { .victim = getpid(), .sig = SIGUSR1 };
	unsigned long from, over, best = -1UL;

	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	for (from = 0; from + 4 * CHUNK <= self->len && best;
	     from = self->r.cursor - self->addr) {
		ASSERT_EQ(0, accomplice_start(&a, self->t.pid,
					      self->addr + from));
		ASSERT_LE(0, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				   PMADV_RESULT, &self->r));
		EXPECT_TRUE(accomplice_end(&a));
		if (!self->r.stopped)
			break;
		over = self->r.cursor - self->addr - from - CHUNK;
		if (over < best)
			best = over;
	}
	/* The one that it came in the midst of is finished, and that is all. */
	EXPECT_EQ(0, best);
}

/*
 * No signals **************************************************************
 */

/* A ring of io_uring that waits for @fd to have something to read. */
static int poll_by_ring(int fd)
{
	struct io_uring_params p = { 0 };
	struct io_uring_sqe *sqe;
	char *sq;
	int ring;

	ring = syscall(SYS_io_uring_setup, 4, &p);
	if (ring < 0)
		return -errno;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned int),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		  IORING_OFF_SQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || sqe == MAP_FAILED)
		return -errno;
	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = fd;
	sqe->poll32_events = POLLIN;
	sqe->len = IORING_POLL_ADD_MULTI;
	((unsigned int *)(sq + p.sq_off.array))[0] = 0;
	*(volatile unsigned int *)(sq + p.sq_off.tail) = 1;
	return syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) == 1 ?
	       0 : -errno;
}

/* What io_uring has to tell can wait until the call is done. */
TEST_F(walk, completions_do_not_end_it)
{
	int fds[2], tries, status;
	pid_t pid;
	long ret;

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, poll_by_ring(fds[0]));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin_to_cpu(1);
		while (write(fds[1], "", 1) == 1)
			sleep_ms(1);
		_exit(1);
	}
	for (tries = 0; tries < 3; tries++) {
		renew(&self->r);
		ret = pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
			    PMADV_RESULT, &self->r);
		EXPECT_EQ(self->len, ret);
		EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
		target_call(&self->t, do_fill, self->addr, self->len, 1);
	}
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* Interrupt the tracee now and then, and let it go on. */
static void trace(pid_t pid)
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to_cpu(1);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		_exit(1);
	shared->begun = true;
	while (!shared->stop) {
		sleep_ms(2);
		if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
		    waitpid(pid, &status, __WALL) != pid ||
		    ptrace(PTRACE_CONT, pid, NULL, NULL))
			_exit(1);
	}
	_exit(0);
}

#define FREEZER	"/sys/fs/cgroup/pmadv_bounded"

/* Freeze the cgroup and thaw it, again and again. */
static void freeze(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to_cpu(1);
	shared->begun = true;
	while (!shared->stop) {
		sleep_ms(2);
		if (write_file(FREEZER "/cgroup.freeze", "1"))
			_exit(1);
		sleep_ms(2);
		if (write_file(FREEZER "/cgroup.freeze", "0"))
			_exit(1);
	}
	_exit(0);
}

/*
 * A caller that is to stop without a signal leaves the call to do so, as soon
 * as for a signal, and goes on where it was: nothing is lost, nothing is done
 * twice.
 */
static long go_on(struct target *t, struct iovec *vec, struct pmadv_result *sum)
{
	struct pmadv_result r;
	long ret, cut = 0;

	renew(&r);
	renew(sum);
	do {
		ret = pmadv(t->pidfd, vec, 1, MADV_PAGEOUT, PMADV_RESULT, &r);
		if (ret < 0 && ret != -EINTR)
			return ret;
		if (r.stopped && r.stopped != PMADV_STOPPED_SIGNAL)
			return -ERANGE;
		add_up(sum, &r);
		cut += r.stopped != PMADV_STOPPED_NOT;
	} while (r.stopped && cut < 10000);
	return cut;
}

FIXTURE(stops)
{
	struct target t;
	pid_t pid;
};

FIXTURE_VARIANT(stops)
{
	bool freeze;
};

FIXTURE_VARIANT_ADD(stops, traced) { .freeze = false };
FIXTURE_VARIANT_ADD(stops, frozen) { .freeze = true };

FIXTURE_SETUP(stops)
{
	pid_t me = getpid();

	ASSERT_EQ(0, share());
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&self->t));
	/* Of the processes only this one goes there: the freezer stays out. */
	if (variant->freeze) {
		rmdir(FREEZER);
		ASSERT_EQ(0, mkdir(FREEZER, 0755));
	}
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (self->pid && variant->freeze)
		ASSERT_EQ(0, write_file(FREEZER "/cgroup.procs", "0"));
	if (!self->pid && variant->freeze)
		freeze();
	else if (!self->pid)
		trace(me);
}

FIXTURE_TEARDOWN(stops)
{
	write_file("/sys/fs/cgroup/cgroup.procs", "0");
	target_stop(&self->t);
	rmdir(FREEZER);
}

TEST_F(stops, without_a_signal)
{
	const size_t len = 6 * CHUNK;
	struct pmadv_result sum;
	unsigned long addr;
	struct iovec vec;
	long cut = 0;
	int status, tries;

	addr = target_call(&self->t, do_map_filled, len, 1, 0);
	ASSERT_NE(0, addr);
	vec = (struct iovec){ (void *)addr, len };
	while (!shared->begun)
		sleep_ms(1);
	for (tries = 0; tries < 5 && !cut; tries++) {
		cut = go_on(&self->t, &vec, &sum);
		ASSERT_LE(0, cut);
		EXPECT_EQ(len, sum.bytes_advised);
		EXPECT_EQ(len / PAGE, sum.stats.isolated);
		EXPECT_EQ(len / PAGE, sum.stats.reclaimed);
		EXPECT_EQ(0, target_call(&self->t, do_check, addr, len, 1));
	}
	note("cut short %ld times", cut);
	EXPECT_LT(0, cut);
	shared->stop = true;
	while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
		;
	EXPECT_EQ(0, status);
}

/* A caller that is killed leaves a walk, and what it had begun is in order. */
TEST_F(walk, caller_killed)
{
	struct accomplice a = { .sig = SIGKILL };
	int status, tries;
	long out = 0;
	pid_t pid;

	for (tries = 0; tries < 5; tries++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			while (!shared->begun)
				sleep_ms(1);
			pmadv_one(self->t.pidfd, self->addr, self->len,
				  MADV_PAGEOUT, PMADV_SKIP_ERRORS, NULL);
			pause();
		}
		a.victim = pid;
		ASSERT_EQ(0, accomplice_start(&a, self->t.pid,
					      self->addr + CHUNK));
		shared->begun = true;
		EXPECT_TRUE(accomplice_end(&a));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		out = swapped(0, self->len);
		if (out != self->npages)
			break;
		target_call(&self->t, do_fill, self->addr, self->len, 1);
	}
	EXPECT_LT(0, out);
	EXPECT_GT(self->npages, out);
	EXPECT_EQ(self->len, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				   PMADV_RESULT, &self->r));
	EXPECT_EQ(out, self->r.stats.swapped);
	EXPECT_EQ(self->npages - out, self->r.stats.reclaimed);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, self->len, 1));
}

/*
 * The target's end **********************************************************
 */

static void exec_now(int sig)
{
	execl("/bin/sleep", "sleep", "1000", NULL);
	_exit(127);
}

static void exit_now(int sig)
{
	_exit(0);
}

static long do_handle(unsigned long sig, unsigned long handler,
		      unsigned long unused)
{
	return signal(sig, (void (*)(int))handler) == SIG_ERR ? -errno : 0;
}

/* Anonymous memory and swap in use, in bytes. */
static long long memory_in_use(void)
{
	char buf[4096];
	long long sum = 0;
	unsigned int i;
	static const struct {
		const char *name;
		int sign;
	} fields[] = {
		{ "\nAnonPages:", 1 }, { "\nSwapTotal:", 1 },
		{ "\nSwapFree:", -1 },
	};

	if (read_file("/proc/meminfo", buf, sizeof(buf)) <= 0)
		return -1;
	for (i = 0; i < ARRAY_LEN(fields); i++) {
		char *at = strstr(buf, fields[i].name);

		if (!at)
			return -1;
		sum += fields[i].sign * strtoll(at + strlen(fields[i].name),
						NULL, 10);
	}
	return sum * 1024;
}

FIXTURE(end)
{
	struct target t;
};

FIXTURE_VARIANT(end)
{
	int sig;
	void (*handler)(int sig);
	bool many;
	bool alive;
};

FIXTURE_VARIANT_ADD(end, killed) { .sig = SIGKILL };
FIXTURE_VARIANT_ADD(end, exits) { .sig = SIGUSR1, .handler = exit_now };
FIXTURE_VARIANT_ADD(end, execs) {
	.sig = SIGUSR1, .handler = exec_now, .alive = true,
};
FIXTURE_VARIANT_ADD(end, killed_many_mappings) {
	.sig = SIGKILL, .many = true,
};

FIXTURE_SETUP(end)
{
	ASSERT_EQ(0, share());
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&self->t));
}

FIXTURE_TEARDOWN(end)
{
	target_stop(&self->t);
}

/* Make a mapping into many by what can't be merged. */
static long do_split(unsigned long addr, unsigned long len, unsigned long step)
{
	unsigned long at;

	for (at = 0; at < len; at += 2 * step)
		if (mprotect((void *)(addr + at), step, PROT_READ))
			return -errno;
	return 0;
}

static long do_pin(unsigned long cpu, unsigned long b, unsigned long c)
{
	return pin_to_cpu(cpu);
}

/* The best of a few tries: it takes a while to die, too. */
TEST_F(end, of_the_target)
{
	const size_t len = (slow_kernel() ? 6 : 10) * CHUNK;
	struct accomplice a = { .sig = variant->sig };
	unsigned long addr, done, best = len;
	long long before = 0, left;
	struct pmadv_result r;
	struct iovec vec;
	int tries, i;
	long ret;

	for (tries = 0; tries < 5 && best > 4 * CHUNK; tries++) {
		target_stop(&self->t);
		before = memory_in_use();
		ASSERT_LT(0, before);
		ASSERT_EQ(0, target_start(&self->t));
		if (variant->handler)
			target_call(&self->t, do_handle, variant->sig,
				    (unsigned long)variant->handler, 0);
		addr = target_call(&self->t, do_map_filled, len + CHUNK, 1, 0);
		ASSERT_NE(0, addr);
		addr = (addr + CHUNK - 1) & ~(CHUNK - 1);
		if (variant->many)
			target_call(&self->t, do_split, addr, len, 4 * PAGE);
		target_call(&self->t, do_pin, 1, 0, 0);
		vec = (struct iovec){ (void *)addr, len };
		a.victim = self->t.pid;
		ASSERT_EQ(0, accomplice_start(&a, self->t.pid, addr + CHUNK));
		renew(&r);
		ret = pmadv(self->t.pidfd, &vec, 1, MADV_PAGEOUT, PMADV_RESULT,
			    &r);
		EXPECT_TRUE(accomplice_end(&a));
		done = r.cursor ? r.cursor - addr : len;
		EXPECT_EQ(ret, r.bytes_advised);
		EXPECT_EQ(done, r.bytes_advised);
		EXPECT_EQ(done / PAGE, r.stats.isolated);
		EXPECT_EQ(done < len ? PMADV_STOPPED_EXITED : PMADV_STOPPED_NOT,
			  r.stopped);
		if (done < best)
			best = done;
	}
	note("%lu chunks of %lu done", best / CHUNK, len / CHUNK);
	EXPECT_LE(CHUNK, best);
	EXPECT_GE(4 * CHUNK, best);

	/* There is nothing to go on with. */
	ret = pmadv(self->t.pidfd, &vec, 1, MADV_PAGEOUT,
		    PMADV_RESULT | PMADV_SKIP_ERRORS, &r);
	EXPECT_EQ(variant->alive ? 0 : -ESRCH, ret);
	if (variant->alive)
		await_state(self->t.pid, "(sleep) S");
	EXPECT_EQ(variant->alive, stat_says(self->t.pid, "(sleep) S"));

	/* And nothing that the walk keeps. */
	for (i = 0; i < 500; i++) {
		left = memory_in_use() - before;
		if (left < (long long)CHUNK)
			break;
		sleep_ms(10);
	}
	EXPECT_GT((long long)CHUNK, left);
}

/*
 * Writers *******************************************************************
 */

/* Map and unmap. More than fits into a hole. */
static int write_elsewhere(void)
{
	char *p = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : munmap(p, 32 * PAGE);
}

/* Change a whole mapping, and change it back. */
static int write_there(unsigned long addr, unsigned long len)
{
	return madvise((void *)addr, len, MADV_DONTFORK) ?:
	       madvise((void *)addr, len, MADV_DOFORK);
}

/* Change a mapping, elsewhere without @addr, and see how long that takes. */
static long do_write(unsigned long cpu, unsigned long addr, unsigned long len)
{
	unsigned long long began, took;

	pin_to_cpu(cpu);
	while (!shared->stop) {
		began = now_ns();
		if (addr ? write_there(addr, len) : write_elsewhere())
			return -errno;
		took = now_ns() - began;
		if (shared->begun && took > shared->worst_ns)
			shared->worst_ns = took;
		shared->rounds++;
		shared->begun = true;
		sleep_ms(1);
	}
	pin_to_cpu(0);
	return 0;
}

/* Fork; each child looks at what it got and goes. */
static long do_forks(unsigned long addr, unsigned long len, unsigned long gen)
{
	unsigned long at = 0;
	int status;
	pid_t pid;

	pin_to_cpu(1);
	while (!shared->stop) {
		pid = fork();
		if (pid < 0)
			return -errno;
		if (!pid)
			_exit(check(addr + at, PAGE, gen) != 0);
		if (waitpid(pid, &status, 0) != pid)
			return -errno;
		shared->bad += status != 0;
		shared->rounds++;
		shared->begun = true;
		at = (at + 37 * PAGE) % len;
		sleep_ms(10);
	}
	pin_to_cpu(0);
	return 0;
}

/* A thread that waits for the target to do what it was told. */
struct order {
	pthread_t thread;
	struct target *t;
	target_fn fn;
	unsigned long a, b, c;
	long ret;
};

static void *give_order(void *arg)
{
	struct order *o = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	o->ret = target_call(o->t, o->fn, o->a, o->b, o->c);
	return NULL;
}

/* Returns when the target is at it. */
static int order_start(struct order *o)
{
	memset(shared, 0, sizeof(*shared));
	if (pthread_create(&o->thread, NULL, give_order, o))
		return -EAGAIN;
	while (!shared->begun)
		sleep_ms(1);
	return 0;
}

static long order_end(struct order *o)
{
	shared->stop = true;
	pthread_join(o->thread, NULL);
	return o->ret;
}

struct writing {
	unsigned long long worst_ns;
	unsigned long rounds;
	unsigned long yields;
	long ret;
};

/* Page out with a writer at work, @there or elsewhere. */
static int write_during(struct target *t, unsigned long addr, size_t len,
			bool there, unsigned int flags, struct pmadv_result *r,
			struct writing *w)
{
	struct order order = {
		.t = t,
		.fn = do_write,
		.a = 1,
		.b = there ? addr : 0,
		.c = len,
	};
	int err = order_start(&order);

	if (err)
		return err;
	shared->rounds = 0;
	shared->worst_ns = 0;
	w->ret = pmadv_one(t->pidfd, addr, len, MADV_PAGEOUT, flags,
			   flags ? r : NULL);
	/* The one that had to wait to the end says so a little later. */
	sleep_ms(20);
	w->rounds = shared->rounds;
	err = order_end(&order);
	w->worst_ns = shared->worst_ns;
	w->yields = r->yields;
	return err;
}

/*
 * Both walks do the same work; the difference is how long a writer has to wait
 * in the worst case. The machine may hold anybody up, so it is the best of a
 * few tries that counts, and what is expected is far less than what is there.
 */
TEST_F(walk, writer_gets_in)
{
	const size_t len = (slow_kernel() ? 12 : 24) * CHUNK, npages = len / PAGE;
	unsigned long long best = -1ULL, worst_stock = 0;
	struct writing stock, ours;
	unsigned long addr;
	int tries;

	addr = target_call(&self->t, do_map_filled, len, 1, 0);
	ASSERT_NE(0, addr);
	for (tries = 0; tries < 5; tries++) {
		ASSERT_EQ(0, write_during(&self->t, addr, len, true,
					  PMADV_SKIP_ERRORS, &self->r, &ours));
		EXPECT_EQ(len, ours.ret);
		EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
		EXPECT_LT(0, self->r.yields);
		EXPECT_LE(self->r.yields, 2 * self->r.ranges_seen);
		EXPECT_EQ(len, self->r.bytes_advised);
		EXPECT_EQ(npages, self->r.stats.scanned);
		EXPECT_EQ(npages, self->r.stats.isolated);
		EXPECT_EQ(npages, self->r.stats.reclaimed);
		ASSERT_EQ(0, pagemap(self->t.pid, addr, len, &self->pages));
		EXPECT_EQ(npages, self->pages.swapped);

		ASSERT_EQ(0, target_call(&self->t, do_fill, addr, len, 2));
		ASSERT_EQ(0, write_during(&self->t, addr, len, true, 0,
					  &self->r, &stock));
		EXPECT_EQ(len, stock.ret);
		note("worst wait for two changes: %llu us, %lu rounds and "
		     "%lu yields; without flags %llu us, %lu rounds",
		     ours.worst_ns / 1000, ours.rounds, ours.yields,
		     stock.worst_ns / 1000, stock.rounds);
		if (ours.worst_ns < best)
			best = ours.worst_ns;
		if (stock.worst_ns > worst_stock)
			worst_stock = stock.worst_ns;
		if (best < worst_stock / 2)
			break;
		ASSERT_EQ(0, target_call(&self->t, do_fill, addr, len, 1));
	}
	EXPECT_LT(best, worst_stock / 2);
}

/* Where mappings are locked one by one, who is at another does not wait. */
TEST_F(walk, writer_elsewhere)
{
	struct writing there, elsewhere;
	unsigned long long best = -1ULL;
	int tries;

	if (!has_vma_walks())
		SKIP(return, "this kernel's walks lock the address space");
	for (tries = 0; tries < 5; tries++) {
		ASSERT_EQ(0, write_during(&self->t, self->addr, self->len, true,
					  PMADV_SKIP_ERRORS, &self->r, &there));
		EXPECT_EQ(self->len, there.ret);
		EXPECT_LT(0, there.yields);
		ASSERT_EQ(0, target_call(&self->t, do_fill, self->addr,
					 self->len, 1));
		ASSERT_EQ(0, write_during(&self->t, self->addr, self->len,
					  false, PMADV_SKIP_ERRORS, &self->r,
					  &elsewhere));
		EXPECT_EQ(self->len, elsewhere.ret);
		EXPECT_EQ(0, elsewhere.yields);
		EXPECT_EQ(self->npages, self->r.stats.reclaimed);
		note("worst wait there: %llu us, elsewhere: %llu us",
		     there.worst_ns / 1000, elsewhere.worst_ns / 1000);
		if (elsewhere.worst_ns < best)
			best = elsewhere.worst_ns;
		if (best < there.worst_ns / 2)
			break;
		ASSERT_EQ(0, target_call(&self->t, do_fill, self->addr,
					 self->len, 1));
	}
	EXPECT_LT(best, there.worst_ns / 2);
}

static void *map_and_unmap(void *arg)
{
	char *p;

	while (!shared->stop) {
		p = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || munmap(p, 32 * PAGE))
			return p;
		shared->rounds++;
	}
	return NULL;
}

/* Map and unmap as fast as one can; of a few threads one is always waiting. */
static long do_storm(unsigned long cpu, unsigned long b, unsigned long c)
{
	pthread_t threads[4];
	unsigned int i;
	void *ret;
	long err = 0;

	pin_to_cpu(cpu);
	for (i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_create(&threads[i], NULL, map_and_unmap, NULL))
			return -EAGAIN;
	shared->begun = true;
	for (i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_join(threads[i], &ret) || ret)
			err = -EIO;
	pin_to_cpu(0);
	return err;
}

/* Walks that decide about everything and do nothing; the time they take. */
static unsigned long long dry_runs(struct target *t, unsigned long addr,
				   size_t len, unsigned int nr,
				   unsigned long long *yields)
{
	unsigned long long began = now_ns();
	struct pmadv_result r;

	*yields = 0;
	while (nr--) {
		if (pmadv_one(t->pidfd, addr, len, MADV_COLD, PMADV_DRY_RUN,
			      &r) != (long)len)
			return 0;
		*yields += r.yields;
	}
	return now_ns() - began;
}

/*
 * Where there is little to do in a mapping, giving way after each would cost a
 * hundred times what is done in between. The lock is kept for a millisecond
 * first, so there are about as many yields as the walk alone takes
 * milliseconds; three times as many if the machine has other things to do. How
 * long each takes is not for us to say: it is the writers' turn. Where mappings
 * are locked one by one, these writers wait for nothing.
 */
TEST_F(walk, storm_of_writers)
{
	const unsigned long nr = slow_kernel() ? 4000 : 20000;
	struct order order = { .t = &self->t, .fn = do_storm, .a = 1 };
	unsigned long long alone, together, yields, most;
	unsigned long addr;
	unsigned int try;

	addr = target_call(&self->t, do_map, nr * PAGE, PROT_READ | PROT_WRITE,
			   0);
	ASSERT_NE(0, addr);
	ASSERT_EQ(0, target_call(&self->t, do_split, addr, nr * PAGE, PAGE));
	/* What else the machine does makes a walk longer, so that it yields more often. */
	for (try = 0; try < 3; try++) {
		alone = dry_runs(&self->t, addr, nr * PAGE, 20, &yields);
		ASSERT_NE(0, alone);
		EXPECT_EQ(0, yields);
		ASSERT_EQ(0, order_start(&order));
		together = dry_runs(&self->t, addr, nr * PAGE, 20, &yields);
		ASSERT_EQ(0, order_end(&order));
		ASSERT_NE(0, together);
		note("20 walks of %lu mappings: %llu us alone, %llu us and %llu yields together",
		     nr, alone / 1000, together / 1000, yields);
		most = 3 * alone / 1000000 + 20;
		if (yields <= most)
			break;
	}
	if (has_vma_walks()) {
		EXPECT_EQ(0, yields);
	} else {
		EXPECT_LT(0, yields);
		EXPECT_LE(yields, most);
	}
}

TEST_F(walk, fork_meanwhile)
{
	struct order order = {
		.t = &self->t,
		.fn = do_forks,
		.a = self->addr,
		.b = self->len,
		.c = 1,
	};
	int tries;
	long ret;

	for (tries = 0; tries < 8; tries++) {
		ASSERT_EQ(0, order_start(&order));
		renew(&self->r);
		ret = pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
			    PMADV_RESULT, &self->r);
		EXPECT_EQ(0, order_end(&order));
		note("%lu forks, %llu yields, %llu shared", shared->rounds,
		     self->r.yields, self->r.stats.shared);
		EXPECT_EQ(0, shared->bad);
		EXPECT_EQ(self->len, ret);
		EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
		EXPECT_EQ(self->npages, self->r.stats.scanned);
		/*
		 * Pages that the child has as well stay; those that are counted
		 * are gone.
		 */
		EXPECT_GE(self->npages - self->r.stats.shared,
			  self->r.stats.isolated);
		EXPECT_EQ(0, target_call(&self->t, do_check, self->addr,
					 self->len, 1));
		if (self->r.yields && self->r.stats.isolated)
			break;
	}
	EXPECT_LT(0, self->r.yields);
	EXPECT_LT(0, self->r.stats.isolated);
}

/* The caller as its own target, with a thread that writes. */
static void *write_here(void *arg)
{
	const struct iovec *vec = arg;

	do_write(1, (unsigned long)vec->iov_base, vec->iov_len);
	return NULL;
}

TEST_F(walk, oneself)
{
	struct iovec here = { .iov_len = self->len };
	pthread_t thread;
	struct target t;
	unsigned long addr;

	ASSERT_EQ(0, target_self(&t));
	addr = do_map_filled(self->len, 1, 0);
	ASSERT_NE(0, addr);
	here.iov_base = (void *)addr;
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_here, &here));
	while (!shared->begun)
		sleep_ms(1);
	EXPECT_EQ(self->len, pmadv_one(t.pidfd, addr, self->len, MADV_PAGEOUT,
				       PMADV_SKIP_ERRORS, &self->r));
	shared->stop = true;
	pthread_join(thread, NULL);
	EXPECT_LT(0, self->r.yields);
	EXPECT_EQ(self->npages, self->r.stats.isolated);
	EXPECT_EQ(self->npages, self->r.stats.reclaimed);
	EXPECT_EQ(0, check(addr, self->len, 1));
}

/*
 * Pages that a CPU has in flight are left alone, so they are put on their lists
 * first: by the CPU that the caller is on, and again when it comes to another.
 */
static void migrate(pid_t caller, pid_t target, unsigned long addr)
{
	cpu_set_t set;
	char path[64];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to_cpu(1);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", target);
	fd = open(path, O_RDONLY);
	shared->begun = true;
	while (!is_swapped(fd, addr))
		;
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	shared->acted = !sched_setaffinity(caller, sizeof(set), &set);
	/* Exiting would put them there, too. */
	pause();
}

TEST_F(walk, migrated_caller)
{
	const size_t few = 8 * PAGE;
	struct iovec vec[2] = { self->vec };
	pid_t pid, me = getpid();
	unsigned long addr;

	ASSERT_EQ(0, target_call(&self->t, do_pin, 1, 0, 0));
	addr = target_call(&self->t, do_map, few, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(0, addr);
	ASSERT_EQ(0, target_call(&self->t, do_madvise, addr, few,
				 MADV_NOHUGEPAGE));
	vec[1] = (struct iovec){ (void *)addr, few };
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		migrate(me, self->t.pid, self->addr + CHUNK);
	while (!shared->begun)
		sleep_ms(1);
	ASSERT_EQ(0, target_call(&self->t, do_fill, addr, few, 1));
	EXPECT_EQ(self->len + few, pmadv(self->t.pidfd, vec, 2, MADV_PAGEOUT,
					 PMADV_RESULT, &self->r));
	EXPECT_TRUE(shared->acted);
	EXPECT_EQ(1, sched_getcpu());
	EXPECT_EQ(0, self->r.yields);
	EXPECT_EQ(self->npages + 8, self->r.stats.isolated);
	ASSERT_EQ(0, pagemap(self->t.pid, addr, few, &self->pages));
	EXPECT_EQ(8, self->pages.swapped);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Two at a time: each page goes once, and somebody says so. */
TEST_F(walk, two_walkers)
{
	struct pmadv_result *theirs;
	int status;
	pid_t pid;

	theirs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, theirs);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		pin_to_cpu(1);
		renew(theirs);
		_exit(pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
			    PMADV_RESULT, theirs) != (long)self->len);
	}
	EXPECT_EQ(self->len, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				   PMADV_RESULT, &self->r));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(swapped(0, self->len),
		  self->r.stats.reclaimed + theirs->stats.reclaimed);
	EXPECT_LE(self->r.stats.isolated + theirs->stats.isolated,
		  self->npages);
	/* Only pages that one walk had isolated when the other passed may stay. */
	EXPECT_LE(self->npages - 64, swapped(0, self->len));
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, self->len, 1));
}

/*
 * Going on ******************************************************************
 */

/* Lengths are chosen so that a walk takes long enough to be interrupted. */
enum layout { ONE, MANY, HOLES, HUGE_PAGES, ENTIRE };

FIXTURE(resume)
{
	struct target t;
	unsigned long addr;
	size_t len;
	struct iovec vec[2];
};

FIXTURE_VARIANT(resume)
{
	int advice;
	enum layout layout;
	bool writer;
};

FIXTURE_VARIANT_ADD(resume, pageout) { MADV_PAGEOUT, ONE };
FIXTURE_VARIANT_ADD(resume, pageout_many_mappings) { MADV_PAGEOUT, MANY };
FIXTURE_VARIANT_ADD(resume, pageout_holes_and_locks) { MADV_PAGEOUT, HOLES };
FIXTURE_VARIANT_ADD(resume, pageout_huge) { MADV_PAGEOUT, HUGE_PAGES };
FIXTURE_VARIANT_ADD(resume, pageout_entire) { MADV_PAGEOUT, ENTIRE };
FIXTURE_VARIANT_ADD(resume, pageout_writer) { MADV_PAGEOUT, ONE, true };
FIXTURE_VARIANT_ADD(resume, pageout_holes_writer) { MADV_PAGEOUT, HOLES, true };
FIXTURE_VARIANT_ADD(resume, cold_many_mappings) { MADV_COLD, MANY };
FIXTURE_VARIANT_ADD(resume, cold_writer) { MADV_COLD, MANY, true };
FIXTURE_VARIANT_ADD(resume, willneed) { MADV_WILLNEED, ONE };
FIXTURE_VARIANT_ADD(resume, willneed_writer) { MADV_WILLNEED, MANY, true };
FIXTURE_VARIANT_ADD(resume, collapse) { MADV_COLLAPSE, HUGE_PAGES };
FIXTURE_VARIANT_ADD(resume, collapse_writer) {
	MADV_COLLAPSE, HUGE_PAGES, true
};

FIXTURE_SETUP(resume)
{
	self->len = (slow_kernel() ? 3 : 4) * CHUNK;
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, share());
}

FIXTURE_TEARDOWN(resume)
{
	target_stop(&self->t);
}

/* Every eighth block of four pages is unmapped, every eighth locked. */
static long do_holes(unsigned long addr, unsigned long len, unsigned long c)
{
	unsigned long at;

	for (at = 0; at < len; at += 32 * PAGE)
		if (munmap((void *)(addr + at + 8 * PAGE), 4 * PAGE) ||
		    mlock((void *)(addr + at + 20 * PAGE), 4 * PAGE))
			return -errno;
	return 0;
}

static long do_map_collapsible(unsigned long len, unsigned long b,
			       unsigned long c)
{
	unsigned long addr = do_map(len + CHUNK, PROT_READ | PROT_WRITE, 0);

	fill(addr, len + CHUNK, 1);
	return addr;
}

static int lay_out(struct target *t, enum layout layout, int advice,
		   size_t len, unsigned long *addr)
{
	long err = 0;

	if (layout == HUGE_PAGES && advice == MADV_COLLAPSE)
		*addr = target_call(t, do_map_collapsible, len, 0, 0);
	else
		*addr = target_call(t, do_map_filled, len + CHUNK, 1,
				    layout == HUGE_PAGES);
	if (!*addr)
		return -ENOMEM;
	*addr = (*addr + CHUNK - 1) & ~(CHUNK - 1);
	if (layout == MANY)
		err = target_call(t, do_split, *addr, len, 2 * PAGE);
	else if (layout == HOLES)
		err = target_call(t, do_holes, *addr, len, 0);
	if (advice == MADV_WILLNEED && pmadv_one(t->pidfd, *addr, len,
						 MADV_PAGEOUT, 0, NULL) < 0)
		err = -EIO;
	return err;
}

static unsigned int flags_of(enum layout layout)
{
	unsigned int flags = PMADV_RESULT | PMADV_SKIP_ERRORS;

	return layout == ENTIRE ? flags | PMADV_ENTIRE_ADDRESS_SPACE : flags;
}

/*
 * Walk in as many calls as it takes with a signal every @us and at most
 * @max_pages a call. Returns how many ended early, or what went wrong.
 */
static long walk_in_pieces(int pidfd, const struct iovec *vec, size_t vlen,
			   int advice, unsigned int flags, unsigned long us,
			   unsigned long max_pages, struct pmadv_result *sum)
{
	struct itimerval every = { { 0, us }, { 0, us } }, never = {};
	struct pmadv_result r;
	long ret, cut = 0;

	renew(&r);
	renew(sum);
	setitimer(ITIMER_REAL, &every, NULL);
	do {
		r.max_pages = max_pages;
		ret = pmadv(pidfd, vlen ? vec : NULL, vlen, advice, flags, &r);
		if (ret == -EINTR || ret == 0)
			ret = r.bytes_advised;
		if (ret != (long)r.bytes_advised) {
			note("returned %ld, advised %llu", ret,
			     r.bytes_advised);
			cut = -EINVAL;
			break;
		}
		if (max_pages && r.stats.isolated + r.stats.deactivated >
				 max_pages + CHUNK_PAGES) {
			note("%llu isolated", r.stats.isolated);
			cut = -ERANGE;
			break;
		}
		add_up(sum, &r);
		cut += r.stopped != PMADV_STOPPED_NOT;
	} while (r.stopped && cut < 20000);
	setitimer(ITIMER_REAL, &never, NULL);
	return cut;
}

static bool same_totals(const struct pmadv_result *a,
			const struct pmadv_result *b, enum layout layout)
{
	/* In other mappings, the number of shared pages varies. */
	if (layout == ENTIRE)
		return a->bytes_advised == b->bytes_advised &&
		       a->ranges_refused == b->ranges_refused &&
		       !a->holes && !b->holes;
	return a->bytes_advised == b->bytes_advised && a->holes == b->holes &&
	       a->ranges_refused == b->ranges_refused &&
	       a->ranges_failed == b->ranges_failed &&
	       a->stats.scanned == b->stats.scanned &&
	       a->stats.deactivated == b->stats.deactivated &&
	       a->stats.isolated == b->stats.isolated &&
	       a->stats.reclaimed == b->stats.reclaimed &&
	       a->stats.written_back == b->stats.written_back &&
	       a->stats.swapped == b->stats.swapped;
}

static void show(const char *what, const struct pmadv_result *r)
{
	note("%s: bytes %llu, holes %llu, refused %llu, failed %llu, scanned "
	     "%llu, deactivated %llu, isolated %llu, reclaimed %llu, written "
	     "%llu, swapped %llu, yields %llu", what, r->bytes_advised,
	     r->holes, r->ranges_refused, r->ranges_failed, r->stats.scanned,
	     r->stats.deactivated, r->stats.isolated, r->stats.reclaimed,
	     r->stats.written_back, r->stats.swapped, r->yields);
}

/* The counts of many calls add up to those of one. */
TEST_F(resume, adds_up)
{
	struct sigaction act = { .sa_handler = on_signal };
	unsigned int flags = flags_of(variant->layout);
	size_t vlen = flags & PMADV_ENTIRE_ADDRESS_SPACE ? 0 : 2;
	struct order order = { .t = &self->t, .fn = do_write, .a = 1 };
	struct pmadv_result whole, sum;
	unsigned long long took = 0;
	unsigned long us, budget;
	struct pages pages;
	long cut = 0;
	int round;

	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	/* The first walk is in one call; it tells how long that takes. */
	for (round = 0; round < 5 && (!round || !cut); round++) {
		ASSERT_EQ(0, target_start(&self->t));
		ASSERT_EQ(0, lay_out(&self->t, variant->layout,
				     variant->advice, self->len, &self->addr));
		/* Two ranges that together are all of it. */
		self->vec[0].iov_base = (void *)self->addr;
		self->vec[0].iov_len = CHUNK;
		self->vec[1].iov_base = (void *)(self->addr + CHUNK);
		self->vec[1].iov_len = self->len - CHUNK;
		if (!round) {
			renew(&whole);
			took = now_ns();
			ASSERT_LT(0, pmadv(self->t.pidfd,
					   vlen ? self->vec : NULL, vlen,
					   variant->advice, flags, &whole));
			took = now_ns() - took;
			target_stop(&self->t);
			continue;
		}
		us = took / 1000 / (4 + 2 * round);
		if (us < 300)
			us = 300;
		budget = round % 2 || variant->layout == ENTIRE ? 0 : 1000;
		if (variant->writer)
			ASSERT_EQ(0, order_start(&order));
		cut = walk_in_pieces(self->t.pidfd, self->vec, vlen,
				     variant->advice, flags, us, budget, &sum);
		if (variant->writer)
			ASSERT_EQ(0, order_end(&order));
		ASSERT_LE(0, cut);
		EXPECT_TRUE(same_totals(&whole, &sum, variant->layout)) {
			show("in one call", &whole);
			show("in many", &sum);
		}
		if (!cut)
			target_stop(&self->t);
	}
	ASSERT_LT(0, cut);
	note("cut short %ld times, every %lu us; %llu yields", cut, us,
	     sum.yields);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &pages));
	if (variant->advice == MADV_PAGEOUT && variant->layout != ENTIRE)
		EXPECT_EQ(sum.stats.reclaimed, pages.swapped);
	if (variant->advice == MADV_WILLNEED)
		EXPECT_EQ(self->len / PAGE, target_call(&self->t, do_mincore,
							self->addr, self->len,
							0));
	if (variant->layout != HOLES)
		EXPECT_EQ(0, target_call(&self->t, do_check, self->addr,
					 self->len, 1));
}

TEST_HARNESS_MAIN

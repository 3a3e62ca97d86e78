// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: PTRACE_MODE_READ on the target and CAP_SYS_NICE in the initial
 * user namespace for another process, nothing for oneself; and ownership of a
 * file for paging it out. They are tested with every flag, because no flag may
 * weaken them, and a caller without them must learn nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "lib/harness.h"
#include "lib/util.h"

#define NPAGES		16UL
#define LEN		(NPAGES * PAGE)

#define CAPS_NONE	0

#define OTHER		1001

struct who {
	uid_t uid;
	bool keep_caps;
	bool not_dumpable;
	bool userns;
};

static long target_setup(unsigned long arg, unsigned long a, unsigned long b)
{
	const struct who *who = (const struct who *)arg;

	if (who->uid && become(who->uid, who->keep_caps ? CAPS_ALL : 0))
		return -errno;
	if (who->userns && unshare(CLONE_NEWUSER))
		return -errno;
	/* Changing the uid has made it undumpable. */
	return prctl(PR_SET_DUMPABLE, !who->not_dumpable, 0, 0, 0);
}

/*
 * Call with each combination of flags and advice, and expect @want, or success
 * if @want is 0. Returns the number of disappointments.
 */
static int try_all(int pidfd, unsigned long addr, long want)
{
	struct iovec vec = { (void *)addr, LEN };
	struct pmadv_result r, before;
	unsigned int flags, i;
	int bad = 0;

	for (flags = 0; flags <= PMADV_ALL; flags++) {
		bool entire = flags & PMADV_ENTIRE_ADDRESS_SPACE;

		for (i = 0; i < ARRAY_LEN(advices); i++) {
			long ret, expect = want;

			/* Small pages do not collapse where they are. */
			if (!want && advices[i] == MADV_COLLAPSE)
				continue;
			if (!want && flags & PMADV_POLICY)
				expect = -ENOENT;
			memset(&r, 0, sizeof(r));
			r.size = sizeof(r);
			before = r;
			ret = pmadv(pidfd, entire ? NULL : &vec, !entire,
				    advices[i], flags, &r);
			if (expect ? ret != expect : ret <= 0) {
				printf("# flags %#x %s: %ld, not %ld\n", flags,
				       advice_name(advices[i]), ret, expect);
				bad++;
			}
			if (want && memcmp(&r, &before, sizeof(r))) {
				printf("# flags %#x %s: the result was written\n",
				       flags, advice_name(advices[i]));
				bad++;
			}
		}
	}
	return bad;
}

FIXTURE(rights)
{
	struct target t;
	unsigned long addr;
};

FIXTURE_VARIANT(rights)
{
	struct who target;
	uid_t uid;
	uint64_t caps;
	bool userns;
	long want;
};

FIXTURE_VARIANT_ADD(rights, root) {
	.caps = CAPS_ALL,
};

FIXTURE_VARIANT_ADD(rights, root_on_user) {
	.target.uid = USER,
	.caps = CAPS_ALL,
};

FIXTURE_VARIANT_ADD(rights, root_without_nice) {
	.caps = CAPS_ALL & ~CAP(SYS_NICE),
	.want = -EPERM,
};

/* The same user, but less capable than the target. */
FIXTURE_VARIANT_ADD(rights, root_without_anything) {
	.caps = CAPS_NONE,
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, root_without_anything_on_user) {
	.target.uid = USER,
	.caps = CAPS_NONE,
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, user_on_root) {
	.uid = USER,
	.caps = CAPS_NONE,
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, user_on_other_user) {
	.target.uid = OTHER,
	.uid = USER,
	.caps = CAPS_NONE,
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, user_on_same_user) {
	.target.uid = USER,
	.uid = USER,
	.caps = CAPS_NONE,
	.want = -EPERM,
};

FIXTURE_VARIANT_ADD(rights, nice_on_same_user) {
	.target.uid = USER,
	.uid = USER,
	.caps = CAP(SYS_NICE),
};

FIXTURE_VARIANT_ADD(rights, all_but_nice_on_same_user) {
	.target.uid = USER,
	.uid = USER,
	.caps = CAPS_ALL & ~CAP(SYS_NICE),
	.want = -EPERM,
};

FIXTURE_VARIANT_ADD(rights, nice_on_other_user) {
	.target.uid = OTHER,
	.uid = USER,
	.caps = CAP(SYS_NICE),
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, ptrace_on_other_user) {
	.target.uid = OTHER,
	.uid = USER,
	.caps = CAP(SYS_PTRACE),
	.want = -EPERM,
};

FIXTURE_VARIANT_ADD(rights, nice_and_ptrace_on_other_user) {
	.target.uid = OTHER,
	.uid = USER,
	.caps = CAP(SYS_NICE) | CAP(SYS_PTRACE),
};

/* More capable than the caller: only CAP_SYS_PTRACE looks into it. */
FIXTURE_VARIANT_ADD(rights, nice_on_capable_same_user) {
	.target.uid = USER,
	.target.keep_caps = true,
	.uid = USER,
	.caps = CAP(SYS_NICE),
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, nice_on_not_dumpable) {
	.target.uid = USER,
	.target.not_dumpable = true,
	.uid = USER,
	.caps = CAP(SYS_NICE),
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, nice_and_ptrace_on_not_dumpable) {
	.target.uid = USER,
	.target.not_dumpable = true,
	.uid = USER,
	.caps = CAP(SYS_NICE) | CAP(SYS_PTRACE),
};

FIXTURE_VARIANT_ADD(rights, root_on_not_dumpable) {
	.target.not_dumpable = true,
	.caps = CAPS_ALL,
};

/* All capabilities, but in a namespace of its own: not those that count. */
FIXTURE_VARIANT_ADD(rights, userns_on_same_user) {
	.target.uid = USER,
	.uid = USER,
	.caps = CAPS_NONE,
	.userns = true,
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, userns_on_other_user) {
	.target.uid = OTHER,
	.uid = USER,
	.caps = CAPS_NONE,
	.userns = true,
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, userns_of_root_on_user) {
	.target.uid = USER,
	.caps = CAPS_ALL,
	.userns = true,
	.want = -EACCES,
};

FIXTURE_VARIANT_ADD(rights, root_on_userns) {
	.target.uid = USER,
	.target.userns = true,
	.caps = CAPS_ALL,
};

/* A sibling namespace of the same user. */
FIXTURE_VARIANT_ADD(rights, userns_on_userns) {
	.target.uid = USER,
	.target.userns = true,
	.uid = USER,
	.caps = CAPS_NONE,
	.userns = true,
	.want = -EACCES,
};

FIXTURE_SETUP(rights)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start_with(&self->t, target_setup,
				       (unsigned long)&variant->target));
	self->addr = target_call(&self->t, do_map_filled, LEN, 1, 0);
	ASSERT_NE(0, self->addr);
}

FIXTURE_TEARDOWN(rights)
{
	target_stop(&self->t);
}

TEST_F(rights, every_flag)
{
	struct pages pages;
	int status;
	pid_t pid;

	pid = fork_as(variant->uid, variant->caps);
	ASSERT_LE(0, pid);
	if (!pid) {
		if (variant->userns && unshare(CLONE_NEWUSER))
			_exit(99);
		_exit(!!try_all(self->t.pidfd, self->addr, variant->want));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);

	/*
	 * A caller without the right did nothing; one with it did, or this
	 * would prove nothing.
	 */
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, LEN, &pages));
	EXPECT_EQ(variant->want ? NPAGES : 0, pages.present);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, LEN, 1));
}

/* Namespaces of processes *************************************************/

/* A pidfd is enough, from whatever namespace it is used. */
TEST(pidfd_across_pid_namespaces)
{
	struct target outer, inner;
	unsigned long a, b;
	int status;
	pid_t pid;

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&outer));
	a = target_call(&outer, do_map_filled, LEN, 1, 0);
	ASSERT_NE(0, a);

	/* Children are in the new one from here on. */
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	ASSERT_EQ(0, target_start(&inner));
	b = target_call(&inner, do_map_filled, LEN, 2, 0);
	ASSERT_NE(0, b);
	EXPECT_EQ(0, try_all(inner.pidfd, b, 0));

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* It has no name here, but it can still be reached. */
		if (getpid() == 1 || pidfd_open_pid(outer.pid, 0) >= 0)
			_exit(99);
		_exit(!!try_all(outer.pidfd, a, 0));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, target_call(&outer, do_check, a, LEN, 1));
	EXPECT_EQ(0, target_call(&inner, do_check, b, LEN, 2));
	target_stop(&inner);
	target_stop(&outer);
}

/* Oneself *****************************************************************/

TEST(self_without_any_right)
{
	unsigned long addr;
	int pidfd;

	ASSERT_EQ(0, pin_to_cpu(0));
	addr = do_map_filled(LEN, 1, 0);
	ASSERT_NE(0, addr);
	ASSERT_EQ(0, become(USER, CAPS_NONE));
	pidfd = pidfd_open_pid(getpid(), 0);
	ASSERT_LE(0, pidfd);
	EXPECT_EQ(0, try_all(pidfd, addr, 0));
	ASSERT_EQ(0, prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	EXPECT_EQ(0, try_all(pidfd, addr, 0));
	ASSERT_EQ(0, unshare(CLONE_NEWUSER));
	EXPECT_EQ(0, try_all(pidfd, addr, 0));
	EXPECT_EQ(0, check(addr, LEN, 1));
}

static int wait_on_pipe(void *arg)
{
	char c;

	return read(*(int *)arg, &c, 1) < 0;
}

/* Another process with the same memory: it is the memory that counts. */
TEST(same_memory_without_any_right)
{
	static char stack[65536] __attribute__((aligned(16)));
	unsigned long addr;
	int fds[2], pidfd;
	pid_t pid;

	ASSERT_EQ(0, pin_to_cpu(0));
	addr = do_map_filled(LEN, 1, 0);
	ASSERT_NE(0, addr);
	ASSERT_EQ(0, pipe(fds));
	pid = clone(wait_on_pipe, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		    &fds[0]);
	ASSERT_LT(0, pid);
	pidfd = pidfd_open_pid(pid, 0);
	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, become(USER, CAPS_NONE));
	EXPECT_EQ(0, try_all(pidfd, addr, 0));
	ASSERT_EQ(1, write(fds[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	/* The process is gone, and with it the access to its memory. */
	EXPECT_EQ(-ESRCH, pmadv_one(pidfd, addr, LEN, MADV_COLD, 0, NULL));
}

/* Files *******************************************************************/

/*
 * By timing accesses, a process can find out what is in the page cache of
 * somebody else's file. So only processes that may write to the file may page
 * it out; COLD and WILLNEED are allowed to all.
 */
FIXTURE(files)
{
	struct target t;
	char path[64];
	unsigned long private;
	unsigned long shared;
};

static long map_path(unsigned long path, unsigned long flags, unsigned long b)
{
	char *p;
	int fd;

	fd = open((const char *)path, O_RDONLY);
	if (fd < 0)
		return 0;
	p = mmap(NULL, LEN, PROT_READ | (flags & MAP_PRIVATE ? PROT_WRITE : 0),
		 flags, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return 0;
	do_read((unsigned long)p, LEN, 0);
	return (long)p;
}

FIXTURE_SETUP(files)
{
	char buf[PAGE];
	unsigned long i;
	int fd;

	ASSERT_EQ(0, pin_to_cpu(0));
	snprintf(self->path, sizeof(self->path), "/tmp/files-%d", getpid());
	fd = open(self->path, O_RDWR | O_CREAT | O_EXCL, 0644);
	ASSERT_LE(0, fd);
	memset(buf, 'x', sizeof(buf));
	for (i = 0; i < 2 * NPAGES; i++)
		ASSERT_EQ(PAGE, write(fd, buf, PAGE));
	close(fd);
	ASSERT_EQ(0, chmod(self->path, 0644));
	ASSERT_EQ(0, target_start(&self->t));
}

FIXTURE_TEARDOWN(files)
{
	target_stop(&self->t);
	unlink(self->path);
}

/* Run fn with the rights of a user that may advise but not write the file. */
static int as_user(int (*fn)(struct target *t, unsigned long addr),
		   struct target *t, unsigned long addr)
{
	int status;
	pid_t pid;

	pid = fork_as(USER, CAP(SYS_NICE) | CAP(SYS_PTRACE));
	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(fn(t, addr));
	waitpid(pid, &status, 0);
	return status;
}

#define NEED(x) do {							\
	if (!(x)) {							\
		printf("# line %d: not %s\n", __LINE__, #x);		\
		bad++;							\
	}								\
} while (0)

static int on_private(struct target *t, unsigned long addr)
{
	struct pmadv_result r;
	int bad = 0;

	/* Four of the pages are copies and the target's own. */
	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_PAGEOUT, 0, NULL) ==
	     (long)LEN);
	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_PAGEOUT, PMADV_SKIP_ERRORS,
		       &r) == (long)LEN);
	NEED(r.ranges_advised == 1);
	NEED(r.error == 0);
	NEED(r.stats.reclaimed == 0);
	NEED(r.stats.swapped == 4);
	NEED(r.stats.scanned == NPAGES - 4);
	NEED(r.stats.shared == NPAGES - 4);
	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_COLD, 0, &r) == (long)LEN);
	NEED(r.stats.deactivated == NPAGES - 4);
	return bad;
}

TEST_F(files, private_of_others)
{
	struct pages pages;

	self->private = target_call(&self->t, map_path,
				    (unsigned long)self->path, MAP_PRIVATE, 0);
	ASSERT_NE(0, self->private);
	target_call(&self->t, do_fill, self->private, 4 * PAGE, 1);
	EXPECT_EQ(0, as_user(on_private, &self->t, self->private));
	ASSERT_EQ(0, pagemap(self->t.pid, self->private, LEN, &pages));
	EXPECT_EQ(NPAGES - 4, pages.present);
	EXPECT_EQ(4, pages.swapped);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->private, 4 * PAGE,
				 1));
}

static int on_shared(struct target *t, unsigned long addr)
{
	struct pmadv_result r;
	int bad = 0;

	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_PAGEOUT, 0, NULL) ==
	     (long)LEN);
	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_PAGEOUT, PMADV_SKIP_ERRORS,
		       &r) == 0);
	NEED(r.ranges_refused == 1);
	NEED(r.ranges_advised == 0);
	NEED(r.error == EACCES);
	NEED(r.error_addr == addr);
	NEED(r.stats.scanned == 0);
	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_PAGEOUT, 0, &r) == -EACCES);
	NEED(r.stopped == PMADV_STOPPED_ERROR);
	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_COLD, 0, &r) == (long)LEN);
	NEED(r.ranges_advised == 1);
	return bad;
}

TEST_F(files, shared_of_others)
{
	struct pages pages;

	self->shared = target_call(&self->t, map_path,
				   (unsigned long)self->path, MAP_SHARED, 0);
	ASSERT_NE(0, self->shared);
	EXPECT_EQ(0, as_user(on_shared, &self->t, self->shared));
	ASSERT_EQ(0, pagemap(self->t.pid, self->shared, LEN, &pages));
	EXPECT_EQ(NPAGES, pages.present);
}

static int allowed(struct target *t, unsigned long addr)
{
	struct pmadv_result r;
	int bad = 0;

	NEED(pmadv_one(t->pidfd, addr, LEN, MADV_PAGEOUT, PMADV_SKIP_ERRORS,
		       &r) == (long)LEN);
	NEED(r.ranges_advised == 1);
	NEED(r.error == 0);
	NEED(r.stats.shared == 0);
	NEED(r.stats.isolated == NPAGES);
	return bad;
}

TEST_F(files, of_ones_own)
{
	struct pages pages;

	self->shared = target_call(&self->t, map_path,
				   (unsigned long)self->path, MAP_SHARED, 0);
	ASSERT_NE(0, self->shared);
	ASSERT_EQ(0, chown(self->path, USER, USER));
	EXPECT_EQ(0, as_user(allowed, &self->t, self->shared));
	ASSERT_EQ(0, pagemap(self->t.pid, self->shared, LEN, &pages));
	EXPECT_EQ(0, pages.present);
}

TEST_F(files, that_can_be_written)
{
	struct pages pages;

	self->shared = target_call(&self->t, map_path,
				   (unsigned long)self->path, MAP_SHARED, 0);
	ASSERT_NE(0, self->shared);
	ASSERT_EQ(0, chmod(self->path, 0666));
	EXPECT_EQ(0, as_user(allowed, &self->t, self->shared));
	ASSERT_EQ(0, pagemap(self->t.pid, self->shared, LEN, &pages));
	EXPECT_EQ(0, pages.present);
}

TEST_HARNESS_MAIN

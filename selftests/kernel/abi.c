// SPDX-License-Identifier: GPL-2.0
/*
 * The interface of process_madvise(2) with flags: every flag, every errno and
 * the order of the checks, the result structure as it grows, what is counted,
 * and going on after a call that ended early.
 *
 * Built a second time as a 32-bit program, for the compat entry.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "lib/harness.h"
#include "lib/util.h"

/* Nothing is mapped here in any process, nor can it be. */
#define BAD_POINTER	((void *)0x10)

#define NPAGES		64UL

_Static_assert(sizeof(struct pmadv_result) == PMADV_RESULT_SIZE_VER0,
	       "struct pmadv_result has no padding and no bitness");
_Static_assert(offsetof(struct pmadv_result, stats) == 112, "stats moved");
_Static_assert(sizeof(struct pmadv_stats) == 80, "stats grew");
_Static_assert(PMADV_ALL == 0x1f, "there is a flag that is not tested");

static void renew(struct pmadv_result *r)
{
	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
}

/* Two inaccessible pages around one that is not: p[PAGE] is out of bounds. */
static char *one_page(void)
{
	return (char *)do_map(PAGE, PROT_READ | PROT_WRITE, 0);
}

FIXTURE(abi)
{
	struct target t;
	unsigned long addr;
	size_t len;
	struct iovec vec;
	struct pmadv_result r;
};

FIXTURE_SETUP(abi)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&self->t));
	self->len = NPAGES * PAGE;
	self->addr = target_call(&self->t, do_map_filled, self->len, 1, 0);
	ASSERT_NE(0, self->addr);
	self->vec.iov_base = (void *)self->addr;
	self->vec.iov_len = self->len;
	renew(&self->r);
}

FIXTURE_TEARDOWN(abi)
{
	target_stop(&self->t);
}

/* Flags ********************************************************************/

TEST_F(abi, unknown_flags)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		if (PMADV_ALL & 1U << bit)
			continue;
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, 1U << bit, &self->r))
			TH_LOG("bit %u", bit);
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, 1U << bit | PMADV_RESULT,
					 &self->r))
			TH_LOG("bit %u with PMADV_RESULT", bit);
	}
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
				 0x80000000, NULL));
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
				 0xffffffff, NULL));
	EXPECT_EQ(0, self->r.call_id);
}

/* All 32 combinations of the five flags, with each advice. */
TEST_F(abi, every_combination)
{
	unsigned int flags;
	unsigned int i;

	for (flags = 0; flags <= PMADV_ALL; flags++) {
		for (i = 0; i < ARRAY_LEN(advices); i++) {
			bool entire = flags & PMADV_ENTIRE_ADDRESS_SPACE;
			bool good;
			long ret;

			/* Small pages do not collapse where they are. */
			if (advices[i] == MADV_COLLAPSE &&
			    !(flags & (PMADV_DRY_RUN | PMADV_POLICY)))
				continue;
			renew(&self->r);
			ret = pmadv(self->t.pidfd, entire ? NULL : &self->vec,
				    !entire, advices[i], flags, &self->r);
			if (flags & PMADV_POLICY)
				good = ret == -ENOENT;
			else if (advices[i] == MADV_COLLAPSE)
				good = ret <= 0;
			else if (entire)
				good = ret > (long)self->len;
			else
				good = ret == (long)self->len;
			EXPECT_TRUE(good);
			if (!(flags & PMADV_RESULT)) {
				EXPECT_EQ(0, self->r.call_id);
				EXPECT_EQ(0, self->r.ranges_seen);
			} else {
				EXPECT_NE(0, self->r.call_id);
			}
			if (_metadata->exit_code) {
				TH_LOG("flags %#x, %s: %ld", flags,
				       advice_name(advices[i]), ret);
				return;
			}
		}
	}
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, self->len, 1));
}

TEST_F(abi, result_is_not_read_without_its_flag)
{
	struct pmadv_result before;

	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_SKIP_ERRORS,
					 BAD_POINTER));
	memset(&self->r, 0xa5, sizeof(self->r));
	before = self->r;
	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_SKIP_ERRORS,
					 &self->r));
	EXPECT_EQ(0, memcmp(&before, &self->r, sizeof(before)));
	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, 0, &self->r));
	EXPECT_EQ(0, memcmp(&before, &self->r, sizeof(before)));
}

TEST_F(abi, entire_takes_no_vector)
{
	static const unsigned int others[] = {
		0, PMADV_SKIP_ERRORS, PMADV_DRY_RUN, PMADV_RESULT, PMADV_POLICY,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(others); i++) {
		unsigned int flags = PMADV_ENTIRE_ADDRESS_SPACE | others[i];

		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, flags, &self->r));
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 0,
					 MADV_COLD, flags, &self->r));
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, NULL, 1, MADV_COLD,
					 flags, &self->r));
		/* Not even looked at: it is wrong whatever it points to. */
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, BAD_POINTER, 1,
					 MADV_COLD, flags, &self->r));
	}
}

/* Locked, hugetlb and special memory can't take COLD and PAGEOUT. */
static bool is_refused(pid_t pid, uint64_t start, uint64_t end)
{
	return smaps(pid, "VmFlags:lo", start, end) ||
	       smaps(pid, "VmFlags:pf", start, end) ||
	       smaps(pid, "VmFlags:de", start, end) ||
	       smaps(pid, "VmFlags:ht", start, end);
}

TEST_F(abi, entire_is_what_maps_shows)
{
	struct mapping *maps;
	unsigned long locked;
	uint64_t bytes = 0;
	int i, n, seen = 0, refused = 0;

	locked = target_call(&self->t, do_map_filled, 8 * PAGE, 2, 0);
	ASSERT_NE(0, locked);
	ASSERT_EQ(0, target_call(&self->t, do_mlock, locked, 8 * PAGE, 0));

	n = read_maps(self->t.pid, &maps);
	ASSERT_LT(0, n);
	for (i = 0; i < n; i++) {
		uint64_t start = maps[i].start, end = maps[i].end;

		/* It is not a mapping of the process. */
		if (!strcmp(maps[i].name, "[vsyscall]"))
			continue;
		seen++;
		if (is_refused(self->t.pid, start, end))
			refused++;
		else
			bytes += end - start;
	}
	free(maps);
	ASSERT_LE(3, refused); /* the one above, [vvar] and [vdso] */

	EXPECT_EQ((long)bytes, pmadv(self->t.pidfd, NULL, 0, MADV_COLD,
				     PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT,
				     &self->r));
	EXPECT_EQ(seen, self->r.ranges_seen);
	EXPECT_EQ(refused, self->r.ranges_refused);
	EXPECT_EQ(seen - refused, self->r.ranges_advised);
	EXPECT_EQ(0, self->r.ranges_skipped);
	EXPECT_EQ(0, self->r.ranges_failed);
	EXPECT_EQ(0, self->r.holes);
	EXPECT_EQ(bytes, self->r.bytes_advised);
	EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
	EXPECT_EQ(0, self->r.cursor);
	EXPECT_EQ(EINVAL, self->r.error);
	EXPECT_NE(0, self->r.error_addr);
}

TEST_F(abi, policy_without_policy)
{
	struct pages pages;

	/* No proposal is a proposal for a policy, and for nobody else. */
	EXPECT_EQ(-ENOENT, pmadv(self->t.pidfd, &self->vec, 1, 0,
				 PMADV_POLICY | PMADV_RESULT, &self->r));
	EXPECT_NE(0, self->r.call_id);
	EXPECT_EQ(0, self->r.ranges_seen);
	EXPECT_EQ(0, self->r.bytes_advised);
	EXPECT_EQ(-ENOENT, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				 PMADV_POLICY, NULL));
	EXPECT_EQ(-ENOENT, pmadv(self->t.pidfd, NULL, 0, MADV_PAGEOUT,
				 PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE,
				 NULL));
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &pages));
	EXPECT_EQ(NPAGES, pages.present);
	EXPECT_EQ(0, pages.swapped);
}

TEST_F(abi, advice_not_allowed)
{
	static const int others[] = {
		MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_HWPOISON, 101,
		MADV_NORMAL, MADV_DONTFORK, MADV_MERGEABLE, MADV_HUGEPAGE,
		MADV_POPULATE_WRITE, MADV_WIPEONFORK, MADV_DONTNEED_LOCKED,
		-1, -2, -3, 19, 26, 1000, INT_MAX, INT_MIN,
	};
	unsigned int flags;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(others); i++) {
		for (flags = 0; flags <= PMADV_ALL; flags++) {
			bool entire = flags & PMADV_ENTIRE_ADDRESS_SPACE;

			/* 0 is MADV_NORMAL, and "no proposal" to a policy. */
			if (!others[i] && flags & PMADV_POLICY)
				continue;
			renew(&self->r);
			EXPECT_EQ(-EINVAL,
				  pmadv(self->t.pidfd,
					entire ? NULL : &self->vec, !entire,
					others[i], flags, &self->r))
				TH_LOG("advice %d flags %#x", others[i], flags);
		}
	}
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, self->len, 1));
}

/* The order of the checks **************************************************/

static void become_nobody(void)
{
	if (setresgid(1234, 1234, 1234) || setresuid(1234, 1234, 1234))
		_exit(KSFT_FAIL);
}

/*
 * Each call below is wrong in two respects or more; the errno says which was
 * found first: flags, result, vector, pidfd, advice, access, capability,
 * policy.
 */
TEST_F(abi, order_of_checks)
{
	const unsigned int all = PMADV_SKIP_ERRORS | PMADV_RESULT;
	const unsigned int policy = PMADV_POLICY | PMADV_RESULT;
	char *p = one_page();
	struct iovec *many;
	int kthread;

	ASSERT_NE(NULL, p);
	many = calloc(1025, sizeof(*many));
	ASSERT_NE(NULL, many);
	kthread = pidfd_open_pid(2, 0);
	ASSERT_LE(0, kthread);

	/* Flags before all else. */
	EXPECT_EQ(-EINVAL, pmadv(-1, BAD_POINTER, 1, MADV_COLD,
				 PMADV_RESULT | 1U << 5, BAD_POINTER));
	/* The result before the vector. */
	EXPECT_EQ(-EFAULT, pmadv(-1, many, 1025, 4, all, BAD_POINTER));
	self->r.size = sizeof(self->r) - 8;
	EXPECT_EQ(-EINVAL, pmadv(-1, BAD_POINTER, 1, 4, all, &self->r));
	memcpy(p, &self->r, sizeof(self->r));
	((struct pmadv_result *)p)->size = sizeof(self->r) + 8;
	p[sizeof(self->r)] = 1;
	EXPECT_EQ(-E2BIG, pmadv(-1, BAD_POINTER, 1, 4, all, p));
	EXPECT_EQ(-EFAULT, pmadv(-1, (void *)1, 1, 4,
				 all | PMADV_ENTIRE_ADDRESS_SPACE,
				 BAD_POINTER));
	renew(&self->r);
	/* The vector before the pidfd. */
	EXPECT_EQ(-EFAULT, pmadv(-1, BAD_POINTER, 1, 4, all, &self->r));
	EXPECT_EQ(-EINVAL, pmadv(-1, many, 1025, MADV_COLD, all, &self->r));
	EXPECT_EQ(-EINVAL, pmadv(-1, &self->vec, 1, MADV_COLD,
				 PMADV_ENTIRE_ADDRESS_SPACE, NULL));
	/* The pidfd before the advice. */
	EXPECT_EQ(-EBADF, pmadv(-1, &self->vec, 1, 4, all, &self->r));
	EXPECT_EQ(-EBADF, pmadv(0, &self->vec, 1, 4, policy, &self->r));

	become_nobody();
	/* The advice before the access to the target. */
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1, 4, all,
				 &self->r));
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1, 4, policy,
				 &self->r));
	/* Access, or that there is an mm at all, before the capability. */
	EXPECT_EQ(-ESRCH, pmadv(kthread, &self->vec, 1, MADV_COLD, policy,
				&self->r));
	EXPECT_EQ(-EACCES, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
				 policy, &self->r));
	/* Nothing was told to somebody without the right. */
	EXPECT_EQ(0, self->r.call_id);
	EXPECT_EQ(0, self->r.stopped);
}

/* The capability before the policy. */
TEST_F(abi, order_capability_policy)
{
	ASSERT_EQ(0, set_caps(~(1ULL << CAP_SYS_NICE) & ((1ULL << 41) - 1)));
	EXPECT_EQ(-EPERM, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
				PMADV_POLICY | PMADV_RESULT, &self->r));
	EXPECT_EQ(-EPERM, pmadv(self->t.pidfd, NULL, 0, 0,
				PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE,
				NULL));
	EXPECT_EQ(0, self->r.call_id);
}

TEST_F(abi, targets_that_are_none)
{
	struct target dead;
	int fd, pidfd;

	ASSERT_EQ(0, target_start(&dead));
	pidfd = dup(dead.pidfd);
	ASSERT_LE(0, pidfd);

	/* A zombie has no memory, a reaped process no task. */
	kill(dead.pid, SIGKILL);
	ASSERT_EQ(0, waitid(P_PID, dead.pid, NULL, WEXITED | WNOWAIT));
	EXPECT_EQ(-ESRCH, pmadv(pidfd, &self->vec, 1, MADV_COLD,
				PMADV_RESULT, &self->r));
	target_stop(&dead);
	EXPECT_EQ(-ESRCH, pmadv(pidfd, &self->vec, 1, MADV_COLD,
				PMADV_RESULT, &self->r));
	EXPECT_EQ(-ESRCH, pmadv(pidfd, NULL, 0, MADV_COLD,
				PMADV_ENTIRE_ADDRESS_SPACE, NULL));
	close(pidfd);
	EXPECT_EQ(-EBADF, pmadv(pidfd, &self->vec, 1, MADV_COLD,
				PMADV_RESULT, &self->r));
	fd = open("/dev/null", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, pmadv(fd, &self->vec, 1, MADV_COLD,
				PMADV_RESULT, &self->r));
	EXPECT_EQ(0, self->r.call_id);
}

/* The result structure *****************************************************/

TEST_F(abi, result_size)
{
	static const uint32_t too_small[] = {
		0, 1, 4, 8, 64, PMADV_RESULT_SIZE_VER0 - 8,
		PMADV_RESULT_SIZE_VER0 - 1,
	};
	unsigned int i;
	char *p = one_page();

	ASSERT_NE(NULL, p);
	for (i = 0; i < ARRAY_LEN(too_small); i++) {
		renew(&self->r);
		self->r.size = too_small[i];
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_RESULT, &self->r))
			TH_LOG("size %u", too_small[i]);
		EXPECT_EQ(0, self->r.call_id);
	}
	/* Exactly to the end of the page: not a byte more is touched. */
	p += PAGE - sizeof(self->r);
	renew(&self->r);
	memcpy(p, &self->r, sizeof(self->r));
	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_RESULT, p));
	memcpy(&self->r, p, sizeof(self->r));
	EXPECT_EQ(sizeof(self->r), self->r.size);
	EXPECT_EQ(self->len, self->r.bytes_advised);
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
}

static volatile bool settled;

static void *change_size(void *arg)
{
	volatile unsigned int *size = arg;

	pin_to_cpu(1);
	while (!settled) {
		*size = 8;
		*size = PMADV_RESULT_SIZE_VER0;
	}
	return NULL;
}

/* The size is what it was when it was looked at, not what it is made then. */
TEST_F(abi, result_size_changes)
{
	const unsigned int nr = slow_kernel() ? 50000 : 200000;
	unsigned int i, some = 0, part = 0;
	struct pmadv_result *r = &self->r;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, change_size, &r->size));
	for (i = 0; i < nr; i++) {
		r->call_id = 0;
		if (pmadv(self->t.pidfd, NULL, 0, MADV_COLD, PMADV_RESULT, r))
			continue;
		some++;
		part += !r->call_id;
	}
	settled = true;
	pthread_join(thread, NULL);
	EXPECT_LT(0, some);
	EXPECT_EQ(0, part);
}

TEST_F(abi, result_from_the_future)
{
	struct pmadv_result *r;
	unsigned int tail, at, i;
	char *p = one_page();

	ASSERT_NE(NULL, p);
	for (tail = 1; tail <= 256; tail *= 2) {
		memset(p, 0, PAGE);
		r = (struct pmadv_result *)p;
		r->size = sizeof(*r) + tail;
		EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
						 MADV_COLD, PMADV_RESULT, r));
		EXPECT_EQ(self->len, r->bytes_advised);
		EXPECT_EQ(sizeof(*r) + tail, r->size);
		for (i = 0, at = sizeof(*r); at < PAGE; at++)
			i += p[at];
		EXPECT_EQ(0, i);
	}
	/* What it can't know may not be asked of it, wherever it stands. */
	for (tail = 8; tail <= 64; tail += 8) {
		for (at = 0; at < tail; at += 7) {
			memset(p, 0, PAGE);
			r = (struct pmadv_result *)p;
			r->size = sizeof(*r) + tail;
			p[sizeof(*r) + at] = 1;
			EXPECT_EQ(-E2BIG, pmadv(self->t.pidfd, &self->vec, 1,
						MADV_COLD, PMADV_RESULT, r));
			EXPECT_EQ(0, r->call_id);
		}
	}
	/* Beyond its size is none of the kernel's business. */
	memset(p, 0xff, PAGE);
	r = (struct pmadv_result *)p;
	renew(r);
	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_RESULT, r));
	EXPECT_EQ(-1, p[sizeof(*r)]);
	/* A size that is nonsense. */
	memset(p, 0, PAGE);
	r->size = UINT32_MAX;
	EXPECT_EQ(-E2BIG, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
				PMADV_RESULT, r));
	r->size = PAGE + 8;
	EXPECT_EQ(-E2BIG, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
				PMADV_RESULT, r));
}

TEST_F(abi, result_pointer)
{
	char *p = one_page();
	struct pages pages;
	char *end;

	ASSERT_NE(NULL, p);
	end = p + PAGE;
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				 PMADV_RESULT, NULL));
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				 PMADV_RESULT, BAD_POINTER));
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				 PMADV_RESULT, (void *)(LONG_MIN + (long)PAGE)));
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				 PMADV_RESULT, end));
	/* The size can be read, the rest can't. */
	*(uint32_t *)(end - 8) = sizeof(self->r);
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				 PMADV_RESULT, end - 8));
	/* All but the last bytes can be. */
	renew(&self->r);
	memcpy(end - sizeof(self->r) + 8, &self->r, sizeof(self->r) - 8);
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				 PMADV_RESULT, end - sizeof(self->r) + 8));
	/* None of these did anything. */
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &pages));
	EXPECT_EQ(NPAGES, pages.present);
}

/* It can be read but not written: the caller must learn that it has nothing. */
TEST_F(abi, result_read_only)
{
	char *p = one_page();

	ASSERT_NE(NULL, p);
	memcpy(p, &self->r, sizeof(self->r));
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
				 PMADV_RESULT, p));
}

TEST_F(abi, result_is_clean)
{
	uint64_t last;

	renew(&self->r);
	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_RESULT, &self->r));
	EXPECT_EQ(sizeof(self->r), self->r.size);
	EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
	EXPECT_EQ(0, self->r.max_pages);
	EXPECT_EQ(0, self->r.cursor);
	EXPECT_EQ(0, self->r.cursor_index);
	EXPECT_EQ(0, self->r.error);
	EXPECT_EQ(0, self->r.error_addr);
	EXPECT_EQ(1, self->r.ranges_seen);
	EXPECT_EQ(1, self->r.ranges_advised);
	EXPECT_EQ(0, self->r.ranges_skipped);
	EXPECT_EQ(0, self->r.ranges_refused);
	EXPECT_EQ(0, self->r.ranges_failed);
	EXPECT_EQ(0, self->r.holes);
	EXPECT_EQ(self->len, self->r.bytes_advised);
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_NE(0, self->r.stats.time_ns);
	last = self->r.call_id;

	/* Counts are those of one call: garbage in the outputs does not add. */
	memset(&self->r.ranges_seen, 0x11,
	       sizeof(self->r) - offsetof(struct pmadv_result, ranges_seen));
	self->r.error = 99;
	self->r.error_addr = 99;
	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_RESULT, &self->r));
	EXPECT_LT(last, self->r.call_id);
	EXPECT_EQ(0, self->r.error);
	EXPECT_EQ(0, self->r.error_addr);
	EXPECT_EQ(1, self->r.ranges_seen);
	EXPECT_EQ(0, self->r.holes);
	EXPECT_EQ(0, self->r.yields);
	EXPECT_EQ(self->len, self->r.bytes_advised);
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(0, self->r.stats.isolated);
}

/* The vector ***************************************************************/

TEST_F(abi, vector_length)
{
	struct iovec *many;
	unsigned int i;

	many = calloc(1025, sizeof(*many));
	ASSERT_NE(NULL, many);
	for (i = 0; i < 1025; i++) {
		many[i].iov_base = (void *)(self->addr + i % NPAGES * PAGE);
		many[i].iov_len = PAGE;
	}
	EXPECT_EQ(0, pmadv(self->t.pidfd, many, 0, MADV_COLD, PMADV_RESULT,
			   &self->r));
	EXPECT_EQ(0, self->r.ranges_seen);
	EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
	EXPECT_EQ(0, pmadv(self->t.pidfd, NULL, 0, MADV_COLD, PMADV_RESULT,
			   &self->r));
	EXPECT_EQ((long)PAGE, pmadv(self->t.pidfd, many, 1, MADV_COLD,
				    PMADV_RESULT, &self->r));
	EXPECT_EQ(1024 * (long)PAGE, pmadv(self->t.pidfd, many, 1024, MADV_COLD,
					   PMADV_RESULT, &self->r));
	EXPECT_EQ(1024, self->r.ranges_seen);
	EXPECT_EQ(1024, self->r.ranges_advised);
	EXPECT_EQ(1024, self->r.stats.scanned);
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, many, 1025, MADV_COLD,
				 PMADV_RESULT, &self->r));
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, many, SIZE_MAX, MADV_COLD,
				 PMADV_RESULT, &self->r));
	EXPECT_EQ(-EFAULT, pmadv(self->t.pidfd, NULL, 1, MADV_COLD,
				 PMADV_RESULT, &self->r));
}

TEST_F(abi, overlap_is_counted_twice)
{
	struct iovec vec[2] = {
		{ (void *)self->addr, 48 * PAGE },
		{ (void *)(self->addr + 16 * PAGE), 48 * PAGE },
	};

	EXPECT_EQ(96 * (long)PAGE, pmadv(self->t.pidfd, vec, 2, MADV_PAGEOUT,
					 PMADV_RESULT, &self->r));
	EXPECT_EQ(96 * PAGE, self->r.bytes_advised);
	EXPECT_EQ(2, self->r.ranges_seen);
	/* The pages, though, can go only once. */
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.reclaimed);
	EXPECT_EQ(32, self->r.stats.swapped);
}

TEST_F(abi, malformed_ranges)
{
	static const unsigned int flags[] = {
		PMADV_RESULT, PMADV_RESULT | PMADV_SKIP_ERRORS,
		PMADV_RESULT | PMADV_DRY_RUN,
	};
	struct iovec vec[2];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		vec[0] = self->vec;
		vec[1] = self->vec;
		vec[1].iov_base = (char *)self->vec.iov_base + 1;
		renew(&self->r);
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
					 flags[i], &self->r));
		EXPECT_EQ(0, self->r.call_id);
		/* 32-bit addresses do not wrap in a 64-bit kernel. */
		if (sizeof(long) < 8)
			continue;
		vec[1].iov_base = (void *)(ULONG_MAX - PAGE + 1);
		vec[1].iov_len = 2 * PAGE;
		EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
					 flags[i], &self->r));
		EXPECT_EQ(0, self->r.call_id);
	}
	/* A length is rounded up to pages, as madvise(2) does. */
	vec[0].iov_base = (void *)self->addr;
	vec[0].iov_len = PAGE + 1;
	vec[1].iov_base = (void *)self->addr;
	vec[1].iov_len = 0;
	renew(&self->r);
	pmadv(self->t.pidfd, vec, 2, MADV_COLD, PMADV_RESULT, &self->r);
	EXPECT_EQ(2 * PAGE, self->r.bytes_advised);
	EXPECT_EQ(2, self->r.stats.scanned);
	EXPECT_EQ(1, self->r.ranges_seen);
}

/* Errors and holes *********************************************************/

/*
 * Pages 8 to 15 become a hole, 24 to 31 locked, and 40 to 47 and 56 to 63
 * holes:  advised | hole | advised | locked | advised | hole | advised | hole
 */
static void make_swiss(struct target *t, unsigned long addr)
{
	target_call(t, do_unmap, addr + 8 * PAGE, 8 * PAGE, 0);
	target_call(t, do_mlock, addr + 24 * PAGE, 8 * PAGE, 0);
	target_call(t, do_unmap, addr + 40 * PAGE, 8 * PAGE, 0);
	target_call(t, do_unmap, addr + 56 * PAGE, 8 * PAGE, 0);
}

TEST_F(abi, skip_errors)
{
	struct pages pages;

	make_swiss(&self->t, self->addr);
	EXPECT_EQ(32 * (long)PAGE, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_PAGEOUT,
					 PMADV_SKIP_ERRORS | PMADV_RESULT,
					 &self->r));
	EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
	EXPECT_EQ(5, self->r.ranges_seen);
	EXPECT_EQ(4, self->r.ranges_advised);
	EXPECT_EQ(1, self->r.ranges_refused);
	EXPECT_EQ(0, self->r.ranges_skipped);
	EXPECT_EQ(0, self->r.ranges_failed);
	EXPECT_EQ(3, self->r.holes);
	EXPECT_EQ(32 * PAGE, self->r.bytes_advised);
	EXPECT_EQ(EINVAL, self->r.error);
	EXPECT_EQ(self->addr + 24 * PAGE, self->r.error_addr);
	EXPECT_EQ(32, self->r.stats.reclaimed);
	EXPECT_EQ(0, self->r.cursor);

	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &pages));
	EXPECT_EQ(8, pages.present);
	EXPECT_EQ(32, pages.swapped);
}

TEST_F(abi, hole_without_skip_errors)
{
	struct iovec vec[2] = {
		{ (void *)(self->addr + 8 * PAGE), 8 * PAGE },
		{ (void *)self->addr, 8 * PAGE },
	};

	make_swiss(&self->t, self->addr);
	EXPECT_EQ(8 * (long)PAGE, pmadv(self->t.pidfd, &self->vec, 1,
					MADV_COLD, PMADV_RESULT, &self->r));
	EXPECT_EQ(PMADV_STOPPED_ERROR, self->r.stopped);
	EXPECT_EQ(ENOMEM, self->r.error);
	EXPECT_EQ(self->addr + 8 * PAGE, self->r.error_addr);
	EXPECT_EQ(1, self->r.holes);
	EXPECT_EQ(1, self->r.ranges_seen);
	EXPECT_EQ(1, self->r.ranges_advised);
	EXPECT_EQ(8 * PAGE, self->r.bytes_advised);

	renew(&self->r);
	EXPECT_EQ(-ENOMEM, pmadv(self->t.pidfd, vec, 2, MADV_COLD, PMADV_RESULT,
				 &self->r));
	EXPECT_EQ(PMADV_STOPPED_ERROR, self->r.stopped);
	EXPECT_EQ(0, self->r.ranges_seen);
	EXPECT_EQ(0, self->r.bytes_advised);
	EXPECT_EQ(1, self->r.holes);
}

TEST_F(abi, locked_without_skip_errors)
{
	struct iovec vec = {
		(void *)(self->addr + 24 * PAGE), 16 * PAGE,
	};

	make_swiss(&self->t, self->addr);
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, &vec, 1, MADV_COLD,
				 PMADV_RESULT, &self->r));
	EXPECT_EQ(PMADV_STOPPED_ERROR, self->r.stopped);
	EXPECT_EQ(1, self->r.ranges_seen);
	EXPECT_EQ(1, self->r.ranges_refused);
	EXPECT_EQ(EINVAL, self->r.error);
	EXPECT_EQ(self->addr + 24 * PAGE, self->r.error_addr);
	EXPECT_EQ(0, self->r.bytes_advised);

	/* What came before it counts, and is what is returned. */
	vec.iov_base = (void *)(self->addr + 16 * PAGE);
	renew(&self->r);
	EXPECT_EQ(8 * (long)PAGE, pmadv(self->t.pidfd, &vec, 1, MADV_COLD,
					PMADV_RESULT, &self->r));
	EXPECT_EQ(PMADV_STOPPED_ERROR, self->r.stopped);
	EXPECT_EQ(EINVAL, self->r.error);
	EXPECT_EQ(1, self->r.ranges_advised);
	EXPECT_EQ(1, self->r.ranges_refused);
}

#ifndef __NR_memfd_secret
#define __NR_memfd_secret	447
#endif

static long do_map_secret(unsigned long len, unsigned long b, unsigned long c)
{
	int fd = syscall(__NR_memfd_secret, 0);
	void *p;

	if (fd < 0 || ftruncate(fd, len))
		return 0;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return 0;
	memset(p, 1, len);
	return (long)p;
}

/* Memory without pages that could go is refused, whatever keeps them there. */
TEST_F(abi, nothing_to_reclaim)
{
	static const int both[] = { MADV_COLD, MADV_PAGEOUT };
	unsigned long addr[2] = {};
	struct mapping *maps;
	unsigned int i, j;
	int n;

	n = read_maps(self->t.pid, &maps);
	for (i = 0; (int)i < n; i++)
		if (!strcmp(maps[i].name, "[vdso]"))
			addr[0] = maps[i].start;
	free(maps);
	addr[1] = target_call(&self->t, do_map_secret, PAGE, 0, 0);
	for (i = 0; i < ARRAY_LEN(addr); i++) {
		ASSERT_NE(0, addr[i]);
		for (j = 0; j < ARRAY_LEN(both); j++) {
			EXPECT_EQ(-EINVAL, pmadv_one(self->t.pidfd, addr[i],
						     PAGE, both[j], 0,
						     &self->r));
			EXPECT_EQ(1, self->r.ranges_refused);
			EXPECT_EQ(EINVAL, self->r.error);
		}
	}
}

/* Only holes: nothing is an error, and nothing was done. */
TEST_F(abi, nothing_there)
{
	target_call(&self->t, do_unmap, self->addr, self->len, 0);
	EXPECT_EQ(0, pmadv(self->t.pidfd, &self->vec, 1, MADV_COLD,
			   PMADV_SKIP_ERRORS | PMADV_RESULT, &self->r));
	EXPECT_EQ(1, self->r.holes);
	EXPECT_EQ(0, self->r.ranges_seen);
	EXPECT_EQ(0, self->r.error);
	EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
}

/* Budget, cursor, signals **************************************************/

static bool add_up(struct pmadv_result *sum, const struct pmadv_result *r)
{
	sum->bytes_advised += r->bytes_advised;
	sum->ranges_seen += r->ranges_seen;
	sum->stats.scanned += r->stats.scanned;
	sum->stats.deactivated += r->stats.deactivated;
	sum->stats.isolated += r->stats.isolated;
	sum->stats.reclaimed += r->stats.reclaimed;
	sum->stats.swapped += r->stats.swapped;
	return r->ranges_seen == r->ranges_advised + r->ranges_skipped +
				 r->ranges_refused + r->ranges_failed;
}

TEST_F(abi, budget)
{
	static const uint64_t budgets[] = { 1, 10, 63, 64, 65 };
	struct pmadv_result sum;
	unsigned int i, calls;
	struct pages pages;
	long ret, total;

	for (i = 0; i < ARRAY_LEN(budgets); i++) {
		renew(&sum);
		renew(&self->r);
		self->r.max_pages = budgets[i];
		total = 0;
		calls = 0;
		do {
			ret = pmadv(self->t.pidfd, &self->vec, 1, MADV_PAGEOUT,
				    PMADV_RESULT, &self->r);
			ASSERT_LE(0, ret);
			ASSERT_LT(calls++, 70);
			ASSERT_TRUE(add_up(&sum, &self->r));
			total += ret;
			EXPECT_EQ(ret, (long)self->r.bytes_advised);
			EXPECT_LE(self->r.stats.isolated, budgets[i]);
			EXPECT_EQ(budgets[i], self->r.max_pages);
			ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len,
					     &pages));
			EXPECT_EQ(pages.swapped, sum.stats.reclaimed);
			if (!self->r.stopped)
				break;
			EXPECT_EQ(PMADV_STOPPED_BUDGET, self->r.stopped);
			EXPECT_EQ(budgets[i], self->r.stats.isolated);
			EXPECT_EQ(self->addr + sum.bytes_advised,
				  self->r.cursor);
			EXPECT_EQ(0, self->r.cursor_index);
		} while (self->r.stopped);
		EXPECT_LE(NPAGES / budgets[i], calls);
		EXPECT_EQ((long)self->len, total);
		EXPECT_EQ(self->len, sum.bytes_advised);
		EXPECT_EQ(NPAGES, sum.stats.scanned);
		EXPECT_EQ(NPAGES, sum.stats.isolated);
		EXPECT_EQ(NPAGES, sum.stats.reclaimed);
		EXPECT_EQ(0, self->r.cursor);
		EXPECT_EQ(0, target_call(&self->t, do_check, self->addr,
					 self->len, 1));
		/* Without a copy in the swap cache: they are written again. */
		target_call(&self->t, do_fill, self->addr, self->len, 1);
	}
}

/* Several ranges, out of order, with holes, in which a call may end. */
TEST_F(abi, budget_over_a_vector)
{
	struct iovec vec[4] = {
		{ (void *)(self->addr + 32 * PAGE), 32 * PAGE },
		{ (void *)self->addr, 0 },
		{ (void *)self->addr, 20 * PAGE },
		{ (void *)(self->addr + 20 * PAGE), 12 * PAGE },
	};
	struct pmadv_result sum;
	unsigned int calls = 0;
	struct pages pages;
	uint64_t holes = 0;
	uint32_t index = 0;
	long ret;

	make_swiss(&self->t, self->addr);
	renew(&sum);
	self->r.max_pages = 5;
	do {
		ret = pmadv(self->t.pidfd, vec, 4, MADV_PAGEOUT,
			    PMADV_SKIP_ERRORS | PMADV_RESULT, &self->r);
		ASSERT_LE(0, ret);
		ASSERT_LT(calls++, 20);
		ASSERT_TRUE(add_up(&sum, &self->r));
		EXPECT_EQ(ret, (long)self->r.bytes_advised);
		holes += self->r.holes;
		if (self->r.stopped) {
			EXPECT_EQ(PMADV_STOPPED_BUDGET, self->r.stopped);
			EXPECT_LE(index, self->r.cursor_index);
			ASSERT_GT(4, self->r.cursor_index);
			index = self->r.cursor_index;
			EXPECT_LE((uintptr_t)vec[index].iov_base,
				  self->r.cursor);
			EXPECT_GE((uintptr_t)vec[index].iov_base +
				  vec[index].iov_len, self->r.cursor);
		}
	} while (self->r.stopped);
	EXPECT_LE(7, calls);
	EXPECT_EQ(32 * PAGE, sum.bytes_advised);
	EXPECT_EQ(32, sum.stats.reclaimed);
	EXPECT_LE(3, holes);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &pages));
	EXPECT_EQ(32, pages.swapped);
	EXPECT_EQ(8, pages.present);
}

TEST_F(abi, budget_entire)
{
	const unsigned int flags = PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT;
	struct pmadv_result once, sum;
	unsigned int calls = 0;
	uint64_t last = 0;
	long ret;

	renew(&once);
	ASSERT_LT(0, pmadv(self->t.pidfd, NULL, 0, MADV_COLD, flags, &once));
	ASSERT_LE(NPAGES, once.stats.scanned);

	renew(&sum);
	self->r.max_pages = 16;
	do {
		ret = pmadv(self->t.pidfd, NULL, 0, MADV_COLD, flags, &self->r);
		ASSERT_LE(0, ret);
		ASSERT_LT(calls++, 500);
		ASSERT_TRUE(add_up(&sum, &self->r));
		if (!self->r.stopped)
			break;
		EXPECT_EQ(PMADV_STOPPED_BUDGET, self->r.stopped);
		EXPECT_LT(last, self->r.cursor);
		last = self->r.cursor;
	} while (self->r.stopped);
	EXPECT_LE(NPAGES / 16, calls);
	EXPECT_EQ(once.bytes_advised, sum.bytes_advised);
	EXPECT_EQ(once.stats.scanned, sum.stats.scanned);
	EXPECT_EQ(once.stats.deactivated, sum.stats.deactivated);
}

/* WILLNEED has no pages to count; it is the address space that is. */
TEST_F(abi, budget_willneed)
{
	unsigned int calls = 0;
	struct pages pages;
	long ret, total = 0;

	ASSERT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_PAGEOUT, PMADV_RESULT, &self->r));
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &pages));
	ASSERT_EQ(NPAGES, pages.swapped);

	renew(&self->r);
	self->r.max_pages = 16;
	do {
		ret = pmadv(self->t.pidfd, &self->vec, 1, MADV_WILLNEED,
			    PMADV_RESULT, &self->r);
		ASSERT_LE(0, ret);
		ASSERT_LT(calls++, 10);
		EXPECT_GE(16 * (long)PAGE, ret);
		total += ret;
	} while (self->r.stopped);
	EXPECT_EQ((long)self->len, total);
	EXPECT_LE(4, calls);
	/* They are in the swap cache, waiting to be mapped. */
	EXPECT_EQ((long)NPAGES, target_call(&self->t, do_mincore, self->addr,
					    self->len, 0));
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, self->len, 1));
}

TEST_F(abi, cursor_out_of_place)
{
	struct iovec vec[2] = {
		{ (void *)self->addr, 8 * PAGE },
		{ (void *)(self->addr + 16 * PAGE), 8 * PAGE },
	};

	/* From the middle of the first range; of the second; from its end. */
	self->r.cursor = self->addr + 6 * PAGE;
	EXPECT_EQ(10 * (long)PAGE, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
					 PMADV_RESULT, &self->r));
	renew(&self->r);
	self->r.cursor = self->addr + 17 * PAGE;
	self->r.cursor_index = 1;
	EXPECT_EQ(7 * (long)PAGE, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
					PMADV_RESULT, &self->r));
	renew(&self->r);
	self->r.cursor_index = 1;
	EXPECT_EQ(8 * (long)PAGE, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
					PMADV_RESULT, &self->r));

	/* Not a page. */
	renew(&self->r);
	self->r.cursor = self->addr + 8;
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
				 PMADV_RESULT, &self->r));
	/* Not in the range it claims to be in. */
	renew(&self->r);
	self->r.cursor = self->addr + 17 * PAGE;
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
				 PMADV_RESULT, &self->r));
	/* At its end, which is not in it. */
	renew(&self->r);
	self->r.cursor = self->addr + 8 * PAGE;
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
				 PMADV_RESULT, &self->r));
	/* Not a range. */
	renew(&self->r);
	self->r.cursor_index = 3;
	EXPECT_EQ(-EINVAL, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
				 PMADV_RESULT, &self->r));
}

static void on_alarm(int sig)
{
	(void)sig;
}

TEST_F(abi, signal_ends_the_call)
{
	const size_t len = 8192 * PAGE;
	struct itimerval every = { { 0, 4000 }, { 0, 4000 } };
	struct sigaction act = { .sa_handler = on_alarm };
	unsigned int calls = 0, interrupted = 0;
	struct pmadv_result sum;
	struct pages pages;
	struct iovec vec;
	uint64_t before;
	long ret;

	vec.iov_base = (void *)target_call(&self->t, do_map_filled, len, 7, 0);
	vec.iov_len = len;
	ASSERT_NE(NULL, vec.iov_base);
	renew(&sum);
	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &every, NULL));
	do {
		before = self->r.cursor;
		ret = pmadv(self->t.pidfd, &vec, 1, MADV_PAGEOUT, PMADV_RESULT,
			    &self->r);
		if (ret == -EINTR) {
			/* Nothing was done, and it is to be done yet. */
			ret = 0;
			EXPECT_EQ(PMADV_STOPPED_SIGNAL, self->r.stopped);
			if (before)
				EXPECT_EQ(before, self->r.cursor);
		}
		ASSERT_LE(0, ret);
		ASSERT_LT(calls++, 5000);
		EXPECT_EQ(ret, (long)self->r.bytes_advised);
		ASSERT_TRUE(add_up(&sum, &self->r));
		if (!self->r.stopped)
			break;
		interrupted++;
		EXPECT_EQ(PMADV_STOPPED_SIGNAL, self->r.stopped);
		EXPECT_EQ((uintptr_t)vec.iov_base + sum.bytes_advised,
			  self->r.cursor);
	} while (self->r.stopped);
	memset(&every, 0, sizeof(every));
	setitimer(ITIMER_REAL, &every, NULL);

	EXPECT_LT(0, interrupted);
	EXPECT_EQ(len, sum.bytes_advised);
	EXPECT_EQ(8192, sum.stats.scanned);
	EXPECT_EQ(8192, sum.stats.reclaimed);
	EXPECT_EQ(0, sum.stats.swapped);
	ASSERT_EQ(0, pagemap(self->t.pid, (unsigned long)vec.iov_base, len,
			     &pages));
	EXPECT_EQ(8192, pages.swapped);
	EXPECT_EQ(0, target_call(&self->t, do_check,
				 (unsigned long)vec.iov_base, len, 7));
}

/* A blocked signal is not pending for the caller, and does not end the call. */
TEST_F(abi, blocked_signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, raise(SIGUSR1));
	EXPECT_EQ((long)self->len, pmadv(self->t.pidfd, &self->vec, 1,
					 MADV_COLD, PMADV_RESULT, &self->r));
	EXPECT_EQ(PMADV_STOPPED_NOT, self->r.stopped);
}

/* Dry run ******************************************************************/

TEST_F(abi, dry_run)
{
	struct pages before, after;
	long long out, in;
	unsigned int i;

	make_swiss(&self->t, self->addr);
	/* Half of what is left is in swap, for WILLNEED to leave there. */
	ASSERT_LT(0, pmadv_one(self->t.pidfd, self->addr + 32 * PAGE, 32 * PAGE,
			       MADV_PAGEOUT, PMADV_SKIP_ERRORS, &self->r));
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &before));
	ASSERT_LT(0, before.present);
	ASSERT_LT(0, before.swapped);
	out = vmstat("pswpout");
	in = vmstat("pswpin");
	ASSERT_LT(0, out);

	for (i = 0; i < ARRAY_LEN(advices); i++) {
		renew(&self->r);
		EXPECT_LE(0, pmadv(self->t.pidfd, &self->vec, 1, advices[i],
				   PMADV_DRY_RUN | PMADV_SKIP_ERRORS |
				   PMADV_RESULT, &self->r));
		EXPECT_EQ(5, self->r.ranges_seen);
		EXPECT_EQ(3, self->r.holes);
		if (advices[i] == MADV_COLD || advices[i] == MADV_PAGEOUT) {
			EXPECT_EQ(4, self->r.ranges_advised);
			EXPECT_EQ(1, self->r.ranges_refused);
			EXPECT_EQ(32 * PAGE, self->r.bytes_advised);
		}
		EXPECT_EQ(0, self->r.stats.isolated);
		EXPECT_EQ(0, self->r.stats.deactivated);
		EXPECT_EQ(0, self->r.stats.reclaimed);
		EXPECT_EQ(0, self->r.stats.written_back);
		ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len,
				     &after));
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)))
			TH_LOG("%s changed something", advice_name(advices[i]));
	}
	EXPECT_EQ(out, vmstat("pswpout"));
	EXPECT_EQ(in, vmstat("pswpin"));
	/* The pages in swap are still only there. */
	EXPECT_EQ(0, target_call(&self->t, do_mincore, self->addr + 32 * PAGE,
				 8 * PAGE, 0));
	/* Young bits stay too: as many pages are young as before. */
	EXPECT_EQ(8 * PAGE, smaps(self->t.pid, "Referenced", self->addr,
				  self->addr + 8 * PAGE));

	/* A hole is an error in a dry run as it is in earnest. */
	renew(&self->r);
	EXPECT_EQ(8 * (long)PAGE, pmadv(self->t.pidfd, &self->vec, 1,
					MADV_PAGEOUT,
					PMADV_DRY_RUN | PMADV_RESULT,
					&self->r));
	EXPECT_EQ(PMADV_STOPPED_ERROR, self->r.stopped);
}

/* Advice does what it does without flags ************************************/

TEST_F(abi, willneed_and_collapse)
{
	unsigned long huge;

	huge = target_call(&self->t, do_map_filled, HUGE, 3, 1);
	ASSERT_NE(0, huge);
	/* In small pages first: out and in again, one by one. */
	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, huge, HUGE, MADV_PAGEOUT,
					0, &self->r));
	EXPECT_EQ(0, target_call(&self->t, do_mincore, huge, HUGE, 0));
	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, huge, HUGE,
					MADV_WILLNEED, PMADV_SKIP_ERRORS,
					&self->r));
	EXPECT_EQ(1, self->r.ranges_advised);
	EXPECT_EQ(512, target_call(&self->t, do_mincore, huge, HUGE, 0));
	EXPECT_EQ(0, target_call(&self->t, do_check, huge, HUGE, 3));
	EXPECT_EQ(0, smaps(self->t.pid, "AnonHugePages", huge, huge + HUGE));

	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, huge, HUGE,
					MADV_COLLAPSE, PMADV_SKIP_ERRORS,
					&self->r));
	EXPECT_EQ(1, self->r.ranges_advised);
	EXPECT_EQ(HUGE, smaps(self->t.pid, "AnonHugePages", huge, huge + HUGE));
	EXPECT_EQ(0, target_call(&self->t, do_check, huge, HUGE, 3));

	/* There is nothing to collapse in 64 pages: refused or failed. */
	EXPECT_GE(0, pmadv_one(self->t.pidfd, self->addr, self->len,
			       MADV_COLLAPSE, PMADV_SKIP_ERRORS, &self->r));
	EXPECT_EQ(1, self->r.ranges_seen);
	EXPECT_EQ(0, self->r.ranges_advised);
	EXPECT_NE(0, self->r.error);
}

/* Sizes ********************************************************************/

#ifdef __LP64__
TEST_F(abi, more_than_2_gib)
{
	const size_t len = 5UL << 30;
	struct iovec vec[2];
	unsigned long addr;

	addr = target_call(&self->t, do_map, len, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	ASSERT_NE(0, addr);
	ASSERT_EQ((long)len, pmadv_one(self->t.pidfd, addr, len, MADV_COLD, 0,
				       &self->r));
	EXPECT_EQ(len, self->r.bytes_advised);
	EXPECT_EQ(1, self->r.ranges_seen);
	EXPECT_EQ((long)len, pmadv_one(self->t.pidfd, addr, len, MADV_PAGEOUT,
				       PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ((long)len, pmadv_one(self->t.pidfd, addr, len, MADV_PAGEOUT,
				       PMADV_DRY_RUN, NULL));
	vec[0].iov_base = (void *)addr;
	vec[0].iov_len = 3UL << 30;
	vec[1].iov_base = (void *)addr;
	vec[1].iov_len = len;
	renew(&self->r);
	EXPECT_EQ(8L << 30, pmadv(self->t.pidfd, vec, 2, MADV_COLD,
				  PMADV_RESULT, &self->r));
	EXPECT_EQ(8ULL << 30, self->r.bytes_advised);
	EXPECT_LT(0, pmadv(self->t.pidfd, NULL, 0, MADV_COLD,
			   PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT,
			   &self->r));
	EXPECT_LT(len, self->r.bytes_advised);

	/* No flag, no change: the cap stays where it was. */
	EXPECT_EQ(INT_MAX & ~(long)(PAGE - 1),
		  pmadv(self->t.pidfd, vec, 1, MADV_COLD, 0, NULL));
}
#else
/*
 * A 32-bit caller cannot be told in a ssize_t of more than 2 GiB; the result
 * has it exact.
 */
TEST_F(abi, more_than_2_gib)
{
	const size_t len = 1UL << 30;
	struct iovec vec[3];
	unsigned int i;

	vec[0].iov_base = (void *)target_call(&self->t, do_map, len, PROT_READ,
					      MAP_PRIVATE | MAP_ANONYMOUS |
					      MAP_NORESERVE);
	ASSERT_NE(NULL, vec[0].iov_base);
	for (i = 0; i < ARRAY_LEN(vec); i++) {
		vec[i].iov_base = vec[0].iov_base;
		vec[i].iov_len = len;
	}
	EXPECT_EQ(INT_MAX & ~(long)(PAGE - 1),
		  pmadv(self->t.pidfd, vec, 3, MADV_COLD, PMADV_RESULT,
			&self->r));
	EXPECT_EQ(3ULL << 30, self->r.bytes_advised);
}

/* A target with addresses that the caller has no pointer for. */
TEST_F(abi, target_with_64_bits)
{
	struct mapping *maps;
	uint64_t bytes = 0;
	char path[64], buf[128];
	int i, n, pidfd;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		execl("/bin/sleep", "sleep", "60", NULL);
		_exit(127);
	}
	pidfd = pidfd_open_pid(pid, 0);
	ASSERT_LE(0, pidfd);
	/* When it sleeps it is loaded: 230 is clock_nanosleep(). */
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	do {
		usleep(20000);
		ASSERT_LT(0, read_file(path, buf, sizeof(buf)));
	} while (strncmp(buf, "230 ", 4));
	n = read_maps(pid, &maps);
	for (i = 0; i < n; i++) {
		if (strcmp(maps[i].name, "[vsyscall]") &&
		    !is_refused(pid, maps[i].start, maps[i].end))
			bytes += maps[i].end - maps[i].start;
	}
	EXPECT_EQ((long)bytes, pmadv(pidfd, NULL, 0, MADV_COLD,
				     PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT,
				     &self->r));
	EXPECT_EQ(bytes, self->r.bytes_advised);
	EXPECT_EQ(EINVAL, self->r.error); /* of [vvar] */
	EXPECT_LT(UINT32_MAX, self->r.error_addr);

	/* The cursor goes through all 47 bits of it. */
	renew(&self->r);
	self->r.max_pages = 1;
	EXPECT_LT(0, pmadv(pidfd, NULL, 0, MADV_COLD,
			   PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT,
			   &self->r));
	EXPECT_EQ(PMADV_STOPPED_BUDGET, self->r.stopped);
	EXPECT_LT(UINT32_MAX, self->r.cursor);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	free(maps);
}
#endif

/* The whole of it on oneself, by a process with nothing but itself. */
TEST(self)
{
	struct pmadv_result r;
	unsigned long addr;
	int pidfd;

	ASSERT_EQ(0, pin_to_cpu(0));
	addr = do_map_filled(NPAGES * PAGE, 1, 0);
	ASSERT_NE(0, addr);
	pidfd = pidfd_open_pid(getpid(), 0);
	ASSERT_LE(0, pidfd);
	EXPECT_EQ((long)(NPAGES * PAGE),
		  pmadv_one(pidfd, addr, NPAGES * PAGE, MADV_PAGEOUT,
			    PMADV_SKIP_ERRORS, &r));
	EXPECT_EQ(NPAGES, r.stats.reclaimed);
	EXPECT_EQ(0, check(addr, NPAGES * PAGE, 1));
	renew(&r);
	/* The result itself lies in what is paged out. */
	EXPECT_LT(0, pmadv(pidfd, NULL, 0, MADV_PAGEOUT,
			   PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT, &r));
	EXPECT_LE(NPAGES, r.stats.reclaimed);
	EXPECT_EQ(0, check(addr, NPAGES * PAGE, 1));
}

TEST_HARNESS_MAIN

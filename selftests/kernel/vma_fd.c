// SPDX-License-Identifier: GPL-2.0
/*
 * The VMA fd: what takes a mapping away and what does not, for every kind of
 * mapping; poll, rights, passing it on, wrong arguments, and many of them.
 *
 * Built a second time as a 32-bit program, for the compat entries.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/capability.h>

#include "lib/harness.h"
#include "lib/util.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif
#ifndef __NR_process_mrelease
#define __NR_process_mrelease	448
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD		O_EXCL
#endif
#ifndef __NR_pidfd_send_signal
#define __NR_pidfd_send_signal	424
#endif

/* stderr is not buffered: nothing is lost where a process just ends. */
#define note(fmt, ...)	fprintf(stderr, "# " fmt "\n", ##__VA_ARGS__)

#define BAD_POINTER	((void *)0x10)
#define MIB		(1UL << 20)

/*
 * Each mapping has 4 units and free space around it, where things can be moved
 * to: it begins 16 MiB into an arena of 64, and OTHER is well away from it.
 */
#define UNITS		4
#define SMALL_UNIT	(4 * PAGE)
#define OBJECT		(16 * MIB)
#define OTHER		(32 * MIB)
#define ARENA		(64 * MIB)

enum kind {
	ANON, PRIVATE_FILE, SHARED_FILE, SHARED_ANON, MEMFD, PRIVATE_MEMFD,
	HUGETLB,
};

#define IS(kind)	(1U << (kind))
#define IS_ALL		(~0U)
#define IS_SMALL	(~IS(HUGETLB))
#define IS_SHARED	(IS(SHARED_FILE) | IS(SHARED_ANON) | IS(MEMFD))
#define IS_SHMEM	(IS(SHARED_ANON) | IS(MEMFD) | IS(PRIVATE_MEMFD))

static unsigned long unit_of(enum kind kind)
{
	return kind == HUGETLB ? HUGE : SMALL_UNIT;
}

/*
 * The target's part *********************************************************
 */

static int kind_file(enum kind kind, unsigned long len)
{
	int fd;

	switch (kind) {
	case PRIVATE_FILE:
	case SHARED_FILE:
		return open("/proc/self/exe", O_RDONLY);
	case MEMFD:
	case PRIVATE_MEMFD:
		fd = memfd_create("vma_fd", 0);
		if (fd >= 0 && ftruncate(fd, 4 * len)) {
			close(fd);
			fd = -1;
		}
		return fd;
	default:
		return -1;
	}
}

static int kind_flags(enum kind kind)
{
	switch (kind) {
	case ANON:
		return MAP_PRIVATE | MAP_ANONYMOUS;
	case PRIVATE_FILE:
	case PRIVATE_MEMFD:
		return MAP_PRIVATE;
	case SHARED_FILE:
	case MEMFD:
		return MAP_SHARED;
	case SHARED_ANON:
		return MAP_SHARED | MAP_ANONYMOUS;
	case HUGETLB:
		return MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	}
	return 0;
}

/* Map an object of @kind in an arena of its own; its address, or 0. */
static long do_object(unsigned long kind, unsigned long unused1,
		      unsigned long unused2)
{
	unsigned long addr, len = UNITS * unit_of(kind);
	int prot = PROT_READ | (kind == SHARED_FILE ? 0 : PROT_WRITE);
	char *arena, *p;
	int fd;

	arena = mmap(NULL, ARENA + HUGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED || munmap(arena, ARENA + HUGE))
		return 0;
	addr = ((unsigned long)arena + HUGE - 1) & ~(HUGE - 1);
	fd = kind_file(kind, len);
	p = mmap((void *)(addr + OBJECT), len, prot,
		 kind_flags(kind) | MAP_FIXED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return 0;
	if (prot & PROT_WRITE && kind != PRIVATE_FILE)
		fill((unsigned long)p, len, 1);
	else
		madvise(p, len, MADV_POPULATE_READ);
	return (long)p;
}

static long do_clear(unsigned long addr, unsigned long a, unsigned long b)
{
	return munmap((void *)(addr - OBJECT), ARENA) ? -errno : 0;
}

/* Put something of @len at @addr, over what is there. */
static long put_over(unsigned long addr, unsigned long len)
{
	return mmap((void *)addr, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED, -1, 0) == MAP_FAILED ? -errno : 0;
}

static long move(unsigned long from, unsigned long old_len, unsigned long len,
		 int flags, unsigned long to)
{
	return mremap((void *)from, old_len, len, flags, to) == MAP_FAILED ?
	       -errno : 0;
}

static long protect(unsigned long addr, unsigned long len, int prot)
{
	return mprotect((void *)addr, len, prot) ? -errno : 0;
}

static long do_grow(unsigned long at, unsigned long from, unsigned long to)
{
	return move(at, from, to, 0, 0);
}

/* Operations on an object of UNITS times @u at @at. */

static long unmap_first(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_unmap(at, u, 0);
}

static long unmap_middle(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_unmap(at + u, u, 0);
}

static long unmap_last(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_unmap(at + 3 * u, u, 0);
}

static long unmap_page(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_unmap(at + 4 * u - PAGE, PAGE, 0);
}

static long unmap_all(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_unmap(at, 4 * u, 0);
}

static long unmap_around(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_unmap(at - 2 * u, 8 * u, 0);
}

static long unmap_into_end(unsigned long at, unsigned long u,
			   unsigned long kind)
{
	return do_unmap(at + 3 * u, 4 * u, 0);
}

static long over_all(unsigned long at, unsigned long u, unsigned long kind)
{
	return put_over(at, 4 * u);
}

static long over_first(unsigned long at, unsigned long u, unsigned long kind)
{
	return put_over(at, u);
}

static long over_middle(unsigned long at, unsigned long u, unsigned long kind)
{
	return put_over(at + u, u);
}

static long over_last(unsigned long at, unsigned long u, unsigned long kind)
{
	return put_over(at + 3 * u, u);
}

/* The same mapping again, with identical bytes. */
static long over_same(unsigned long at, unsigned long u, unsigned long kind)
{
	if (mmap((void *)at, 4 * u, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -errno;
	fill(at, 4 * u, 1);
	return 0;
}

static long remap_over(unsigned long at, unsigned long u, unsigned long kind)
{
	return put_over(at + OTHER, u) ?:
	       move(at + OTHER, u, u, MREMAP_MAYMOVE | MREMAP_FIXED, at + u);
}

static long remap_file(unsigned long at, unsigned long u, unsigned long kind)
{
	return remap_file_pages((void *)at, PAGE, 0, 1, 0) ? -errno : 0;
}

static long move_all(unsigned long at, unsigned long u, unsigned long kind)
{
	return move(at, 4 * u, 4 * u, MREMAP_MAYMOVE | MREMAP_FIXED,
		    at + OTHER);
}

static long move_part(unsigned long at, unsigned long u, unsigned long kind)
{
	return move(at + u, u, u, MREMAP_MAYMOVE | MREMAP_FIXED, at + OTHER);
}

/* And back again: what was gone stays gone. */
static long move_and_back(unsigned long at, unsigned long u, unsigned long kind)
{
	return move_all(at, u, kind) ?:
	       move(at + OTHER, 4 * u, 4 * u, MREMAP_MAYMOVE | MREMAP_FIXED,
		    at);
}

static long move_leaving(unsigned long at, unsigned long u, unsigned long kind)
{
	return move(at, 4 * u, 4 * u, MREMAP_MAYMOVE | MREMAP_FIXED |
		    MREMAP_DONTUNMAP, at + OTHER);
}

static long shrink(unsigned long at, unsigned long u, unsigned long kind)
{
	return move(at, 4 * u, 3 * u, 0, 0);
}

static long shrink_moving(unsigned long at, unsigned long u, unsigned long kind)
{
	return move(at, 4 * u, u, MREMAP_MAYMOVE | MREMAP_FIXED, at + OTHER);
}

static long grow_moving(unsigned long at, unsigned long u, unsigned long kind)
{
	return put_over(at + 4 * u, u) ?: move(at, 4 * u, 5 * u, MREMAP_MAYMOVE,
					       0);
}

static long protect_all(unsigned long at, unsigned long u, unsigned long kind)
{
	return protect(at, 4 * u, PROT_NONE);
}

static long protect_split(unsigned long at, unsigned long u, unsigned long kind)
{
	return protect(at + u, u, PROT_NONE);
}

static long protect_merge(unsigned long at, unsigned long u, unsigned long kind)
{
	return protect(at + u, u, PROT_NONE) ?: protect(at, 4 * u, PROT_NONE) ?:
	       protect(at, 4 * u, PROT_READ);
}

static long lock_all(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_mlock(at, 4 * u, 0) ?:
	       (munlock((void *)at, 4 * u) ? -errno : 0);
}

static long lock_part(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_mlock(at + u, u, 0) ?:
	       (munlock((void *)(at + u), u) ? -errno : 0);
}

static long dont_need(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_madvise(at, 4 * u, MADV_DONTNEED);
}

static long dont_need_part(unsigned long at, unsigned long u,
			   unsigned long kind)
{
	return do_madvise(at + u, u, MADV_DONTNEED);
}

static long free_lazily(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_madvise(at, 4 * u, MADV_FREE);
}

static long punch_hole(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_madvise(at + u, u, MADV_REMOVE);
}

static long split_by_advice(unsigned long at, unsigned long u,
			    unsigned long kind)
{
	return do_madvise(at + u, u, MADV_RANDOM) ?:
	       do_madvise(at + 2 * u, u, MADV_DONTFORK);
}

static long name_part(unsigned long at, unsigned long u, unsigned long kind)
{
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, u, "part") ? -errno :
									 0;
}

static long page_out(unsigned long at, unsigned long u, unsigned long kind)
{
	return do_madvise(at, 4 * u, MADV_PAGEOUT);
}

/* Its neighbours merge with it, if they can, and go again. */
static long neighbours(unsigned long at, unsigned long u, unsigned long kind)
{
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (mmap((void *)(at - u), u, prot, flags, -1, 0) == MAP_FAILED ||
	    mmap((void *)(at + 4 * u), u, prot, flags, -1, 0) == MAP_FAILED)
		return -errno;
	return do_unmap(at - u, u, 0) ?: do_unmap(at + 4 * u, u, 0);
}

static long grow(unsigned long at, unsigned long u, unsigned long kind)
{
	return move(at, 4 * u, 5 * u, 0, 0);
}

static long grow_and_shrink(unsigned long at, unsigned long u,
			    unsigned long kind)
{
	return grow(at, u, kind) ?: move(at, 5 * u, 4 * u, 0, 0);
}

/* A second mapping of the same object, which goes again. */
static long duplicate(unsigned long at, unsigned long u, unsigned long kind)
{
	return move(at, 0, 4 * u, MREMAP_MAYMOVE | MREMAP_FIXED, at + OTHER) ?:
	       do_unmap(at + OTHER, 4 * u, 0);
}

/* A child has mappings of its own, whatever becomes of them. */
static long forked(unsigned long at, unsigned long u, unsigned long kind)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		munmap((void *)at, u);
		mmap((void *)(at + u), u, PROT_NONE, MAP_PRIVATE |
		     MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -ECHILD;
}

static long forked_and_execed(unsigned long at, unsigned long u,
			      unsigned long kind)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -ECHILD;
}

struct op {
	const char *name;
	target_fn fn;
	unsigned int kinds;
};

static const struct op takes_away[] = {
	{ "munmap the first part", unmap_first, IS_ALL },
	{ "munmap the middle", unmap_middle, IS_ALL },
	{ "munmap the last part", unmap_last, IS_ALL },
	{ "munmap the last page", unmap_page, IS_SMALL },
	{ "munmap", unmap_all, IS_ALL },
	{ "munmap more than it", unmap_around, IS_ALL },
	{ "munmap its end and on", unmap_into_end, IS_ALL },
	{ "MAP_FIXED over it", over_all, IS_ALL },
	{ "MAP_FIXED over the first part", over_first, IS_ALL },
	{ "MAP_FIXED over the middle", over_middle, IS_ALL },
	{ "MAP_FIXED over the last part", over_last, IS_ALL },
	{ "MAP_FIXED of the same", over_same, IS(ANON) },
	{ "mremap over a part", remap_over, IS_ALL },
	{ "remap_file_pages", remap_file, IS(SHARED_ANON) | IS(MEMFD) },
	{ "mremap elsewhere", move_all, IS_ALL },
	{ "mremap a part elsewhere", move_part, IS_ALL },
	{ "mremap elsewhere and back", move_and_back, IS_ALL },
	{ "MREMAP_DONTUNMAP", move_leaving, IS_SMALL },
	{ "mremap to less", shrink, IS_ALL },
	{ "mremap to less and elsewhere", shrink_moving, IS_ALL },
	{ "mremap to more and elsewhere", grow_moving, IS_SMALL },
};

static const struct op leaves[] = {
	{ "mprotect", protect_all, IS_ALL },
	{ "mprotect that splits", protect_split, IS_ALL },
	{ "mprotect that splits and merges", protect_merge, IS_ALL },
	{ "mlock", lock_all, IS_ALL },
	{ "mlock that splits", lock_part, IS_ALL },
	{ "MADV_DONTNEED", dont_need, IS_ALL },
	{ "MADV_DONTNEED of a part", dont_need_part, IS_ALL },
	{ "MADV_FREE", free_lazily, IS(ANON) },
	{ "MADV_REMOVE", punch_hole, IS(SHARED_ANON) | IS(MEMFD) },
	{ "advice that splits", split_by_advice, IS_ALL },
	{ "a name for a part", name_part, IS(ANON) },
	{ "MADV_PAGEOUT", page_out, IS_SMALL },
	{ "neighbours", neighbours, IS_ALL },
	{ "growth in place", grow, IS_SMALL },
	{ "growth in place and back", grow_and_shrink, IS_SMALL },
	{ "another mapping of it", duplicate, IS_SHARED },
	{ "fork", forked, IS_ALL },
	{ "fork and exec", forked_and_execed, IS_ALL },
};

/*
 * The test's part ***********************************************************
 */

static int get_vma(int pidfd, struct pidfd_vma *arg)
{
	int fd = ioctl(pidfd, PIDFD_GET_VMA, arg);

	return fd < 0 ? -errno : fd;
}

static int open_vma(int pidfd, unsigned long addr, struct pidfd_vma *arg)
{
	struct pidfd_vma unused;

	if (!arg)
		arg = &unused;
	memset(arg, 0, sizeof(*arg));
	arg->addr = addr;
	return get_vma(pidfd, arg);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The result of poll(2) at once, or within @ms. */
static int poll_for(int fd, short events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	if (poll(&pfd, 1, ms) < 0)
		return -errno;
	return pfd.revents;
}

static int hung_up(int fd, int ms)
{
	return poll_for(fd, POLLIN | POLLOUT, ms);
}

/* Is the VMA fd valid for all of [addr, addr + len)? Prints what is wrong. */
static bool is_good(int fd, unsigned long addr, size_t len, enum kind kind)
{
	struct pmadv_result r;
	long ret;

	ret = pmadv_one(fd, addr, len, MADV_COLD, 0, &r);
	if (kind == HUGETLB ? ret != -EINVAL || r.ranges_refused != 1 :
			      ret != (long)len || r.stopped) {
		note("COLD: %ld, stopped %u, refused %llu", ret, r.stopped,
		     r.ranges_refused);
		return false;
	}
	ret = pmadv_one(fd, addr, len, MADV_WILLNEED, PMADV_SKIP_ERRORS, &r);
	if (ret != (long)len || r.stopped) {
		note("WILLNEED: %ld, stopped %u", ret, r.stopped);
		return false;
	}
	if (hung_up(fd, 0)) {
		note("poll: %#x", hung_up(fd, 0));
		return false;
	}
	return true;
}

static bool is_stale(int fd, unsigned long addr, size_t len)
{
	struct iovec none = { (void *)addr, 0 };
	char info[512] = "", path[64];
	unsigned int i;
	bool stale = true;

	for (i = 0; i < ARRAY_LEN(advices); i++) {
		struct pmadv_result r;
		long ret = pmadv_one(fd, addr, len, advices[i],
				     PMADV_SKIP_ERRORS, &r);

		if (ret != -ESTALE || r.bytes_advised || r.ranges_seen ||
		    (r.call_id && r.stopped != PMADV_STOPPED_STALE)) {
			note("%s: %ld, stopped %u", advice_name(advices[i]),
			     ret, r.stopped);
			stale = false;
		}
		if (pmadv(fd, &none, 1, advices[i], PMADV_DRY_RUN, NULL) > 0)
			stale = false;
	}
	if (hung_up(fd, 0) != POLLHUP) {
		note("poll: %#x", hung_up(fd, 0));
		stale = false;
	}
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (read_file(path, info, sizeof(info)) <= 0 ||
	    !strstr(info, "Stale:\t1\n")) {
		note("%s", info);
		stale = false;
	}
	return stale;
}

FIXTURE(object)
{
	struct target t;
	unsigned long unit;
	unsigned long addr;
	size_t len;
	long nr_huge;
	int fd;
};

FIXTURE_VARIANT(object)
{
	enum kind kind;
};

FIXTURE_VARIANT_ADD(object, anonymous) { .kind = ANON };
FIXTURE_VARIANT_ADD(object, private_file) { .kind = PRIVATE_FILE };
FIXTURE_VARIANT_ADD(object, shared_file) { .kind = SHARED_FILE };
FIXTURE_VARIANT_ADD(object, shared_anonymous) { .kind = SHARED_ANON };
FIXTURE_VARIANT_ADD(object, memfd) { .kind = MEMFD };
FIXTURE_VARIANT_ADD(object, private_memfd) { .kind = PRIVATE_MEMFD };
FIXTURE_VARIANT_ADD(object, hugetlb) { .kind = HUGETLB };

#define NR_HUGEPAGES	"/proc/sys/vm/nr_hugepages"

FIXTURE_SETUP(object)
{
	char was[32] = "";

	self->unit = unit_of(variant->kind);
	self->len = UNITS * self->unit;
	self->nr_huge = -1;
	ASSERT_EQ(0, pin_to_cpu(0));
	if (variant->kind == HUGETLB) {
		if (read_file(NR_HUGEPAGES, was, sizeof(was)) <= 0)
			SKIP(return, "this kernel has no hugetlbfs");
		self->nr_huge = strtol(was, NULL, 10);
		/* For the object, and for its copy in a child. */
		ASSERT_EQ(0, write_file(NR_HUGEPAGES, "16"));
	}
	ASSERT_EQ(0, target_start(&self->t));
}

FIXTURE_TEARDOWN(object)
{
	char was[32];

	target_stop(&self->t);
	if (self->nr_huge >= 0) {
		snprintf(was, sizeof(was), "%ld", self->nr_huge);
		write_file(NR_HUGEPAGES, was);
	}
}

/* Another object of the kind, and a descriptor for it. */
static int renew(struct target *t, enum kind kind, unsigned long *addr)
{
	*addr = target_call(t, do_object, kind, 0, 0);
	return *addr ? open_vma(t->pidfd, *addr, NULL) : -ENOMEM;
}

TEST_F(object, bounds)
{
	struct pidfd_vma arg;
	unsigned long u = self->unit, at;
	char path[64], info[512], want[128];
	int fd;

	self->fd = renew(&self->t, variant->kind, &self->addr);
	ASSERT_LE(0, self->fd);
	at = self->addr;

	/* Any address of it will do. */
	fd = open_vma(self->t.pidfd, at + self->len - 1, &arg);
	ASSERT_LE(0, fd);
	EXPECT_EQ(at, arg.start);
	EXPECT_EQ(at + self->len, arg.end);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(want, sizeof(want), "Pid:\t%d\nRange:\t%lx-%lx\nStale:\t0\n",
		 self->t.pid, at, at + self->len);
	ASSERT_LT(0, read_file(path, info, sizeof(info)));
	EXPECT_NE(NULL, strstr(info, want)) TH_LOG("%s", info);

	EXPECT_TRUE(is_good(fd, at, self->len, variant->kind));
	EXPECT_TRUE(is_good(fd, at + u, 2 * u, variant->kind));

	/* Ranges that lie outside, completely or in part. */
	EXPECT_EQ(-EINVAL, pmadv_one(fd, at - u, u, MADV_COLD,
				     PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(-EINVAL, pmadv_one(fd, at - u, 2 * u, MADV_COLD,
				     PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(-EINVAL, pmadv_one(fd, at + 3 * u, 2 * u, MADV_COLD,
				     PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(-EINVAL, pmadv_one(fd, at + 4 * u, u, MADV_COLD,
				     PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(-EINVAL, pmadv_one(fd, at - u, 6 * u, MADV_COLD,
				     PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(-EINVAL, pmadv(fd, NULL, 0, MADV_COLD,
				 PMADV_ENTIRE_ADDRESS_SPACE, NULL));

	/* It can be closed like any other; the other one stays valid. */
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(-EBADF, pmadv_one(fd, at, u, MADV_COLD, PMADV_SKIP_ERRORS,
				    NULL));
	EXPECT_TRUE(is_good(self->fd, at, self->len, variant->kind));
}

TEST_F(object, goes)
{
	const struct op *op;
	unsigned long at;
	long err;
	int fd;

	for (op = takes_away; op < takes_away + ARRAY_LEN(takes_away); op++) {
		if (!(op->kinds & IS(variant->kind)))
			continue;
		fd = renew(&self->t, variant->kind, &at);
		ASSERT_LE(0, fd) TH_LOG("%s: %d", op->name, fd);
		EXPECT_TRUE(is_good(fd, at, self->len, variant->kind))
			TH_LOG("before %s", op->name);
		err = target_call(&self->t, op->fn, at, self->unit,
				  variant->kind);
		EXPECT_EQ(0, err) TH_LOG("%s", op->name);
		EXPECT_TRUE(is_stale(fd, at, self->len) &
			    is_stale(fd, at, self->unit) &
			    is_stale(fd, at + 2 * self->unit, self->unit))
			TH_LOG("after %s", op->name);
		ASSERT_EQ(0, target_call(&self->t, do_clear, at, 0, 0));
		ASSERT_EQ(0, close(fd));
	}
}

TEST_F(object, stays)
{
	const struct op *op;
	unsigned long at;
	long err;
	int fd;

	for (op = leaves; op < leaves + ARRAY_LEN(leaves); op++) {
		if (!(op->kinds & IS(variant->kind)))
			continue;
		fd = renew(&self->t, variant->kind, &at);
		ASSERT_LE(0, fd) TH_LOG("%s: %d", op->name, fd);
		err = target_call(&self->t, op->fn, at, self->unit,
				  variant->kind);
		EXPECT_EQ(0, err) TH_LOG("%s", op->name);
		EXPECT_TRUE(is_good(fd, at, self->len, variant->kind) ||
			    op->fn == grow_and_shrink)
			TH_LOG("after %s", op->name);
		/* The mapping may have grown; the VMA fd does not cover that. */
		EXPECT_EQ(-EINVAL, pmadv_one(fd, at, self->len + PAGE,
					     MADV_COLD, PMADV_SKIP_ERRORS,
					     NULL));
		/* The mapping is still watched after operations that leave it alone. */
		err = target_call(&self->t, unmap_last, at, self->unit,
				  variant->kind);
		EXPECT_EQ(0, err);
		EXPECT_TRUE(is_stale(fd, at, self->len))
			TH_LOG("munmap after %s", op->name);
		ASSERT_EQ(0, target_call(&self->t, do_clear, at, 0, 0));
		ASSERT_EQ(0, close(fd));
	}
}

/* The target is gone, and then even its name is. */
TEST_F(object, exit)
{
	struct pidfd_vma arg = {};

	self->fd = renew(&self->t, variant->kind, &self->addr);
	ASSERT_LE(0, self->fd);
	EXPECT_TRUE(is_good(self->fd, self->addr, self->len, variant->kind));
	ASSERT_EQ(0, kill(self->t.pid, SIGKILL));
	EXPECT_EQ(POLLHUP, hung_up(self->fd, 5000));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	arg.addr = self->addr;
	EXPECT_EQ(-ESRCH, get_vma(self->t.pidfd, &arg));
	ASSERT_EQ(self->t.pid, waitpid(self->t.pid, NULL, 0));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	EXPECT_EQ(-ESRCH, get_vma(self->t.pidfd, &arg));
}

static void exec_now(int sig)
{
	execl("/bin/sleep", "sleep", "1000", NULL);
	_exit(127);
}

static void exit_now(int sig)
{
	_exit(0);
}

/* The target does it when it was answered for: exec or exit. */
static long do_soon(unsigned long handler, unsigned long ms, unsigned long c)
{
	struct itimerval at = { .it_value.tv_usec = ms * 1000 };

	signal(SIGALRM, (void (*)(int))handler);
	return setitimer(ITIMER_REAL, &at, NULL) ? -errno : 0;
}

/* Has it got as far as to do what the program is for? */
static bool is_sleep(pid_t pid)
{
	char path[64], stat[256];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return read_file(path, stat, sizeof(stat)) > 0 &&
	       strstr(stat, "(sleep) S");
}

TEST_F(object, exec)
{
	struct mapping *maps;
	struct pidfd_vma arg;
	int i, fd;

	self->fd = renew(&self->t, variant->kind, &self->addr);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, target_call(&self->t, do_soon, (unsigned long)exec_now,
				 20, 0));
	EXPECT_EQ(POLLHUP, hung_up(self->fd, 5000));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	/* The new program is alive and has mappings of its own. */
	ASSERT_EQ(0, kill(self->t.pid, 0));
	for (i = 0; i < 5000 && !is_sleep(self->t.pid); i++)
		usleep(1000);
	ASSERT_LT(0, read_maps(self->t.pid, &maps));
	/* More than this program can say if it has 32 bits. */
	arg = (struct pidfd_vma){ .addr = maps[0].start };
	fd = get_vma(self->t.pidfd, &arg);
	ASSERT_LE(0, fd);
	if (sizeof(long) == sizeof(arg.start))
		EXPECT_EQ((long)PAGE, pmadv_one(fd, arg.start, PAGE, MADV_COLD,
						PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(0, hung_up(fd, 0));
	free(maps);
}

/* The child's mapping at the same place is another one. */
static pid_t child;

static long do_fork(unsigned long a, unsigned long b, unsigned long c)
{
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return child < 0 ? -errno : child;
}

static long do_reap(unsigned long a, unsigned long b, unsigned long c)
{
	kill(child, SIGKILL);
	return waitpid(child, NULL, 0) == child ? 0 : -errno;
}

TEST_F(object, fork)
{
	unsigned long at;
	int of_child, pidfd;
	long pid;

	self->fd = renew(&self->t, variant->kind, &self->addr);
	ASSERT_LE(0, self->fd);
	at = self->addr;
	pid = target_call(&self->t, do_fork, 0, 0, 0);
	ASSERT_LT(0, pid);
	pidfd = pidfd_open_pid(pid, 0);
	ASSERT_LE(0, pidfd);
	of_child = open_vma(pidfd, at, NULL);
	ASSERT_LE(0, of_child);
	EXPECT_TRUE(is_good(self->fd, at, self->len, variant->kind));
	EXPECT_TRUE(is_good(of_child, at, self->len, variant->kind));

	ASSERT_EQ(0, target_call(&self->t, unmap_first, at, self->unit, 0));
	EXPECT_TRUE(is_stale(self->fd, at, self->len));
	EXPECT_TRUE(is_good(of_child, at, self->len, variant->kind));

	ASSERT_EQ(0, target_call(&self->t, do_reap, 0, 0, 0));
	EXPECT_EQ(POLLHUP, hung_up(of_child, 5000));
	EXPECT_TRUE(is_stale(of_child, at, self->len));
}

/*
 * The rest is the same for all kinds, and done with anonymous memory.
 */
FIXTURE(vma_fd)
{
	struct target t;
	unsigned long addr;
	size_t len;
	int fd;
	struct pidfd_vma arg;
};

FIXTURE_SETUP(vma_fd)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&self->t));
	self->len = UNITS * SMALL_UNIT;
	self->addr = target_call(&self->t, do_object, ANON, 0, 0);
	ASSERT_NE(0, self->addr);
	self->fd = open_vma(self->t.pidfd, self->addr, &self->arg);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(vma_fd)
{
	target_stop(&self->t);
}

/* Arguments ****************************************************************/

static int count_fds(void)
{
	int fd, nr = 0;

	for (fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

TEST_F(vma_fd, arguments)
{
	struct pidfd_vma arg = { .addr = self->addr };
	int nr = count_fds(), null, i;
	char *page;

	for (i = 0; i < 64; i++) {
		arg.flags = 1ULL << i;
		EXPECT_EQ(-EINVAL, get_vma(self->t.pidfd, &arg));
	}
	EXPECT_EQ(0, arg.start);
	EXPECT_EQ(0, arg.end);

	/* Nothing is mapped there. */
	EXPECT_EQ(-ENOMEM, open_vma(self->t.pidfd, self->addr - 1, &arg));
	EXPECT_EQ(-ENOMEM, open_vma(self->t.pidfd, self->addr + self->len,
				    &arg));
	EXPECT_EQ(-ENOMEM, open_vma(self->t.pidfd, 0, &arg));
	EXPECT_EQ(-ENOMEM, open_vma(self->t.pidfd, -1UL, &arg));
	memset(&arg, 0, sizeof(arg));
	arg.addr = -1ULL;
	EXPECT_EQ(-ENOMEM, get_vma(self->t.pidfd, &arg));

	/* Pointers that lead nowhere, and to what can't be written. */
	EXPECT_EQ(-EFAULT, get_vma(self->t.pidfd, NULL));
	EXPECT_EQ(-EFAULT, get_vma(self->t.pidfd, BAD_POINTER));
	page = (char *)do_map(PAGE, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, get_vma(self->t.pidfd, (struct pidfd_vma *)
				   (page + PAGE - sizeof(arg) + 8)));
	memset(&arg, 0, sizeof(arg));
	arg.addr = self->addr;
	memcpy(page, &arg, sizeof(arg));
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, get_vma(self->t.pidfd, (struct pidfd_vma *)page));

	/* Descriptors of another kind. */
	null = open("/dev/null", O_RDWR);
	ASSERT_LE(0, null);
	EXPECT_EQ(-ENOTTY, get_vma(null, &arg));
	EXPECT_EQ(-ENOTTY, get_vma(self->fd, &arg));
	EXPECT_EQ(-EBADF, get_vma(-1, &arg));
	close(null);
	EXPECT_EQ(nr, count_fds());
}

TEST_F(vma_fd, no_descriptor_left)
{
	struct rlimit limit = { .rlim_cur = count_fds() };

	while (fcntl(limit.rlim_cur, F_GETFD) >= 0)
		limit.rlim_cur++;
	limit.rlim_max = limit.rlim_cur;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	while (dup(self->fd) >= 0)
		;
	EXPECT_EQ(-EMFILE, open_vma(self->t.pidfd, self->addr, NULL));
	EXPECT_TRUE(is_good(self->fd, self->addr, self->len, ANON));
}

/* A VMA fd stands for a mapping; only calls with flags take it for a process. */
TEST_F(vma_fd, is_no_pidfd)
{
	unsigned int i;
	char c;

	for (i = 0; i < ARRAY_LEN(advices); i++)
		EXPECT_EQ(-EBADF, pmadv_one(self->fd, self->addr, PAGE,
					    advices[i], 0, NULL));
	EXPECT_EQ(-1, syscall(__NR_pidfd_send_signal, self->fd, SIGKILL, NULL,
			      0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, syscall(__NR_process_mrelease, self->fd, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, read(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, "", 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd,
				   0));
	EXPECT_TRUE(is_good(self->fd, self->addr, self->len, ANON));
}

/* Flags and results are those of any call. */
TEST_F(vma_fd, flags)
{
	struct pmadv_result r;
	struct iovec vec[2] = {
		{ (void *)(self->addr + 2 * PAGE), 4 * PAGE },
		{ (void *)(self->addr + 8 * PAGE), 8 * PAGE },
	};
	struct pages pages;

	EXPECT_EQ(-EINVAL, pmadv_one(self->fd, self->addr, PAGE, MADV_COLD,
				     1U << 5, NULL));
	EXPECT_EQ(-EINVAL, pmadv_one(self->fd, self->addr, PAGE, MADV_DONTNEED,
				     PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(-ENOENT, pmadv_one(self->fd, self->addr, PAGE, MADV_COLD,
				     PMADV_POLICY, NULL));
	EXPECT_EQ((long)self->len, pmadv_one(self->fd, self->addr, self->len,
					     MADV_PAGEOUT, PMADV_DRY_RUN, &r));
	EXPECT_EQ(0, r.stats.scanned);

	/* It finds its mapping again by address, which an fd is not about. */
	EXPECT_EQ(-EOPNOTSUPP, pmadv_one(self->fd, self->addr, self->len,
					 MADV_COLLAPSE, 0, &r));
	EXPECT_EQ(EOPNOTSUPP, r.error);
	EXPECT_EQ(1, r.ranges_refused);

	/* A budget, a cursor, and the rest. */
	memset(&r, 0, sizeof(r));
	r.size = sizeof(r);
	r.max_pages = 6;
	EXPECT_EQ(6 * (long)PAGE, pmadv(self->fd, vec, 2, MADV_PAGEOUT,
					PMADV_RESULT, &r));
	EXPECT_EQ(PMADV_STOPPED_BUDGET, r.stopped);
	EXPECT_EQ(self->addr + 10 * PAGE, r.cursor);
	EXPECT_EQ(1, r.cursor_index);
	EXPECT_EQ(6, r.stats.reclaimed);
	EXPECT_EQ(6 * (long)PAGE, pmadv(self->fd, vec, 2, MADV_PAGEOUT,
					PMADV_RESULT, &r));
	EXPECT_EQ(0, r.cursor);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, self->len, &pages));
	EXPECT_EQ(12, pages.swapped);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, self->len, 1));
}

/* Mappings that are not like others **************************************/

static long do_shmat(unsigned long a, unsigned long b, unsigned long c)
{
	int id = shmget(IPC_PRIVATE, UNITS * SMALL_UNIT, 0600);
	void *p = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	return p == (void *)-1 ? 0 : (long)p;
}

static long do_shmdt(unsigned long addr, unsigned long b, unsigned long c)
{
	return shmdt((void *)addr) ? -errno : 0;
}

TEST_F(vma_fd, system_v)
{
	unsigned long at = target_call(&self->t, do_shmat, 0, 0, 0);
	int fd = open_vma(self->t.pidfd, at, NULL);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_good(fd, at, UNITS * SMALL_UNIT, SHARED_ANON));
	ASSERT_EQ(0, target_call(&self->t, do_shmdt, at, 0, 0));
	EXPECT_TRUE(is_stale(fd, at, UNITS * SMALL_UNIT));
}

static long do_sbrk(unsigned long by, unsigned long b, unsigned long c)
{
	char *p = sbrk((long)by);

	return p == (void *)-1 ? 0 : (long)p;
}

TEST_F(vma_fd, heap)
{
	unsigned long at;
	struct pidfd_vma arg;
	int fd;

	at = target_call(&self->t, do_sbrk, 16 * PAGE, 0, 0);
	ASSERT_NE(0, at);
	fd = open_vma(self->t.pidfd, at, &arg);
	ASSERT_LE(0, fd);
	ASSERT_NE(0, target_call(&self->t, do_sbrk, 16 * PAGE, 0, 0));
	EXPECT_TRUE(is_good(fd, arg.start, arg.end - arg.start, ANON));
	/* Less than it had grown by. */
	ASSERT_NE(0, target_call(&self->t, do_sbrk, -8 * PAGE, 0, 0));
	EXPECT_TRUE(is_good(fd, arg.start, arg.end - arg.start, ANON));
	ASSERT_NE(0, target_call(&self->t, do_sbrk, -12 * PAGE, 0, 0));
	EXPECT_TRUE(is_stale(fd, arg.start, arg.end - arg.start));
}

static long do_stack(unsigned long a, unsigned long b, unsigned long c)
{
	char *arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_NORESERVE, -1, 0);
	char *p = arena + OBJECT;

	if (arena == MAP_FAILED || munmap(arena, ARENA) ||
	    mmap(p, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0) ==
	    MAP_FAILED)
		return 0;
	fill((unsigned long)p, 16 * PAGE, 1);
	return (long)p;
}

TEST_F(vma_fd, stack)
{
	unsigned long at = target_call(&self->t, do_stack, 0, 0, 0);
	int fd = open_vma(self->t.pidfd, at, NULL);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, target_call(&self->t, do_fill, at - 8 * PAGE, PAGE, 1));
	EXPECT_TRUE(is_good(fd, at, 16 * PAGE, ANON));
	EXPECT_EQ(-EINVAL, pmadv_one(fd, at - PAGE, PAGE, MADV_COLD,
				     PMADV_SKIP_ERRORS, NULL));
	ASSERT_EQ(0, target_call(&self->t, do_unmap, at - 8 * PAGE, 8 * PAGE,
				 0));
	EXPECT_TRUE(is_good(fd, at, 16 * PAGE, ANON));
	ASSERT_EQ(0, target_call(&self->t, do_unmap, at, PAGE, 0));
	EXPECT_TRUE(is_stale(fd, at, 16 * PAGE));
}

/* vDSO, vvar and the like: nothing to advise, but mappings all the same. */
TEST_F(vma_fd, all_there_is)
{
	struct mapping *maps;
	struct pidfd_vma arg;
	int i, n, fd;

	n = read_maps(self->t.pid, &maps);
	ASSERT_LT(5, n);
	for (i = 0; i < n; i++) {
		if (!strcmp(maps[i].name, "[vsyscall]"))
			continue;
		memset(&arg, 0, sizeof(arg));
		arg.addr = maps[i].start;
		fd = get_vma(self->t.pidfd, &arg);
		EXPECT_LE(0, fd) TH_LOG("%s", maps[i].name);
		EXPECT_EQ(maps[i].start, arg.start);
		EXPECT_EQ(maps[i].end, arg.end);
		EXPECT_EQ(0, hung_up(fd, 0));
		close(fd);
	}
	free(maps);
}

/* The caller's own. */
TEST(self)
{
	struct target t;
	unsigned long at;
	int fd;

	ASSERT_EQ(0, target_self(&t));
	at = do_object(ANON, 0, 0);
	ASSERT_NE(0, at);
	fd = open_vma(t.pidfd, at, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_caps(0));
	EXPECT_TRUE(is_good(fd, at, UNITS * SMALL_UNIT, ANON));
	ASSERT_EQ(0, unmap_middle(at, SMALL_UNIT, ANON));
	EXPECT_TRUE(is_stale(fd, at, SMALL_UNIT));
	close(fd);
	/* Left open: it goes with the process whose memory it watches. */
	fd = open_vma(t.pidfd, at, NULL);
	ASSERT_LE(0, fd);
}

/* Polling ******************************************************************/

#define POLL_MS		20000

struct poller {
	pthread_t thread;
	volatile pid_t tid;
	int fd;
	bool epoll;
	short wanted;
	int events;
};

static void *sleep_in_poll(void *arg)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct poller *p = arg;
	uint64_t from;
	int epfd;

	if (!p->epoll) {
		p->tid = syscall(SYS_gettid);
		/* Whoever was not woken looks again when the time is up. */
		from = now_ns();
		p->events = poll_for(p->fd, p->wanted, POLL_MS);
		if (now_ns() - from >= POLL_MS * 1000000ULL)
			p->events = 0;
		return NULL;
	}
	epfd = epoll_create1(0);
	if (epfd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, p->fd, &event))
		p->events = -errno;
	event.events = 0;
	p->tid = syscall(SYS_gettid);
	if (!p->events && epoll_wait(epfd, &event, 1, POLL_MS) == 1)
		p->events = event.events;
	close(epfd);
	return NULL;
}

/* Start it and wait until it sleeps. */
static int poller_run(struct poller *p)
{
	char path[64], stat[256];
	const char *state;
	int i;

	if (pthread_create(&p->thread, NULL, sleep_in_poll, p))
		return -EAGAIN;
	for (i = 0; i < 5000; i++) {
		usleep(1000);
		if (!p->tid)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", p->tid);
		if (read_file(path, stat, sizeof(stat)) <= 0)
			continue;
		state = strrchr(stat, ')');
		if (state && state[2] == 'S')
			return 0;
	}
	return -ETIMEDOUT;
}

static int poller_start(struct poller *p, int fd, bool epoll)
{
	*p = (struct poller){ .fd = fd, .epoll = epoll, .wanted = POLLIN };
	return poller_run(p);
}

static int poller_start_for(struct poller *p, int fd, short events)
{
	*p = (struct poller){ .fd = fd, .wanted = events };
	return poller_run(p);
}

/*
 * Not a futex that a 32-bit program waits on with a time of 32 bits, which the
 * kernel may have been built without.
 */
static void join(pthread_t thread)
{
	while (pthread_tryjoin_np(thread, NULL))
		usleep(1000);
}

/* The events it was woken with; 0 if it was not. */
static int poller_join(struct poller *p)
{
	join(p->thread);
	return p->events;
}

TEST_F(vma_fd, sleeping_pollers)
{
	static const target_fn ops[] = {
		unmap_middle, over_last, move_all, shrink,
	};
	struct poller plain, epoll;
	unsigned long at;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_LEN(ops); i++) {
		fd = renew(&self->t, ANON, &at);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, poller_start(&plain, fd, false));
		ASSERT_EQ(0, poller_start(&epoll, fd, true));
		/* Operations that leave the mapping alone do not wake them. */
		ASSERT_EQ(0, target_call(&self->t, protect_merge, at,
					 SMALL_UNIT, 0));
		usleep(20000);
		ASSERT_EQ(0, plain.events | epoll.events);
		ASSERT_EQ(0, target_call(&self->t, ops[i], at, SMALL_UNIT, 0));
		EXPECT_EQ(POLLHUP, poller_join(&plain));
		EXPECT_EQ(EPOLLHUP, poller_join(&epoll));
		close(fd);
	}
}

TEST_F(vma_fd, sleeping_pollers_exit)
{
	struct poller plain, epoll;

	ASSERT_EQ(0, poller_start(&plain, self->fd, false));
	ASSERT_EQ(0, poller_start(&epoll, self->fd, true));
	ASSERT_EQ(0, target_call(&self->t, do_soon, (unsigned long)exit_now,
				 20, 0));
	EXPECT_EQ(POLLHUP, poller_join(&plain));
	EXPECT_EQ(EPOLLHUP, poller_join(&epoll));
}

TEST_F(vma_fd, sleeping_pollers_exec)
{
	struct poller plain, epoll;

	ASSERT_EQ(0, poller_start(&plain, self->fd, false));
	ASSERT_EQ(0, poller_start(&epoll, self->fd, true));
	ASSERT_EQ(0, target_call(&self->t, do_soon, (unsigned long)exec_now,
				 20, 0));
	EXPECT_EQ(POLLHUP, poller_join(&plain));
	EXPECT_EQ(EPOLLHUP, poller_join(&epoll));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
}

static int wait_for_death(void *arg)
{
	syscall(SYS_pause);
	return 0;
}

/* Another process with the same memory, which stays when this one goes. */
static long do_share_memory(unsigned long a, unsigned long b, unsigned long c)
{
	static char stack[16384] __attribute__((aligned(16)));
	pid_t pid = clone(wait_for_death, stack + sizeof(stack), CLONE_VM, NULL);

	return pid < 0 ? -errno : pid;
}

/*
 * The mapping is still there, but not the process's any more: who asks is told
 * so, who sleeps when it is gone for good.
 */
TEST_F(vma_fd, exec_with_shared_memory)
{
	struct poller poller;
	long pid;

	pid = target_call(&self->t, do_share_memory, 0, 0, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, poller_start(&poller, self->fd, false));
	ASSERT_EQ(0, target_call(&self->t, do_soon, (unsigned long)exec_now,
				 20, 0));
	while (!is_sleep(self->t.pid))
		usleep(1000);
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(POLLHUP, poller_join(&poller));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
}

/* The process ends: that wakes them, whoever else has the memory. */
TEST_F(vma_fd, exit_with_shared_memory)
{
	struct poller plain, epoll;
	long pid;

	pid = target_call(&self->t, do_share_memory, 0, 0, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, poller_start(&plain, self->fd, false));
	ASSERT_EQ(0, poller_start(&epoll, self->fd, true));
	ASSERT_EQ(0, kill(self->t.pid, SIGKILL));
	EXPECT_EQ(POLLHUP, poller_join(&plain));
	EXPECT_EQ(EPOLLHUP, poller_join(&epoll));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	/* Nobody has waited for it so far, and the other one is alive. */
	ASSERT_EQ(self->t.pid, waitpid(self->t.pid, NULL, 0));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	ASSERT_EQ(0, kill(pid, 0));
	ASSERT_EQ(0, kill(pid, SIGKILL));
}

/* Who asks for no event but that one is woken when it was waited for. */
TEST_F(vma_fd, exit_with_shared_memory_no_events)
{
	struct poller poller;
	long pid;

	pid = target_call(&self->t, do_share_memory, 0, 0, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, poller_start_for(&poller, self->fd, 0));
	ASSERT_EQ(0, kill(self->t.pid, SIGKILL));
	ASSERT_EQ(self->t.pid, waitpid(self->t.pid, NULL, 0));
	EXPECT_EQ(POLLHUP, poller_join(&poller));
	ASSERT_EQ(0, kill(pid, SIGKILL));
}

/* Threads ******************************************************************/

static void *wait_in_thread(void *arg)
{
	*(volatile pid_t *)arg = syscall(SYS_gettid);
	while (true)
		syscall(SYS_pause);
	return NULL;
}

static long do_thread(unsigned long a, unsigned long b, unsigned long c)
{
	static volatile pid_t tid;
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_in_thread, (void *)&tid))
		return -EAGAIN;
	while (!tid)
		sched_yield();
	return tid;
}

/* What advises a process takes the process's pidfd, and so does this. */
TEST_F(vma_fd, pidfd_of_a_thread)
{
	struct pidfd_vma arg = { .addr = self->addr };
	long tid = target_call(&self->t, do_thread, 0, 0, 0);
	int of_thread, of_leader;

	ASSERT_LT(0, tid);
	of_thread = pidfd_open_pid(tid, PIDFD_THREAD);
	ASSERT_LE(0, of_thread);
	of_leader = pidfd_open_pid(self->t.pid, PIDFD_THREAD);
	ASSERT_LE(0, of_leader);

	EXPECT_EQ(-ESRCH, pmadv_one(of_thread, self->addr, PAGE, MADV_COLD,
				    PMADV_SKIP_ERRORS, NULL));
	EXPECT_EQ(-ESRCH, get_vma(of_thread, &arg));
	EXPECT_EQ((long)PAGE, pmadv_one(of_leader, self->addr, PAGE, MADV_COLD,
					PMADV_SKIP_ERRORS, NULL));
	EXPECT_LE(0, get_vma(of_leader, &arg));
}

/* The process and its mapping live, though its main thread does not. */
TEST_F(vma_fd, main_thread_ended)
{
	struct poller poller;
	unsigned long at;
	int fd;

	ASSERT_EQ(0, poller_start(&poller, self->fd, false));
	ASSERT_EQ(0, target_call(&self->t, do_end_main_thread, 0, 0, 0));
	EXPECT_TRUE(is_good(self->fd, self->addr, self->len, ANON));
	EXPECT_EQ((long)self->len, pmadv_one(self->fd, self->addr, self->len,
					     MADV_PAGEOUT, PMADV_SKIP_ERRORS,
					     NULL));
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, self->len, 1));
	fd = renew(&self->t, ANON, &at);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_good(fd, at, self->len, ANON));
	EXPECT_EQ(0, poller.events);

	ASSERT_EQ(0, target_call(&self->t, unmap_middle, self->addr, SMALL_UNIT,
				 0));
	EXPECT_EQ(POLLHUP, poller_join(&poller));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	EXPECT_TRUE(is_good(fd, at, self->len, ANON));

	/* The last thread goes, and the process with it. */
	ASSERT_EQ(0, poller_start(&poller, fd, true));
	ASSERT_EQ(0, target_call(&self->t, do_soon, (unsigned long)exit_now,
				 20, 0));
	EXPECT_EQ(EPOLLHUP, poller_join(&poller));
	EXPECT_TRUE(is_stale(fd, at, self->len));
}

/* Another thread than the main one executes a program. */
TEST_F(vma_fd, main_thread_ended_exec)
{
	ASSERT_EQ(0, target_call(&self->t, do_end_main_thread, 0, 0, 0));
	ASSERT_EQ(0, target_call(&self->t, do_soon, (unsigned long)exec_now,
				 20, 0));
	EXPECT_EQ(POLLHUP, hung_up(self->fd, 5000));
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
	while (!is_sleep(self->t.pid))
		usleep(1000);
	EXPECT_TRUE(is_stale(self->fd, self->addr, self->len));
}

/* Threads that come and go while it is used: good is good all the time. */
static void *end_at_once(void *arg)
{
	return NULL;
}

static void *start_threads(void *arg)
{
	pthread_t thread;

	while (true)
		if (!pthread_create(&thread, NULL, end_at_once, NULL))
			pthread_join(thread, NULL);
	return NULL;
}

static long do_start_threads(unsigned long a, unsigned long b, unsigned long c)
{
	pthread_t thread;

	return -pthread_create(&thread, NULL, start_threads, NULL);
}

TEST_F(vma_fd, threads_come_and_go)
{
	int i, rounds = slow_kernel() ? 500 : 3000, bad = 0;

	ASSERT_EQ(0, target_call(&self->t, do_start_threads, 0, 0, 0));
	ASSERT_EQ(0, target_call(&self->t, do_end_main_thread, 0, 0, 0));
	for (i = 0; i < rounds; i++) {
		bad += pmadv_one(self->fd, self->addr, PAGE, MADV_COLD,
				 PMADV_SKIP_ERRORS, NULL) != PAGE;
		bad += hung_up(self->fd, 0) != 0;
	}
	EXPECT_EQ(0, bad);
}

/* Rights *******************************************************************/

static long setup_user(unsigned long uid, unsigned long a, unsigned long b)
{
	int err = uid ? become(uid, 0) : 0;

	return err ? err : prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* fdinfo, with /proc as it is mounted; -errno if it cannot be read. */
static int read_fdinfo(int fd, char *info, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return read_file(path, info, size) > 0 ? 0 : -EIO;
}

static bool fdinfo_has(int fd, const char *fmt, ...)
{
	char info[512] = "", want[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	if (!read_fdinfo(fd, info, sizeof(info)) && strstr(info, want))
		return true;
	note("no %s in: %s", want, info);
	return false;
}

/* Where the mapping is: only for who may look at the process. */
TEST(fdinfo_rights)
{
	static const struct {
		const char *what;
		uid_t uid;
		uint64_t caps;
		bool shown;
	} readers[] = {
		{ "its user", USER, 0, true },
		{ "another user", USER + 1, 0, false },
		{ "another user, CAP_SYS_NICE", USER + 1, CAP(SYS_NICE), false },
		{ "another user, CAP_SYS_PTRACE", USER + 1, CAP(SYS_PTRACE),
		  true },
	};
	char info[512];
	struct target t;
	unsigned long addr;
	unsigned int i;
	int fd, status;
	pid_t pid;

	ASSERT_EQ(0, target_start_with(&t, setup_user, USER));
	addr = target_call(&t, do_map_filled, 4 * PAGE, 1, 0);
	ASSERT_NE(0, addr);
	fd = open_vma(t.pidfd, addr, NULL);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(fdinfo_has(fd, "Range:\t%lx-%lx\n", addr, addr + 4 * PAGE));
	for (i = 0; i < ARRAY_LEN(readers); i++) {
		pid = fork_as(readers[i].uid, readers[i].caps);
		ASSERT_LE(0, pid);
		if (!pid) {
			if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) ||
			    read_fdinfo(fd, info, sizeof(info)))
				_exit(99);
			_exit(!strstr(info, "Stale:\t0\n") ||
			      !strstr(info, "Range:") == readers[i].shown);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status) TH_LOG("%s", readers[i].what);
	}
	/* What has gone with the process is for nobody. */
	kill(t.pid, SIGKILL);
	EXPECT_EQ(POLLHUP, hung_up(fd, 5000));
	ASSERT_EQ(0, read_fdinfo(fd, info, sizeof(info)));
	EXPECT_EQ(NULL, strstr(info, "Range:"));
	close(fd);
	target_stop(&t);
}

/* The number is one of the namespace that /proc shows, whoever reads it. */
TEST_F(vma_fd, fdinfo_pid)
{
	int status;
	pid_t pid;

	EXPECT_TRUE(fdinfo_has(self->fd, "Pid:\t%d\n", self->t.pid));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWPID | CLONE_NEWNS))
			_exit(99);
		pid = fork();
		if (pid)
			_exit(pid < 0 || waitpid(pid, &status, 0) != pid ||
			      status);
		status = !fdinfo_has(self->fd, "Pid:\t%d\n", self->t.pid);
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("proc", "/proc", "proc", 0, NULL))
			_exit(99);
		_exit(status || !fdinfo_has(self->fd, "Pid:\t0\n"));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);

	ASSERT_EQ(0, kill(self->t.pid, SIGKILL));
	EXPECT_EQ(POLLHUP, hung_up(self->fd, 5000));
	EXPECT_TRUE(fdinfo_has(self->fd, "Pid:\t%d\n", self->t.pid));
	ASSERT_EQ(self->t.pid, waitpid(self->t.pid, NULL, 0));
	EXPECT_TRUE(fdinfo_has(self->fd, "Pid:\t-1\n"));
}

struct who {
	const char *what;
	uid_t target;
	uid_t uid;
	uint64_t caps;
	bool userns;
	int want;
};

static const struct who whos[] = {
	{ "root without CAP_SYS_NICE on a user", USER, 0, CAP(SYS_PTRACE),
	  false, -EPERM },
	{ "a user on root", 0, USER, 0, false, -EACCES },
	{ "a user on root, CAP_SYS_NICE", 0, USER, CAP(SYS_NICE), false,
	  -EACCES },
	{ "a user on another", USER + 1, USER, 0, false, -EACCES },
	{ "a user on the same", USER, USER, 0, false, -EPERM },
	{ "a user on the same, CAP_SYS_NICE", USER, USER, CAP(SYS_NICE), false,
	  0 },
	{ "a user on another, CAP_SYS_NICE and CAP_SYS_PTRACE", USER + 1, USER,
	  CAP(SYS_NICE) | CAP(SYS_PTRACE), false, 0 },
	{ "a namespace's root on the same user", USER, USER, 0, true, -EACCES },
};

/* Open, then use what root opened. Exits 0 if both go as they should. */
static void try_as(const struct who *who, int pidfd, int fd, unsigned long addr)
{
	int own, err = 0;
	long ret;

	if (who->userns && unshare(CLONE_NEWUSER))
		_exit(99);
	own = open_vma(pidfd, addr, NULL);
	if (who->want ? own != who->want : own < 0) {
		note("%s: open: %d", who->what, own);
		err = 1;
	}
	ret = pmadv_one(fd, addr, PAGE, MADV_PAGEOUT, PMADV_SKIP_ERRORS, NULL);
	if (ret != (who->want ?: (long)PAGE)) {
		note("%s: use: %ld", who->what, ret);
		err = 1;
	}
	/* Learning that the mapping is gone needs no right but the descriptor. */
	if (hung_up(fd, 0)) {
		note("%s: poll", who->what);
		err = 1;
	}
	_exit(err);
}

TEST(rights)
{
	const struct who *who;
	struct target t;
	unsigned long addr;
	int fd, status;
	pid_t pid;

	ASSERT_EQ(0, pin_to_cpu(0));
	for (who = whos; who < whos + ARRAY_LEN(whos); who++) {
		ASSERT_EQ(0, target_start_with(&t, setup_user, who->target));
		addr = target_call(&t, do_map_filled, 4 * PAGE, 1, 0);
		ASSERT_NE(0, addr);
		fd = open_vma(t.pidfd, addr, NULL);
		ASSERT_LE(0, fd);
		pid = fork_as(who->uid, who->caps);
		ASSERT_LE(0, pid);
		if (!pid)
			try_as(who, t.pidfd, fd, addr);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status) TH_LOG("%s", who->what);
		EXPECT_EQ(who->want ? 4 : 3,
			  target_call(&t, do_mincore, addr, 4 * PAGE, 0));
		close(fd);
		target_stop(&t);
	}
}

static int send_fd(int sock, int fd)
{
	char buf[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = buf,
		.msg_controllen = sizeof(buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char buf[CMSG_SPACE(sizeof(int))], byte;
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = buf,
		.msg_controllen = sizeof(buf),
	};
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/*
 * Passed on, it is good for whoever has the rights, and for nobody else, while
 * the one that opened it has long closed it.
 */
TEST(passed_on)
{
	static const struct {
		uint64_t caps;
		long want;
	} receivers[] = {
		{ CAP(SYS_NICE), PAGE },
		{ 0, -EPERM },
	};
	struct target t;
	unsigned long addr;
	unsigned int i;
	int fd, status, socks[2];
	pid_t pid;
	long ret;

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start_with(&t, setup_user, USER));
	addr = target_call(&t, do_map_filled, 4 * PAGE, 1, 0);
	ASSERT_NE(0, addr);
	for (i = 0; i < ARRAY_LEN(receivers); i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
		pid = fork_as(USER, receivers[i].caps);
		ASSERT_LE(0, pid);
		if (!pid) {
			close(t.pidfd);
			fd = receive_fd(socks[1]);
			ret = pmadv_one(fd, addr, PAGE, MADV_COLD,
					PMADV_SKIP_ERRORS, NULL);
			if (ret != receivers[i].want)
				TH_LOG("%ld", ret);
			_exit(ret != receivers[i].want || hung_up(fd, 0));
		}
		fd = open_vma(t.pidfd, addr, NULL);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, send_fd(socks[0], fd));
		close(fd);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		close(socks[0]);
		close(socks[1]);
	}
	target_stop(&t);
}

/* Many, and at bad moments *************************************************/

TEST_F(vma_fd, thousand)
{
	struct rlimit limit = { 4096, 4096 };
	unsigned long at[10];
	int fds[1000];
	int i, stale = 0, wrong = 0;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < 10; i++) {
		at[i] = target_call(&self->t, do_object, ANON, 0, 0);
		ASSERT_NE(0, at[i]);
	}
	for (i = 0; i < 1000; i++) {
		fds[i] = open_vma(self->t.pidfd, at[i % 10], NULL);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, target_call(&self->t, unmap_middle, at[3], SMALL_UNIT, 0));
	for (i = 0; i < 1000; i++) {
		int events = hung_up(fds[i], 0);

		stale += events == POLLHUP;
		wrong += events != (i % 10 == 3 ? POLLHUP : 0);
	}
	EXPECT_EQ(100, stale);
	EXPECT_EQ(0, wrong);
	EXPECT_TRUE(is_good(fds[999], at[9], self->len, ANON));
	EXPECT_TRUE(is_stale(fds[993], at[3], self->len));
	/* Every other one goes before, the others after the process. */
	for (i = 0; i < 1000; i += 2)
		close(fds[i]);
	EXPECT_TRUE(is_good(fds[999], at[9], self->len, ANON));
	kill(self->t.pid, SIGKILL);
	EXPECT_EQ(POLLHUP, hung_up(fds[1], 5000));
	for (i = 1; i < 1000; i += 2) {
		EXPECT_EQ(POLLHUP, hung_up(fds[i], 0));
		close(fds[i]);
	}
}

/*
 * What everybody pays for the reclaim of the memory and what the owner pays for
 * a change of protection, in nanoseconds: the best of some rounds.
 */
static uint64_t time_reclaim(struct target *t, unsigned long addr, size_t len)
{
	uint64_t best = UINT64_MAX, took;
	struct pmadv_result r;
	int i;

	for (i = 0; i < 3; i++) {
		if (target_call(t, do_fill, addr, len, 1))
			return 0;
		took = now_ns();
		if (pmadv_one(t->pidfd, addr, len, MADV_PAGEOUT,
			      PMADV_SKIP_ERRORS, &r) != (long)len ||
		    r.stats.reclaimed < len / PAGE / 2)
			return 0;
		took = now_ns() - took;
		best = took < best ? took : best;
	}
	return best;
}

static long do_time_protect(unsigned long addr, unsigned long len,
			    unsigned long unused)
{
	uint64_t best = UINT64_MAX, took;
	int i, j;

	for (i = 0; i < 3; i++) {
		took = now_ns();
		for (j = 0; j < 50; j++)
			if (mprotect((void *)addr, len, PROT_READ) ||
			    mprotect((void *)addr, len, PROT_READ | PROT_WRITE))
				return 0;
		took = now_ns() - took;
		best = took < best ? took : best;
	}
	return best / 1000;
}

static int open_many(int pidfd, unsigned long addr, int *fds, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		fds[i] = open_vma(pidfd, addr, NULL);
		if (fds[i] < 0)
			return fds[i];
	}
	return 0;
}

static int count_hung_up(const int *fds, int nr)
{
	int i, stale = 0;

	for (i = 0; i < nr; i++)
		stale += hung_up(fds[i], 0) == POLLHUP;
	return stale;
}

#define MANY		60000

/*
 * Whatever user has them for whatever memory of their own: it must not be dearer
 * to reclaim that memory than with one.
 */
TEST_F(vma_fd, sixty_thousand)
{
	const size_t len = 4 * MIB;
	const int nr = slow_kernel() ? MANY / 10 : MANY;
	struct rlimit limit = { nr + 64, nr + 64 };
	uint64_t reclaim, reclaim_many;
	long protect, protect_many;
	unsigned long at;
	int *fds = calloc(nr, sizeof(*fds));
	int fd;

	ASSERT_NE(NULL, fds);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	at = target_call(&self->t, do_map_filled, len, 1, 0);
	ASSERT_NE(0, at);
	fd = open_vma(self->t.pidfd, at, NULL);
	ASSERT_LE(0, fd);
	reclaim = time_reclaim(&self->t, at, len);
	ASSERT_NE(0, reclaim);
	ASSERT_EQ(0, target_call(&self->t, do_fill, at, len, 1));
	protect = target_call(&self->t, do_time_protect, at, len, 0);
	ASSERT_LT(0, protect);

	ASSERT_EQ(0, open_many(self->t.pidfd, at, fds, nr));
	reclaim_many = time_reclaim(&self->t, at, len);
	ASSERT_NE(0, reclaim_many);
	ASSERT_EQ(0, target_call(&self->t, do_fill, at, len, 1));
	protect_many = target_call(&self->t, do_time_protect, at, len, 0);
	note("with 1 and with %d: reclaim %lu and %lu us, mprotect %ld and %ld us",
	     nr, (unsigned long)(reclaim / 1000),
	     (unsigned long)(reclaim_many / 1000), protect, protect_many);
	EXPECT_LT(reclaim_many, 3 * reclaim);
	EXPECT_LT(protect_many, 3 * protect);

	/* They are all told, and nobody else is. */
	EXPECT_EQ(0, count_hung_up(fds, nr));
	EXPECT_TRUE(is_good(fds[nr / 2], at, len, ANON));
	ASSERT_EQ(0, target_call(&self->t, do_unmap, at + len / 2, PAGE, 0));
	EXPECT_EQ(nr, count_hung_up(fds, nr));
	EXPECT_TRUE(is_stale(fds[nr / 2], at, PAGE));
	EXPECT_TRUE(is_good(self->fd, self->addr, self->len, ANON));
	free(fds);
}

/* One mapping that grew between the openings: all of them are different. */
TEST_F(vma_fd, one_over_the_other)
{
	const int nr = slow_kernel() ? 200 : 2000;
	struct rlimit limit = { nr + 64, nr + 64 };
	uint64_t reclaim, reclaim_many;
	const size_t len = 2 * MIB;
	unsigned long at;
	int fds[2000], i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	at = target_call(&self->t, do_object, ANON, 0, 0);
	ASSERT_NE(0, at);
	/* Arena enough to grow in. */
	ASSERT_EQ(0, target_call(&self->t, do_grow, at, UNITS * SMALL_UNIT,
				 len));
	ASSERT_EQ(0, target_call(&self->t, do_madvise, at, len,
				 MADV_NOHUGEPAGE));
	fds[0] = open_vma(self->t.pidfd, at, NULL);
	ASSERT_LE(0, fds[0]);
	reclaim = time_reclaim(&self->t, at, len);
	ASSERT_NE(0, reclaim);
	for (i = 1; i < nr; i++) {
		ASSERT_EQ(0, target_call(&self->t, do_grow, at,
					 len + (i - 1) * PAGE, len + i * PAGE));
		fds[i] = open_vma(self->t.pidfd, at, NULL);
		ASSERT_LE(0, fds[i]);
	}
	reclaim_many = time_reclaim(&self->t, at, len);
	ASSERT_NE(0, reclaim_many);
	note("with 1 and with %d: reclaim %lu and %lu us", nr,
	     (unsigned long)(reclaim / 1000),
	     (unsigned long)(reclaim_many / 1000));
	EXPECT_LT(reclaim_many, 3 * reclaim);

	/* What goes is the end that half of them do not know. */
	ASSERT_EQ(0, target_call(&self->t, do_unmap, at + len +
				 (nr / 2) * PAGE, PAGE, 0));
	EXPECT_EQ(0, count_hung_up(fds, nr / 2 + 1));
	EXPECT_EQ(nr / 2 - 1, count_hung_up(fds + nr / 2 + 1, nr / 2 - 1));
	EXPECT_TRUE(is_good(fds[nr / 2], at, len + (nr / 2) * PAGE, ANON));
	EXPECT_TRUE(is_stale(fds[nr / 2 + 1], at, PAGE));
	ASSERT_EQ(0, target_call(&self->t, do_unmap, at, PAGE, 0));
	EXPECT_EQ(nr, count_hung_up(fds, nr));
}

/* Those of a process, of its child and of the program it becomes are others. */
TEST_F(vma_fd, many_fork_exec)
{
	struct rlimit limit = { 4096, 4096 };
	int of_parent[1000], of_child[1000], fd, pidfd;
	struct mapping *maps;
	struct pidfd_vma arg;
	unsigned long at = self->addr;
	long pid;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(0, open_many(self->t.pidfd, at, of_parent, 1000));
	pid = target_call(&self->t, do_fork, 0, 0, 0);
	ASSERT_LT(0, pid);
	pidfd = pidfd_open_pid(pid, 0);
	ASSERT_LE(0, pidfd);
	ASSERT_EQ(0, open_many(pidfd, at, of_child, 1000));
	ASSERT_EQ(0, target_call(&self->t, do_reap, 0, 0, 0));
	EXPECT_EQ(1000, count_hung_up(of_child, 1000));
	EXPECT_EQ(0, count_hung_up(of_parent, 1000));
	EXPECT_TRUE(is_good(of_parent[0], at, self->len, ANON));

	ASSERT_EQ(0, target_call(&self->t, do_soon, (unsigned long)exec_now,
				 20, 0));
	EXPECT_EQ(POLLHUP, hung_up(self->fd, 5000));
	EXPECT_EQ(1000, count_hung_up(of_parent, 1000));
	while (!is_sleep(self->t.pid))
		usleep(1000);
	ASSERT_LT(0, read_maps(self->t.pid, &maps));
	arg = (struct pidfd_vma){ .addr = maps[0].start };
	fd = get_vma(self->t.pidfd, &arg);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, hung_up(fd, 0));
	free(maps);
}

struct closer {
	pthread_t thread;
	int *fds;
	int nr;
};

static void *close_all(void *arg)
{
	struct closer *c = arg;
	int i;

	for (i = 0; i < c->nr; i++)
		close(c->fds[i]);
	return NULL;
}

TEST_F(vma_fd, closed_while_exiting)
{
	int rounds = slow_kernel() ? 8 : 25, i, j;

	for (i = 0; i < rounds; i++) {
		struct closer closer;
		struct target t;
		unsigned long at;
		int fds[64];

		ASSERT_EQ(0, target_start(&t));
		at = target_call(&t, do_map_filled, 64 * PAGE, 1, 0);
		ASSERT_NE(0, at);
		for (j = 0; j < ARRAY_LEN(fds); j++) {
			fds[j] = open_vma(t.pidfd, at, NULL);
			ASSERT_LE(0, fds[j]);
		}
		closer = (struct closer){ .fds = fds, .nr = ARRAY_LEN(fds) };
		if (i % 2)
			kill(t.pid, SIGKILL);
		ASSERT_EQ(0, pthread_create(&closer.thread, NULL, close_all,
					    &closer));
		target_stop(&t);
		join(closer.thread);
	}
}

/* Map, fill, check and unmap at one place, over and over. */
static long do_churn(unsigned long addr, unsigned long len, unsigned long ms)
{
	struct timespec from, now;
	long i, bad = 0;

	pin_to_cpu(1);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < 1000000; i++) {
		if (mmap((void *)addr, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			return -errno;
		fill(addr, len, i);
		sched_yield();
		if (i % 2)
			mprotect((void *)(addr + len / 2), PAGE, PROT_READ);
		bad += check(addr, len, i);
		if (i % 3)
			munmap((void *)addr, len);
		else
			munmap((void *)(addr + len / 2), PAGE);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - from.tv_sec) * 1000 +
		    (now.tv_nsec - from.tv_nsec) / 1000000 >= (long)ms)
			break;
	}
	return bad ? -bad : i;
}

struct order {
	pthread_t thread;
	struct target *t;
	unsigned long addr;
	size_t len;
	volatile bool done;
	long ret;
};

static void *order_churn(void *arg)
{
	struct order *o = arg;

	o->ret = target_call(o->t, do_churn, o->addr, o->len,
			     slow_kernel() ? 3000 : 1500);
	o->done = true;
	return NULL;
}

TEST_F(vma_fd, racing)
{
	struct order order = {
		.t = &self->t,
		.addr = self->addr,
		.len = self->len,
	};
	unsigned long opened = 0, good = 0, stale = 0, wrong = 0;
	struct pmadv_result r;

	ASSERT_EQ(0, pthread_create(&order.thread, NULL, order_churn, &order));
	while (!order.done) {
		struct pidfd_vma arg;
		int fd = open_vma(self->t.pidfd, self->addr, &arg);
		size_t len = arg.end - arg.start;
		long ret;

		if (fd < 0) {
			wrong += fd != -ENOMEM;
			continue;
		}
		opened++;
		do {
			ret = pmadv_one(fd, arg.start, len,
					opened % 2 ? MADV_PAGEOUT : MADV_COLD,
					0, &r);
			if (ret == (long)len && !r.stopped)
				good++;
			else if (r.stopped != PMADV_STOPPED_STALE ||
				 ret != ((long)r.bytes_advised ?: -ESTALE) ||
				 hung_up(fd, 2000) != POLLHUP)
				wrong++;
			else
				stale++;
		} while (!r.stopped && !order.done);
		close(fd);
	}
	join(order.thread);
	TH_LOG("%ld rounds, %lu opened, %lu good, %lu stale", order.ret, opened,
	       good, stale);
	EXPECT_LT(0, order.ret);
	EXPECT_LT(0, opened);
	EXPECT_LT(0, good);
	EXPECT_LT(0, stale);
	EXPECT_EQ(0, wrong);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics of a call, compared with independent sources: pagemap,
 * mincore, smaps, vmstat, and the tracepoints.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/io_uring.h>

#include "lib/harness.h"
#include "lib/util.h"

#define NPAGES		256UL
#define LEN		(NPAGES * PAGE)

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Clear the accessed bits of a process, as /proc/PID/clear_refs does. */
static int clear_refs(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
	return write_file(path, "1");
}

FIXTURE(stats)
{
	struct target t;
	unsigned long addr;
	struct pmadv_result r;
	struct pages pages;
};

FIXTURE_SETUP(stats)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&self->t));
	self->addr = target_call(&self->t, do_map_filled, LEN, 1, 0);
	ASSERT_NE(0, self->addr);
}

FIXTURE_TEARDOWN(stats)
{
	target_stop(&self->t);
}

/* Each page that is reclaimed is counted everywhere as a page that went. */
TEST_F(stats, pageout)
{
	unsigned long long began, took;
	long long out;

	EXPECT_EQ((long long)LEN, smaps(self->t.pid, "Rss", self->addr,
					self->addr + LEN));
	out = vmstat("pswpout");
	ASSERT_LE(0, out);
	began = now_ns();
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, PMADV_SKIP_ERRORS,
				       &self->r));
	took = now_ns() - began;

	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.isolated);
	EXPECT_EQ(NPAGES, self->r.stats.reclaimed);
	EXPECT_EQ(NPAGES, self->r.stats.written_back);
	EXPECT_EQ(0, self->r.stats.shared);
	EXPECT_EQ(0, self->r.stats.deactivated);
	EXPECT_EQ(0, self->r.stats.activated);
	EXPECT_EQ(0, self->r.stats.swapped);
	EXPECT_LT(0, self->r.stats.time_ns);
	EXPECT_GE(took, self->r.stats.time_ns);

	EXPECT_EQ(NPAGES, vmstat("pswpout") - out);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, LEN, &self->pages));
	EXPECT_EQ(NPAGES, self->pages.swapped);
	EXPECT_EQ(0, self->pages.present);
	EXPECT_EQ(0, smaps(self->t.pid, "Rss", self->addr, self->addr + LEN));
	EXPECT_EQ((long long)LEN, smaps(self->t.pid, "Swap", self->addr,
					self->addr + LEN));
	EXPECT_EQ(0, target_call(&self->t, do_mincore, self->addr, LEN, 0));
}

TEST_F(stats, swapped_before)
{
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, NULL));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.swapped);
	EXPECT_EQ(0, self->r.stats.scanned);
	EXPECT_EQ(0, self->r.stats.isolated);
	EXPECT_EQ(0, self->r.stats.reclaimed);
	EXPECT_EQ(0, self->r.stats.written_back);

	/* COLD sees them too, and half of them when half came back. */
	target_call(&self->t, do_read, self->addr, LEN / 2, 0);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, LEN, &self->pages));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_COLD, 0, &self->r));
	EXPECT_EQ(self->pages.swapped, self->r.stats.swapped);
	EXPECT_EQ(self->pages.present, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.swapped + self->r.stats.scanned);
	EXPECT_LE(NPAGES / 2, self->r.stats.scanned);

	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(self->pages.swapped, self->r.stats.swapped);
	EXPECT_EQ(self->pages.present, self->r.stats.reclaimed);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, LEN, 1));
}

/* Only what is there is scanned: not the rest of the mapping. */
TEST_F(stats, scanned_is_resident)
{
	unsigned long addr;
	size_t i;

	addr = target_call(&self->t, do_map, LEN, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(0, addr);
	ASSERT_EQ(0, target_call(&self->t, do_madvise, addr, LEN,
				 MADV_NOHUGEPAGE));
	for (i = 0; i < NPAGES; i += 5)
		target_call(&self->t, do_fill, addr + i * PAGE, PAGE, 1);
	EXPECT_EQ(52 * (long long)PAGE, smaps(self->t.pid, "Rss", addr,
					      addr + LEN));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, addr, LEN, MADV_COLD, 0,
				       &self->r));
	EXPECT_EQ(52, self->r.stats.scanned);
	EXPECT_EQ(52, self->r.stats.deactivated);
	/* The zero page is nobody's, and is not a page of the target's. */
	target_call(&self->t, do_read, addr, LEN, 0);
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, addr, LEN, MADV_PAGEOUT,
				       0, &self->r));
	EXPECT_EQ(52, self->r.stats.scanned);
	EXPECT_EQ(52, self->r.stats.reclaimed);
}

TEST_F(stats, cold_and_young)
{
	static const int both[] = { MADV_COLD, MADV_PAGEOUT };
	unsigned int i;

	/* All pages are young, because they were just written to. */
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_COLD, 0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.young);
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.deactivated);
	EXPECT_EQ(0, self->r.stats.isolated);
	EXPECT_EQ(0, self->r.stats.reclaimed);
	/* COLD takes the accessed bits along, as it did before. */
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_COLD, 0, &self->r));
	EXPECT_EQ(0, self->r.stats.young);
	EXPECT_EQ(NPAGES, self->r.stats.scanned);

	for (i = 0; i < ARRAY_LEN(both); i++) {
		ASSERT_EQ(0, clear_refs(self->t.pid));
		target_call(&self->t, do_read, self->addr + 17 * PAGE,
			    64 * PAGE, 0);
		EXPECT_EQ(64 * (long long)PAGE,
			  smaps(self->t.pid, "Referenced", self->addr,
				self->addr + LEN));
		ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
					       both[i], 0, &self->r));
		EXPECT_EQ(64, self->r.stats.young);
		EXPECT_EQ(NPAGES, self->r.stats.scanned);
	}
	/* Only PMADV_SKIP_YOUNG, which is for policies, would have spared them. */
	EXPECT_EQ(NPAGES, self->r.stats.reclaimed);
}

#define NBUSY		16UL

/* A child that reads the same pages over and over, on another CPU. */
static void keep_reading(volatile unsigned long *where)
{
	unsigned long addr = do_map_filled(NBUSY * PAGE, 1, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to_cpu(1);
	for (;;) {
		do_read(addr, NBUSY * PAGE, 0);
		*where = addr;
	}
}

static bool all_referenced(pid_t pid, unsigned long addr, size_t len)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		if (smaps(pid, "Referenced", addr, addr + len) == (long long)len)
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * A processor sets the accessed bit when it loads the entry into its TLB: one
 * that keeps an entry from before the call would never set it again.
 */
TEST_F(stats, pages_in_use_are_young_again)
{
	struct pmadv_result *const results[] = { NULL, &self->r };
	volatile unsigned long *where;
	unsigned int i;
	pid_t child;
	int pidfd;

	where = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, where);
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		keep_reading(where);
	for (i = 0; !*where && i < 1000; i++)
		usleep(10000);
	ASSERT_NE(0, *where);

	pidfd = pidfd_open_pid(child, 0);
	for (i = 0; i < ARRAY_LEN(results); i++) {
		EXPECT_EQ((long)(NBUSY * PAGE),
			  pmadv_one(pidfd, *where, NBUSY * PAGE, MADV_COLD, 0,
				    results[i]));
		EXPECT_TRUE(all_referenced(child, *where, NBUSY * PAGE));
	}
	close(pidfd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST_F(stats, nothing_leaves_by_cold)
{
	long long out = vmstat("pswpout");

	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_COLD, 0, &self->r));
	EXPECT_EQ(out, vmstat("pswpout"));
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, LEN, &self->pages));
	EXPECT_EQ(NPAGES, self->pages.present);
}

static long sharer;

static long do_share(unsigned long a, unsigned long b, unsigned long c)
{
	sharer = fork();
	if (!sharer) {
		pause();
		_exit(0);
	}
	return sharer < 0;
}

static long do_unshare(unsigned long a, unsigned long b, unsigned long c)
{
	kill(sharer, SIGKILL);
	waitpid(sharer, NULL, 0);
	return 0;
}

TEST_F(stats, shared_by_fork)
{
	ASSERT_EQ(0, target_call(&self->t, do_share, 0, 0, 0));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.shared);
	EXPECT_EQ(0, self->r.stats.isolated);
	EXPECT_EQ(0, self->r.stats.reclaimed);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, LEN, &self->pages));
	EXPECT_EQ(NPAGES, self->pages.present);
	EXPECT_EQ(0, self->pages.exclusive);

	/* A hundred of them are copied, and its own again. */
	target_call(&self->t, do_fill, self->addr, 100 * PAGE, 2);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, LEN, &self->pages));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_COLD, 0, &self->r));
	EXPECT_EQ(100, self->pages.exclusive);
	EXPECT_EQ(NPAGES - 100, self->r.stats.shared);
	EXPECT_EQ(100, self->r.stats.deactivated);

	target_call(&self->t, do_unshare, 0, 0, 0);
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(0, self->r.stats.shared);
	EXPECT_EQ(NPAGES, self->r.stats.reclaimed);
}

static long map_shmem(unsigned long len, unsigned long b, unsigned long c)
{
	unsigned long addr;

	addr = do_map(len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
	if (addr)
		fill(addr, len, 3);
	return addr;
}

TEST_F(stats, shmem)
{
	long long out = vmstat("pswpout");
	unsigned long addr;

	addr = target_call(&self->t, map_shmem, LEN, 0, 0);
	ASSERT_NE(0, addr);
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, addr, LEN, MADV_PAGEOUT,
				       0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.reclaimed);
	EXPECT_EQ(NPAGES, self->r.stats.written_back);
	EXPECT_EQ(NPAGES, vmstat("pswpout") - out);
	EXPECT_EQ(0, target_call(&self->t, do_mincore, addr, LEN, 0));
	EXPECT_EQ((long long)LEN, smaps(self->t.pid, "Swap", addr, addr + LEN));
	EXPECT_EQ(0, target_call(&self->t, do_check, addr, LEN, 3));
}

TEST_F(stats, only_time_passes_for_willneed_and_collapse)
{
	unsigned long huge;

	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, NULL));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_WILLNEED, 0, &self->r));
	EXPECT_LT(0, self->r.stats.time_ns);
	self->r.stats.time_ns = 0;
	EXPECT_EQ(0, self->r.stats.scanned | self->r.stats.isolated |
		     self->r.stats.reclaimed | self->r.stats.swapped);

	huge = target_call(&self->t, do_map_filled, HUGE, 1, 1);
	ASSERT_NE(0, huge);
	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, huge, HUGE,
					MADV_COLLAPSE, 0, &self->r));
	EXPECT_LT(0, self->r.stats.time_ns);
	EXPECT_EQ(0, self->r.stats.scanned | self->r.stats.isolated |
		     self->r.stats.reclaimed | self->r.stats.swapped);
}

/* Huge pages are counted in base pages ************************************/

TEST_F(stats, huge_page)
{
	const unsigned long n = HUGE / PAGE;
	unsigned long addr;

	addr = target_call(&self->t, do_map_filled, HUGE, 1, 1);
	ASSERT_NE(0, addr);
	ASSERT_EQ((long long)HUGE, smaps(self->t.pid, "AnonHugePages", addr,
					 addr + HUGE));
	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, addr, HUGE, MADV_COLD, 0,
					&self->r));
	EXPECT_EQ(n, self->r.stats.scanned);
	EXPECT_EQ(n, self->r.stats.young);
	EXPECT_EQ(n, self->r.stats.deactivated);
	EXPECT_EQ((long long)HUGE, smaps(self->t.pid, "AnonHugePages", addr,
					 addr + HUGE));

	/* The huge page has a single accessed bit. */
	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, addr, HUGE, MADV_COLD, 0,
					&self->r));
	EXPECT_EQ(0, self->r.stats.young);
	target_call(&self->t, do_read, addr + 3 * PAGE, PAGE, 0);

	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, addr, HUGE, MADV_PAGEOUT,
					0, &self->r));
	EXPECT_EQ(n, self->r.stats.scanned);
	EXPECT_EQ(n, self->r.stats.young);
	EXPECT_EQ(n, self->r.stats.isolated);
	EXPECT_EQ(n, self->r.stats.reclaimed);
	EXPECT_EQ(n, self->r.stats.written_back);
	ASSERT_EQ(0, pagemap(self->t.pid, addr, HUGE, &self->pages));
	EXPECT_EQ(n, self->pages.swapped);
	EXPECT_EQ(0, target_call(&self->t, do_check, addr, HUGE, 1));
}

TEST_F(stats, half_a_huge_page)
{
	const unsigned long half = HUGE / PAGE / 2;
	unsigned long addr;

	addr = target_call(&self->t, do_map_filled, HUGE, 1, 1);
	ASSERT_NE(0, addr);
	ASSERT_EQ((long)HUGE / 2, pmadv_one(self->t.pidfd, addr + HUGE / 2,
					    HUGE / 2, MADV_PAGEOUT, 0,
					    &self->r));
	EXPECT_EQ(half, self->r.stats.scanned);
	EXPECT_EQ(half, self->r.stats.isolated);
	EXPECT_EQ(half, self->r.stats.reclaimed);
	ASSERT_EQ(0, pagemap(self->t.pid, addr, HUGE, &self->pages));
	EXPECT_EQ(half, self->pages.swapped);
	EXPECT_EQ(half, self->pages.present);
	EXPECT_EQ(0, target_call(&self->t, do_check, addr, HUGE, 1));
}

TEST_F(stats, shared_huge_page)
{
	const unsigned long n = HUGE / PAGE;
	unsigned long addr;

	addr = target_call(&self->t, do_map_filled, HUGE, 1, 1);
	ASSERT_NE(0, addr);
	ASSERT_EQ(0, target_call(&self->t, do_share, 0, 0, 0));
	ASSERT_EQ((long)HUGE, pmadv_one(self->t.pidfd, addr, HUGE, MADV_PAGEOUT,
					0, &self->r));
	EXPECT_EQ(n, self->r.stats.scanned);
	EXPECT_EQ(n, self->r.stats.shared);
	EXPECT_EQ(0, self->r.stats.isolated);
	target_call(&self->t, do_unshare, 0, 0, 0);
}

/* A budget never divides a huge page, and says what it did. */
TEST_F(stats, budget_and_huge_page)
{
	const unsigned long n = HUGE / PAGE;
	unsigned long addr;
	struct iovec vec;

	addr = target_call(&self->t, do_map_filled, 2 * HUGE, 1, 1);
	ASSERT_NE(0, addr);
	vec.iov_base = (void *)addr;
	vec.iov_len = 2 * HUGE;
	memset(&self->r, 0, sizeof(self->r));
	self->r.size = sizeof(self->r);
	self->r.max_pages = 10;
	ASSERT_EQ((long)HUGE, pmadv(self->t.pidfd, &vec, 1, MADV_PAGEOUT,
				    PMADV_RESULT, &self->r));
	EXPECT_EQ(PMADV_STOPPED_BUDGET, self->r.stopped);
	EXPECT_EQ(addr + HUGE, self->r.cursor);
	EXPECT_EQ(n, self->r.stats.isolated);
	EXPECT_EQ((long long)HUGE, smaps(self->t.pid, "AnonHugePages", addr,
					 addr + 2 * HUGE));
}

/* Pages that reclaim could not free ***************************************/

#define CGROUP	"/sys/fs/cgroup/pmadv_stats"

static long enter_cgroup(unsigned long a, unsigned long b, unsigned long c)
{
	return write_file(CGROUP "/cgroup.procs", "0");
}

/* A target that may use no more swap than @max. */
static int with_swap_limit(struct target *t, const char *max)
{
	int err;

	err = write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (err)
		return err;
	if (mkdir(CGROUP, 0755))
		return -errno;
	err = write_file(CGROUP "/memory.swap.max", max);
	if (!err)
		err = target_start(t);
	if (!err)
		err = target_call(t, enter_cgroup, 0, 0, 0);
	return err;
}

FIXTURE(limited)
{
	struct target t;
	struct pmadv_result r;
	struct pages pages;
};

FIXTURE_SETUP(limited)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	rmdir(CGROUP);
}

FIXTURE_TEARDOWN(limited)
{
	target_stop(&self->t);
	/* Its memory may keep it a little longer. */
	for (int i = 0; i < 50 && rmdir(CGROUP) && errno == EBUSY; i++)
		usleep(20000);
}

TEST_F(limited, no_swap)
{
	unsigned long addr;

	ASSERT_EQ(0, with_swap_limit(&self->t, "0"));
	addr = target_call(&self->t, do_map_filled, LEN, 1, 0);
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, addr, LEN, MADV_PAGEOUT,
				       0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.isolated);
	EXPECT_EQ(0, self->r.stats.reclaimed);
	EXPECT_EQ(0, self->r.stats.written_back);
	EXPECT_EQ(NPAGES, self->r.stats.activated);
	ASSERT_EQ(0, pagemap(self->t.pid, addr, LEN, &self->pages));
	EXPECT_EQ(NPAGES, self->pages.present);
	EXPECT_EQ(0, target_call(&self->t, do_check, addr, LEN, 1));
}

TEST_F(limited, some_swap)
{
	unsigned long addr;

	ASSERT_EQ(0, with_swap_limit(&self->t, "262144")); /* 64 pages */
	addr = target_call(&self->t, do_map_filled, LEN, 1, 0);
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, addr, LEN, MADV_PAGEOUT,
				       0, &self->r));
	EXPECT_EQ(64, self->r.stats.reclaimed);
	EXPECT_EQ(NPAGES - 64, self->r.stats.activated);
	ASSERT_EQ(0, pagemap(self->t.pid, addr, LEN, &self->pages));
	EXPECT_EQ(self->r.stats.reclaimed, self->pages.swapped);
	EXPECT_EQ(self->r.stats.activated, self->pages.present);
	EXPECT_EQ(0, target_call(&self->t, do_check, addr, LEN, 1));
}

/* Pages that a device may be writing to: io_uring has them registered. */
static long do_pin(unsigned long addr, unsigned long len, unsigned long c)
{
	struct io_uring_params params = { 0 };
	struct iovec vec = { (void *)addr, len };
	int fd;

	fd = syscall(SYS_io_uring_setup, 1, &params);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &vec, 1))
		return -errno;
	return 0;
}

TEST_F(stats, pinned)
{
	ASSERT_EQ(0, target_call(&self->t, do_pin, self->addr, 16 * PAGE, 0));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES - 16, self->r.stats.reclaimed);
	ASSERT_EQ(0, pagemap(self->t.pid, self->addr, LEN, &self->pages));
	EXPECT_EQ(16, self->pages.present);
	EXPECT_EQ(NPAGES - 16, self->pages.swapped);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, LEN, 1));
}

/* A file on a disk ********************************************************/

#define MOUNT	"/tmp/pmadv_stats"

FIXTURE(disk)
{
	struct target t;
	struct pmadv_result r;
	struct pages pages;
	unsigned long addr;
	char id[16];
};

static long map_file(unsigned long len, unsigned long b, unsigned long c)
{
	char *p = MAP_FAILED;
	int fd;

	fd = open(MOUNT "/file", O_RDWR | O_CREAT, 0644);
	if (fd < 0)
		return 0;
	if (!ftruncate(fd, len))
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return 0;
	fill((unsigned long)p, len, 4);
	return (long)p;
}

static long do_sync(unsigned long addr, unsigned long len, unsigned long c)
{
	return msync((void *)addr, len, MS_SYNC) ? -errno : 0;
}

/* There is no disk in the guest, but there is zram, which makes one. */
FIXTURE_SETUP(disk)
{
	char cmd[512];

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_LT(0, read_file("/sys/class/zram-control/hot_add", self->id,
			       sizeof(self->id)));
	self->id[strcspn(self->id, "\n")] = '\0';
	/* WILLNEED reads no more at a time than the device has readahead. */
	snprintf(cmd, sizeof(cmd), "cd /sys/block/zram%s && "
		 "echo 64M >disksize && echo 1024 >queue/read_ahead_kb && "
		 "/sbin/mkfs.ext4 -q -F -O ^has_journal /dev/zram%s && "
		 "mkdir -p " MOUNT " && mount /dev/zram%s " MOUNT,
		 self->id, self->id, self->id);
	ASSERT_EQ(0, system(cmd));
	ASSERT_EQ(0, target_start(&self->t));
	self->addr = target_call(&self->t, map_file, LEN, 0, 0);
	ASSERT_NE(0, self->addr);
}

FIXTURE_TEARDOWN(disk)
{
	target_stop(&self->t);
	umount(MOUNT);
	rmdir(MOUNT);
	write_file("/sys/class/zram-control/hot_remove", self->id);
}

/* Reclaim by advice does not write files: dirty pages stay, and are told. */
TEST_F(disk, dirty_pages)
{
	EXPECT_EQ((long long)LEN, smaps(self->t.pid, "Shared_Dirty", self->addr,
					self->addr + LEN) +
				  smaps(self->t.pid, "Private_Dirty",
					self->addr, self->addr + LEN));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.isolated);
	EXPECT_EQ(0, self->r.stats.reclaimed);
	EXPECT_EQ(0, self->r.stats.written_back);
	EXPECT_EQ(NPAGES, self->r.stats.activated);
	EXPECT_EQ((long)NPAGES, target_call(&self->t, do_mincore, self->addr,
					    LEN, 0));
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, LEN, 4));
}

TEST_F(disk, clean_pages)
{
	long long out = vmstat("pswpout");

	ASSERT_EQ(0, target_call(&self->t, do_sync, self->addr, LEN, 0));
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.scanned);
	EXPECT_EQ(NPAGES, self->r.stats.reclaimed);
	EXPECT_EQ(0, self->r.stats.written_back);
	EXPECT_EQ(0, self->r.stats.activated);
	EXPECT_EQ(0, target_call(&self->t, do_mincore, self->addr, LEN, 0));
	EXPECT_EQ(out, vmstat("pswpout"));
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, LEN, 4));
	/* And WILLNEED brings them back. */
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, &self->r));
	EXPECT_EQ(NPAGES, self->r.stats.reclaimed);
	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_WILLNEED, 0, &self->r));
	for (int i = 0; i < 50; i++) {
		if (target_call(&self->t, do_mincore, self->addr, LEN, 0) ==
		    (long)NPAGES)
			break;
		usleep(20000);
	}
	EXPECT_EQ((long)NPAGES, target_call(&self->t, do_mincore, self->addr,
					    LEN, 0));
}

/* How much of a file WILLNEED brings in, when it has had the time for it. */
static long willneed(struct target *t, unsigned long addr, size_t len,
		     struct pmadv_result *r)
{
	long pages = 0, before = -1;

	if (pmadv_one(t->pidfd, addr, len, MADV_PAGEOUT, PMADV_SKIP_ERRORS,
		      NULL) != (long)len ||
	    write_file("/proc/sys/vm/drop_caches", "1") ||
	    target_call(t, do_mincore, addr, len, 0) ||
	    pmadv_one(t->pidfd, addr, len, MADV_WILLNEED, 0, r) != (long)len)
		return -EIO;
	while (pages != before) {
		usleep(100000);
		before = pages;
		pages = target_call(t, do_mincore, addr, len, 0);
	}
	return pages;
}

/* One window of readahead, as by madvise(2), and one decision. */
TEST_F(disk, willneed_reads_one_window)
{
	const size_t len = 16 * LEN;
	long stock, ours;

	target_call(&self->t, do_unmap, self->addr, LEN, 0);
	self->addr = target_call(&self->t, map_file, len, 0, 0);
	ASSERT_NE(0, self->addr);
	ASSERT_EQ(0, target_call(&self->t, do_sync, self->addr, len, 0));
	stock = willneed(&self->t, self->addr, len, NULL);
	EXPECT_LT(0, stock);
	EXPECT_GT(len / PAGE, stock);
	ours = willneed(&self->t, self->addr, len, &self->r);
	EXPECT_EQ(stock, ours);
	EXPECT_EQ(1, self->r.ranges_seen);
	EXPECT_EQ(len, self->r.bytes_advised);
}

/* The whole process *******************************************************/

TEST_F(stats, entire)
{
	long long swap, out;

	memset(&self->r, 0, sizeof(self->r));
	self->r.size = sizeof(self->r);
	swap = smaps(self->t.pid, "Swap", 0, UINT64_MAX);
	out = vmstat("pswpout");
	ASSERT_LT((long)LEN, pmadv(self->t.pidfd, NULL, 0, MADV_PAGEOUT,
				   PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT,
				   &self->r));
	swap = smaps(self->t.pid, "Swap", 0, UINT64_MAX) - swap;
	out = vmstat("pswpout") - out;
	EXPECT_LE(NPAGES, self->r.stats.reclaimed);
	EXPECT_EQ(out, self->r.stats.written_back);
	EXPECT_EQ(self->r.stats.written_back * PAGE, swap);
	EXPECT_EQ(self->r.stats.isolated,
		  self->r.stats.reclaimed + self->r.stats.activated);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, LEN, 1));
}

/* Tracepoints *************************************************************/

#define TRACE	"/sys/kernel/tracing/instances/pmadv_stats"

struct records {
	unsigned int ranges;
	unsigned int calls;
	unsigned int advised, skipped, refused, failed;
	unsigned long long bytes, scanned, reclaimed, time_ns;
	/* From the record of the call itself: */
	unsigned long long seen, call_advised, call_bytes, call_reclaimed;
	unsigned long long call_time_ns;
	unsigned int flags, stopped;
	int tgid, error;
	long ret;
	bool wrong_tgid;
};

static unsigned long long field(const char *line, const char *name, int base)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(line, key);
	return at ? strtoull(at + strlen(key), NULL, base) : ~0ULL;
}

static void read_range(struct records *rec, const char *line)
{
	rec->ranges++;
	if (strstr(line, "outcome=advised")) {
		rec->advised++;
		rec->bytes += field(line, "end", 16) - field(line, "start", 16);
	}
	rec->skipped += !!strstr(line, "outcome=skipped");
	rec->refused += !!strstr(line, "outcome=refused");
	rec->failed += !!strstr(line, "outcome=failed");
	rec->scanned += field(line, "scanned", 10);
	rec->reclaimed += field(line, "reclaimed", 10);
	rec->time_ns += field(line, "time_ns", 10);
	if (!rec->error)
		rec->error = field(line, "error", 10);
	if ((int)field(line, "tgid", 10) != rec->tgid)
		rec->wrong_tgid = true;
}

static void read_call(struct records *rec, const char *line)
{
	rec->calls++;
	rec->seen = field(line, "ranges_seen", 10);
	rec->call_advised = field(line, "ranges_advised", 10);
	rec->call_bytes = field(line, "bytes_advised", 10);
	rec->call_reclaimed = field(line, "reclaimed", 10);
	rec->call_time_ns = field(line, "time_ns", 10);
	rec->flags = field(line, "flags", 16);
	rec->stopped = field(line, "stopped", 10);
	rec->ret = field(line, "ret", 10);
	if ((int)field(line, "tgid", 10) != rec->tgid)
		rec->wrong_tgid = true;
}

/* The trace of one call. */
static int read_records(struct records *rec, pid_t pid, uint64_t call_id)
{
	static char buf[1 << 20];
	char *line, *save, *at;

	memset(rec, 0, sizeof(*rec));
	rec->tgid = pid;
	if (read_file(TRACE "/trace", buf, sizeof(buf)) < 0)
		return -1;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#')
			continue;
		at = strstr(line, "pmadv_range: ");
		if (at && field(at, "call", 10) == call_id)
			read_range(rec, at);
		at = strstr(line, "pmadv_call: ");
		if (at && field(at, "call", 10) == call_id)
			read_call(rec, at);
	}
	return 0;
}

/* How often the kernel went to all CPUs for this process, for pages in flight. */
#define DRAINS	"pmadv_drains"

static long drains(void)
{
	char buf[4096], *at = buf;
	long nr = 0;

	if (read_file(TRACE "/trace", buf, sizeof(buf)) < 0)
		return -1;
	while ((at = strstr(at, DRAINS ":"))) {
		at++;
		nr++;
	}
	return nr;
}

FIXTURE(collapse)
{
	struct target t;
	unsigned long addr;
	struct pmadv_result r;
};

FIXTURE_SETUP(collapse)
{
	char filter[64];

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, write_file("/sys/kernel/tracing/kprobe_events",
				"p:" DRAINS " lru_add_drain_all"));
	rmdir(TRACE);
	ASSERT_EQ(0, mkdir(TRACE, 0755));
	snprintf(filter, sizeof(filter), "common_pid == %d", getpid());
	ASSERT_EQ(0, write_file(TRACE "/events/kprobes/" DRAINS "/filter",
				filter));
	ASSERT_EQ(0, write_file(TRACE "/events/kprobes/" DRAINS "/enable", "1"));
	ASSERT_EQ(0, target_start(&self->t));
	/* Small pages, and nothing that khugepaged would care for. */
	self->addr = target_call(&self->t, do_map, 5 * HUGE,
				 PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(0, self->addr);
	self->addr = (self->addr + HUGE - 1) & ~(HUGE - 1);
	target_call(&self->t, do_fill, self->addr, 4 * HUGE, 1);
}

FIXTURE_TEARDOWN(collapse)
{
	target_stop(&self->t);
	write_file(TRACE "/events/kprobes/" DRAINS "/enable", "0");
	rmdir(TRACE);
	write_file("/sys/kernel/tracing/kprobe_events", "-:" DRAINS);
}

/* Once for a range, as by madvise(2), not once for each huge page. */
TEST_F(collapse, drains_once)
{
	const unsigned long len = 4 * HUGE;

	ASSERT_EQ(0, drains());
	ASSERT_EQ((long)len, pmadv_one(self->t.pidfd, self->addr, len,
				       MADV_COLLAPSE, 0, &self->r));
	EXPECT_EQ((long long)len, smaps(self->t.pid, "AnonHugePages",
					self->addr, self->addr + len));
	EXPECT_EQ(1, drains());
	EXPECT_EQ(len, self->r.bytes_advised);
	EXPECT_EQ(0, target_call(&self->t, do_check, self->addr, len, 1));
}

FIXTURE(trace)
{
	struct target t;
	unsigned long addr;
	struct pmadv_result r;
	struct records rec;
};

FIXTURE_SETUP(trace)
{
	ASSERT_EQ(0, pin_to_cpu(0));
	rmdir(TRACE);
	ASSERT_EQ(0, mkdir(TRACE, 0755));
	ASSERT_EQ(0, write_file(TRACE "/events/process_madvise/enable", "1"));
	ASSERT_EQ(0, target_start(&self->t));
	self->addr = target_call(&self->t, do_map_filled, LEN, 1, 0);
	ASSERT_NE(0, self->addr);
	memset(&self->r, 0, sizeof(self->r));
	self->r.size = sizeof(self->r);
}

FIXTURE_TEARDOWN(trace)
{
	target_stop(&self->t);
	write_file(TRACE "/events/process_madvise/enable", "0");
	rmdir(TRACE);
}

TEST_F(trace, explicit_ranges)
{
	struct pmadv_result *r = &self->r;
	struct records *rec = &self->rec;

	ASSERT_EQ(0, target_call(&self->t, do_unmap, self->addr + 8 * PAGE,
				 8 * PAGE, 0));
	ASSERT_EQ(0, target_call(&self->t, do_mlock, self->addr + 64 * PAGE,
				 8 * PAGE, 0));
	ASSERT_EQ((NPAGES - 16) * (long)PAGE,
		  pmadv_one(self->t.pidfd, self->addr, LEN, MADV_PAGEOUT,
			    PMADV_SKIP_ERRORS, r));
	ASSERT_EQ(0, read_records(rec, self->t.pid, r->call_id));
	EXPECT_EQ(4, rec->ranges);
	EXPECT_EQ(r->ranges_seen, rec->ranges);
	EXPECT_EQ(r->ranges_advised, rec->advised);
	EXPECT_EQ(1, rec->refused);
	EXPECT_EQ(r->ranges_refused, rec->refused);
	EXPECT_EQ(r->ranges_skipped, rec->skipped);
	EXPECT_EQ(r->ranges_failed, rec->failed);
	EXPECT_EQ(EINVAL, rec->error);
	EXPECT_EQ(r->bytes_advised, rec->bytes);
	EXPECT_EQ(r->stats.scanned, rec->scanned);
	EXPECT_EQ(r->stats.reclaimed, rec->reclaimed);
	EXPECT_EQ(NPAGES - 16, rec->reclaimed);
	EXPECT_LT(0, rec->time_ns);
	EXPECT_LE(rec->time_ns, r->stats.time_ns);
	EXPECT_FALSE(rec->wrong_tgid);

	EXPECT_EQ(1, rec->calls);
	EXPECT_EQ(r->ranges_seen, rec->seen);
	EXPECT_EQ(r->ranges_advised, rec->call_advised);
	EXPECT_EQ(r->bytes_advised, rec->call_bytes);
	EXPECT_EQ(r->stats.reclaimed, rec->call_reclaimed);
	EXPECT_EQ(r->stats.time_ns, rec->call_time_ns);
	EXPECT_EQ(PMADV_SKIP_ERRORS | PMADV_RESULT, rec->flags);
	EXPECT_EQ(r->stopped, rec->stopped);
	EXPECT_EQ((NPAGES - 16) * (long)PAGE, rec->ret);
}

TEST_F(trace, entire)
{
	struct pmadv_result *r = &self->r;
	struct records *rec = &self->rec;
	long ret;

	ret = pmadv(self->t.pidfd, NULL, 0, MADV_PAGEOUT,
		    PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT, r);
	ASSERT_LT((long)LEN, ret);
	ASSERT_EQ(0, read_records(rec, self->t.pid, r->call_id));
	EXPECT_LT(10, rec->ranges);
	EXPECT_EQ(r->ranges_seen, rec->ranges);
	EXPECT_EQ(r->ranges_advised, rec->advised);
	EXPECT_EQ(r->ranges_refused, rec->refused);
	EXPECT_EQ(r->ranges_skipped, rec->skipped);
	EXPECT_EQ(r->bytes_advised, rec->bytes);
	EXPECT_EQ(r->stats.scanned, rec->scanned);
	EXPECT_EQ(r->stats.reclaimed, rec->reclaimed);
	EXPECT_EQ(ret, rec->ret);
	EXPECT_EQ(PMADV_ENTIRE_ADDRESS_SPACE | PMADV_SKIP_ERRORS | PMADV_RESULT,
		  rec->flags);
}

/* Calls that ended early or failed have a record, too. */
TEST_F(trace, calls_that_end_early)
{
	struct pmadv_result *r = &self->r;
	struct records *rec = &self->rec;
	struct iovec vec = { (void *)self->addr, LEN };

	r->max_pages = 10;
	ASSERT_EQ(10 * (long)PAGE, pmadv(self->t.pidfd, &vec, 1, MADV_PAGEOUT,
					 PMADV_RESULT, r));
	ASSERT_EQ(0, read_records(rec, self->t.pid, r->call_id));
	EXPECT_EQ(1, rec->ranges);
	EXPECT_EQ(10 * PAGE, rec->bytes);
	EXPECT_EQ(10, rec->reclaimed);
	EXPECT_EQ(PMADV_STOPPED_BUDGET, rec->stopped);

	ASSERT_EQ(-ENOENT, pmadv(self->t.pidfd, NULL, 0, MADV_PAGEOUT,
				 PMADV_ENTIRE_ADDRESS_SPACE | PMADV_POLICY |
				 PMADV_RESULT, r));
	ASSERT_EQ(0, read_records(rec, self->t.pid, r->call_id));
	EXPECT_EQ(0, rec->ranges);
	EXPECT_EQ(1, rec->calls);
	EXPECT_EQ(-ENOENT, rec->ret);

	ASSERT_EQ(0, target_call(&self->t, do_mlock, self->addr, LEN, 0));
	ASSERT_EQ(-EINVAL, pmadv_one(self->t.pidfd, self->addr, LEN, MADV_COLD,
				     PMADV_RESULT, r));
	ASSERT_EQ(0, read_records(rec, self->t.pid, r->call_id));
	EXPECT_EQ(1, rec->refused);
	EXPECT_EQ(EINVAL, rec->error);
	EXPECT_EQ(-EINVAL, rec->ret);
	EXPECT_EQ(PMADV_STOPPED_ERROR, rec->stopped);

	/* A dry run decides, and its decisions are there to be seen. */
	ASSERT_EQ(-EINVAL, pmadv_one(self->t.pidfd, self->addr, LEN,
				     MADV_PAGEOUT, PMADV_DRY_RUN, r));
	ASSERT_EQ(0, read_records(rec, self->t.pid, r->call_id));
	EXPECT_EQ(1, rec->refused);
}

/* Calls without flags are none of this, and cost nothing. */
TEST_F(trace, calls_without_flags)
{
	char buf[4096];

	ASSERT_EQ((long)LEN, pmadv_one(self->t.pidfd, self->addr, LEN,
				       MADV_PAGEOUT, 0, NULL));
	ASSERT_LE(0, read_file(TRACE "/trace", buf, sizeof(buf)));
	EXPECT_EQ(NULL, strstr(buf, "pmadv_"));
}

TEST_HARNESS_MAIN

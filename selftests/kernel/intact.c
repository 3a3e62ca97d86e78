// SPDX-License-Identifier: GPL-2.0
/*
 * No advice ever loses a byte: every kind of memory, given every advice in
 * every way, is read back page by page; also while it is being written, while
 * it is advised from two sides, and when there is not enough swap.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/util.h"

#define NPAGES		256UL
#define LEN		(NPAGES * PAGE)

/* Ways to call: flags, and a budget for going on in pieces. */
static const struct way {
	unsigned int flags;
	uint64_t max_pages;
} ways[] = {
	{ 0, 0 },
	{ PMADV_SKIP_ERRORS, 0 },
	{ PMADV_ENTIRE_ADDRESS_SPACE, 0 },
	{ PMADV_DRY_RUN | PMADV_SKIP_ERRORS, 0 },
	{ PMADV_RESULT | PMADV_SKIP_ERRORS, 37 },
};

/* Advise until done; whether the advice is taken is not the question here. */
static void advise(struct target *t, unsigned long addr, size_t len, int advice,
		   const struct way *way)
{
	struct pmadv_result r = { .size = sizeof(r) };
	bool entire = way->flags & PMADV_ENTIRE_ADDRESS_SPACE;
	struct iovec vec = { (void *)addr, len };

	r.max_pages = way->max_pages;
	do {
		pmadv(t->pidfd, entire ? NULL : &vec, !entire, advice,
		      way->flags, &r);
	} while (r.stopped == PMADV_STOPPED_BUDGET);
}

/* Kinds of memory *********************************************************/

static int tmp_file(unsigned long len)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	return fd < 0 || ftruncate(fd, len) ? -1 : fd;
}

/*
 * The pattern names the page it is on, so a file that is filled through one
 * mapping can only be checked through one at the same address.
 */
static char *map_file_at(int fd, unsigned long len, int flags)
{
	char *p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	fill((unsigned long)p, len, 1);
	if (msync(p, len, MS_SYNC))
		return NULL;
	if (flags & MAP_SHARED)
		return p;
	p = mmap(p, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static long make_anon(unsigned long len, unsigned long b, unsigned long c)
{
	return do_map_filled(len, 1, 0);
}

static long make_huge(unsigned long len, unsigned long b, unsigned long c)
{
	return do_map_filled(len, 1, 1);
}

static long make_shared_anon(unsigned long len, unsigned long b,
			     unsigned long c)
{
	unsigned long addr;

	addr = do_map(len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
	if (addr)
		fill(addr, len, 1);
	return addr;
}

static long make_tmpfs_shared(unsigned long len, unsigned long b,
			      unsigned long c)
{
	int fd = tmp_file(len);

	return fd < 0 ? 0 : (long)map_file_at(fd, len, MAP_SHARED);
}

/* Every other page is the process's own copy. */
static long make_tmpfs_private(unsigned long len, unsigned long b,
			       unsigned long c)
{
	int fd = tmp_file(len);
	unsigned long i;
	char *p;

	if (fd < 0)
		return 0;
	p = map_file_at(fd, len, MAP_PRIVATE);
	for (i = 0; p && i < len; i += 2 * PAGE)
		fill((unsigned long)p + i, PAGE, 1);
	return (long)p;
}

static long make_disk(unsigned long len, unsigned long flags, unsigned long c)
{
	int fd = open("/tmp/pmadv_intact/file", O_RDWR | O_CREAT, 0644);
	unsigned long i;
	char *p;

	if (fd < 0 || ftruncate(fd, len))
		return 0;
	p = map_file_at(fd, len, flags);
	close(fd);
	for (i = 0; p && flags & MAP_PRIVATE && i < len; i += 2 * PAGE)
		fill((unsigned long)p + i, PAGE, 1);
	return (long)p;
}

static long make_disk_shared(unsigned long len, unsigned long b,
			     unsigned long c)
{
	return make_disk(len, MAP_SHARED, 0);
}

static long make_disk_private(unsigned long len, unsigned long b,
			      unsigned long c)
{
	return make_disk(len, MAP_PRIVATE, 0);
}

static long make_locked(unsigned long len, unsigned long b, unsigned long c)
{
	unsigned long addr = do_map_filled(len, 1, 0);

	return addr && mlock((void *)addr, len) ? 0 : addr;
}

static long make_hugetlb(unsigned long len, unsigned long b, unsigned long c)
{
	char *p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	fill((unsigned long)p, len, 1);
	return (long)p;
}

FIXTURE(intact)
{
	struct target t;
	unsigned long addr;
	char id[16];
};

FIXTURE_VARIANT(intact)
{
	target_fn make;
	size_t len;
	bool disk;
};

#define KIND(name, size, on_disk)					\
	FIXTURE_VARIANT_ADD(intact, name) {				\
		.make = make_##name, .len = (size), .disk = (on_disk)	\
	}

KIND(anon, LEN, false);
KIND(huge, 2 * HUGE, false);
KIND(shared_anon, LEN, false);
KIND(tmpfs_shared, LEN, false);
KIND(tmpfs_private, LEN, false);
KIND(disk_shared, LEN, true);
KIND(disk_private, LEN, true);
KIND(locked, LEN, false);
KIND(hugetlb, HUGE, false);

#define MOUNT	"/tmp/pmadv_intact"

FIXTURE_SETUP(intact)
{
	char cmd[512];

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, write_file("/proc/sys/vm/nr_hugepages", "2"));
	if (variant->disk) {
		ASSERT_LT(0, read_file("/sys/class/zram-control/hot_add",
				       self->id, sizeof(self->id)));
		self->id[strcspn(self->id, "\n")] = '\0';
		snprintf(cmd, sizeof(cmd),
			 "echo 64M >/sys/block/zram%s/disksize && "
			 "/sbin/mkfs.ext4 -q -F -O ^has_journal /dev/zram%s && "
			 "mkdir -p " MOUNT " && mount /dev/zram%s " MOUNT,
			 self->id, self->id, self->id);
		ASSERT_EQ(0, system(cmd));
	}
	ASSERT_EQ(0, target_start(&self->t));
	self->addr = target_call(&self->t, variant->make, variant->len, 0, 0);
	ASSERT_NE(0, self->addr);
}

FIXTURE_TEARDOWN(intact)
{
	target_stop(&self->t);
	if (variant->disk) {
		umount(MOUNT);
		rmdir(MOUNT);
		write_file("/sys/class/zram-control/hot_remove", self->id);
	}
}

TEST_F(intact, every_advice)
{
	unsigned long gen = 1;
	unsigned int i, j;

	for (i = 0; i < ARRAY_LEN(advices); i++) {
		for (j = 0; j < ARRAY_LEN(ways); j++) {
			/* Once as it comes, once out of swap if it went. */
			advise(&self->t, self->addr, variant->len, MADV_PAGEOUT,
			       &ways[1]);
			advise(&self->t, self->addr, variant->len, advices[i],
			       &ways[j]);
			ASSERT_EQ(0, target_call(&self->t, do_check, self->addr,
						 variant->len, gen))
				TH_LOG("%s, flags %#x", advice_name(advices[i]),
				       ways[j].flags);
			gen++;
			target_call(&self->t, do_fill, self->addr, variant->len,
				    gen);
			advise(&self->t, self->addr, variant->len, advices[i],
			       &ways[j]);
			ASSERT_EQ(0, target_call(&self->t, do_check, self->addr,
						 variant->len, gen))
				TH_LOG("%s, flags %#x", advice_name(advices[i]),
				       ways[j].flags);
		}
	}
}

/* Shared after fork *******************************************************/

static int checker;

static long do_fork_checker(unsigned long addr, unsigned long len,
			    unsigned long gen)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	checker = fork();
	if (!checker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigwait(&set, &sig);
		_exit(check(addr, len, gen) != 0);
	}
	return checker < 0;
}

static long do_ask_checker(unsigned long a, unsigned long b, unsigned long c)
{
	int status;

	kill(checker, SIGUSR1);
	waitpid(checker, &status, 0);
	return status;
}

/* Both see what they saw when they parted, whatever became of the pages. */
TEST(after_fork)
{
	struct target t;
	unsigned long addr;
	unsigned int i;

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, target_start(&t));
	addr = target_call(&t, do_map_filled, LEN, 1, 0);
	ASSERT_NE(0, addr);
	/* Half of it is in swap when they part, and shared there. */
	advise(&t, addr, LEN / 2, MADV_PAGEOUT, &ways[0]);
	ASSERT_EQ(0, target_call(&t, do_fork_checker, addr, LEN, 1));
	for (i = 0; i < ARRAY_LEN(advices); i++)
		advise(&t, addr, LEN, advices[i], &ways[1]);
	target_call(&t, do_fill, addr, LEN / 4, 2);
	for (i = 0; i < ARRAY_LEN(advices); i++)
		advise(&t, addr, LEN, advices[i], &ways[2]);
	EXPECT_EQ(0, target_call(&t, do_ask_checker, 0, 0, 0));
	EXPECT_EQ(0, target_call(&t, do_check, addr, LEN / 4, 2));
	EXPECT_EQ(0, target_call(&t, do_check, addr + LEN / 4, LEN - LEN / 4,
				 1));
	target_stop(&t);
}

/* Written while it is advised *********************************************/

#define WRITERS		3
#define AREA		(160 * PAGE)	/* three fit into a huge page */

struct busy {
	_Atomic bool stop;
	_Atomic unsigned long rounds;
	_Atomic unsigned long lost;
	_Atomic unsigned long walks[2];
	_Atomic unsigned long reclaimed;
};

/* Shared with the caller, for whom the target does not answer meanwhile. */
static struct busy *busy;
static unsigned long areas[WRITERS];

static void *writer(void *arg)
{
	unsigned long addr = areas[(long)arg];
	unsigned long gens[AREA / PAGE] = { 0 };
	unsigned long i;

	while (!busy->stop) {
		for (i = 0; i < AREA / PAGE; i++) {
			unsigned long page = addr + i * PAGE;

			if (check(page, PAGE, gens[i]))
				busy->lost++;
			fill(page, PAGE, ++gens[i]);
		}
		busy->rounds++;
	}
	for (i = 0; i < AREA / PAGE; i++)
		busy->lost += check(addr + i * PAGE, PAGE, gens[i]);
	return NULL;
}

static long do_write(unsigned long huge, unsigned long b, unsigned long c)
{
	pthread_t threads[WRITERS];
	unsigned long all;
	long i;

	pin_to_cpu(1);
	all = do_map_filled(huge ? HUGE : WRITERS * AREA, 0, huge);
	if (!all)
		return -ENOMEM;
	for (i = 0; i < WRITERS; i++) {
		areas[i] = all + i * AREA;
		fill(areas[i], AREA, 0);
	}
	for (i = 0; i < WRITERS; i++)
		if (pthread_create(&threads[i], NULL, writer, (void *)i))
			return -EAGAIN;
	while (i--)
		pthread_join(threads[i], NULL);
	return 0;
}

/*
 * Advise all of @t with everything in turn for three seconds, or on a slow
 * machine until both sides have done enough for it to prove something.
 */
static void walk(struct target *t, unsigned int walker, bool two)
{
	const unsigned int flags = PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT;
	time_t start = time(NULL), now = start;
	struct pmadv_result r;
	unsigned int i;

	for (i = 3 * walker; now < start + 40; i++, now = time(NULL)) {
		if (now > start + 3 && busy->rounds > 3 * WRITERS &&
		    busy->reclaimed > AREA / PAGE && busy->walks[0] > 10 &&
		    (!two || busy->walks[1] > 10))
			break;
		memset(&r, 0, sizeof(r));
		r.size = sizeof(r);
		/* Most of all the one that has the most to lose. */
		pmadv(t->pidfd, NULL, 0,
		      i % 2 ? MADV_PAGEOUT : advices[i / 2 % 4], flags, &r);
		busy->reclaimed += r.stats.reclaimed;
		busy->walks[walker]++;
	}
}

FIXTURE(written)
{
	struct target t;
};

FIXTURE_VARIANT(written)
{
	bool huge;
	bool two_walkers;
};

FIXTURE_VARIANT_ADD(written, anon) {};
FIXTURE_VARIANT_ADD(written, huge) { .huge = true };
FIXTURE_VARIANT_ADD(written, two_walkers) { .two_walkers = true };

FIXTURE_SETUP(written)
{
	busy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, busy);
	ASSERT_EQ(0, target_start(&self->t));
	ASSERT_EQ(0, pin_to_cpu(0));
}

FIXTURE_TEARDOWN(written)
{
	target_stop(&self->t);
}

TEST_F(written, meanwhile)
{
	const bool two = variant->two_walkers;
	pid_t other = -1, asker;
	int status;

	/* target_call() waits for the answer; somebody else has to. */
	asker = fork();
	ASSERT_LE(0, asker);
	if (!asker)
		_exit(target_call(&self->t, do_write, variant->huge, 0, 0) != 0);
	if (two) {
		other = fork();
		if (!other) {
			walk(&self->t, 1, two);
			_exit(0);
		}
	}
	walk(&self->t, 0, two);
	if (other > 0)
		waitpid(other, NULL, 0);
	busy->stop = true;
	EXPECT_EQ(asker, waitpid(asker, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, busy->lost);
	EXPECT_LT(WRITERS * 3, busy->rounds);
	EXPECT_LT(AREA / PAGE, busy->reclaimed);
	EXPECT_LT(10, busy->walks[0]);
	EXPECT_LE(two ? 11 : 0, busy->walks[1]);
	TH_LOG("%lu rounds of writing, %lu + %lu walks, %lu pages reclaimed",
	       (unsigned long)busy->rounds, (unsigned long)busy->walks[0],
	       (unsigned long)busy->walks[1], (unsigned long)busy->reclaimed);
}

/* Not enough swap *********************************************************/

#define CGROUP	"/sys/fs/cgroup/pmadv_intact"

static long enter_cgroup(unsigned long a, unsigned long b, unsigned long c)
{
	return write_file(CGROUP "/cgroup.procs", "0");
}

TEST(swap_runs_out)
{
	const struct way *way = &ways[1];
	struct target t;
	struct pages pages;
	unsigned long addr, huge;
	int i;

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, write_file("/sys/fs/cgroup/cgroup.subtree_control",
				"+memory"));
	rmdir(CGROUP);
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	/* 100 pages, which is not even a fifth of a huge one. */
	ASSERT_EQ(0, write_file(CGROUP "/memory.swap.max", "409600"));
	ASSERT_EQ(0, target_start(&t));
	EXPECT_EQ(0, target_call(&t, enter_cgroup, 0, 0, 0));
	addr = target_call(&t, do_map_filled, LEN, 1, 0);
	huge = target_call(&t, do_map_filled, HUGE, 2, 1);
	EXPECT_NE(0, addr);
	EXPECT_NE(0, huge);
	for (i = 0; i < 3; i++) {
		advise(&t, huge, HUGE, MADV_PAGEOUT, way);
		advise(&t, addr, LEN, MADV_PAGEOUT, way);
		EXPECT_EQ(0, pagemap(t.pid, addr, LEN, &pages));
		EXPECT_GE(100, pages.swapped);
		EXPECT_EQ(NPAGES, pages.swapped + pages.present);
		EXPECT_EQ(0, target_call(&t, do_check, addr, LEN, 1));
		EXPECT_EQ(0, target_call(&t, do_check, huge, HUGE, 2));
	}
	target_stop(&t);
	for (i = 0; i < 50 && rmdir(CGROUP) && errno == EBUSY; i++)
		usleep(20000);
}

/* The swap device that kernel/vm has set up. */
static int swap_device(char *path, size_t size)
{
	char buf[1024], *line;

	if (read_file("/proc/swaps", buf, sizeof(buf)) < 0)
		return -1;
	line = strchr(buf, '\n');
	if (!line || line[1] != '/')
		return -1;
	line[1 + strcspn(line + 1, " \t")] = '\0';
	return (size_t)snprintf(path, size, "%s", line + 1) < size ? 0 : -1;
}

/* Pages that are out when swap is switched off come back; none goes then. */
TEST(swap_is_switched_off)
{
	struct pmadv_result r;
	struct pages pages;
	unsigned long addr;
	struct target t;
	char dev[64];

	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, swap_device(dev, sizeof(dev)));
	ASSERT_EQ(0, target_start(&t));
	addr = target_call(&t, do_map_filled, LEN, 1, 0);
	ASSERT_NE(0, addr);
	advise(&t, addr, LEN, MADV_PAGEOUT, &ways[0]);
	ASSERT_EQ(0, swapoff(dev));
	EXPECT_EQ(0, target_call(&t, do_check, addr, LEN, 1));

	EXPECT_EQ((long)LEN, pmadv_one(t.pidfd, addr, LEN, MADV_PAGEOUT, 0,
				       &r));
	EXPECT_EQ(0, r.stats.reclaimed);
	EXPECT_EQ(NPAGES, r.stats.activated);
	EXPECT_EQ(0, pagemap(t.pid, addr, LEN, &pages));
	EXPECT_EQ(NPAGES, pages.present);
	EXPECT_EQ(0, target_call(&t, do_check, addr, LEN, 1));
	ASSERT_EQ(0, swapon(dev, 0));
	target_stop(&t);
}

TEST_HARNESS_MAIN

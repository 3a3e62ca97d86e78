// SPDX-License-Identifier: GPL-2.0
/*
 * How many instructions the paths take that everybody uses, with no policy
 * attached and no flag given. For kernel/vm --icount: there the time stamp
 * counter counts instructions. Of many tries the cheapest counts: it is the one
 * that no interrupt came into.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <x86intrin.h>

#include "bench.h"

#define TRIES		300
#define PAGES		16UL
#define LEN		(PAGES * PAGE)

/* The objects of one measurement. */
struct site {
	char *addr;
	int pidfd;
	pid_t child;
};

static int site_map(struct site *site)
{
	site->addr = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return site->addr == MAP_FAILED ? -errno : 0;
}

static int site_unmap(struct site *site)
{
	return munmap(site->addr, LEN) ? -errno : 0;
}

static int site_touch(struct site *site)
{
	unsigned long i;

	for (i = 0; i < LEN; i += PAGE)
		*(volatile char *)(site->addr + i) = 1;
	return 0;
}

static int site_map_touched(struct site *site)
{
	int err = site_map(site);

	return err ? err : site_touch(site);
}

static int do_nothing(struct site *site)
{
	(void)site;
	return 0;
}

static int do_cold(struct site *site)
{
	return madvise(site->addr, LEN, MADV_COLD) ? -errno : 0;
}

static int do_pageout(struct site *site)
{
	return madvise(site->addr, LEN, MADV_PAGEOUT) ? -errno : 0;
}

static int do_dontneed(struct site *site)
{
	return madvise(site->addr, LEN, MADV_DONTNEED) ? -errno : 0;
}

static int do_remote_cold(struct site *site)
{
	struct iovec vec = { site->addr, LEN };
	long ret = pmadv(site->pidfd, &vec, 1, MADV_COLD, 0, NULL);

	return ret < 0 ? ret : 0;
}

/* The child waits for its end until the parent's count is taken. */
static int do_fork(struct site *site)
{
	site->child = fork();
	if (!site->child) {
		pause();
		_exit(0);
	}
	return site->child < 0 ? -errno : 0;
}

static int do_exit(struct site *site)
{
	int status;

	if (kill(site->child, SIGKILL))
		return -errno;
	return waitpid(site->child, &status, 0) == site->child ? 0 : -errno;
}

static const struct {
	const char *name;
	int (*prepare)(struct site *site);
	int (*run)(struct site *site);
	int (*finish)(struct site *site);
} paths[] = {
	{ "cold", site_map_touched, do_cold, site_unmap },
	{ "pageout", site_map_touched, do_pageout, site_unmap },
	{ "dontneed", site_map_touched, do_dontneed, site_unmap },
	{ "remote_cold", site_map_touched, do_remote_cold, site_unmap },
	{ "fault", site_map, site_touch, site_unmap },
	{ "mmap", do_nothing, site_map, site_unmap },
	{ "munmap", site_map_touched, site_unmap, do_nothing },
	{ "fork", do_nothing, do_fork, do_exit },
	{ "exit", do_fork, do_exit, do_nothing },
};

static int count_path(unsigned int path, struct site *site, uint64_t *least)
{
	uint64_t began, took;
	unsigned int i;
	int err = 0;

	*least = UINT64_MAX;
	for (i = 0; !err && i < TRIES; i++) {
		err = paths[path].prepare(site);
		if (err)
			break;
		began = __rdtsc();
		err = paths[path].run(site);
		took = __rdtsc() - began;
		if (!err)
			err = paths[path].finish(site);
		if (took < *least)
			*least = took;
	}
	return err;
}

int bench_counts(const struct options *opts)
{
	struct site site = { .pidfd = pidfd_open_pid(getpid(), 0) };
	unsigned int i;
	char name[64];
	uint64_t least;
	int err;

	(void)opts;
	if (site.pidfd < 0)
		return failed("a pidfd", site.pidfd);
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		err = count_path(i, &site, &least);
		if (err)
			return failed(paths[i].name, err);
		snprintf(name, sizeof(name), "count.%s", paths[i].name);
		sample(name, least);
	}
	close(site.pidfd);
	return 0;
}

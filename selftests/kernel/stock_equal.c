// SPDX-License-Identifier: GPL-2.0
/*
 * process_madvise(2) without flags, and madvise(2) beside it, in every corner
 * that existing callers may depend on.
 *
 * This is not a test by itself: it prints one line per step, with what the
 * call returned and where the pages are afterwards, and nothing that differs
 * from one boot to the next. selftests/test runs it on the stock kernel and on
 * the patched one; any difference is a regression.
 *
 * Usage: stock_equal FILE, a file of 1 MiB that nothing else maps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <linux/capability.h>
#include <linux/userfaultfd.h>

#include "lib/util.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE	0x08
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD	O_EXCL
#endif

#define N	16UL
#define LEN	(N * PAGE)

static const char *file;
static const char *who;		/* "self" or "other" */
static struct target t;

static const char *number(long ret, char *buf, size_t size)
{
	if (ret < 0 && ret > -4096)
		snprintf(buf, size, "%s", strerrorname_np(-ret) ?: "E?");
	else
		snprintf(buf, size, "%ld", ret);
	return buf;
}

static void vsay(const char *what, long ret, const char *rest)
{
	char buf[32];

	printf("%s.%s: %s%s\n", who, what, number(ret, buf, sizeof(buf)), rest);
}

static void say(const char *what, long ret)
{
	vsay(what, ret, "");
}

/* Print the state of the mapping's pages as well. */
static void look(const char *what, long ret, unsigned long addr, size_t len)
{
	char rest[128];
	struct pages pages;
	long incore;

	incore = target_call(&t, do_mincore, addr, len, 0);
	if (pagemap(t.pid, addr, len, &pages))
		snprintf(rest, sizeof(rest), " no pagemap");
	else
		snprintf(rest, sizeof(rest),
			 " present=%zu swapped=%zu file=%zu incore=%ld",
			 pages.present, pages.swapped, pages.file, incore);
	vsay(what, ret, rest);
}

static long advise(unsigned long addr, size_t len, int advice)
{
	return pmadv_one(t.pidfd, addr, len, advice, 0, NULL);
}

static long filled(void)
{
	return target_call(&t, do_map_filled, LEN, 1, 0);
}

/* Every advice in turn on one mapping, in an order in which each matters. */
static void each_advice(const char *what, unsigned long addr, size_t len)
{
	static const int order[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_PAGEOUT,
		MADV_COLLAPSE,
	};
	char name[128];
	unsigned int i;

	if (!addr) {
		say(what, -ENOSYS);
		return;
	}
	for (i = 0; i < ARRAY_LEN(order); i++) {
		snprintf(name, sizeof(name), "%s.%s", what,
			 advice_name(order[i]));
		look(name, advise(addr, len, order[i]), addr, len);
	}
}

static void holes(void)
{
	static const struct {
		const char *name;
		unsigned long from, pages;
	} where[] = {
		{ "start", 0, 4 }, { "middle", 6, 4 }, { "end", 12, 4 },
		{ "all", 0, 16 }, { "none", 0, 0 }, { "first", 0, 1 },
		{ "last", 15, 1 },
	};
	unsigned int i, j;
	unsigned long addr;
	char name[64];

	for (i = 0; i < ARRAY_LEN(where); i++) {
		for (j = 0; j < ARRAY_LEN(advices); j++) {
			addr = filled();
			if (where[i].pages)
				target_call(&t, do_unmap,
					    addr + where[i].from * PAGE,
					    where[i].pages * PAGE, 0);
			snprintf(name, sizeof(name), "hole.%s.%s",
				 where[i].name, advice_name(advices[j]));
			look(name, advise(addr, LEN, advices[j]), addr, LEN);
		}
	}
	/* The guard page in front belongs to nobody, and so does the rest. */
	addr = filled();
	look("hole.before", advise(addr - PAGE, LEN, MADV_PAGEOUT), addr, LEN);
	addr = filled();
	look("hole.behind", advise(addr + PAGE, LEN, MADV_PAGEOUT), addr, LEN);
	say("hole.nowhere", advise(PAGE, PAGE, MADV_COLD));
	say("hole.zero_page", advise(0, PAGE, MADV_COLD));
}

static void locked(void)
{
	struct iovec vec[3];
	unsigned long addr[3];
	unsigned int i, j;
	char name[64];

	addr[0] = filled();
	target_call(&t, do_mlock, addr[0], LEN, 0);
	each_advice("locked.all", addr[0], LEN);
	addr[0] = filled();
	target_call(&t, do_mlock, addr[0] + 4 * PAGE, 4 * PAGE, 0);
	each_advice("locked.middle", addr[0], LEN);

	/* The return value says how far it came, in whole ranges. */
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 3; j++) {
			addr[j] = filled();
			vec[j].iov_base = (void *)addr[j];
			vec[j].iov_len = LEN;
		}
		target_call(&t, do_mlock, addr[i], PAGE, 0);
		snprintf(name, sizeof(name), "locked.range%u", i);
		say(name, pmadv(t.pidfd, vec, 3, MADV_PAGEOUT, 0, NULL));
		for (j = 0; j < 3; j++) {
			snprintf(name, sizeof(name), "locked.range%u.%u", i, j);
			look(name, 0, addr[j], LEN);
		}
	}
	/* A hole inside one range, then one that is fine. */
	for (j = 0; j < 3; j++) {
		addr[j] = filled();
		vec[j].iov_base = (void *)addr[j];
		vec[j].iov_len = LEN;
	}
	target_call(&t, do_unmap, addr[1] + 4 * PAGE, PAGE, 0);
	say("partial.hole", pmadv(t.pidfd, vec, 3, MADV_PAGEOUT, 0, NULL));
	for (j = 0; j < 3; j++) {
		snprintf(name, sizeof(name), "partial.hole.%u", j);
		look(name, 0, addr[j], LEN);
	}
}

static long map_hugetlb(unsigned long len, unsigned long a, unsigned long b)
{
	char *p;

	(void)a;
	(void)b;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	*p = 1;
	return (long)p;
}

/* Registers of the first PCI device that has enough of them. */
static long map_device(unsigned long len, unsigned long a, unsigned long b)
{
	char *p = MAP_FAILED;
	struct stat st;
	glob_t found;
	size_t i;
	int fd;

	(void)a;
	(void)b;
	if (glob("/sys/bus/pci/devices/*/resource[0-9]", 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc && p == MAP_FAILED; i++) {
		fd = open(found.gl_pathv[i], O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!fstat(fd, &st) && st.st_size >= (off_t)len)
			p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	globfree(&found);
	return p == MAP_FAILED ? 0 : (long)p;
}

static long map_secret(unsigned long len, unsigned long a, unsigned long b)
{
	char *p = MAP_FAILED;
	int fd;

	(void)a;
	(void)b;
	fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	if (fd >= 0) {
		if (!ftruncate(fd, len))
			p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fd, 0);
		close(fd);
	}
	if (p == MAP_FAILED)
		return 0;
	fill((unsigned long)p, len, 1);
	return (long)p;
}

static long map_uffd(unsigned long len, unsigned long mode, unsigned long b)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = mode };
	unsigned long addr;
	int fd;

	(void)b;
	addr = do_map_filled(len, 1, 0);
	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (!addr || fd < 0)
		return 0;
	reg.range.start = addr;
	reg.range.len = len;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		return 0;
	return addr;
}

static long map_sealed(unsigned long len, unsigned long prot, unsigned long b)
{
	unsigned long addr = do_map_filled(len, 1, 0);

	(void)b;
	if (!addr || mprotect((void *)addr, len, prot) ||
	    syscall(__NR_mseal, addr, len, 0))
		return 0;
	return addr;
}

static long map_file(unsigned long flags, unsigned long prot, unsigned long cow)
{
	unsigned long i;
	char *p;
	int fd;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	p = mmap(NULL, LEN, prot, flags, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return 0;
	do_read((unsigned long)p, LEN, 0);
	for (i = 0; i < cow; i++)
		p[i * PAGE] ^= 1;
	return (long)p;
}

static long map_memfd(unsigned long flags, unsigned long prot,
		      unsigned long cow)
{
	unsigned long i;
	char *p, *w;
	int fd;

	fd = memfd_create("stock_equal", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, LEN))
		return 0;
	w = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (w == MAP_FAILED)
		return 0;
	fill((unsigned long)w, LEN, 1);
	munmap(w, LEN);
	p = mmap(NULL, LEN, prot, flags, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return 0;
	do_read((unsigned long)p, LEN, 0);
	for (i = 0; i < cow; i++)
		p[i * PAGE] ^= 1;
	return (long)p;
}

static long map_filled_flags(unsigned long flags, unsigned long a,
			     unsigned long b)
{
	unsigned long addr;

	(void)a;
	(void)b;
	addr = do_map(LEN, PROT_READ | PROT_WRITE, flags);
	if (addr) {
		madvise((void *)addr, LEN, MADV_NOHUGEPAGE);
		fill(addr, LEN, 1);
	}
	return addr;
}

static long map_prot_none(unsigned long a, unsigned long b, unsigned long c)
{
	unsigned long addr = do_map_filled(LEN, 1, 0);

	(void)a;
	(void)b;
	(void)c;
	if (addr && mprotect((void *)addr, LEN, PROT_NONE))
		return 0;
	return addr;
}

static unsigned long mapping_named(const char *name, size_t *len)
{
	struct mapping *maps;
	unsigned long start = 0;
	int i, n;

	n = read_maps(t.pid, &maps);
	for (i = 0; i < n; i++) {
		if (strcmp(maps[i].name, name))
			continue;
		start = maps[i].start;
		*len = maps[i].end - maps[i].start;
	}
	if (n >= 0)
		free(maps);
	return start;
}

static void special(void)
{
	static const char *const names[] = { "[vdso]", "[vvar]" };
	unsigned long addr;
	unsigned int i, j;
	char name[64];
	size_t len;

	addr = target_call(&t, map_hugetlb, HUGE, 0, 0);
	for (i = 0; i < ARRAY_LEN(advices); i++) {
		snprintf(name, sizeof(name), "hugetlb.%s",
			 advice_name(advices[i]));
		look(name, addr ? advise(addr, HUGE, advices[i]) : -ENOSYS,
		     addr, HUGE);
		snprintf(name, sizeof(name), "hugetlb.part.%s",
			 advice_name(advices[i]));
		say(name, addr ? advise(addr + PAGE, PAGE, advices[i]) :
		    -ENOSYS);
	}
	target_call(&t, do_unmap, addr, HUGE, 0);

	addr = target_call(&t, map_device, 4 * PAGE, 0, 0);
	say("pfnmap.flag", smaps(t.pid, "VmFlags:pf", addr, addr + 1));
	for (i = 0; i < ARRAY_LEN(advices); i++) {
		snprintf(name, sizeof(name), "pfnmap.%s",
			 advice_name(advices[i]));
		say(name, addr ? advise(addr, 4 * PAGE, advices[i]) : -ENOSYS);
	}
	for (j = 0; j < ARRAY_LEN(names); j++) {
		addr = mapping_named(names[j], &len);
		for (i = 0; i < ARRAY_LEN(advices); i++) {
			snprintf(name, sizeof(name), "%s.%s", names[j],
				 advice_name(advices[i]));
			say(name, addr ? advise(addr, len, advices[i]) :
			    -ENOSYS);
		}
	}
	for (i = 0; i < ARRAY_LEN(advices); i++) {
		snprintf(name, sizeof(name), "vsyscall.%s",
			 advice_name(advices[i]));
		say(name, advise((unsigned long)0xffffffffff600000ULL, PAGE,
				 advices[i]));
	}
	each_advice("secretmem", target_call(&t, map_secret, LEN, 0, 0), LEN);
	each_advice("uffd_missing",
		    target_call(&t, map_uffd, LEN,
				UFFDIO_REGISTER_MODE_MISSING, 0), LEN);
	each_advice("uffd_wp",
		    target_call(&t, map_uffd, LEN, UFFDIO_REGISTER_MODE_WP, 0),
		    LEN);
	each_advice("sealed.rw",
		    target_call(&t, map_sealed, LEN, PROT_READ | PROT_WRITE, 0),
		    LEN);
	each_advice("sealed.ro", target_call(&t, map_sealed, LEN, PROT_READ, 0),
		    LEN);
	each_advice("prot_none", target_call(&t, map_prot_none, 0, 0, 0), LEN);
	each_advice("droppable",
		    target_call(&t, map_filled_flags,
				MAP_DROPPABLE | MAP_ANONYMOUS, 0, 0), LEN);
	each_advice("growsdown",
		    target_call(&t, map_filled_flags,
				MAP_GROWSDOWN | MAP_PRIVATE | MAP_ANONYMOUS,
				0, 0), LEN);
	each_advice("shared_anon",
		    target_call(&t, map_filled_flags,
				MAP_SHARED | MAP_ANONYMOUS, 0, 0), LEN);
}

static void files(void)
{
	unsigned long addr;

	each_advice("memfd.shared",
		    target_call(&t, map_memfd, MAP_SHARED,
				PROT_READ | PROT_WRITE, 0), LEN);
	each_advice("memfd.private",
		    target_call(&t, map_memfd, MAP_PRIVATE,
				PROT_READ | PROT_WRITE, 4), LEN);

	/* The pages that were read ahead are nobody's business but the disk's. */
	addr = target_call(&t, map_file, MAP_PRIVATE, PROT_READ | PROT_WRITE,
			   4);
	look("file.private", 0, addr, LEN);
	look("file.private.cold", advise(addr, LEN, MADV_COLD), addr, LEN);
	look("file.private.pageout", advise(addr, LEN, MADV_PAGEOUT), addr,
	     LEN);
	say("file.private.willneed", advise(addr, LEN, MADV_WILLNEED));
	target_call(&t, do_read, addr, LEN, 0);
	look("file.private.read", 0, addr, LEN);
	say("file.private.collapse", advise(addr, LEN, MADV_COLLAPSE));
	target_call(&t, do_unmap, addr, LEN, 0);

	addr = target_call(&t, map_file, MAP_SHARED, PROT_READ, 0);
	look("file.shared", 0, addr, LEN);
	look("file.shared.cold", advise(addr, LEN, MADV_COLD), addr, LEN);
	look("file.shared.pageout", advise(addr, LEN, MADV_PAGEOUT), addr, LEN);
	say("file.shared.willneed", advise(addr, LEN, MADV_WILLNEED));
	target_call(&t, do_read, addr, LEN, 0);
	look("file.shared.read", 0, addr, LEN);
	target_call(&t, do_unmap, addr, LEN, 0);
}

static void huge(void)
{
	unsigned long addr;
	char name[64];
	long ret;

	addr = target_call(&t, do_map_filled, HUGE, 1, 1);
	snprintf(name, sizeof(name), "thp.%lld",
		 smaps(t.pid, "AnonHugePages", addr, addr + HUGE));
	look(name, 0, addr, HUGE);
	look("thp.cold", advise(addr, HUGE, MADV_COLD), addr, HUGE);
	look("thp.pageout.half", advise(addr, HUGE / 2, MADV_PAGEOUT), addr,
	     HUGE);
	look("thp.pageout", advise(addr, HUGE, MADV_PAGEOUT), addr, HUGE);
	look("thp.willneed", advise(addr, HUGE, MADV_WILLNEED), addr, HUGE);
	target_call(&t, do_read, addr, HUGE, 0);
	ret = advise(addr, HUGE, MADV_COLLAPSE);
	snprintf(name, sizeof(name), "thp.collapse.%lld",
		 smaps(t.pid, "AnonHugePages", addr, addr + HUGE));
	look(name, ret, addr, HUGE);
	say("thp.collapse.part", advise(addr + PAGE, HUGE - PAGE,
					MADV_COLLAPSE));
	say("thp.check", target_call(&t, do_check, addr, HUGE, 1));
	target_call(&t, do_unmap, addr, HUGE, 0);

	addr = target_call(&t, do_map_filled, HUGE, 1, 1);
	look("thp.pageout.whole", advise(addr, HUGE, MADV_PAGEOUT), addr, HUGE);
	say("thp.check.whole", target_call(&t, do_check, addr, HUGE, 1));
	target_call(&t, do_unmap, addr, HUGE, 0);
}

static void vectors(void)
{
	struct iovec *vec;
	unsigned long addr = filled();
	unsigned int i;

	vec = calloc(1025, sizeof(*vec));
	if (!vec)
		return;
	for (i = 0; i < 1025; i++) {
		vec[i].iov_base = (void *)(addr + i % N * PAGE);
		vec[i].iov_len = PAGE;
	}
	look("vec.1024", pmadv(t.pidfd, vec, 1024, MADV_PAGEOUT, 0, NULL),
	     addr, LEN);
	say("vec.1025", pmadv(t.pidfd, vec, 1025, MADV_PAGEOUT, 0, NULL));
	say("vec.max", pmadv(t.pidfd, vec, SIZE_MAX, MADV_COLD, 0, NULL));
	say("vec.int_max", pmadv(t.pidfd, vec, INT_MAX, MADV_COLD, 0, NULL));
#ifdef __LP64__
	say("vec.4gi", pmadv(t.pidfd, vec, 1UL << 32, MADV_COLD, 0, NULL));
	say("vec.4gi+1", pmadv(t.pidfd, vec, (1UL << 32) + 1, MADV_COLD, 0,
			       NULL));
#endif
	say("vec.0", pmadv(t.pidfd, vec, 0, MADV_COLD, 0, NULL));
	say("vec.0.null", pmadv(t.pidfd, NULL, 0, MADV_COLD, 0, NULL));
	say("vec.0.bad", pmadv(t.pidfd, (void *)1, 0, MADV_COLD, 0, NULL));
	say("vec.0.bad_advice", pmadv(t.pidfd, vec, 0, 4, 0, NULL));
	say("vec.0.bad_pidfd", pmadv(-1, vec, 0, MADV_COLD, 0, NULL));
	say("vec.null", pmadv(t.pidfd, NULL, 1, MADV_COLD, 0, NULL));
	say("vec.bad", pmadv(t.pidfd, (void *)1, 1, MADV_COLD, 0, NULL));
	say("vec.kernel", pmadv(t.pidfd, (void *)(LONG_MIN + 4096), 1,
				MADV_COLD, 0, NULL));
	say("vec.bad.8", pmadv(t.pidfd, (void *)1, 8, MADV_COLD, 0, NULL));
	say("vec.bad.9", pmadv(t.pidfd, (void *)1, 9, MADV_COLD, 0, NULL));

	/* Runs out of the mapping after the third. */
	{
		char *p = (char *)do_map(PAGE, PROT_READ | PROT_WRITE, 0);
		struct iovec *end = (struct iovec *)(p + PAGE);

		for (i = 1; i <= 3; i++)
			end[-(int)i] = vec[i];
		say("vec.to_the_end", pmadv(t.pidfd, end - 3, 3, MADV_COLD, 0,
					    NULL));
		say("vec.beyond", pmadv(t.pidfd, end - 3, 4, MADV_COLD, 0,
					NULL));
		mprotect(p, PAGE, PROT_NONE);
		say("vec.unreadable", pmadv(t.pidfd, end - 3, 3, MADV_COLD, 0,
					    NULL));
	}

	/* Nothing, in all the places it can be. */
	vec[0].iov_len = 0;
	say("zero.one", pmadv(t.pidfd, vec, 1, MADV_COLD, 0, NULL));
	say("zero.first", pmadv(t.pidfd, vec, 3, MADV_COLD, 0, NULL));
	vec[0].iov_len = PAGE;
	vec[1].iov_len = 0;
	say("zero.middle", pmadv(t.pidfd, vec, 3, MADV_COLD, 0, NULL));
	vec[1].iov_base = (void *)1;
	say("zero.unaligned", pmadv(t.pidfd, vec, 3, MADV_COLD, 0, NULL));
	vec[1].iov_base = (void *)(LONG_MIN + 4096);
	say("zero.kernel", pmadv(t.pidfd, vec, 3, MADV_COLD, 0, NULL));
	vec[1].iov_base = NULL;
	vec[2].iov_len = 0;
	say("zero.last", pmadv(t.pidfd, vec, 3, MADV_COLD, 0, NULL));
	vec[0].iov_len = 0;
	say("zero.all", pmadv(t.pidfd, vec, 3, MADV_COLD, 0, NULL));

	/* The same pages twice, and in two directions. */
	target_call(&t, do_fill, addr, LEN, 1);
	vec[0] = (struct iovec){ (void *)(addr + 4 * PAGE), 8 * PAGE };
	vec[1] = (struct iovec){ (void *)(addr + 8 * PAGE), 8 * PAGE };
	vec[2] = (struct iovec){ (void *)addr, 6 * PAGE };
	look("overlap", pmadv(t.pidfd, vec, 3, MADV_PAGEOUT, 0, NULL), addr,
	     LEN);
	free(vec);
}

static void ranges(void)
{
	static const struct {
		const char *name;
		long base, len;
	} odd[] = {
		{ "base+1", 1, PAGE }, { "base+2048", 2048, PAGE },
		{ "len+1", 0, PAGE + 1 }, { "len1", 0, 1 },
		{ "len4095", 0, PAGE - 1 }, { "base-1", -1, PAGE },
		{ "len_max", 0, LONG_MAX }, { "len_min", 0, LONG_MIN },
		{ "len-1", 0, -1 }, { "len-4096", 0, -4096 },
	};
	unsigned long addr;
	struct iovec vec[2];
	unsigned int i;
	char name[64];

	for (i = 0; i < ARRAY_LEN(odd); i++) {
		addr = filled();
		snprintf(name, sizeof(name), "odd.%s", odd[i].name);
		/* A length that is cut to 2 GiB may run into other mappings. */
		if (odd[i].len == LONG_MAX) {
			say(name, advise(addr + odd[i].base, odd[i].len,
					 MADV_COLD));
			continue;
		}
		look(name, advise(addr + odd[i].base, odd[i].len,
				  MADV_PAGEOUT), addr, LEN);
	}
	say("odd.wraps", advise(ULONG_MAX - PAGE + 1, 2 * PAGE, MADV_COLD));
	say("odd.top", advise(ULONG_MAX - PAGE + 1, PAGE, MADV_COLD));
	say("odd.kernel", advise(LONG_MIN, PAGE, MADV_COLD));
	/* An odd one after a good one: as far as it came. */
	addr = filled();
	vec[0] = (struct iovec){ (void *)addr, PAGE };
	vec[1] = (struct iovec){ (void *)(addr + 1), PAGE };
	look("odd.second", pmadv(t.pidfd, vec, 2, MADV_PAGEOUT, 0, NULL), addr,
	     LEN);
	vec[0].iov_len = 100;
	vec[1].iov_base = (void *)(addr + PAGE);
	vec[1].iov_len = 100;
	look("odd.lengths", pmadv(t.pidfd, vec, 2, MADV_PAGEOUT, 0, NULL), addr,
	     LEN);
}

static void sizes(void)
{
	const unsigned long gib = 1UL << 30;
	struct iovec vec[4];
	unsigned long addr, len;
	unsigned int i;

	len = sizeof(long) == 8 ? 5UL << 30 : 1UL << 30;
	addr = target_call(&t, do_map, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	if (!addr) {
		say("size", -ENOSYS);
		return;
	}
	if (len > gib) {
		/* A page on either side of where a call is cut. */
		target_call(&t, do_fill, addr + 2 * gib - 2 * PAGE, PAGE, 1);
		target_call(&t, do_fill, addr + 2 * gib - PAGE, PAGE, 1);
		say("size.5g", advise(addr, len, MADV_PAGEOUT));
		look("size.5g.before", 0, addr + 2 * gib - 2 * PAGE, PAGE);
		look("size.5g.after", 0, addr + 2 * gib - PAGE, PAGE);
		say("size.2g-1", advise(addr, 2 * gib - 1, MADV_COLD));
		say("size.2g", advise(addr, 2 * gib, MADV_COLD));
	}
	for (i = 0; i < 4; i++) {
		vec[i].iov_base = (void *)addr;
		vec[i].iov_len = gib;
	}
	say("size.2x1g", pmadv(t.pidfd, vec, 2, MADV_COLD, 0, NULL));
	say("size.3x1g", pmadv(t.pidfd, vec, 3, MADV_COLD, 0, NULL));
	say("size.4x1g", pmadv(t.pidfd, vec, 4, MADV_PAGEOUT, 0, NULL));
	target_call(&t, do_unmap, addr, len, 0);
}

static void advice_numbers(void)
{
	static const int special[] = {
		100, 101, 102, 103, INT_MAX, INT_MIN, -1, -2, -3, 0x10014,
	};
	unsigned long addr = filled();
	char name[64];
	unsigned int i;
	int advice;

	for (advice = 0; advice < 32; advice++) {
		snprintf(name, sizeof(name), "advice.%d", advice);
		look(name, advise(addr, LEN, advice), addr, LEN);
	}
	for (i = 0; i < ARRAY_LEN(special); i++) {
		snprintf(name, sizeof(name), "advice.%d", special[i]);
		say(name, advise(addr, LEN, special[i]));
	}
	say("advice.check", target_call(&t, do_check, addr, LEN, 1));
}

static void flags(void)
{
	unsigned long addr = filled();
	struct iovec vec = { (void *)addr, LEN };
	unsigned int bit;
	char name[64];

	/* The first five have a meaning now, and are probed for. */
	for (bit = 5; bit < 32; bit++) {
		snprintf(name, sizeof(name), "flags.bit%u", bit);
		say(name, pmadv(t.pidfd, &vec, 1, MADV_PAGEOUT, 1U << bit,
				NULL));
	}
	say("flags.all", pmadv(t.pidfd, &vec, 1, MADV_PAGEOUT, UINT_MAX, NULL));
	say("flags.first", pmadv(-1, (void *)1, 1, -1, 1U << 31, (void *)1));
	look("flags.sixth", pmadv(t.pidfd, &vec, 1, MADV_COLD, 0, (void *)1),
	     addr, LEN);
	look("flags.sixth.max", pmadv(t.pidfd, &vec, 1, MADV_COLD, 0,
				      (void *)-1L), addr, LEN);
}

static void *wait_on_pipe(void *arg)
{
	volatile int *fds = arg;
	char c;

	fds[2] = syscall(SYS_gettid);
	return (void *)read(fds[0], &c, 1);
}

static void targets(void)
{
	pthread_t thread;
	int fds[3] = { 0 };
	unsigned long addr = filled();
	struct iovec vec = { (void *)addr, LEN };
	struct target dead;
	int fd, pidfd;

	say("pidfd.-1", pmadv(-1, &vec, 1, MADV_COLD, 0, NULL));
	say("pidfd.min", pmadv(INT_MIN, &vec, 1, MADV_COLD, 0, NULL));
	say("pidfd.9999", pmadv(9999, &vec, 1, MADV_COLD, 0, NULL));
	fd = open("/dev/null", O_RDWR);
	say("pidfd.null", pmadv(fd, &vec, 1, MADV_COLD, 0, NULL));
	close(fd);
	say("pidfd.closed", pmadv(fd, &vec, 1, MADV_COLD, 0, NULL));
	fd = open("/proc/self", O_DIRECTORY);
	say("pidfd.proc", pmadv(fd, &vec, 1, MADV_COLD, 0, NULL));
	close(fd);
	fd = open(file, O_PATH);
	say("pidfd.path", pmadv(fd, &vec, 1, MADV_COLD, 0, NULL));
	close(fd);

	pidfd = pidfd_open_pid(2, 0);
	say("pidfd.kthread", pmadv(pidfd, &vec, 1, MADV_COLD, 0, NULL));
	close(pidfd);
	pidfd = pidfd_open_pid(t.pid, PIDFD_THREAD);
	say("pidfd.thread", pmadv(pidfd, &vec, 1, MADV_COLD, 0, NULL));
	close(pidfd);

	if (!pipe(fds) && !pthread_create(&thread, NULL, wait_on_pipe, fds)) {
		while (!fds[2])
			usleep(1000);
		pidfd = pidfd_open_pid(fds[2], PIDFD_THREAD);
		say("pidfd.not_leader", pmadv(pidfd, &vec, 1, MADV_COLD, 0,
					      NULL));
		close(pidfd);
		say("pidfd.not_leader.plain", pidfd_open_pid(fds[2], 0));
		/* It exits by itself: waiting for it needs more kernel features. */
		pthread_detach(thread);
		close(fds[1]);
	}

	if (target_start(&dead))
		return;
	pidfd = dup(dead.pidfd);
	kill(dead.pid, SIGKILL);
	waitid(P_PID, dead.pid, NULL, WEXITED | WNOWAIT);
	say("pidfd.zombie", pmadv(pidfd, &vec, 1, MADV_COLD, 0, NULL));
	say("pidfd.zombie.advice", pmadv(pidfd, &vec, 1, 4, 0, NULL));
	target_stop(&dead);
	say("pidfd.dead", pmadv(pidfd, &vec, 1, MADV_COLD, 0, NULL));
	say("pidfd.dead.vec", pmadv(pidfd, (void *)1, 1, MADV_COLD, 0, NULL));
	say("pidfd.dead.advice", pmadv(pidfd, &vec, 1, 4, 0, NULL));
	close(pidfd);
}

/* In a child, because this cannot be undone. */
static void rights(void)
{
	const uint64_t all = (1ULL << 41) - 1;
	unsigned long addr = filled();
	struct iovec vec = { (void *)addr, LEN };
	int kthread = pidfd_open_pid(2, 0);
	unsigned int i;
	char name[64];
	pid_t pid;

	for (i = 0; i < 3; i++) {
		fflush(stdout);
		pid = fork();
		if (!pid) {
			if (i == 1 && set_caps(all & ~(1ULL << CAP_SYS_NICE)))
				_exit(1);
			if (i == 2 && (setresgid(99, 99, 99) ||
				       setresuid(99, 99, 99)))
				_exit(1);
			snprintf(name, sizeof(name), "rights.%u", i);
			say(name, pmadv(t.pidfd, &vec, 1, MADV_COLD, 0, NULL));
			snprintf(name, sizeof(name), "rights.%u.advice", i);
			say(name, pmadv(t.pidfd, &vec, 1, 4, 0, NULL));
			snprintf(name, sizeof(name), "rights.%u.nothing", i);
			say(name, pmadv(t.pidfd, NULL, 0, MADV_COLD, 0, NULL));
			snprintf(name, sizeof(name), "rights.%u.kthread", i);
			say(name, pmadv(kthread, &vec, 1, MADV_COLD, 0, NULL));
			snprintf(name, sizeof(name), "rights.%u.flags", i);
			say(name, pmadv(t.pidfd, &vec, 1, MADV_COLD, 1U << 31,
					NULL));
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	close(kthread);
	look("rights", 0, addr, LEN);
}

static long sharer;

static long do_fork_sharer(unsigned long a, unsigned long b, unsigned long c)
{
	(void)a;
	(void)b;
	(void)c;
	fflush(stdout);
	sharer = fork();
	if (!sharer) {
		pause();
		_exit(0);
	}
	return sharer < 0;
}

static long do_kill_sharer(unsigned long a, unsigned long b, unsigned long c)
{
	(void)a;
	(void)b;
	(void)c;
	kill(sharer, SIGKILL);
	waitpid(sharer, NULL, 0);
	return 0;
}

static void shared_by_fork(void)
{
	unsigned long addr = filled();

	say("fork", target_call(&t, do_fork_sharer, 0, 0, 0));
	look("fork.cold", advise(addr, LEN, MADV_COLD), addr, LEN);
	look("fork.pageout", advise(addr, LEN, MADV_PAGEOUT), addr, LEN);
	/* Half of them are its own again. */
	target_call(&t, do_fill, addr, LEN / 2, 2);
	look("fork.pageout.half", advise(addr, LEN, MADV_PAGEOUT), addr, LEN);
	target_call(&t, do_kill_sharer, 0, 0, 0);
	look("fork.pageout.alone", advise(addr, LEN, MADV_PAGEOUT), addr, LEN);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A signal does not shorten a call without flags. */
static void signals(void)
{
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
	struct sigaction act = { .sa_handler = on_alarm };
	const size_t len = 2048 * PAGE;
	unsigned long addr;
	long ret;

	addr = target_call(&t, do_map_filled, len, 1, 0);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	ret = advise(addr, len, MADV_PAGEOUT);
	memset(&every, 0, sizeof(every));
	setitimer(ITIMER_REAL, &every, NULL);
	look("signal", ret, addr, len);
	target_call(&t, do_unmap, addr, len, 0);
}

/* madvise(2) goes through the same code; it must not notice either. */
static void owner(void)
{
	static const int allowed[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_COLD, MADV_PAGEOUT, MADV_FREE, MADV_DONTNEED, MADV_REMOVE,
		MADV_COLLAPSE, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTNEED_LOCKED, 19, 99,
	};
	unsigned long addr;
	char name[64];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(allowed); i++) {
		int advice = allowed[i];

		addr = filled();
		snprintf(name, sizeof(name), "madvise.%d", advice);
		look(name, target_call(&t, do_madvise, addr, LEN, advice), addr,
		     LEN);
		target_call(&t, do_unmap, addr + 4 * PAGE, PAGE, 0);
		snprintf(name, sizeof(name), "madvise.%d.hole", advice);
		say(name, target_call(&t, do_madvise, addr, LEN, advice));
		target_call(&t, do_mlock, addr + 8 * PAGE, PAGE, 0);
		snprintf(name, sizeof(name), "madvise.%d.locked", advice);
		say(name, target_call(&t, do_madvise, addr + 5 * PAGE,
				      LEN - 5 * PAGE, advice));
		snprintf(name, sizeof(name), "madvise.%d.odd", advice);
		say(name, target_call(&t, do_madvise, addr + 1, LEN, advice));
		target_call(&t, do_unmap, addr, LEN, 0);
	}
}

static void run(const char *name)
{
	who = name;
	holes();
	locked();
	special();
	files();
	huge();
	vectors();
	ranges();
	sizes();
	advice_numbers();
	flags();
	targets();
	rights();
	shared_by_fork();
	signals();
	owner();
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int err;

	if (argc != 2) {
		fprintf(stderr, "Usage: %s FILE\n", argv[0]);
		return 2;
	}
	/* Ranges that are too long end where the neighbours are. */
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
		personality(ADDR_NO_RANDOMIZE);
		execv("/proc/self/exe", argv);
		return 1;
	}
	file = argv[1];
	err = pin_to_cpu(0);
	if (!err)
		err = write_file("/proc/sys/vm/nr_hugepages", "4");
	if (!err)
		err = target_start(&t);
	if (err) {
		fprintf(stderr, "cannot start: %s\n", strerror(-err));
		return 1;
	}
	run("other");
	target_stop(&t);
	err = target_self(&t);
	if (err) {
		fprintf(stderr, "no pidfd of its own: %s\n", strerror(-err));
		return 1;
	}
	run("self");
	printf("end\n");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* Shared by the tests; util.h describes each function. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "util.h"

const int advices[4] = {
	MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_COLLAPSE,
};

const char *advice_name(int advice)
{
	switch (advice) {
	case MADV_COLD:
		return "cold";
	case MADV_PAGEOUT:
		return "pageout";
	case MADV_WILLNEED:
		return "willneed";
	case MADV_COLLAPSE:
		return "collapse";
	}
	return "other";
}

bool slow_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

bool has_vma_walks(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[512];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = strstr(line, " lock_next_vma\n");
	if (symbols)
		fclose(symbols);
	return found;
}

long pmadv(int pidfd, const void *vec, size_t vlen, int advice,
	   unsigned int flags, void *result)
{
	long ret;

	ret = syscall(__NR_process_madvise, pidfd, vec, vlen, advice, flags,
		      result);
	return ret == -1 ? -errno : ret;
}

long pmadv_one(int pidfd, unsigned long addr, size_t len, int advice,
	       unsigned int flags, struct pmadv_result *result)
{
	struct iovec vec = { .iov_base = (void *)addr, .iov_len = len };

	if (result) {
		memset(result, 0, sizeof(*result));
		result->size = sizeof(*result);
		flags |= PMADV_RESULT;
	}
	return pmadv(pidfd, &vec, 1, advice, flags, result);
}

int pidfd_open_pid(pid_t pid, unsigned int flags)
{
	int fd = syscall(__NR_pidfd_open, pid, flags);

	return fd < 0 ? -errno : fd;
}

int pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

struct order {
	target_fn fn;
	unsigned long a, b, c;
};

/* Of a target; 0 in the process that gives the orders. */
static int master;

static void obey(int sock)
{
	struct order order;
	long ret;

	master = sock;
	while (read(sock, &order, sizeof(order)) == sizeof(order)) {
		ret = order.fn(order.a, order.b, order.c);
		if (write(sock, &ret, sizeof(ret)) != sizeof(ret))
			break;
	}
}

static void *obey_alone(void *arg)
{
	char path[64], stat[256] = "";
	const char *state = NULL;
	long ret = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	while (!state || state[2] != 'Z') {
		usleep(1000);
		if (read_file(path, stat, sizeof(stat)) > 0)
			state = strrchr(stat, ')');
	}
	if (write(master, &ret, sizeof(ret)) == sizeof(ret))
		obey(master);
	_exit(0);
}

long do_end_main_thread(unsigned long a, unsigned long b, unsigned long c)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, obey_alone, NULL);

	if (!err)
		syscall(SYS_exit, 0);
	return -err;
}

int target_start_with(struct target *t, target_fn setup, unsigned long arg)
{
	long ret;
	int socks[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks))
		return -errno;

	t->pid = fork();
	if (t->pid < 0) {
		ret = -errno;
		close(socks[0]);
		close(socks[1]);
		return ret;
	}
	if (!t->pid) {
		/* Nor any other end that would keep another target alive. */
		syscall(SYS_close_range, 3, socks[1] - 1, 0);
		syscall(SYS_close_range, socks[1] + 1, UINT_MAX, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ret = setup ? setup(arg, 0, 0) : 0;
		if (write(socks[1], &ret, sizeof(ret)) == sizeof(ret) && !ret)
			obey(socks[1]);
		_exit(0);
	}
	close(socks[1]);
	t->sock = socks[0];
	t->pidfd = -1;
	if (read(t->sock, &ret, sizeof(ret)) != sizeof(ret))
		ret = -ESRCH;
	if (!ret) {
		t->pidfd = pidfd_open_pid(t->pid, 0);
		ret = t->pidfd < 0 ? t->pidfd : 0;
	}
	if (ret)
		target_stop(t);
	return ret;
}

int target_start(struct target *t)
{
	return target_start_with(t, NULL, 0);
}

int target_self(struct target *t)
{
	t->pid = getpid();
	t->sock = -1;
	t->pidfd = pidfd_open_pid(t->pid, 0);
	return t->pidfd < 0 ? t->pidfd : 0;
}

long target_call(struct target *t, target_fn fn, unsigned long a,
		 unsigned long b, unsigned long c)
{
	struct order order = { fn, a, b, c };
	long ret;

	if (t->sock < 0)
		return fn(a, b, c);
	if (write(t->sock, &order, sizeof(order)) != sizeof(order) ||
	    read(t->sock, &ret, sizeof(ret)) != sizeof(ret)) {
		fprintf(stderr, "# the target died\n");
		_exit(1);
	}
	return ret;
}

void target_stop(struct target *t)
{
	if (t->pid <= 0)
		return;
	if (t->sock >= 0) {
		/* A caller that may not kill the target ends it by closing the pipe. */
		close(t->sock);
		kill(t->pid, SIGKILL);
		while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (t->pidfd >= 0)
		close(t->pidfd);
	t->pid = 0;
}

long do_map(unsigned long len, unsigned long prot, unsigned long flags)
{
	char *p;

	if (!flags)
		flags = MAP_PRIVATE | MAP_ANONYMOUS;
	p = mmap(NULL, len + 2 * PAGE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	if (mmap(p + PAGE, len, prot, flags | MAP_FIXED, -1, 0) == MAP_FAILED ||
	    munmap(p, PAGE) || munmap(p + PAGE + len, PAGE))
		return 0;
	return (long)(p + PAGE);
}

static char *map_aligned(unsigned long len)
{
	unsigned long addr;
	char *p;

	p = mmap(NULL, len + 2 * HUGE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	addr = ((unsigned long)p + HUGE) & ~(HUGE - 1);
	if (mmap((void *)addr, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return NULL;
	munmap(p, addr - (unsigned long)p);
	munmap((char *)addr + len, p + 2 * HUGE - (char *)addr);
	return (char *)addr;
}

long do_map_filled(unsigned long len, unsigned long gen, unsigned long huge)
{
	unsigned long addr;

	if (huge) {
		addr = (unsigned long)map_aligned(len);
		if (addr && madvise((void *)addr, len, MADV_HUGEPAGE))
			return 0;
	} else {
		addr = do_map(len, PROT_READ | PROT_WRITE, 0);
		if (addr && madvise((void *)addr, len, MADV_NOHUGEPAGE))
			return 0;
	}
	if (addr)
		fill(addr, len, gen);
	return addr;
}

long do_unmap(unsigned long addr, unsigned long len, unsigned long unused)
{
	(void)unused;
	return munmap((void *)addr, len) ? -errno : 0;
}

long do_mlock(unsigned long addr, unsigned long len, unsigned long unused)
{
	(void)unused;
	return mlock((void *)addr, len) ? -errno : 0;
}

/*
 * The first and the last words of a page and one in the middle name the page
 * and the generation; the rest is constant, so that a thousand pages do not
 * take seconds to fill where the processor is emulated.
 */
#define WORDS		(PAGE / sizeof(uint64_t))

static const unsigned int marked[] = { 0, 1, WORDS / 2, WORDS - 1 };

static uint64_t mark(unsigned long page, unsigned long gen, unsigned int word)
{
	return ((uint64_t)page << 16 | word) * 0x9e3779b97f4a7c15ULL ^
	       (gen + 1) * 0xc2b2ae3d27d4eb4fULL;
}

void fill(unsigned long addr, size_t len, unsigned long gen)
{
	unsigned long page;
	unsigned int i;

	for (page = addr; page - addr < len; page += PAGE) {
		volatile uint64_t *words = (volatile uint64_t *)page;

		for (i = 0; i < ARRAY_LEN(marked); i++)
			words[marked[i]] = mark(page, gen, marked[i]);
	}
}

size_t check_moved(unsigned long addr, size_t len, unsigned long gen,
		   unsigned long was)
{
	unsigned long page;
	unsigned int i;
	size_t bad = 0;

	for (page = 0; page < len; page += PAGE) {
		volatile uint64_t *words = (volatile uint64_t *)(addr + page);
		bool same = true;

		for (i = 0; i < ARRAY_LEN(marked); i++)
			same &= words[marked[i]] ==
				mark(was + page, gen, marked[i]);
		bad += !same;
	}
	return bad;
}

size_t check(unsigned long addr, size_t len, unsigned long gen)
{
	return check_moved(addr, len, gen, addr);
}

long do_fill(unsigned long addr, unsigned long len, unsigned long gen)
{
	fill(addr, len, gen);
	return 0;
}

long do_check(unsigned long addr, unsigned long len, unsigned long gen)
{
	return check(addr, len, gen);
}

long do_read(unsigned long addr, unsigned long len, unsigned long unused)
{
	unsigned long page;

	(void)unused;
	for (page = addr; page - addr < len; page += PAGE)
		*(volatile char *)page;
	return 0;
}

long do_mincore(unsigned long addr, unsigned long len, unsigned long unused)
{
	unsigned char vec;
	unsigned long page;
	long resident = 0;

	(void)unused;
	for (page = addr; page - addr < len; page += PAGE)
		if (!mincore((void *)page, PAGE, &vec))
			resident += vec & 1;
	return resident;
}

long do_madvise(unsigned long addr, unsigned long len, unsigned long advice)
{
	return madvise((void *)addr, len, advice) ? -errno : 0;
}

int pagemap(pid_t pid, unsigned long addr, size_t len, struct pages *pages)
{
	uint64_t entries[512];
	char path[64];
	size_t i, n, left = len / PAGE;
	off_t pos = (off_t)(addr / PAGE) * sizeof(uint64_t);
	int fd, err = 0;

	memset(pages, 0, sizeof(*pages));
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (; left; left -= n) {
		n = left < ARRAY_LEN(entries) ? left : ARRAY_LEN(entries);
		if (pread(fd, entries, n * sizeof(uint64_t), pos) !=
		    (ssize_t)(n * sizeof(uint64_t))) {
			err = -EIO;
			break;
		}
		pos += n * sizeof(uint64_t);
		for (i = 0; i < n; i++) {
			pages->present += entries[i] >> 63 & 1;
			pages->swapped += entries[i] >> 62 & 1;
			pages->file += entries[i] >> 61 & 1;
			pages->exclusive += entries[i] >> 56 & 1;
		}
	}
	close(fd);
	return err;
}

int read_maps(pid_t pid, struct mapping **maps)
{
	struct mapping *m, *all = NULL;
	char path[64], line[4500];
	FILE *f;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		m = realloc(all, (n + 1) * sizeof(*all));
		if (!m) {
			n = -ENOMEM;
			break;
		}
		all = m;
		m += n;
		memset(m, 0, sizeof(*m));
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %127[^\n]",
			   &m->start, &m->end, m->perms, m->name) < 3) {
			n = -EIO;
			break;
		}
		n++;
	}
	fclose(f);
	if (n < 0)
		free(all);
	else
		*maps = all;
	return n;
}

long long smaps(pid_t pid, const char *field, uint64_t start, uint64_t end)
{
	const char *flag = NULL;
	char path[64], line[4500], name[64];
	uint64_t from = 0, to = 0, a, b;
	unsigned long long kb;
	long long sum = 0;
	FILE *f;

	if (!strncmp(field, "VmFlags:", 8))
		flag = field + 8;
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		/* Some names begin with a hexadecimal digit, too. */
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &a, &b) == 2) {
			from = a;
			to = b;
			continue;
		}
		if (from >= end || to <= start)
			continue;
		if (flag && !strncmp(line, "VmFlags:", 8))
			sum += !!strstr(line + 8, flag);
		else if (sscanf(line, "%63[^:]: %llu kB", name, &kb) == 2 &&
			 !strcmp(name, field))
			sum += kb << 10;
	}
	fclose(f);
	return sum;
}

long long vmstat(const char *name)
{
	char line[128], key[64];
	long long value, found = -1;
	FILE *f;

	f = fopen("/proc/vmstat", "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %lld", key, &value) == 2 &&
		    !strcmp(key, name)) {
			found = value;
			break;
		}
	}
	fclose(f);
	return found;
}

int write_file(const char *path, const char *text)
{
	ssize_t n = strlen(text);
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != n)
		err = errno ? -errno : -EIO;
	close(fd);
	return err;
}

ssize_t read_file(const char *path, char *buf, size_t size)
{
	ssize_t n, len = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += n;
	if (n < 0)
		len = -errno;
	else
		buf[len] = '\0';
	close(fd);
	return len;
}

int set_caps(uint64_t keep)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		data[i].effective = keep >> (32 * i);
		data[i].permitted = keep >> (32 * i);
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

int become(uid_t uid, uint64_t caps)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL) ||
	    setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return -errno;
	return set_caps(caps);
}

pid_t fork_as(uid_t uid, uint64_t caps)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid && become(uid, caps))
		_exit(99);
	return pid;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What can fail, made to fail. Each operation is done again and again with its
 * first, second, third… allocation or copy from or to user space failing, until
 * one gets through untouched: it must fail with the errno it should or do
 * without, leave nothing behind, and work the next time. Then swap that has I/O
 * errors, cgroups at their limit, and targets and callers that are killed for
 * want of memory in the middle of a walk.
 *
 * Prints TAP. Needs a kernel with CONFIG_FAULT_INJECTION: the debug kernel.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "kselftest.h"
#include "torture.h"
#include "torture.skel.h"

#define NPAGES		16UL
#define LEN		(NPAGES * PAGE)
#define DEBUG		"/sys/kernel/debug"
#define SYSFS		"/sys/kernel/mm/process_madvise"
#define CGROUP		"/sys/fs/cgroup/faults"
/* More than any of them allocates and copies. */
#define NTH_MAX		2000

struct faults {
	struct target target;
	struct target fresh;
	unsigned long addr;
	struct torture *skel;
	struct bpf_link *link;
	uint64_t injected;
	uint64_t pages;
	bool failed;
};

static void expect(struct faults *f, bool holds, const char *fmt, ...)
{
	va_list args;

	if (holds)
		return;
	f->failed = true;
	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static void expect_intact(struct faults *f)
{
	long bad = target_call(&f->target, do_check, f->addr, LEN, 1);

	f->pages += NPAGES;
	expect(f, !bad, "%ld pages are wrong", bad);
}

/* ---- The nth that fails ----------------------------------------------- */

/* Have the nth allocation or user copy of this thread from here on fail. */
static void fail_nth(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	write_file("/proc/thread-self/fail-nth", text);
}

/* Stop that; true if it did fail. */
static bool has_failed(void)
{
	char text[16] = "";

	/* Reading copies to user space, too: what is left of n then counts. */
	read_file("/proc/thread-self/fail-nth", text, sizeof(text));
	fail_nth(0);
	return !strtoul(text, NULL, 10);
}

/**
 * struct operation - what is made to fail
 * @name: What it is.
 * @run: Does it; returns what the kernel said.
 * @undo: Takes back what came of it, given what @run returned. May be NULL.
 * @before: Makes it possible. May be NULL.
 */
struct operation {
	const char *name;
	long (*run)(struct faults *f);
	void (*undo)(struct faults *f, long ret);
	void (*before)(struct faults *f);
};

static long walk(struct faults *f, int advice, unsigned int flags)
{
	static struct pmadv_result r;
	static struct iovec vec[16];
	unsigned int i;

	/* More of them than have room on the kernel's stack. */
	for (i = 0; i < 16; i++)
		vec[i] = (struct iovec){
			(void *)(f->addr + i * LEN / 16), LEN / 16,
		};
	memset(&r, 0, sizeof(r));
	r.size = sizeof(r);
	return pmadv(f->target.pidfd, vec, 16, advice, flags | PMADV_RESULT,
		     &r);
}

static long run_cold(struct faults *f)
{
	return walk(f, MADV_COLD, 0);
}

static long run_pageout(struct faults *f)
{
	return walk(f, MADV_PAGEOUT, PMADV_SKIP_ERRORS);
}

static void touch(struct faults *f)
{
	target_call(&f->target, do_read, f->addr, LEN, 0);
}

static void page_out(struct faults *f)
{
	walk(f, MADV_PAGEOUT, 0);
}

static long run_willneed(struct faults *f)
{
	return walk(f, MADV_WILLNEED, PMADV_SKIP_ERRORS);
}

static long run_collapse(struct faults *f)
{
	return walk(f, MADV_COLLAPSE, PMADV_SKIP_ERRORS);
}

static long run_entire(struct faults *f)
{
	return pmadv(f->target.pidfd, NULL, 0, MADV_COLD,
		     PMADV_ENTIRE_ADDRESS_SPACE, NULL);
}

static long run_vector(struct faults *f)
{
	struct iovec vec = { (void *)f->addr, LEN };

	return pmadv(f->target.pidfd, &vec, 1, MADV_COLD, 0, NULL);
}

static long run_policy(struct faults *f)
{
	return walk(f, MADV_COLD, PMADV_POLICY);
}

/* The first VMA fd of a process allocates what all others of it share. */
static void start_fresh(struct faults *f)
{
	expect(f, !target_start(&f->fresh), "no target");
}

static long run_get_vma(struct faults *f)
{
	struct pidfd_vma arg = { .addr = (unsigned long)f };
	int fd = ioctl(f->fresh.pidfd, PIDFD_GET_VMA, &arg);

	return fd < 0 ? -errno : fd;
}

static void close_vma(struct faults *f, long ret)
{
	if (ret >= 0)
		close(ret);
	target_stop(&f->fresh);
}

/* A map can't be a policy again before exit() of the last time has run. */
static long when_free(struct faults *f, long (*try)(struct faults *f))
{
	unsigned int i;
	long ret;

	for (i = 0; (ret = try(f)) == -EBUSY && i < 5000; i++)
		usleep(1000);
	return ret;
}

static long try_calm(struct faults *f)
{
	f->link = bpf_map__attach_struct_ops(f->skel->maps.calm);
	return f->link ? 0 : -errno;
}

static void attach_calm(struct faults *f)
{
	bpf_link__destroy(f->link);
	expect(f, !when_free(f, try_calm), "cannot attach: %d", errno);
}

static long try_attach(struct faults *f)
{
	return bpf_link_create(bpf_map__fd(f->skel->maps.calm), 0,
			       44 /* BPF_STRUCT_OPS */, NULL);
}

static long run_attach(struct faults *f)
{
	return when_free(f, try_attach);
}

/* A policy that was refused is neither in force nor in sysfs. */
static void undo_attach(struct faults *f, long ret)
{
	if (ret < 0)
		expect(f, run_policy(f) == -ENOENT, "refused, yet in force");
	else
		close(ret);
}

static long try_update(struct faults *f)
{
	struct bpf_map *to = f->skel->maps.calm_twin;

	return bpf_link_update(bpf_link__fd(f->link), bpf_map__fd(to), NULL);
}

static long run_update(struct faults *f)
{
	return when_free(f, try_update);
}

/* Either the one or the other is in force. */
static void undo_update(struct faults *f, long ret)
{
	long walked = run_policy(f);

	expect(f, walked >= 0 || walked == -EAGAIN,
	       "after an update that returned %ld: %ld", ret, walked);
	attach_calm(f);
}

static long run_detach(struct faults *f)
{
	return bpf_link_detach(bpf_link__fd(f->link));
}

static void undo_detach(struct faults *f, long ret)
{
	(void)ret;
	attach_calm(f);
}

static long run_sysfs(struct faults *f)
{
	char text[256];
	long ret;

	(void)f;
	ret = read_file(SYSFS "/last_ejection", text, sizeof(text));
	if (ret >= 0)
		ret = read_file(SYSFS "/ejected", text, sizeof(text));
	return ret;
}

static unsigned int nr_policies(void)
{
	struct dirent *entry;
	unsigned int nr = 0;
	DIR *dir = opendir(SYSFS "/policies");

	while (dir && (entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return nr;
}

static int lowest_free_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* The errnos that a failing allocation or copy may come out as. */
static bool may_fail_with(long ret)
{
	switch (-ret) {
	case ENOMEM: case EFAULT: case EAGAIN: case EINVAL: case EBUSY:
		return true;
	}
	return ret >= 0;
}

static void fail_each(struct faults *f, const struct operation *op)
{
	unsigned int n, policies = nr_policies(), hit = 0;
	int fd = lowest_free_fd();
	bool failed = true;
	long ret = 0;

	for (n = 1; failed && n < NTH_MAX && !f->failed; n++) {
		if (op->before)
			op->before(f);
		fail_nth(n);
		ret = op->run(f);
		failed = has_failed();
		hit += failed;
		expect(f, may_fail_with(ret), "with the %uth failing: %ld", n,
		       ret);
		if (op->undo)
			op->undo(f, ret);
		expect(f, nr_policies() == policies,
		       "with the %uth failing: %u policies instead of %u", n,
		       nr_policies(), policies);
		expect(f, lowest_free_fd() == fd,
		       "with the %uth failing: a descriptor is left", n);
	}
	expect(f, ret >= 0, "untouched it fails, too: %ld", ret);
	expect(f, !failed, "there is no end to what it allocates");
	expect(f, hit, "nothing failed");
	expect_intact(f);
	f->injected += hit;
	printf("# %s: %u faults\n", op->name, hit);
}

static const struct operation operations[] = {
	{ "a vector without flags", run_vector, NULL, NULL },
	{ "COLD", run_cold, NULL, touch },
	{ "PAGEOUT", run_pageout, NULL, touch },
	{ "WILLNEED", run_willneed, NULL, page_out },
	{ "COLLAPSE", run_collapse, NULL, touch },
	{ "the entire address space", run_entire, NULL, NULL },
	{ "opening a VMA fd", run_get_vma, close_vma, start_fresh },
	{ "attaching", run_attach, undo_attach, NULL },
};

/* While a policy is attached. */
static const struct operation policy_operations[] = {
	{ "asking a policy", run_policy, NULL, NULL },
	{ "updating a link", run_update, undo_update, NULL },
	{ "detaching", run_detach, undo_detach, NULL },
	{ "reading sysfs", run_sysfs, NULL, NULL },
};

static void set_faults(void)
{
	static const char *const kinds[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char path[96];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		snprintf(path, sizeof(path), DEBUG "/%s/verbose", kinds[i]);
		write_file(path, "0");
		snprintf(path, sizeof(path), DEBUG "/%s/ignore-gfp-wait",
			 kinds[i]);
		write_file(path, "N");
	}
	write_file(DEBUG "/fail_page_alloc/min-order", "0");
}

/* ---- Swap that fails -------------------------------------------------- */

struct device {
	char id[16];
	char path[32];
};

/* The only swap there is: slots of the other may be set aside for a CPU. */
static int swap_on_new_zram(struct device *d)
{
	char cmd[256];

	if (read_file("/sys/class/zram-control/hot_add", d->id,
		      sizeof(d->id)) <= 0)
		return -ENODEV;
	d->id[strcspn(d->id, "\n")] = '\0';
	snprintf(d->path, sizeof(d->path), "/dev/zram%s", d->id);
	snprintf(cmd, sizeof(cmd), "echo 16M >/sys/block/zram%s/disksize && "
		 "/sbin/mkswap %s >/dev/null", d->id, d->path);
	if (system(cmd) || swapon(d->path, 0))
		return -EIO;
	swapoff("/dev/zram0");
	return 0;
}

static void swap_as_before(struct faults *f, const struct device *d)
{
	swapon("/dev/zram0", 0);
	expect(f, !swapoff(d->path), "swapoff: %s", strerror(errno));
	write_file("/sys/class/zram-control/hot_remove", d->id);
}

static void fail_io(const struct device *d, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/zram%s/make-it-fail", d->id);
	write_file(path, on ? "1" : "0");
	write_file(DEBUG "/fail_make_request/verbose", "0");
	write_file(DEBUG "/fail_make_request/interval", "1");
	write_file(DEBUG "/fail_make_request/times", on ? "-1" : "0");
	write_file(DEBUG "/fail_make_request/probability", on ? "100" : "0");
}

static void run_swap_write_errors(struct faults *f)
{
	struct pmadv_result r;
	struct device d = {};
	long ret;

	expect(f, !swap_on_new_zram(&d), "no swap device");
	touch(f);
	fail_io(&d, true);
	ret = pmadv_one(f->target.pidfd, f->addr, LEN, MADV_PAGEOUT,
			PMADV_SKIP_ERRORS, &r);
	fail_io(&d, false);
	expect(f, ret == (long)LEN, "PAGEOUT returned %ld", ret);
	expect(f, r.stats.isolated == NPAGES, "%llu pages isolated",
	       r.stats.isolated);
	expect(f, !r.stats.reclaimed, "%llu pages reclaimed, yet not written",
	       r.stats.reclaimed);
	expect_intact(f);
	swap_as_before(f, &d);
}

static sigjmp_buf on_bus_error;

static void bus_error(int sig)
{
	siglongjmp(on_bus_error, sig);
}

/* Pages that are wrong; one that can't be read is none. */
static long do_check_readable(unsigned long addr, unsigned long len,
			      unsigned long gen)
{
	volatile unsigned long page, bad = 0;

	signal(SIGBUS, bus_error);
	for (page = addr; page < addr + len; page += PAGE)
		if (!sigsetjmp(on_bus_error, 1))
			bad += check(page, PAGE, gen);
	return bad;
}

/*
 * A process that needs a page which cannot be read gets a signal, as ever; it
 * must not get wrong contents. This needs a target of its own.
 */
static void run_swap_read_errors(struct faults *f)
{
	struct device d = {};
	struct target t;
	unsigned long addr;
	long bad;

	expect(f, !swap_on_new_zram(&d), "no swap device");
	expect(f, !target_start(&t), "no target");
	addr = target_call(&t, do_map_filled, LEN, 1, 0);
	pmadv_one(t.pidfd, addr, LEN, MADV_PAGEOUT, 0, NULL);
	fail_io(&d, true);
	pmadv_one(t.pidfd, addr, LEN / 2, MADV_WILLNEED, PMADV_SKIP_ERRORS,
		  NULL);
	pmadv_one(t.pidfd, addr, LEN, MADV_COLLAPSE, PMADV_SKIP_ERRORS, NULL);
	bad = target_call(&t, do_check_readable, addr, LEN, 1);
	fail_io(&d, false);
	bad += target_call(&t, do_check_readable, addr, LEN, 1);
	expect(f, !bad, "%ld pages are wrong", bad);
	target_stop(&t);
	expect_intact(f);
	swap_as_before(f, &d);
}

/* ---- No memory to be had ---------------------------------------------- */

static int make_cgroup(const char *max, const char *swap_max)
{
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return -errno;
	write_file(CGROUP "/memory.swap.max", swap_max);
	return write_file(CGROUP "/memory.max", max);
}

static int join(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return write_file(CGROUP "/cgroup.procs", text);
}

static void remove_cgroup(struct faults *f)
{
	unsigned int i;

	for (i = 0; rmdir(CGROUP) && i < 1000; i++)
		sleep_ms(10);
	expect(f, access(CGROUP, F_OK), "the cgroup stays");
}

/* Pages that come back find no room until others are reclaimed. */
static void run_memcg_limit(struct faults *f)
{
	struct target t;
	unsigned long addr;
	long ret, bad;

	expect(f, !make_cgroup("512K", "max"), "no cgroup");
	expect(f, !target_start(&t) && !join(t.pid), "no target");
	addr = target_call(&t, do_map_filled, 512 * PAGE, 1, 0);
	ret = pmadv_one(t.pidfd, addr, 512 * PAGE, MADV_WILLNEED,
			PMADV_SKIP_ERRORS, NULL);
	expect(f, ret == 512 * (long)PAGE, "WILLNEED: %ld", ret);
	pmadv_one(t.pidfd, addr, 512 * PAGE, MADV_COLLAPSE, PMADV_SKIP_ERRORS,
		  NULL);
	ret = pmadv(t.pidfd, NULL, 0, MADV_PAGEOUT, PMADV_ENTIRE_ADDRESS_SPACE,
		    NULL);
	expect(f, ret > 0, "PAGEOUT: %ld", ret);
	bad = target_call(&t, do_check, addr, 512 * PAGE, 1);
	expect(f, !bad, "%ld pages are wrong", bad);
	f->pages += 512;
	target_stop(&t);
	remove_cgroup(f);
}

/* Take more memory than there may be, a little at a time. */
static void exhaust(unsigned long pages)
{
	while (pages--)
		fill((unsigned long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS |
					 MAP_POPULATE, -1, 0), PAGE, 1);
	_exit(0);
}

static void expect_killed(struct faults *f, pid_t pid)
{
	int status = 0;

	expect(f, waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL, "not killed: %#x", status);
}

static void run_oom_target(struct faults *f)
{
	unsigned int walks = 0;
	int pidfd, gate[2];
	pid_t pid;
	long ret;

	expect(f, !make_cgroup("4M", "0") && !pipe(gate), "no cgroup");
	pid = fork();
	if (!pid) {
		char c;

		if (read(gate[0], &c, 1) == 1)
			exhaust(4096);
		_exit(1);
	}
	pidfd = pidfd_open_pid(pid, 0);
	expect(f, !join(pid), "cannot join");
	expect(f, write(gate[1], "", 1) == 1, "write");
	do {
		ret = pmadv(pidfd, NULL, 0, MADV_COLD,
			    PMADV_ENTIRE_ADDRESS_SPACE, NULL);
		walks++;
	} while (ret >= 0 || ret == -EINTR);
	expect(f, ret == -ESRCH, "after its end: %ld", ret);
	expect_killed(f, pid);
	printf("# the target was killed in the course of %u walks\n", walks);
	close(pidfd);
	close(gate[0]);
	close(gate[1]);
	remove_cgroup(f);
}

static void *walk_for_ever(void *arg)
{
	struct faults *f = arg;

	for (;;) {
		walk(f, MADV_PAGEOUT, PMADV_SKIP_ERRORS);
		walk(f, MADV_WILLNEED, PMADV_SKIP_ERRORS);
	}
	return NULL;
}

/* The target is unchanged, and none of its locks is held. */
static void run_oom_caller(struct faults *f)
{
	pthread_t thread;
	int gate[2];
	pid_t pid;

	expect(f, !make_cgroup("4M", "0") && !pipe(gate), "no cgroup");
	pid = fork();
	if (!pid) {
		char c;

		if (read(gate[0], &c, 1) == 1 &&
		    !pthread_create(&thread, NULL, walk_for_ever, f))
			exhaust(4096);
		_exit(1);
	}
	expect(f, !join(pid), "cannot join");
	expect(f, write(gate[1], "", 1) == 1, "write");
	expect_killed(f, pid);
	expect_intact(f);
	expect(f, target_call(&f->target, do_map_filled, PAGE, 1, 0),
	       "its address space can't be changed");
	close(gate[0]);
	close(gate[1]);
	remove_cgroup(f);
}

/* ---- All of it -------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(struct faults *f);
} tests[] = {
	{ "swap that can't be written loses nothing", run_swap_write_errors },
	{ "swap that can't be read ahead loses nothing", run_swap_read_errors },
	{ "a cgroup at its limit", run_memcg_limit },
	{ "the target is killed for want of memory", run_oom_target },
	{ "the caller is killed for want of memory", run_oom_caller },
};

static void result(struct faults *f, const char *name)
{
	ksft_test_result(!f->failed, "%s\n", name);
	f->failed = false;
}

/* libbpf gives a map its value when it attaches it for the first time. */
static int fill_in(struct bpf_map *map)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(map);

	return link ? bpf_link__destroy(link) : -errno;
}

static int set_up(struct faults *f)
{
	int err = target_start(&f->target);

	if (err)
		return err;
	f->addr = target_call(&f->target, do_map_filled, LEN, 1, 0);
	f->skel = torture__open_and_load();
	if (!f->addr || !f->skel)
		return -ENOMEM;
	set_faults();
	return fill_in(f->skel->maps.calm) ?: fill_in(f->skel->maps.calm_twin);
}

int main(int argc, char **argv)
{
	static struct faults f;
	struct torture_options o;
	unsigned int i;
	int err;

	if (torture_options(argc, argv, &o))
		return 2;
	ksft_print_header();
	if (access("/proc/self/fail-nth", W_OK))
		ksft_exit_skip("this kernel injects no faults\n");
	libbpf_set_print(NULL);
	err = set_up(&f);
	if (err)
		ksft_exit_fail_msg("cannot set up: %s\n", strerror(-err));
	ksft_set_plan(ARRAY_LEN(operations) + ARRAY_LEN(policy_operations) +
		      ARRAY_LEN(tests));

	for (i = 0; i < ARRAY_LEN(operations); i++) {
		fail_each(&f, &operations[i]);
		result(&f, operations[i].name);
	}
	attach_calm(&f);
	for (i = 0; i < ARRAY_LEN(policy_operations); i++) {
		fail_each(&f, &policy_operations[i]);
		result(&f, policy_operations[i].name);
	}
	bpf_link__destroy(f.link);
	for (i = 0; i < ARRAY_LEN(tests); i++) {
		tests[i].run(&f);
		result(&f, tests[i].name);
	}

	torture_count("faults_injected", f.injected);
	torture_count("pages_verified", f.pages);
	target_stop(&f.target);
	torture__destroy(f.skel);
	ksft_finished();
}

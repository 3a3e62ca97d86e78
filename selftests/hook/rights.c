// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: who may do what. The table at the end is the one in
 * Documentation/mm/process_madvise.rst; each line of it is a test.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <linux/capability.h>
#include <linux/mount.h>

#include "hook.h"
#include "hook_hostile.skel.h"
#include "hook_lsm.skel.h"

#define OTHER		1001

#define YAMA		"/proc/sys/kernel/yama/ptrace_scope"

/* The operations, in the order of the table. */
enum act {
	LOAD,
	ATTACH,
	CALL,
	OPEN_VMA,
	USE_VMA,
	WATCH,
	DETACH_ALL,
	NR_ACTS,
};

static const char *const act_names[] = {
	"load", "attach", "call", "open a VMA fd", "use a VMA fd", "watch",
	"detach all",
};

/* Where the caller is, besides being somebody. */
enum place {
	PLACE_HERE,
	PLACE_USERNS,	/* a user namespace of its own */
	PLACE_TOKEN,	/* the same, and was lent a BPF token */
	PLACE_PIDNS,	/* a PID namespace in which the target has no number */
};

/**
 * struct right - a line of the table
 * @uid: The caller's.
 * @caps: The caller's capabilities.
 * @place: Where the caller is.
 * @target: The target's uid. Ignored if the target is the caller.
 * @oneself: The target is the caller.
 * @not_dumpable: The target is not.
 * @yama: Set the ptrace scope to this, if not 0.
 * @lsm: The program of hook_lsm.bpf.c that forbids things to the caller.
 * @want: The errno of each act, 0 if it may be done.
 */
struct right {
	uid_t uid;
	uint64_t caps;
	enum place place;
	uid_t target;
	bool oneself;
	bool not_dumpable;
	int yama;
	const char *lsm;
	int want[NR_ACTS];
};

/* Memory that the two processes share. */
struct talk {
	int got[NR_ACTS];
	volatile int fs_fd;
	volatile int ready;
};

/* ---- The acts: 0 or -errno -------------------------------------------- */

static int do_load(const char *token)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .bpf_token_path = token);
	struct hook_hostile *skel = hook_hostile__open_opts(&opts);
	struct bpf_map *map;
	int err;

	if (!skel)
		return -errno;
	bpf_object__for_each_map(map, skel->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS &&
		    map != skel->maps.honest)
			bpf_map__set_autocreate(map, false);
	err = hook_hostile__load(skel);
	hook_hostile__destroy(skel);
	return err;
}

static int do_attach(struct bpf_map *map)
{
	struct bpf_link *link;
	int err = hook_attach(map, &link);

	if (!err)
		hook_detach(&link);
	return err;
}

static int do_watch(const char *token)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .bpf_token_path = token);
	struct hook_lsm *skel = hook_lsm__open_opts(&opts);
	struct bpf_program *prog;
	int err;

	if (!skel)
		return -errno;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.watch);
	err = hook_lsm__load(skel) ?: hook_lsm__attach(skel);
	hook_lsm__destroy(skel);
	return err;
}

static int do_open_vma(int pidfd, unsigned long addr)
{
	struct pidfd_vma arg = { .addr = addr };
	int fd = ioctl(pidfd, PIDFD_GET_VMA, &arg);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int do_call(int fd, unsigned long addr)
{
	long ret = pmadv_one(fd, addr, PAGE, MADV_COLD, PMADV_SKIP_ERRORS,
			     NULL);

	return ret == (long)PAGE ? 0 : ret < 0 ? ret : -EIO;
}

static int do_detach_all(void)
{
	int fd = open(HOOK_SYSFS "/detach_all", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* ---- The caller ------------------------------------------------------- */

/* A BPF file system for this user namespace; its maker asks for no token. */
static int mount_bpffs(struct talk *talk)
{
	int fd = syscall(__NR_fsopen, "bpf", 0);

	if (fd < 0)
		return -errno;
	talk->fs_fd = fd;
	while (!talk->ready)
		hook_sleep_ms(1);
	if (talk->ready < 0)
		return talk->ready;
	fd = syscall(__NR_fsmount, fd, 0, 0);
	return fd < 0 ? -errno : fd;
}

static int go_to(enum place place, struct talk *talk, char *token, size_t size)
{
	int fd;

	switch (place) {
	case PLACE_USERNS:
		return unshare(CLONE_NEWUSER) ? -errno : 0;
	case PLACE_TOKEN:
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			return -errno;
		fd = mount_bpffs(talk);
		if (fd < 0)
			return fd;
		snprintf(token, size, "/proc/self/fd/%d", fd);
		return 0;
	default:
		return 0;
	}
}

static void act(struct hook *h, const struct right *right, struct bpf_map *map,
		int vma_fd, struct talk *talk)
{
	unsigned long addr = h->addr;
	int pidfd = h->target.pidfd;
	char path[32] = "";
	int err;

	if (right->oneself) {
		pidfd = pidfd_open_pid(getpid(), 0);
		addr = do_map_filled(PAGE, 1, 0);
	}
	err = become(right->uid, right->caps);
	if (!err && right->oneself) {
		struct pidfd_vma arg = { .addr = addr };

		vma_fd = ioctl(pidfd, PIDFD_GET_VMA, &arg);
	}
	if (!err)
		err = go_to(right->place, talk, path, sizeof(path));
	if (err) {
		printf("# cannot become the caller: %s\n", strerror(-err));
		fflush(stdout);
		_exit(1);
	}
	talk->got[LOAD] = do_load(*path ? path : NULL);
	talk->got[ATTACH] = do_attach(map);
	talk->got[CALL] = do_call(pidfd, addr);
	talk->got[OPEN_VMA] = do_open_vma(pidfd, addr);
	talk->got[USE_VMA] = do_call(vma_fd, addr);
	talk->got[WATCH] = do_watch(*path ? path : NULL);
	talk->got[DETACH_ALL] = do_detach_all();
	_exit(0);
}

/* The host lends what it has: any command, map, program and attach type. */
static int lend_token(pid_t pid, struct talk *talk)
{
	static const char *const what[] = {
		"delegate_cmds", "delegate_maps", "delegate_progs",
		"delegate_attachs",
	};
	int pidfd = pidfd_open_pid(pid, 0), fd, err = 0;
	unsigned int i;

	for (i = 0; !talk->fs_fd && i < 5000; i++)
		hook_sleep_ms(1);
	fd = syscall(__NR_pidfd_getfd, pidfd, talk->fs_fd, 0);
	if (fd < 0)
		err = -errno;
	for (i = 0; !err && i < ARRAY_LEN(what); i++)
		if (syscall(__NR_fsconfig, fd, FSCONFIG_SET_STRING, what[i],
			    "any", 0))
			err = -errno;
	if (!err && syscall(__NR_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		err = -errno;
	close(fd);
	close(pidfd);
	talk->ready = err ?: 1;
	return err;
}

/* Have the caller do everything, each of which must come out as the table says. */
static void expect_acts(struct hook *h, struct bpf_map *map,
			struct hook_lsm *lsm, struct talk *talk)
{
	const struct right *right = h->test->expected.right;
	struct pidfd_vma arg = { .addr = h->addr };
	int vma_fd, status, i;
	pid_t pid;

	vma_fd = ioctl(h->target.pidfd, PIDFD_GET_VMA, &arg);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (lsm)
			lsm->bss->denied = getpid();
		act(h, right, map, vma_fd, talk);
	}
	if (right->place == PLACE_TOKEN)
		EXPECT_EQ(lend_token(pid, talk), 0);
	if (EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid && !status, ""))
		for (i = 0; i < NR_ACTS; i++)
			EXPECT(talk->got[i] == -right->want[i],
			       ": %s: %d, not %d", act_names[i], talk->got[i],
			       -right->want[i]);
	close(vma_fd);
}

/* ---- Around it -------------------------------------------------------- */

static long setup_somebody(unsigned long arg, unsigned long a, unsigned long b)
{
	const struct right *right = (const struct right *)arg;

	if (right->target && become(right->target, 0))
		return -errno;
	/* Changing the uid has made it undumpable. */
	return prctl(PR_SET_DUMPABLE, !right->not_dumpable, 0, 0, 0);
}

static int setup_right(struct hook *h)
{
	const struct right *right = h->test->expected.right;
	int err;

	if (right->yama && access(YAMA, W_OK)) {
		hook_skip("this kernel has no Yama");
		return 0;
	}
	err = target_start_with(&h->target, setup_somebody,
				(unsigned long)right);
	return err ? err : hook_map(h, 4);
}

/* Load the program that forbids, and only that one, and let it. */
static struct hook_lsm *forbid(const char *name)
{
	struct hook_lsm *lsm = hook_lsm__open();
	struct bpf_program *prog;

	if (!EXPECT(lsm, ""))
		return NULL;
	bpf_object__for_each_program(prog, lsm->obj)
		bpf_program__set_autoload(prog,
					  !strcmp(bpf_program__name(prog), name));
	EXPECT_EQ(hook_lsm__load(lsm), 0);
	EXPECT_EQ(hook_lsm__attach(lsm), 0);
	return lsm;
}

static struct hook_hostile *load_honest(void)
{
	struct hook_hostile *skel = hook_hostile__open();
	struct bpf_map *map;

	if (!EXPECT(skel, ""))
		return NULL;
	bpf_object__for_each_map(map, skel->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS &&
		    map != skel->maps.honest)
			bpf_map__set_autocreate(map, false);
	EXPECT_EQ(hook_hostile__load(skel), 0);
	return skel;
}

static void run_right(struct hook *h)
{
	const struct right *right = h->test->expected.right;
	struct hook_hostile *skel = load_honest();
	int pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	struct hook_lsm *lsm = right->lsm ? forbid(right->lsm) : NULL;
	struct talk *talk;

	talk = mmap(NULL, sizeof(*talk), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!EXPECT(skel && talk != MAP_FAILED && pid_ns >= 0, ""))
		return;
	if (right->place == PLACE_PIDNS)
		EXPECT_EQ(unshare(CLONE_NEWPID), 0);
	expect_acts(h, skel->maps.honest, lsm, talk);
	setns(pid_ns, CLONE_NEWPID);
	close(pid_ns);
	munmap(talk, sizeof(*talk));
	hook_lsm__destroy(lsm);
	hook_hostile__destroy(skel);
}

/* The scope is the machine's: as it was, whatever happens. */
static void run_yama(struct hook *h)
{
	const struct right *right = h->test->expected.right;
	char before[16], text[16];

	if (read_file(YAMA, before, sizeof(before)) < 0)
		return;
	snprintf(text, sizeof(text), "%d", right->yama);
	EXPECT_EQ(write_file(YAMA, text), 0);
	run_right(h);
	EXPECT_EQ(write_file(YAMA, before), 0);
}

/* ---- The table -------------------------------------------------------- */

#define RIGHT(what, text, runs, ...) {					\
	.name = "right." what,						\
	.description = text,						\
	.setup = setup_right,						\
	.run = runs,							\
	.expected.right = &(const struct right){ __VA_ARGS__ },		\
}

/*	load	attach	call	open	use	watch	detach all */
#define WANT(...)	.want = { __VA_ARGS__ }

const struct hook_test hook_right_tests[] = {
	RIGHT("root", "root may do all", run_right,
	      .caps = CAPS_ALL, .target = USER,
	      WANT(0, 0, 0, 0, 0, 0, 0)),
	RIGHT("no_nice", "to advise another takes CAP_SYS_NICE", run_right,
	      .caps = CAPS_ALL & ~CAP(SYS_NICE), .target = USER,
	      WANT(0, 0, EPERM, EPERM, EPERM, 0, 0)),
	RIGHT("no_perfmon", "to load a policy takes CAP_PERFMON", run_right,
	      .caps = CAPS_ALL & ~CAP(PERFMON) & ~CAP(SYS_ADMIN),
	      .target = USER,
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, 0)),
	RIGHT("no_bpf", "to load a policy takes CAP_BPF", run_right,
	      .caps = CAPS_ALL & ~CAP(BPF) & ~CAP(SYS_ADMIN), .target = USER,
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, 0)),
	RIGHT("user", "a user may do nothing to another's process", run_right,
	      .uid = USER, .target = OTHER,
	      WANT(EPERM, EPERM, EACCES, EACCES, EACCES, EPERM, EACCES)),
	RIGHT("same_user", "nor to a process of the same user", run_right,
	      .uid = USER, .target = USER,
	      WANT(EPERM, EPERM, EPERM, EPERM, EPERM, EPERM, EACCES)),
	RIGHT("oneself", "but all to itself", run_right,
	      .uid = USER, .oneself = true,
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, EACCES)),
	RIGHT("caller", "CAP_SYS_NICE advises processes of the same user",
	      run_right, .uid = USER, .caps = CAP(SYS_NICE), .target = USER,
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, EACCES)),
	RIGHT("caller_of_all", "and with CAP_SYS_PTRACE those of all",
	      run_right, .uid = USER, .caps = CAP(SYS_NICE) | CAP(SYS_PTRACE),
	      .target = OTHER,
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, EACCES)),
	RIGHT("author", "CAP_BPF and CAP_PERFMON load, attach and watch",
	      run_right, .uid = USER, .caps = CAP(BPF) | CAP(PERFMON),
	      .target = USER,
	      WANT(0, 0, EPERM, EPERM, EPERM, 0, EACCES)),
	RIGHT("not_dumpable", "who is not dumpable takes CAP_SYS_PTRACE",
	      run_right, .uid = USER, .caps = CAP(SYS_NICE), .target = USER,
	      .not_dumpable = true,
	      WANT(EPERM, EPERM, EACCES, EACCES, EACCES, EPERM, EACCES)),
	RIGHT("not_dumpable_ptrace", "and is advised with it", run_right,
	      .uid = USER, .caps = CAP(SYS_NICE) | CAP(SYS_PTRACE),
	      .target = USER, .not_dumpable = true,
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, EACCES)),
	RIGHT("userns", "root of a user namespace is nobody", run_right,
	      .uid = USER, .place = PLACE_USERNS, .target = USER,
	      WANT(EPERM, EPERM, EACCES, EACCES, EACCES, EPERM, EACCES)),
	RIGHT("token", "with a BPF token it may load and watch, not attach",
	      run_right, .uid = USER, .place = PLACE_TOKEN, .target = USER,
	      WANT(0, EPERM, EACCES, EACCES, EACCES, 0, EACCES)),
	RIGHT("pidns", "a pidfd is good in another PID namespace", run_right,
	      .caps = CAPS_ALL, .target = USER, .place = PLACE_PIDNS,
	      WANT(0, 0, 0, 0, 0, 0, 0)),
	RIGHT("yama", "Yama's ptrace scope does not matter", run_yama,
	      .uid = USER, .caps = CAP(SYS_NICE), .target = USER, .yama = 2,
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, EACCES)),
	RIGHT("lsm_access", "a security module forbids looking into it",
	      run_right, .uid = USER, .caps = CAP(SYS_NICE) | CAP(SYS_PTRACE),
	      .target = USER, .lsm = "lsm_access",
	      WANT(EPERM, EPERM, EACCES, EACCES, EACCES, EPERM, EACCES)),
	RIGHT("lsm_ioctl", "a security module forbids the ioctl", run_right,
	      .caps = CAPS_ALL, .target = USER, .lsm = "lsm_ioctl",
	      WANT(0, 0, 0, EPERM, 0, 0, 0)),
	RIGHT("lsm_bpf", "a security module forbids bpf(2)", run_right,
	      .caps = CAPS_ALL, .target = USER, .lsm = "lsm_bpf",
	      WANT(EPERM, EPERM, 0, 0, 0, EPERM, 0)),
	{ }
};

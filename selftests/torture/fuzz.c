// SPDX-License-Identifier: GPL-2.0
/*
 * process_madvise(2) and PIDFD_GET_VMA called with all that a caller could think
 * of, as a 64-bit program and as a 32-bit one: descriptors that are none, vectors
 * and results that are unmapped, read-only, in the kernel, cut off by the end of
 * their page or changed meanwhile, numbers at their limits. Each answer must be
 * one that the manual knows, each result must add up, nothing may be written
 * beside it, and the target's memory must stay as it is.
 *
 * Usage: fuzz [--seed N] [--seconds N]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "torture.h"
#include "torture.skel.h"

#define AREA_PAGES	24UL
#define AREA_LEN	(AREA_PAGES * PAGE)
#define VERIFY_EVERY	2048	/* calls */
#define VEC_MAX		1025
#define CANARY		0xa5
/* Where call_id tells whether the kernel wrote the result. */
#define UNWRITTEN	0x5eed5eed5eed5eedULL

enum area_kind {
	AREA_ANON,
	AREA_HUGE,
	AREA_SHMEM,
	AREA_LOCKED,
	AREA_READ_ONLY,
	NR_AREAS,
};

enum fd_kind {
	FD_TARGET,
	FD_SELF,
	FD_VMA,
	FD_STALE,
	FD_DEAD,
	FD_FILE,
	FD_CLOSED,
	NR_FDS,
};

struct fuzz {
	struct rng rng;
	struct torture *policies;
	struct bpf_link *link;
	int lowest_fd;
	struct target target;
	unsigned long area[NR_AREAS];
	int fd[NR_FDS];
	/* Three pages below 4 GiB: to write to, to read only, nothing. */
	char *page;
	/* A page that a thread writes to all the time. */
	char *racing;
	uint64_t calls;
	uint64_t done;
	uint64_t pages;
	uint64_t errors[4096];
	unsigned int failures;
};

/* ---- Calls ------------------------------------------------------------ */

/* Call as a 32-bit program does: the entry decides, not the program. */
static long syscall32(uint32_t nr, const uint32_t *args)
{
	long ret;

	asm volatile("push %%rbp\n\t"
		     "mov 20(%[args]), %%ebp\n\t"
		     "mov 16(%[args]), %%edi\n\t"
		     "mov 12(%[args]), %%esi\n\t"
		     "mov 8(%[args]), %%edx\n\t"
		     "mov 0(%[args]), %%ebx\n\t"
		     "mov 4(%[args]), %%ecx\n\t"
		     "int $0x80\n\t"
		     "pop %%rbp"
		     : "=a" (ret)
		     : "a" (nr), [args] "c" (args)
		     : "memory", "cc", "rbx", "rdx", "rsi", "rdi",
		       "r8", "r9", "r10", "r11");
	return (int)ret;
}

#define NR32_IOCTL	54

/**
 * struct call - one call of either
 * @compat: As a 32-bit program.
 * @args: Of process_madvise(2).
 * @result: What the sixth argument points to, if it can be looked at.
 */
struct call {
	bool compat;
	unsigned long args[6];
	const char *result;
};

static long do_call(uint32_t nr, uint32_t nr32, const struct call *call)
{
	uint32_t args[6];
	unsigned int i;
	long ret;

	if (!call->compat) {
		ret = syscall(nr, call->args[0], call->args[1], call->args[2],
			      call->args[3], call->args[4], call->args[5]);
		return ret == -1 ? -errno : ret;
	}
	for (i = 0; i < 6; i++)
		args[i] = call->args[i];
	return syscall32(nr32, args);
}

static void complain(struct fuzz *f, const struct call *call, long ret,
		     const char *what)
{
	f->failures++;
	printf("# call %" PRIu64 "%s (%#lx, %#lx, %#lx, %#lx, %#lx, %#lx) = %ld: %s\n",
	       f->calls, call->compat ? " compat" : "", call->args[0],
	       call->args[1], call->args[2], call->args[3], call->args[4],
	       call->args[5], ret, what);
}

/* ---- Arguments -------------------------------------------------------- */

static const unsigned long odd_numbers[] = {
	0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 0xfff, 0x1000, 0x1001, 0x7fffffff,
	0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	0x8000000000000000, -2UL, -1UL, 0x7ffffffff000, 0x800000000000,
	0xffff800000000000, 0xffffffff81000000,
};

static unsigned long any_number(struct fuzz *f)
{
	switch (rng_below(&f->rng, 4)) {
	case 0:
		return rng_next(&f->rng);
	case 1:
		return 1UL << rng_below(&f->rng, 64);
	default:
		return rng_pick(&f->rng, odd_numbers);
	}
}

static unsigned long any_address(struct fuzz *f)
{
	unsigned long addr = f->area[rng_below(&f->rng, NR_AREAS)];

	if (rng_once_in(&f->rng, 8))
		return any_number(f);
	addr += rng_below(&f->rng, AREA_PAGES + 2) * PAGE - PAGE;
	if (rng_once_in(&f->rng, 16))
		addr += rng_below(&f->rng, PAGE);
	return addr;
}

static unsigned long any_length(struct fuzz *f)
{
	if (rng_once_in(&f->rng, 8))
		return any_number(f);
	return rng_below(&f->rng, AREA_PAGES) * PAGE +
	       (rng_once_in(&f->rng, 8) ? rng_below(&f->rng, PAGE) : 0);
}

/*
 * Room for @size bytes to write to, mostly; or somewhere that there is none.
 * *@usable tells whether it may be written and, besides, stays as written.
 */
static char *any_place(struct fuzz *f, size_t size, bool *usable)
{
	*usable = false;
	switch (rng_below(&f->rng, 24)) {
	case 0:
		return NULL;
	case 1:			/* read-only */
		return f->page + PAGE + rng_below(&f->rng, PAGE);
	case 2:			/* unmapped */
		return f->page + 2 * PAGE + rng_below(&f->rng, PAGE);
	case 3:			/* cut off */
		return f->page + 2 * PAGE - rng_below(&f->rng, size + 1);
	case 4:
		return (char *)(0xffffffff81000000UL + rng_below(&f->rng, 1 << 24));
	case 5:
		return (char *)any_number(f);
	case 6:
		return f->racing + rng_below(&f->rng, 64);
	default:
		*usable = true;
		return f->page + (rng_once_in(&f->rng, 4) ?
				  PAGE - size : rng_below(&f->rng, PAGE - size));
	}
}

static int any_fd(struct fuzz *f)
{
	if (rng_once_in(&f->rng, 16))
		return any_number(f);
	if (rng_below(&f->rng, 4))
		return f->fd[FD_TARGET];
	return f->fd[rng_below(&f->rng, NR_FDS)];
}

static unsigned int any_flags(struct fuzz *f)
{
	unsigned int flags = rng_next(&f->rng) & PMADV_ALL;

	if (rng_once_in(&f->rng, 16))
		flags |= 1U << rng_below(&f->rng, 32);
	if (rng_once_in(&f->rng, 8))
		flags = 0;
	/* Walking a whole process takes long. */
	if (rng_below(&f->rng, 32))
		flags &= ~PMADV_ENTIRE_ADDRESS_SPACE;
	return flags;
}

static int any_advice(struct fuzz *f)
{
	if (rng_once_in(&f->rng, 8))
		return rng_once_in(&f->rng, 2) ? any_number(f) :
						 rng_below(&f->rng, 110);
	return rng_once_in(&f->rng, 8) ? 0 : rng_pick(&f->rng, advices);
}

struct iovec32 {
	uint32_t base;
	uint32_t len;
};

/* A vector of this program's own, for @call to point to. */
static struct iovec vec64[VEC_MAX];
static struct iovec32 *vec32;

static void make_vector(struct fuzz *f, struct call *call)
{
	static const unsigned int lengths[] = {
		7, 8, 9, 100, 1023, 1024, 1025,
	};
	unsigned int i, nr = rng_below(&f->rng, 4);
	bool usable;
	char *place;

	/* Long ones take long to make. */
	if (rng_once_in(&f->rng, 64))
		nr = rng_pick(&f->rng, lengths);
	for (i = 0; i < nr; i++) {
		unsigned long addr = any_address(f), len = any_length(f);

		vec64[i] = (struct iovec){ (void *)addr, len };
		vec32[i] = (struct iovec32){ addr, len };
	}
	call->args[1] = call->compat ? (unsigned long)vec32 :
				       (unsigned long)vec64;
	call->args[2] = nr;
	if (rng_once_in(&f->rng, 8)) {
		place = any_place(f, nr > 8 ? 128 : 8, &usable);
		call->args[1] = (unsigned long)place;
	}
	if (rng_once_in(&f->rng, 16))
		call->args[2] = any_number(f);
}

static char canary[PAGE];

static void make_result(struct fuzz *f, struct call *call)
{
	static const uint32_t sizes[] = {
		0, 1, 191, 192, 193, 200, 256, 4095, 4096, 4097, 0xffffffff,
	};
	struct pmadv_result r = {};
	bool usable;
	char *place;

	r.size = rng_once_in(&f->rng, 4) ? rng_pick(&f->rng, sizes) : sizeof(r);
	r.call_id = UNWRITTEN;
	if (rng_once_in(&f->rng, 4))
		r.max_pages = any_number(f);
	if (rng_once_in(&f->rng, 8))
		r.cursor = any_address(f);
	if (rng_once_in(&f->rng, 16))
		r.cursor_index = any_number(f);
	if (rng_once_in(&f->rng, 16))
		r.stats.scanned = any_number(f);

	place = any_place(f, 2 * sizeof(r), &usable);
	call->result = NULL;
	if (usable) {
		memcpy(f->page, canary, PAGE);
		/* Members of later versions are mostly zero. */
		memset(place + sizeof(r), rng_once_in(&f->rng, 4), sizeof(r));
		memcpy(place, &r, sizeof(r));
		call->result = place;
	}
	call->args[5] = (unsigned long)place;
}

/* ---- Answers ---------------------------------------------------------- */

static bool known_error(long ret)
{
	switch (-ret) {
	case EINVAL: case EFAULT: case E2BIG: case EBADF: case ESRCH:
	case EACCES: case EPERM: case ESTALE: case ENOENT: case ENOMEM:
	case EINTR: case ECANCELED: case EAGAIN: case EBUSY: case EIO:
		return true;
	}
	return false;
}

static const char *wrong_result(const struct pmadv_result *r, long ret,
				bool compat)
{
	uint64_t max = compat ? INT_MAX & ~(PAGE - 1) : LONG_MAX;

	if (r->ranges_seen != r->ranges_advised + r->ranges_skipped +
			      r->ranges_refused + r->ranges_failed)
		return "ranges do not add up";
	if (r->stopped > PMADV_STOPPED_POLICY_ERROR)
		return "stopped for no reason";
	if (ret >= 0 && !r->stopped && (r->cursor || r->cursor_index))
		return "a cursor at the end";
	if (r->cursor % PAGE || r->bytes_advised % PAGE)
		return "not in pages";
	if (r->error > 4095 || (!r->error && r->error_addr))
		return "a place without an error";
	if (r->stats.young > r->stats.scanned ||
	    r->stats.shared > r->stats.scanned)
		return "more than was looked at";
	if (r->bytes_advised &&
	    ret != (long)(r->bytes_advised < max ? r->bytes_advised : max) &&
	    ret != -EFAULT)
		return "not what was returned";
	return NULL;
}

/* Bytes beside the result must be as make_result() left them. */
static bool beside_changed(struct fuzz *f, const struct call *call)
{
	const char *end = call->result + 2 * sizeof(struct pmadv_result);

	return memcmp(f->page, canary, call->result - f->page) ||
	       memcmp(end, canary, f->page + PAGE - end);
}

static void check_answer(struct fuzz *f, const struct call *call, long ret)
{
	struct pmadv_result r;
	const char *wrong;

	if (ret < 0) {
		f->errors[-ret < 4096 ? -ret : 4095]++;
		if (!known_error(ret) && !(ret == -EOPNOTSUPP &&
					   call->args[3] == MADV_COLLAPSE))
			complain(f, call, ret, "no errno of the manual");
	} else {
		f->done++;
	}
	if (!call->result)
		return;
	memcpy(&r, call->result, sizeof(r));
	if (beside_changed(f, call))
		complain(f, call, ret, "wrote beside the result");
	if (r.call_id == UNWRITTEN)
		return;
	if (!(call->args[4] & PMADV_RESULT))
		complain(f, call, ret, "wrote a result nobody asked for");
	wrong = wrong_result(&r, ret, call->compat);
	if (wrong)
		complain(f, call, ret, wrong);
}

static void fuzz_madvise(struct fuzz *f)
{
	struct call call = { .compat = rng_once_in(&f->rng, 4) };
	long ret;

	call.args[0] = any_fd(f);
	make_vector(f, &call);
	call.args[3] = any_advice(f);
	call.args[4] = any_flags(f);
	make_result(f, &call);
	if (call.args[4] & PMADV_ENTIRE_ADDRESS_SPACE &&
	    rng_below(&f->rng, 8)) {
		call.args[1] = 0;
		call.args[2] = 0;
	}
	ret = do_call(__NR_process_madvise, __NR_process_madvise, &call);
	check_answer(f, &call, ret);
}

static void fuzz_ioctl(struct fuzz *f)
{
	struct call call = { .compat = rng_once_in(&f->rng, 4) };
	struct pidfd_vma arg = { .addr = any_address(f) };
	unsigned int cmd = PIDFD_GET_VMA;
	bool usable;
	char *place;
	long ret;

	if (rng_once_in(&f->rng, 16))
		cmd ^= 1U << rng_below(&f->rng, 32);
	if (rng_once_in(&f->rng, 8))
		arg.flags = any_number(f);
	place = any_place(f, sizeof(arg), &usable);
	if (usable)
		memcpy(place, &arg, sizeof(arg));
	call.args[0] = any_fd(f);
	call.args[1] = cmd;
	call.args[2] = (unsigned long)place;
	ret = do_call(__NR_ioctl, NR32_IOCTL, &call);
	if (ret < 0) {
		f->errors[-ret < 4096 ? -ret : 4095]++;
		if (cmd == PIDFD_GET_VMA && ret != -ENOTTY && !known_error(ret))
			complain(f, &call, ret, "no errno of the manual");
		return;
	}
	f->done++;
	if (cmd == PIDFD_GET_VMA && rng_once_in(&f->rng, 2)) {
		close(f->fd[FD_VMA]);
		f->fd[FD_VMA] = ret;
	} else {
		close(ret);
	}
}

/* ---- What is fuzzed with ---------------------------------------------- */

static long make_area(unsigned long kind, unsigned long b, unsigned long c)
{
	unsigned long addr;

	(void)b;
	(void)c;
	if (kind == AREA_HUGE)
		return do_map_filled(HUGE, 1, 1);
	/* Below 4 GiB, where a 32-bit caller reaches it. */
	addr = do_map(AREA_LEN, PROT_READ | PROT_WRITE, MAP_32BIT |
		      MAP_ANONYMOUS | (kind == AREA_SHMEM ? MAP_SHARED :
							    MAP_PRIVATE));
	if (!addr)
		return 0;
	fill(addr, AREA_LEN, 1);
	if (kind == AREA_LOCKED && mlock((void *)addr, AREA_LEN))
		return 0;
	if (kind == AREA_READ_ONLY && mprotect((void *)addr, AREA_LEN, PROT_READ))
		return 0;
	return addr;
}

static int open_vma(struct fuzz *f, unsigned long addr)
{
	struct pidfd_vma arg = { .addr = addr };

	return ioctl(f->target.pidfd, PIDFD_GET_VMA, &arg);
}

/* An area that others have VMA fds of goes, and comes back as another. */
static bool replace_area(struct fuzz *f, enum area_kind kind)
{
	struct target *t = &f->target;

	close(f->fd[FD_STALE]);
	f->fd[FD_STALE] = open_vma(f, f->area[kind]);
	target_call(t, do_unmap, f->area[kind],
		    kind == AREA_HUGE ? HUGE : AREA_LEN, 0);
	f->area[kind] = target_call(t, make_area, kind, 0, 0);
	return f->area[kind];
}

static int dead_pidfd(void)
{
	pid_t pid = fork();
	int fd;

	if (!pid)
		_exit(0);
	fd = pidfd_open_pid(pid, 0);
	waitpid(pid, NULL, 0);
	return fd;
}

static char *map_low(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void *race(void *arg)
{
	volatile uint64_t *words = arg;
	struct rng rng = { 1 };
	struct pmadv_result r = { .size = sizeof(r) };

	/* Now a result or a vector, now rubbish; and time for others. */
	for (;;) {
		memcpy((void *)words, &r, sizeof(r));
		words[rng_below(&rng, 16)] = rng_next(&rng);
		usleep(20);
	}
	return NULL;
}

static int lowest_free_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static int set_up(struct fuzz *f)
{
	pthread_t thread;
	unsigned int i;
	int err;

	err = target_start(&f->target);
	if (err)
		return err;
	for (i = 0; i < NR_AREAS; i++) {
		f->area[i] = target_call(&f->target, make_area, i, 0, 0);
		if (!f->area[i])
			return -ENOMEM;
	}
	f->fd[FD_TARGET] = f->target.pidfd;
	f->fd[FD_SELF] = pidfd_open_pid(getpid(), 0);
	f->fd[FD_VMA] = open_vma(f, f->area[AREA_ANON]);
	f->fd[FD_STALE] = open_vma(f, f->area[AREA_SHMEM]);
	f->fd[FD_DEAD] = dead_pidfd();
	f->fd[FD_FILE] = open("/dev/null", O_RDWR | O_CLOEXEC);
	f->fd[FD_CLOSED] = 1000;
	for (i = 0; i < NR_FDS; i++)
		if (f->fd[i] < 0)
			return -EBADF;
	f->policies = torture__open_and_load();
	if (!f->policies)
		return -errno;
	f->policies->bss->asked = f->rng.state;
	f->lowest_fd = lowest_free_fd();

	f->page = map_low(3 * PAGE);
	f->racing = map_low(PAGE);
	vec32 = (struct iovec32 *)map_low(VEC_MAX * sizeof(*vec32));
	if (!f->page || !f->racing || !vec32 ||
	    mprotect(f->page + PAGE, PAGE, PROT_READ) ||
	    munmap(f->page + 2 * PAGE, PAGE))
		return -ENOMEM;
	return -pthread_create(&thread, NULL, race, f->racing);
}

/* Have a policy in force most of the time: one or the other, or a new link. */
static void change_policy(struct fuzz *f)
{
	struct bpf_map *const maps[] = {
		f->policies->maps.calm, f->policies->maps.calm_twin,
		f->policies->maps.rude, f->policies->maps.rude_twin,
	};
	unsigned int i;

	if (f->link && rng_once_in(&f->rng, 2) &&
	    !bpf_link__update_map(f->link, rng_pick(&f->rng, maps)))
		return;
	bpf_link__destroy(f->link);
	f->link = NULL;
	if (rng_once_in(&f->rng, 8))
		return;
	/* One whose last life has not ended is busy: take another then. */
	for (i = 0; !f->link && i < 2 * ARRAY_LEN(maps); i++)
		f->link = bpf_map__attach_struct_ops(rng_pick(&f->rng, maps));
}

/* Not a byte of the target may have changed, not a descriptor be left. */
static void verify(struct fuzz *f)
{
	unsigned int i;
	size_t len;
	long bad;

	if (lowest_free_fd() > f->lowest_fd + 2) {
		printf("# call %" PRIu64 ": descriptors are left open\n",
		       f->calls);
		f->failures++;
	}

	for (i = 0; i < NR_AREAS; i++) {
		len = i == AREA_HUGE ? HUGE : AREA_LEN;
		bad = target_call(&f->target, do_check, f->area[i], len, 1);
		f->pages += len / PAGE;
		if (bad) {
			printf("# call %" PRIu64 ": %ld pages of area %u are wrong\n",
			       f->calls, bad, i);
			f->failures++;
		}
	}
}

static void report(struct fuzz *f)
{
	unsigned int i;

	printf("# calls that did something: %" PRIu64, f->done);
	for (i = 0; i < ARRAY_LEN(f->errors); i++)
		if (f->errors[i])
			printf(", %s: %" PRIu64, strerrorname_np(i) ?: "?",
			       f->errors[i]);
	printf("\n");
	torture_count("fuzz_calls", f->calls);
	torture_count("pages_verified", f->pages);
	torture_count("policies_attached", f->policies->bss->inits);
	torture_count("policies_ejected", f->policies->bss->ejections);
}

int main(int argc, char **argv)
{
	static struct fuzz f;
	struct torture_options o;
	uint64_t end;
	int err;

	if (torture_options(argc, argv, &o))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	libbpf_set_print(NULL);
	f.rng.state = o.seed;
	memset(canary, CANARY, sizeof(canary));
	err = set_up(&f);
	if (err) {
		fprintf(stderr, "fuzz: cannot set up: %s\n", strerror(-err));
		return 1;
	}
	end = now_ms() + o.seconds * 1000ULL;
	while (f.failures < 20) {
		if (rng_once_in(&f.rng, 8))
			fuzz_ioctl(&f);
		else
			fuzz_madvise(&f);
		if (++f.calls % VERIFY_EVERY)
			continue;
		verify(&f);
		change_policy(&f);
		if (!replace_area(&f, rng_below(&f.rng, NR_AREAS)))
			break;
		if (now_ms() >= end)
			break;
	}
	verify(&f);
	bpf_link__destroy(f.link);
	report(&f);
	target_stop(&f.target);
	torture__destroy(f.policies);
	return f.failures ? 1 : 0;
}

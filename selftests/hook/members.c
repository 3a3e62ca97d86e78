// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: each member of struct process_madvise_ops is called when
 * it should be and told what is so; the reasons for which a policy leaves.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/userfaultfd.h>

#include "hook.h"
#include "hook_tcp.skel.h"

static struct hook_rule *answer(struct hook *h, int verdict)
{
	hook_reset(h->skel);
	return hook_rule(h->skel, h->addr, h->addr + h->len, verdict);
}

static void run_members(struct hook *h)
{
	const struct hook_policy__bss *bss = h->skel->bss;
	unsigned int i;

	EXPECT_EQ(bss->inits, 1);
	EXPECT_EQ(bss->begins, 0);

	answer(h, MADV_PAGEOUT)->step = 32 * PAGE;
	EXPECT_EQ(hook_walk(h, MADV_COLD, 0), h->len);

	EXPECT_EQ(bss->begins, 1);
	EXPECT_EQ(bss->begin_flags,
		  PMADV_POLICY | PMADV_SKIP_ERRORS | PMADV_RESULT);
	EXPECT_EQ(bss->begin_advice, MADV_COLD);
	EXPECT_EQ(bss->begin_tgid, h->target.pid);

	EXPECT_EQ(bss->nr_seen, 2);
	EXPECT_EQ(bss->nr_advised, 2);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(bss->seen[i].tgid, h->target.pid);
		EXPECT_EQ(bss->seen[i].advice, MADV_COLD);
		EXPECT_EQ(bss->seen[i].walk_flags, bss->begin_flags);
		EXPECT_EQ(bss->seen[i].advised, 1);
		EXPECT_EQ(bss->seen[i].advised_end,
			  h->addr + (i + 1) * 32 * PAGE);
		EXPECT_EQ(bss->seen[i].scanned, 32);
		EXPECT_EQ(bss->seen[i].reclaimed, 32);
	}

	EXPECT_EQ(bss->ends, 1);
	EXPECT_EQ(bss->end_call_id, h->result.call_id);
	EXPECT_EQ(bss->end_seen, 2);
	EXPECT_EQ(bss->end_bytes, h->len);
	EXPECT_EQ(bss->end_reclaimed, 64);

	EXPECT_EQ(bss->inits, 1);
	EXPECT_EQ(bss->exits, 0);
	hook_detach(&h->link);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_DETACHED);
	EXPECT_EQ(bss->exit_code, 0);
	EXPECT(bss->exit_msg[0], "");
	EXPECT_EQ(hook_walk(h, MADV_COLD, 0), -ENOENT);
	EXPECT_EQ(bss->begins, 1);
}

/* Calls that fail early, or are none of the policy's business, don't begin. */
static void run_not_asked(struct hook *h)
{
	const struct hook_policy__bss *bss = h->skel->bss;
	struct iovec vec = { (void *)h->addr, h->len };

	EXPECT_EQ(pmadv(h->target.pidfd, &vec, 1, MADV_COLD, 0, NULL), h->len);
	EXPECT_EQ(pmadv(h->target.pidfd, &vec, 1, MADV_COLD, PMADV_SKIP_ERRORS,
			NULL), h->len);
	EXPECT_EQ(target_call(&h->target, do_madvise, h->addr, h->len,
			      MADV_COLD), 0);
	EXPECT_EQ(pmadv(h->target.pidfd, &vec, 1, 4, PMADV_POLICY, NULL),
		  -EINVAL);
	EXPECT_EQ(pmadv(-1, &vec, 1, 0, PMADV_POLICY, NULL), -EBADF);
	EXPECT_EQ(bss->begins, 0);
	EXPECT_EQ(bss->nr_seen, 0);
	EXPECT_EQ(bss->ends, 0);
}

static void run_begin_refuses(struct hook *h)
{
	static const int refusals[][2] = {
		{ -EPERM, -EPERM },
		{ -EAGAIN, -EAGAIN },
		{ 1, -EINVAL },
		{ MADV_PAGEOUT, -EINVAL },
		{ -5000, -EINVAL },
	};
	struct hook_policy__bss *bss = h->skel->bss;
	unsigned int i;

	answer(h, MADV_PAGEOUT);
	for (i = 0; i < ARRAY_LEN(refusals); i++) {
		bss->begin_ret = refusals[i][0];
		EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), refusals[i][1]);
		EXPECT_EQ(h->result.ranges_seen, 0);
	}
	EXPECT_EQ(bss->begins, i);
	EXPECT_EQ(bss->nr_seen, 0);
	EXPECT_EQ(bss->ends, 0);
	EXPECT_EQ(hook_present(h, h->addr, h->len), 64);

	/* The policy stays in force, and may answer differently later. */
	bss->begin_ret = 0;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(bss->ends, 1);
	hook_expect_intact(h);
}

static void run_begin_sleeps(struct hook *h)
{
	static const char text[] = "hello";

	answer(h, PMADV_SKIP);
	h->skel->bss->caller_text = (__u64)(unsigned long)text;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->text_ret, sizeof(text));
	EXPECT(!strcmp(h->skel->bss->text, text), "");
}

/* A begin() or end() that sleeps on a page which comes only when we say so. */
struct sleeper {
	struct hook *h;
	char *page;
	int uffd;
	long ret;
	bool done;
};

static void *walk_and_sleep(void *arg)
{
	struct sleeper *s = arg;

	s->ret = hook_walk(s->h, 0, 0);
	return NULL;
}

/* Whatever else has to do with struct_ops goes on. */
static void *use_struct_ops(void *arg)
{
	struct hook_tcp *tcp = hook_tcp__open_and_load();
	struct bpf_link *link = NULL;
	struct sleeper *s = arg;
	struct hook *h = s->h;

	EXPECT_EQ(bpf_link__detach(h->link), 0);
	EXPECT(hook_hung_up(h->link, 0), "");
	EXPECT_EQ(hook_attach(h->skel->maps.other, &link), 0);
	EXPECT_EQ(hook_counter("other", "calls"), 0);
	hook_detach(&link);

	if (EXPECT(tcp, "")) {
		EXPECT_EQ(hook_attach(tcp->maps.hook_tcp, &link), 0);
		hook_detach(&link);
	}
	hook_tcp__destroy(tcp);
	__atomic_store_n(&s->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static int open_missing_page(struct sleeper *s)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	s->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (s->uffd < 0)
		return -errno;
	s->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->page == MAP_FAILED)
		return -errno;
	reg.range.start = (unsigned long)s->page;
	reg.range.len = PAGE;
	if (ioctl(s->uffd, UFFDIO_API, &api) ||
	    ioctl(s->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

static void wake(struct sleeper *s)
{
	static char text[PAGE] __attribute__((aligned(4096))) = "awake";
	struct uffdio_copy copy = {
		.dst = (unsigned long)s->page,
		.src = (unsigned long)text,
		.len = PAGE,
	};

	EXPECT_EQ(ioctl(s->uffd, UFFDIO_COPY, &copy), 0);
}

/* The walk sleeps in there; a second map of the same life must not begin. */
static void expect_undisturbed(struct sleeper *s)
{
	struct hook *h = s->h;
	struct bpf_link *again = NULL;
	pthread_t others;
	unsigned int i;

	if (!EXPECT_EQ(pthread_create(&others, NULL, use_struct_ops, s), 0)) {
		wake(s);
		return;
	}
	for (i = 0; i < 1000; i++) {
		if (__atomic_load_n(&s->done, __ATOMIC_SEQ_CST))
			break;
		hook_sleep_ms(10);
	}
	if (EXPECT(i < 1000, ": others had to wait")) {
		EXPECT_EQ(hook_attach(h->skel->maps.hook, &again), -EBUSY);
		EXPECT_EQ(h->skel->bss->inits, 1);
		EXPECT_EQ(h->skel->bss->exits, 0);
	}
	wake(s);
	pthread_join(others, NULL);
	hook_detach(&again);
}

static void sleep_in(struct hook *h, bool end)
{
	struct sleeper s = { .h = h, .uffd = -1, .page = MAP_FAILED };
	volatile __u64 *there = end ? &h->skel->bss->ends :
				      &h->skel->bss->begins;
	pthread_t walker;
	unsigned int i;

	if (open_missing_page(&s)) {
		hook_skip("this kernel has no userfaultfd");
		goto out;
	}
	answer(h, MADV_PAGEOUT);
	h->skel->bss->text_at_end = end;
	h->skel->bss->caller_text = (__u64)(unsigned long)s.page;

	if (!EXPECT_EQ(pthread_create(&walker, NULL, walk_and_sleep, &s), 0))
		goto out;
	for (i = 0; !*there && i < 500; i++)
		hook_sleep_ms(10);
	EXPECT_EQ(*there, 1);
	expect_undisturbed(&s);
	pthread_join(walker, NULL);

	EXPECT_EQ(h->skel->bss->text_ret, sizeof("awake"));
	hook_expect_exit(h->skel, 1, PMADV_EXIT_DETACHED);
	EXPECT_EQ(s.ret, end ? h->len : -ECANCELED);
	EXPECT_EQ(h->result.stopped, end ? PMADV_STOPPED_NOT :
					   PMADV_STOPPED_DETACHED);
	EXPECT_EQ(h->skel->bss->nr_seen, end);
	EXPECT_EQ(h->skel->bss->ends, end);
	EXPECT_EQ(hook_present(h, h->addr, h->len), end ? 0 : 64);

	/* Its life is over, and another may begin. */
	hook_detach(&h->link);
	h->skel->bss->caller_text = 0;
	EXPECT_EQ(hook_attach_again(h->skel->maps.hook, &h->link), 0);
	EXPECT_EQ(h->skel->bss->inits, 2);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
out:
	if (s.page != MAP_FAILED)
		munmap(s.page, PAGE);
	if (s.uffd >= 0)
		close(s.uffd);
}

static void run_sleep_in_begin(struct hook *h)
{
	sleep_in(h, false);
}

static void run_sleep_in_end(struct hook *h)
{
	sleep_in(h, true);
}

static void run_init_fails(struct hook *h)
{
	static const int results[][2] = {
		{ -ENOSPC, -ENOSPC },
		{ -EACCES, -EACCES },
		{ 1, -EINVAL },
		{ -5000, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(results); i++) {
		h->skel->bss->init_ret = results[i][0];
		EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link),
			  results[i][1]);
		EXPECT_EQ(h->skel->bss->inits, i + 1);
	}
	EXPECT_EQ(h->skel->bss->exits, 0);
	EXPECT_EQ(hook_walk(h, MADV_COLD, 0), -ENOENT);
	EXPECT_EQ(hook_counter("hook", "calls"), -ENOENT);

	h->skel->bss->init_ret = 0;
	EXPECT_EQ(hook_attach(h->skel->maps.hook, &h->link), 0);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
}

/* The memory in three parts: out, give up, out. */
static void run_error(struct hook *h)
{
	unsigned long a = h->addr, b = a + 16 * PAGE, c = b + 16 * PAGE;
	long long ejected;
	char text[256] = "";

	read_file(HOOK_SYSFS "/ejected", text, sizeof(text));
	ejected = strtoll(text, NULL, 10);

	hook_reset(h->skel);
	hook_rule(h->skel, a, b, MADV_PAGEOUT);
	hook_rule(h->skel, b, c, MADV_PAGEOUT)->todo = HOOK_DO_ERROR;
	hook_rule(h->skel, c, a + h->len, MADV_PAGEOUT);

	EXPECT_EQ(hook_walk(h, 0, 0), 16 * PAGE);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_EJECTED);
	EXPECT_EQ(h->result.cursor, b);
	EXPECT_EQ(h->skel->bss->nr_seen, 2);
	EXPECT_EQ(h->skel->bss->nr_advised, 1);
	EXPECT_EQ(h->skel->bss->ends, 0);
	EXPECT_EQ(hook_swapped(h, a, h->len), 16);

	hook_expect_exit(h->skel, 1, PMADV_EXIT_ERROR);
	EXPECT_EQ(h->skel->bss->exit_code, -61);
	EXPECT(!strcmp(h->skel->bss->exit_msg, "the first error"), ": %s",
	       h->skel->bss->exit_msg);
	EXPECT(hook_hung_up(h->link, 2000), "");

	read_file(HOOK_SYSFS "/ejected", text, sizeof(text));
	EXPECT_EQ(strtoll(text, NULL, 10), ejected + 1);
	read_file(HOOK_SYSFS "/last_ejection", text, sizeof(text));
	EXPECT(!strncmp(text, "hook: ", 6) && strstr(text, "the first error"),
	       ": last_ejection is %s", text);
	EXPECT_EQ(hook_counter("hook", "calls"), -ENOENT);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);

	/* The place is free, even while the old link is still open. */
	EXPECT_EQ(hook_attach(h->skel->maps.other, &h->more_link[0]), 0);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	hook_expect_intact(h);
}

static void run_error_late(struct hook *h)
{
	struct hook_rule *rule = answer(h, MADV_PAGEOUT);

	rule->todo = HOOK_DO_ERROR_LATE;
	rule->step = 32 * PAGE;

	EXPECT_EQ(hook_walk(h, 0, 0), 32 * PAGE);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_EJECTED);
	EXPECT_EQ(h->skel->bss->nr_seen, 1);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_ERROR);
	EXPECT_EQ(h->skel->bss->exit_code, 7);
	EXPECT(!strcmp(h->skel->bss->exit_msg, "too late"), "");
	EXPECT(hook_hung_up(h->link, 2000), "");
	hook_expect_intact(h);
}

static void run_detach_all(struct hook *h)
{
	EXPECT_EQ(write_file(HOOK_SYSFS "/detach_all", "0"), -EINVAL);
	EXPECT_EQ(write_file(HOOK_SYSFS "/detach_all", "all"), -EINVAL);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);

	EXPECT_EQ(write_file(HOOK_SYSFS "/detach_all", "1"), 0);
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);
	hook_expect_exit(h->skel, 1, PMADV_EXIT_ADMIN);
	EXPECT(hook_hung_up(h->link, 2000), "");
}

/* The counters of a policy in sysfs are the sums over its calls. */
static void run_counters(struct hook *h)
{
	static const char *const names[] = {
		"calls", "ranges_seen", "ranges_advised", "ranges_skipped",
		"ranges_refused", "ranges_failed", "invalid_verdicts",
		"bytes_advised", "scanned", "young", "shared", "deactivated",
		"isolated", "reclaimed", "swapped", "cgroup_id",
	};
	unsigned long a = h->addr, b = a + 16 * PAGE, c = b + 16 * PAGE,
		      d = c + 16 * PAGE;
	const long long want[] = {
		2, 8, 4, 2,
		2, 0, 2,
		2 * 32 * PAGE, 48, 32, 0, 32,
		16, 16, 16, 0,
	};
	unsigned int i;

	hook_reset(h->skel);
	hook_rule(h->skel, a, b, MADV_PAGEOUT);
	hook_rule(h->skel, b, c, MADV_COLD);
	hook_rule(h->skel, c, d, PMADV_SKIP);
	hook_rule(h->skel, d, a + h->len, 4 /* MADV_DONTNEED */);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(hook_walk(h, 0, 0), 32 * PAGE);

	_Static_assert(ARRAY_LEN(names) == ARRAY_LEN(want), "one for each");
	for (i = 0; i < ARRAY_LEN(names); i++) {
		long long got = hook_counter("hook", names[i]);

		EXPECT(got == want[i], ": %s is %lld, not %lld", names[i], got,
		       want[i]);
	}
	EXPECT(hook_counter("hook", "time_ns") > 0, "");
	EXPECT(hook_counter("hook", "link_id") > 0, "");
	hook_expect_intact(h);
}

const struct hook_test hook_member_tests[] = {
	{
		.name = "members",
		.description = "each member is called, in order, with the facts",
		.setup = hook_setup_attached,
		.run = run_members,
	},
	{
		.name = "not_asked",
		.description = "calls without PMADV_POLICY ask nobody",
		.setup = hook_setup_attached,
		.run = run_not_asked,
	},
	{
		.name = "begin_refuses",
		.description = "an errno from begin() ends the call at once",
		.setup = hook_setup_attached,
		.run = run_begin_refuses,
	},
	{
		.name = "begin_sleeps",
		.description = "begin() can read the caller's memory",
		.setup = hook_setup_attached,
		.run = run_begin_sleeps,
	},
	{
		.name = "sleep_in_begin",
		.description = "nobody waits for a begin() that sleeps",
		.setup = hook_setup_attached,
		.run = run_sleep_in_begin,
	},
	{
		.name = "sleep_in_end",
		.description = "nor for an end()",
		.setup = hook_setup_attached,
		.run = run_sleep_in_end,
	},
	{
		.name = "init_fails",
		.description = "an errno from init() keeps the policy out",
		.setup = hook_setup_loaded,
		.run = run_init_fails,
	},
	{
		.name = "error",
		.description = "bpf_pmadv_error() ejects, and the first one wins",
		.setup = hook_setup_attached,
		.run = run_error,
	},
	{
		.name = "error_late",
		.description = "bpf_pmadv_error() from advised() ends the walk",
		.setup = hook_setup_attached,
		.run = run_error_late,
	},
	{
		.name = "detach_all",
		.description = "sysfs detaches every policy at once",
		.setup = hook_setup_attached,
		.run = run_detach_all,
	},
	{
		.name = "counters",
		.description = "sysfs adds up what the policy's calls did",
		.setup = hook_setup_attached,
		.run = run_counters,
	},
	{ }
};

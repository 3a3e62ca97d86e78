// SPDX-License-Identifier: GPL-2.0
/*
 * Policies that the verifier has nothing against and that mean no good all the
 * same. hostile.c attaches one at a time, walks a target with it and says
 * what must become of it: it is ejected, or it does no harm.
 */
#include "advise_only.bpf.h"

char _license[] SEC("license") = "GPL";

#define PAGE		4096UL

/* Advice that loses data or changes what the owner sees, for every page. */
#define EVERY_PAGE(name, verdict)					\
ADVISE(name)								\
{									\
	range->end = range->start + PAGE;				\
	return verdict;							\
}									\
POLICY(name)

EVERY_PAGE(dontneed, 4);
EVERY_PAGE(lazyfree, 8);
EVERY_PAGE(remove, 9);
EVERY_PAGE(dontfork, 10);
EVERY_PAGE(unmergeable, 13);
EVERY_PAGE(wipeonfork, 18);
EVERY_PAGE(populate_write, 23);
EVERY_PAGE(dontneed_locked, 24);
EVERY_PAGE(hwpoison, 100);
EVERY_PAGE(soft_offline, 101);
EVERY_PAGE(guard_install, 102);
EVERY_PAGE(int_max, 0x7fffffff);
EVERY_PAGE(int_min, -0x7fffffff - 1);
/* What a wider comparison would take for MADV_PAGEOUT. */
EVERY_PAGE(pageout_plus, MADV_PAGEOUT | 1 << 16);
EVERY_PAGE(an_errno, -12);
/* The value that a forbidden helper returns. */
EVERY_PAGE(an_eperm, -1);

/* Hands on what the kfunc returns, -ENOENT of a mapping without a name. */
ADVISE(nameless_name)
{
	char name[8];

	range->end = range->start + PAGE;
	return bpf_pmadv_vma_name(range, name, sizeof(name));
}
POLICY(nameless_name);

/* Half a pointer: neither advice nor worth anything. */
ADVISE(pointer)
{
	range->end = range->start + PAGE;
	return (u64)task;
}
POLICY(pointer);

/* The cookie of an exception is what the program returns. */
extern void bpf_throw(u64 cookie) __ksym;

ADVISE(throw)
{
	range->end = range->start + PAGE;
	bpf_throw(4);
	return PMADV_SKIP;
}
POLICY(throw);

ADVISE(all_modifiers)
{
	range->end = range->start + PAGE;
	range->modifiers = ~0U;
	return MADV_PAGEOUT;
}
POLICY(all_modifiers);

/* Ends that no range can have. */
#define END(name, value)						\
ADVISE(name)								\
{									\
	range->end = value;						\
	return MADV_PAGEOUT;						\
}									\
POLICY(name)

END(end_nothing, range->start);
END(end_zero, 0);
END(end_backwards, range->start - PAGE);
END(end_odd, range->start + 1);
END(end_wider, range->end + PAGE);
END(end_highest, ~0ULL);
/* Beyond it, though still inside of the mapping. */
END(end_of_mapping, range->vma_end);

/* Narrowed wrongly, but with nothing to be done: wrong all the same. */
ADVISE(end_of_nothing)
{
	range->end = 0;
	return PMADV_SKIP;
}
POLICY(end_of_nothing);

/* The message is text, not a format; the code is any there is. */
ADVISE(error_format)
{
	bpf_pmadv_error(range, -0x7fffffffffffffffLL - 1, "%s%n%p%x%d%%");
	return MADV_PAGEOUT;
}
POLICY(error_format);

ADVISE(error_long)
{
	bpf_pmadv_error(range, 1,
			"0123456789abcdefghijklmnopqrstuvwxyz "
			"0123456789abcdefghijklmnopqrstuvwxyz "
			"0123456789abcdefghijklmnopqrstuvwxyz "
			"0123456789abcdefghijklmnopqrstuvwxyz");
	return MADV_PAGEOUT;
}
POLICY(error_long);

ADVISE(late_error)
{
	return MADV_COLD;
}

SEC("struct_ops/late_error_advised")
void BPF_PROG(late_error_advised, struct pmadv_range *range,
	      struct pmadv_stats *stats)
{
	range->end = 0;
	bpf_pmadv_error(range, 1, "after the fact");
}

SEC(".struct_ops.link")
struct process_madvise_ops late_error = {
	.advise		= (void *)late_error_advise,
	.advised	= (void *)late_error_advised,
	.name		= "late_error",
};

/* mmap_lock is held meanwhile; it is let go of after each range. */
static long until(u64 i, u64 *end)
{
	return bpf_ktime_get_ns() >= *end;
}

static long longer_until(u64 i, u64 *end)
{
	bpf_loop(1 << 16, until, end, 0);
	return until(i, end);
}

static void take_ms(u64 ms)
{
	u64 end = bpf_ktime_get_ns() + ms * 1000000;

	bpf_loop(1 << 16, longer_until, &end, 0);
}

/* Within the bound. */
ADVISE(steady)
{
	take_ms(1);
	return MADV_COLD;
}
POLICY(steady);

/* Beyond it. */
ADVISE(slow)
{
	range->end = range->start + PAGE;
	take_ms(30);
	return MADV_COLD;
}
POLICY(slow);

/* So far beyond it that once is enough. */
ADVISE(stuck)
{
	take_ms(1500);
	return MADV_COLD;
}
POLICY(stuck);

/* ---- What does no harm ------------------------------------------------ */

/* Answers for one page of any range, as long as there is one. */
EVERY_PAGE(crawl, MADV_PAGEOUT);

ADVISE(huge_cap)
{
	range->max_pages = ~0ULL;
	return MADV_PAGEOUT;
}
POLICY(huge_cap);

/* Writes after the verdict was carried out have no effect. */
ADVISE(too_late)
{
	return MADV_COLD;
}

SEC("struct_ops/too_late_advised")
void BPF_PROG(too_late_advised, struct pmadv_range *range,
	      struct pmadv_stats *stats)
{
	struct pmadv_sample sample;
	char name[8];

	range->end = ~0ULL;
	range->max_pages = 1;
	range->modifiers = ~0U;
	bpf_pmadv_sample(range, &sample, 1);
	bpf_pmadv_vma_name(range, name, sizeof(name));
}

SEC(".struct_ops.link")
struct process_madvise_ops too_late = {
	.advise		= (void *)too_late_advise,
	.advised	= (void *)too_late_advised,
	.name		= "too_late",
};

/* Arguments that kfuncs have no use for. */
ADVISE(odd_arguments)
{
	struct pmadv_sample sample;
	struct pmadv_pages pages;
	u64 mask[8] = { ~0ULL };
	char name[1];

	bpf_pmadv_vma_name(range, name, 0);
	bpf_pmadv_vma_name(range, name, 1);
	bpf_pmadv_sample(range, &sample, 0);
	bpf_pmadv_sample(range, &sample, ~0U);
	bpf_pmadv_pages(range, &pages, ~0U);
	range->end = 1;
	bpf_pmadv_sample(range, &sample, PMADV_MAX_SAMPLE);
	bpf_pmadv_pages(range, &pages, PMADV_CLEAR_YOUNG);
	range->end = ~0ULL;
	bpf_pmadv_sample(range, &sample, PMADV_MAX_SAMPLE);
	bpf_pmadv_pages(range, &pages, PMADV_CLEAR_YOUNG);
	bpf_pmadv_select(range, mask, sizeof(mask));
	range->end = range->start + PAGE;
	return MADV_COLD;
}
POLICY(odd_arguments);

/* More than anybody reads. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} unread SEC(".maps");

static char record[1024];

static long say(u64 i, void *unused)
{
	bpf_ringbuf_output(&unread, record, sizeof(record), 0);
	return 0;
}

ADVISE(flood)
{
	range->end = range->start + PAGE;
	bpf_loop(100, say, NULL, 0);
	return MADV_COLD;
}
POLICY(flood);

/* Whatever a task storage or a full map makes of it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, u64);
	__type(value, u64);
} full SEC(".maps");

ADVISE(fill)
{
	u64 key = range->start;

	range->end = range->start + PAGE;
	bpf_map_update_elem(&full, &key, &key, BPF_ANY);
	return bpf_map_lookup_elem(&full, &key) ? MADV_COLD : PMADV_SKIP;
}
POLICY(fill);

/* A program that calls itself does so a few times. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} again SEC(".maps");

__u64 tails;

ADVISE(tail)
{
	tails++;
	bpf_tail_call(ctx, &again, 0);
	return MADV_COLD;
}
POLICY(tail);

/* Its target outlives what it advised. */
struct held {
	struct task_struct __kptr *task;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct held);
} hold SEC(".maps");

extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;

ADVISE(hold_task)
{
	struct task_struct *old;
	struct held *held;
	u32 key = 0;

	held = bpf_map_lookup_elem(&hold, &key);
	if (!held)
		return PMADV_SKIP;
	task = bpf_task_acquire(task);
	if (!task)
		return PMADV_SKIP;
	old = bpf_kptr_xchg(&held->task, task);
	if (old)
		bpf_task_release(old);
	return MADV_COLD;
}
POLICY(hold_task);

/* Memory that is not there, the caller's that may not be, the kernel's. */
ADVISE(peek)
{
	u64 word;

	range->end = range->start + PAGE;
	bpf_probe_read_user(&word, sizeof(word), (void *)range->start);
	bpf_probe_read_kernel(&word, sizeof(word), (void *)range->start);
	bpf_probe_read_kernel(&word, sizeof(word), (void *)-8UL);
	bpf_probe_read_kernel(&word, sizeof(word), vma + 1000);
	return MADV_COLD;
}
POLICY(peek);

/* Another time through: all advices, caps and modifiers in turn. */
__u64 turn_of;

ADVISE(fickle)
{
	u64 n = __sync_fetch_and_add(&turn_of, 1);

	range->end = range->start + PAGE;
	range->max_pages = n % 3;
	range->modifiers = n & 1;
	switch (n % 6) {
	case 0:
		return MADV_COLD;
	case 1:
		return MADV_PAGEOUT;
	case 2:
		return MADV_WILLNEED;
	case 3:
		return MADV_COLLAPSE;
	case 4:
		return PMADV_CALLER;
	}
	return PMADV_SKIP;
}
POLICY(fickle);

ADVISE(always_stop)
{
	range->end = range->start + PAGE;
	return PMADV_STOP;
}
POLICY(always_stop);

/* ---- What init() and begin() may answer ------------------------------- */

#define INIT(what, value)						\
SEC("struct_ops.s/" #what)						\
s32 BPF_PROG(what##_init)						\
{									\
	return value;							\
}									\
									\
SEC(".struct_ops.link")							\
struct process_madvise_ops what = {					\
	.init	= (void *)what##_init,					\
	.name	= #what,						\
}

INIT(init_positive, 1);
INIT(init_lowest, -0x7fffffff - 1);
INIT(init_busy, -16);

#define BEGIN(what, value)						\
SEC("struct_ops.s/" #what)						\
s32 BPF_PROG(what##_begin, struct pmadv_walk *walk,			\
	     struct task_struct *task)					\
{									\
	return value;							\
}									\
									\
SEC(".struct_ops.link")							\
struct process_madvise_ops what = {					\
	.begin	= (void *)what##_begin,					\
	.name	= #what,						\
}

BEGIN(begin_positive, 1);
BEGIN(begin_lowest, -0x7fffffff - 1);
BEGIN(begin_restart, -512);

/* A scope that is none. */
SEC(".struct_ops.link")
struct process_madvise_ops no_cgroup = {
	.cgroup_id	= ~0ULL,
	.name		= "no_cgroup",
};

/* Built for a kernel that is yet to come. */
struct process_madvise_ops___future {
	s32 (*advise)(struct pmadv_range *range, struct task_struct *task,
		      struct vm_area_struct *vma);
	u64 since_then;
	char name[PMADV_NAME_LEN];
};

SEC("struct_ops/honest")
s32 BPF_PROG(honest_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	return MADV_COLD;
}

SEC(".struct_ops.link")
struct process_madvise_ops___future future = {
	.advise		= (void *)honest_advise,
	.since_then	= 1,
	.name		= "future",
};

SEC(".struct_ops.link")
struct process_madvise_ops___future future_zero = {
	.advise	= (void *)honest_advise,
	.name	= "future_zero",
};

/* This one is valid. */
POLICY(honest);

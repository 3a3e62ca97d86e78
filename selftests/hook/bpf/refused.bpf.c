// SPDX-License-Identifier: GPL-2.0
/*
 * Policies that the verifier must refuse. hostile.c loads one struct_ops
 * map at a time and expects that to fail, for the reason it should. The last
 * two, which there is nothing wrong with, show that they would not fail
 * otherwise.
 */
#include "advise_only.bpf.h"

char _license[] SEC("license") = "GPL";

/* A policy may not change what it is told. */
ADVISE(write_start)
{
	range->start = 0;
	return MADV_PAGEOUT;
}
POLICY(write_start);

ADVISE(write_facts)
{
	range->vma_flags &= ~PMADV_VMA_LOCKED;
	return MADV_PAGEOUT;
}
POLICY(write_facts);

ADVISE(write_call_id)
{
	range->call_id = 1;
	return MADV_PAGEOUT;
}
POLICY(write_call_id);

/* Half of it would be a range that nobody meant. */
ADVISE(write_half_end)
{
	*(volatile u32 *)&range->end = 0x1000;
	return MADV_PAGEOUT;
}
POLICY(write_half_end);

ADVISE(write_vma)
{
	*(volatile unsigned long *)&vma->vm_end = 0;
	return MADV_PAGEOUT;
}
POLICY(write_vma);

ADVISE(write_task)
{
	task->exit_code = 0;
	return MADV_PAGEOUT;
}
POLICY(write_task);

ADVISE(read_past)
{
	return *(volatile u32 *)(range + 1);
}
POLICY(read_past);

SEC("struct_ops.s/write_walk_begin")
s32 BPF_PROG(write_walk_begin, struct pmadv_walk *walk,
	     struct task_struct *task)
{
	walk->flags = 0;
	return 0;
}

SEC(".struct_ops.link")
struct process_madvise_ops write_walk = {
	.begin	= (void *)write_walk_begin,
	.name	= "write_walk",
};

SEC("struct_ops/write_stats_advised")
void BPF_PROG(write_stats_advised, struct pmadv_range *range,
	      struct pmadv_stats *stats)
{
	stats->reclaimed = 1000;
}

SEC(".struct_ops.link")
struct process_madvise_ops write_stats = {
	.advised	= (void *)write_stats_advised,
	.name		= "write_stats",
};

/* Members called under mmap_lock must not sleep, whatever their name. */
SEC("struct_ops.s/sleep_advise")
s32 BPF_PROG(sleep_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	return PMADV_SKIP;
}
POLICY(sleep);

SEC("struct_ops.s/sleep_late_advised")
void BPF_PROG(sleep_late_advised, struct pmadv_range *range,
	      struct pmadv_stats *stats)
{
}

SEC(".struct_ops.link")
struct process_madvise_ops sleep_late = {
	.advised	= (void *)sleep_late_advised,
	.name		= "sleep_late",
};

extern int bpf_copy_from_user_str(void *dst, u32 dst__sz,
				  const void *unsafe_ptr__ign,
				  u64 flags) __ksym;

char text[8];

ADVISE(sleep_kfunc)
{
	return bpf_copy_from_user_str(text, sizeof(text), (void *)range->start,
				      0);
}
POLICY(sleep_kfunc);

ADVISE(sleep_helper)
{
	return bpf_copy_from_user(text, sizeof(text), (void *)range->start);
}
POLICY(sleep_helper);

/* Helpers that would take mmap_lock again, or reach further than advice. */
static long on_vma(struct task_struct *task, struct vm_area_struct *vma,
		   void *unused)
{
	return 0;
}

ADVISE(helper_find_vma)
{
	return bpf_find_vma(task, range->start, on_vma, NULL, 0);
}
POLICY(helper_find_vma);

ADVISE(helper_signal)
{
	return bpf_send_signal(9);
}
POLICY(helper_signal);

ADVISE(helper_poke)
{
	return bpf_probe_write_user((void *)range->start, text, sizeof(text));
}
POLICY(helper_poke);

ADVISE(helper_override)
{
	return bpf_override_return((void *)ctx, 0);
}
POLICY(helper_override);

/* kfuncs want the range they were given, while it is one. */
SEC("struct_ops.s/no_range_begin")
s32 BPF_PROG(no_range_begin, struct pmadv_walk *walk, struct task_struct *task)
{
	bpf_pmadv_error((void *)walk, 1, "a walk is no range");
	return 0;
}

SEC(".struct_ops.link")
struct process_madvise_ops no_range = {
	.begin	= (void *)no_range_begin,
	.name	= "no_range",
};

ADVISE(null_range)
{
	bpf_pmadv_error(NULL, 1, "no range at all");
	return PMADV_SKIP;
}
POLICY(null_range);

ADVISE(inner_range)
{
	struct pmadv_sample sample;

	return bpf_pmadv_sample((void *)&range->end, &sample, 1);
}
POLICY(inner_range);

/* A map keeps pointers of the kernel's own type, not of its flavour. */
#pragma push_macro("pmadv_range")
#undef pmadv_range
struct stored {
	struct pmadv_range __kptr_untrusted *range;
};

/* What nothing looks into, the compiler only declares. */
static __always_inline u64 stored_start(struct stored *s)
{
	return s->range ? s->range->start : 0;
}
#pragma pop_macro("pmadv_range")

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stored);
} store SEC(".maps");

/* May be kept, but not used: it is no range any more. */
ADVISE(stored_range)
{
	struct stored *s;
	u32 key = 0;

	s = bpf_map_lookup_elem(&store, &key);
	if (!s)
		return PMADV_SKIP;
	s->range = (void *)range;
	barrier();
	range = (void *)s->range;
	if (range)
		bpf_pmadv_error(range, stored_start(s), "from long ago");
	return PMADV_SKIP;
}
POLICY(stored_range);

/* Memory that is not the policy's. */
ADVISE(small_name)
{
	char name[8];

	return bpf_pmadv_vma_name(range, name, 4096);
}
POLICY(small_name);

ADVISE(small_sample)
{
	u32 sample[2];

	return bpf_pmadv_sample(range, (void *)sample, 1);
}
POLICY(small_sample);

ADVISE(small_pages)
{
	u64 pages[8];

	return bpf_pmadv_pages(range, (void *)pages, 0);
}
POLICY(small_pages);

ADVISE(long_mask)
{
	u64 mask[1] = { 1 };

	return bpf_pmadv_select(range, mask, 64);
}
POLICY(long_mask);

ADVISE(loose_message)
{
	char message[8] = "hello";

	bpf_pmadv_error(range, 1, message);
	return PMADV_SKIP;
}
POLICY(loose_message);

/* mmap_lock would be held for good. */
volatile __u32 forever = 1;

ADVISE(endless)
{
	while (forever)
		barrier();
	return PMADV_SKIP;
}
POLICY(endless);

/* Locks and sections that would never be left. */
struct guarded {
	struct bpf_spin_lock lock;
	int value;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct guarded);
} guard SEC(".maps");

ADVISE(lock_kept)
{
	struct guarded *g;
	u32 key = 0;

	g = bpf_map_lookup_elem(&guard, &key);
	if (g)
		bpf_spin_lock(&g->lock);
	return PMADV_SKIP;
}
POLICY(lock_kept);

ADVISE(lock_call)
{
	struct pmadv_sample sample;
	struct guarded *g;
	u32 key = 0;

	g = bpf_map_lookup_elem(&guard, &key);
	if (!g)
		return PMADV_SKIP;
	bpf_spin_lock(&g->lock);
	bpf_pmadv_sample(range, &sample, 1);
	bpf_spin_unlock(&g->lock);
	return PMADV_SKIP;
}
POLICY(lock_call);

extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;

ADVISE(rcu_unlock)
{
	bpf_rcu_read_unlock();
	return PMADV_SKIP;
}
POLICY(rcu_unlock);

ADVISE(preempt)
{
	bpf_preempt_disable();
	return PMADV_SKIP;
}
POLICY(preempt);

/* References taken and not given back, or the other way round. */
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;

ADVISE(task_leak)
{
	return bpf_task_acquire(task) ? MADV_COLD : PMADV_SKIP;
}
POLICY(task_leak);

ADVISE(task_put)
{
	bpf_task_release(task);
	return PMADV_SKIP;
}
POLICY(task_put);

/* A mapping is no range. */
ADVISE(vma_as_range)
{
	struct pmadv_sample sample;

	return bpf_pmadv_sample((void *)vma, &sample, 1);
}
POLICY(vma_as_range);

ADVISE(map_past)
{
	struct guarded *g;
	u32 key = 0;

	g = bpf_map_lookup_elem(&guard, &key);
	return g ? (&g->value)[8] : PMADV_SKIP;
}
POLICY(map_past);

/* This one is valid. */
ADVISE(fine)
{
	struct pmadv_sample sample = {};
	char name[8] = {};

	range->end = range->start + 4096;
	range->max_pages = 1;
	range->modifiers = PMADV_SKIP_YOUNG;
	if (bpf_pmadv_vma_name(range, name, sizeof(name)) < 0)
		return PMADV_SKIP;
	if (bpf_pmadv_sample(range, &sample, 1) < 0)
		bpf_pmadv_error(range, 1, "no sample");
	return vma->vm_start == range->vma_start ? MADV_COLD : task->pid;
}
POLICY(fine);

/* Nor here: what other struct_ops may use, a policy may use, too. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u64);
} asked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} said SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, u64);
	__type(value, u64);
} when SEC(".maps");

__u64 nr_asked;

ADVISE(tools)
{
	u64 now = bpf_ktime_get_ns(), start = range->start, *count;
	struct task_struct *same;
	pid_t pid = 0;

	count = bpf_task_storage_get(&asked, task, NULL,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (count)
		nr_asked = ++*count;
	if (nr_asked == 2)
		bpf_task_storage_delete(&asked, task);
	bpf_map_update_elem(&when, &start, &now, BPF_ANY);
	bpf_ringbuf_output(&said, &start, sizeof(start), 0);

	same = bpf_task_acquire(task);
	if (same) {
		pid = BPF_CORE_READ(same, mm, owner, tgid);
		bpf_task_release(same);
	}
	return pid == task->tgid ? MADV_COLD : PMADV_SKIP;
}
POLICY(tools);

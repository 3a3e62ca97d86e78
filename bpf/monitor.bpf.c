// SPDX-License-Identifier: GPL-2.0
/*
 * Streams what process_madvise(2) does, range by range, to user space.
 *
 * For whoever watches: `pmadv monitor`, `pmadv run` and `pmadv advise
 * --dry-run` load it, and so can any other reader of include/pmadv/monitor.h.
 * It observes and does not decide, needs nothing from the policy in force, and
 * costs nothing while it is not attached. Records that find the ring buffer
 * full are counted in @lost; none disappears silently.
 *
 * On a kernel without the hook there is nothing to trace in the kernel: on_engine
 * then takes the records that any running pmadv makes of its own walks.
 *
 * Fit for production: the work per range is one reservation and two copies.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <pmadv/monitor.h>

char LICENSE[] SEC("license") = "GPL";

/* Knobs: 0 is everybody, else this target or this caller only. */
const volatile __s32 only_target;
const volatile __s32 only_caller;
/* With only_target: and the processes that it starts, and those start. */
const volatile bool with_children;
/* Records wanted. */
const volatile bool want_ranges = true;
const volatile bool want_calls = true;

__u64 lost;
__u64 written;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

/* With with_children: the target and its descendants, as long as they live. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, __s32);
	__type(value, __u8);
} family SEC(".maps");

static __s32 caller_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static bool wanted(__s32 target)
{
	if (with_children && !bpf_map_lookup_elem(&family, &target))
		return false;
	if (only_target && !with_children && target != only_target)
		return false;
	return !only_caller || caller_tgid() == only_caller;
}

/* Callers zero it: what lay in the ring buffer before must not get out. */
static void *reserve(__u64 size)
{
	void *record = bpf_ringbuf_reserve(&records, size, 0);

	if (!record)
		__sync_fetch_and_add(&lost, 1);
	return record;
}

/* What the target has no part in. */
static void fill_origin(struct pmadv_record *head, __u16 type, __u32 size)
{
	head->version = PMADV_RECORD_VERSION;
	head->type = type;
	head->size = size;
	head->time_ns = bpf_ktime_get_ns();
	head->caller = caller_tgid();
}

static void fill_head(struct pmadv_record *head, struct task_struct *task,
		      __u16 type, __u32 size, __u64 call_id)
{
	fill_origin(head, type, size);
	head->call_id = call_id;
	head->tgid = task->tgid;
	bpf_probe_read_kernel_str(head->comm, sizeof(head->comm), task->comm);
}

SEC("tp_btf/pmadv_range")
int BPF_PROG(on_range, struct pmadv_walk *walk, struct task_struct *task,
	     struct pmadv_range *range, int verdict, int outcome, int error,
	     struct pmadv_stats *stats)
{
	struct pmadv_range_record *record;

	if (!want_ranges || !wanted(task->tgid))
		return 0;

	record = reserve(sizeof(*record));
	if (!record)
		return 0;

	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->head, task, PMADV_RECORD_RANGE, sizeof(*record),
		  range->call_id);
	record->start = range->start;
	record->end = range->end;
	record->vma_flags = range->vma_flags;
	record->modifiers = range->modifiers;
	record->verdict = verdict;
	record->advice = range->advice;
	record->outcome = outcome;
	record->error = error;
	record->walk_flags = range->walk_flags;
	record->stats = *stats;

	__sync_fetch_and_add(&written, 1);
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tp_btf/pmadv_call")
int BPF_PROG(on_call, struct pmadv_walk *walk, struct task_struct *task, long ret)
{
	struct pmadv_call_record *record;

	if (!want_calls || !wanted(task->tgid))
		return 0;

	record = reserve(sizeof(*record));
	if (!record)
		return 0;

	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->head, task, PMADV_RECORD_CALL, sizeof(*record),
		  walk->result.call_id);
	record->ret = ret;
	record->walk_flags = walk->flags;
	record->advice = walk->advice;
	bpf_probe_read_kernel(&record->result, sizeof(record->result),
			      &walk->result);

	__sync_fetch_and_add(&written, 1);
	bpf_ringbuf_submit(record, 0);
	return 0;
}

/* ---- with_children ----------------------------------------------------- */

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__s32 old = parent->tgid, new = child->tgid;
	__u8 member = 1;

	/* That one is full: 65536 live processes of one family. */
	if (old != new && bpf_map_lookup_elem(&family, &old) &&
	    bpf_map_update_elem(&family, &new, &member, BPF_ANY))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}

/* Or whoever gets its number next would be taken for it. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	__s32 pid = task->tgid;

	if (!task->signal->live.counter)
		bpf_map_delete_elem(&family, &pid);
	return 0;
}

/* ---- kernels without the hook ------------------------------------------ */

#define CAP_BPF		39

/*
 * The engine takes CAP_BPF. A process without it can call the function, too, in
 * its own copy of the program, and is not believed.
 */
static bool may_run_engine(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = BPF_CORE_READ(task, cred);
	__u64 capabilities = 0;

	if (BPF_CORE_READ(cred, user_ns, level))
		return false;
	bpf_core_read(&capabilities, sizeof(capabilities), &cred->cap_effective);
	return capabilities & (1ULL << CAP_BPF);
}

/* @size bytes of the caller's memory; a constant, as the verifier wants to see it. */
static __always_inline void copy_record(const void *from, __u16 type, __u32 size)
{
	struct pmadv_record *record = reserve(size);

	if (!record)
		return;
	if (bpf_probe_read_user(record, size, from)) {
		bpf_ringbuf_discard(record, 0);
		return;
	}
	fill_origin(record, type, size);
	__sync_fetch_and_add(&written, 1);
	bpf_ringbuf_submit(record, 0);
}

/* Attached to watched_record() of the command, see loader/engine/watched.h. */
SEC("?uprobe")
int BPF_KPROBE(on_engine, const struct pmadv_record *from)
{
	struct pmadv_record head;

	if (!may_run_engine() || bpf_probe_read_user(&head, sizeof(head), from) ||
	    head.version != PMADV_RECORD_VERSION || !wanted(head.tgid))
		return 0;
	if (head.type == PMADV_RECORD_RANGE && want_ranges)
		copy_record(from, PMADV_RECORD_RANGE, sizeof(struct pmadv_range_record));
	else if (head.type == PMADV_RECORD_CALL && want_calls)
		copy_record(from, PMADV_RECORD_CALL, sizeof(struct pmadv_call_record));
	return 0;
}

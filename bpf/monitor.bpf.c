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
/* Records wanted. */
const volatile bool want_ranges = true;
const volatile bool want_calls = true;

__u64 lost;
__u64 written;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} records SEC(".maps");

static __s32 caller_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static bool wanted(struct task_struct *task)
{
	if (only_target && task->tgid != only_target)
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

static void fill_head(struct pmadv_record *head, struct task_struct *task,
		      __u16 type, __u32 size, __u64 call_id)
{
	head->version = PMADV_RECORD_VERSION;
	head->type = type;
	head->size = size;
	head->time_ns = bpf_ktime_get_ns();
	head->call_id = call_id;
	head->tgid = task->tgid;
	head->caller = caller_tgid();
	bpf_probe_read_kernel_str(head->comm, sizeof(head->comm), task->comm);
}

SEC("tp_btf/pmadv_range")
int BPF_PROG(on_range, struct pmadv_walk *walk, struct task_struct *task,
	     struct pmadv_range *range, int verdict, int outcome, int error,
	     struct pmadv_stats *stats)
{
	struct pmadv_range_record *record;

	if (!want_ranges || !wanted(task))
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

	if (!want_calls || !wanted(task))
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

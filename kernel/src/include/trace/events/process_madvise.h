/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM process_madvise

#if !defined(_TRACE_PROCESS_MADVISE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_PROCESS_MADVISE_H

#include <linux/process_madvise.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

TRACE_DEFINE_ENUM(PMADV_ADVISED);
TRACE_DEFINE_ENUM(PMADV_SKIPPED);
TRACE_DEFINE_ENUM(PMADV_REFUSED);
TRACE_DEFINE_ENUM(PMADV_FAILED);

/*
 * A range was advised, skipped, refused or failed. @verdict is the answer of
 * the policy, or the caller's advice if no policy was asked; @outcome is an
 * enum pmadv_outcome; @error is an errno or 0.
 */
TRACE_EVENT(pmadv_range,

	TP_PROTO(struct pmadv_walk *walk, struct task_struct *task,
		 struct pmadv_range *range, int verdict, int outcome,
		 int error, struct pmadv_stats *stats),

	TP_ARGS(walk, task, range, verdict, outcome, error, stats),

	TP_STRUCT__entry(
		__field(u64, call_id)
		__field(u64, start)
		__field(u64, end)
		__field(u64, scanned)
		__field(u64, reclaimed)
		__field(u64, time_ns)
		__field(pid_t, tgid)
		__field(u32, vma_flags)
		__field(int, verdict)
		__field(int, outcome)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->call_id	= range->call_id;
		__entry->start		= range->start;
		__entry->end		= range->end;
		__entry->scanned	= stats->scanned;
		__entry->reclaimed	= stats->reclaimed;
		__entry->time_ns	= stats->time_ns;
		__entry->tgid		= task->tgid;
		__entry->vma_flags	= range->vma_flags;
		__entry->verdict	= verdict;
		__entry->outcome	= outcome;
		__entry->error		= error;
	),

	TP_printk("call=%llu tgid=%d start=%llx end=%llx vma_flags=%x verdict=%d outcome=%s error=%d scanned=%llu reclaimed=%llu time_ns=%llu",
		  __entry->call_id, __entry->tgid, __entry->start, __entry->end,
		  __entry->vma_flags, __entry->verdict,
		  __print_symbolic(__entry->outcome,
				   { PMADV_ADVISED, "advised" },
				   { PMADV_SKIPPED, "skipped" },
				   { PMADV_REFUSED, "refused" },
				   { PMADV_FAILED, "failed" }),
		  __entry->error, __entry->scanned, __entry->reclaimed,
		  __entry->time_ns)
);

/* A call with flags ended; @ret is its return value. */
TRACE_EVENT(pmadv_call,

	TP_PROTO(struct pmadv_walk *walk, struct task_struct *task, long ret),

	TP_ARGS(walk, task, ret),

	TP_STRUCT__entry(
		__field(u64, call_id)
		__field(u64, ranges_seen)
		__field(u64, ranges_advised)
		__field(u64, bytes_advised)
		__field(u64, reclaimed)
		__field(u64, time_ns)
		__field(long, ret)
		__field(pid_t, tgid)
		__field(u32, flags)
		__field(u32, stopped)
	),

	TP_fast_assign(
		__entry->call_id	= walk->result.call_id;
		__entry->ranges_seen	= walk->result.ranges_seen;
		__entry->ranges_advised	= walk->result.ranges_advised;
		__entry->bytes_advised	= walk->result.bytes_advised;
		__entry->reclaimed	= walk->result.stats.reclaimed;
		__entry->time_ns	= walk->result.stats.time_ns;
		__entry->ret		= ret;
		__entry->tgid		= task->tgid;
		__entry->flags		= walk->flags;
		__entry->stopped	= walk->result.stopped;
	),

	TP_printk("call=%llu tgid=%d flags=%x ret=%ld stopped=%u ranges_seen=%llu ranges_advised=%llu bytes_advised=%llu reclaimed=%llu time_ns=%llu",
		  __entry->call_id, __entry->tgid, __entry->flags, __entry->ret,
		  __entry->stopped, __entry->ranges_seen,
		  __entry->ranges_advised, __entry->bytes_advised,
		  __entry->reclaimed, __entry->time_ns)
);

#endif /* _TRACE_PROCESS_MADVISE_H */

#include <trace/define_trace.h>

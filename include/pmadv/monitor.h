/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The records that bpf/monitor.bpf.c puts into its ring buffer.
 *
 * Shared by the BPF program, which includes it after vmlinux.h, and by user
 * space. Every record starts with struct pmadv_record, is zeroed before it is
 * filled and has a fixed layout: a change of any structure here, or of what a
 * field means, is a new PMADV_RECORD_VERSION, and readers refuse versions they
 * were not built for.
 */
#ifndef _PMADV_MONITOR_H
#define _PMADV_MONITOR_H

#include <pmadv/hook.h>
#ifdef __VMLINUX_H__
#include <pmadv/policy_types.bpf.h>
#else
#include <linux/process_madvise.h>
#endif

#define PMADV_RECORD_VERSION	2
#define PMADV_COMM_LEN		16

/**
 * enum pmadv_record_type - what a record is about
 * @PMADV_RECORD_RANGE: struct pmadv_range_record.
 * @PMADV_RECORD_CALL: struct pmadv_call_record.
 */
enum pmadv_record_type {
	PMADV_RECORD_RANGE	= 1,
	PMADV_RECORD_CALL	= 2,
};

/**
 * struct pmadv_record - what all records begin with
 * @version: PMADV_RECORD_VERSION.
 * @type: enum pmadv_record_type.
 * @size: Of the whole record, in bytes.
 * @time_ns: When it was written, on CLOCK_MONOTONIC.
 * @call_id: The call, as in &pmadv_result.call_id.
 * @tgid: The target.
 * @caller: The process that called process_madvise(2).
 * @comm: The target's command name.
 */
struct pmadv_record {
	__u16 version;
	__u16 type;
	__u32 size;
	__u64 time_ns;
	__u64 call_id;
	__s32 tgid;
	__s32 caller;
	char comm[PMADV_COMM_LEN];
};

/**
 * struct pmadv_range_record - a range was dealt with
 * @head: What all records begin with.
 * @start: First address of the range.
 * @end: Address after the range.
 * @vma_flags: enum pmadv_vma_flag.
 * @modifiers: enum pmadv_modifier.
 * @verdict: What the policy answered, or the caller's advice without one.
 * @advice: The caller's proposal.
 * @outcome: enum pmadv_outcome.
 * @error: errno, or 0.
 * @walk_flags: enum pmadv_flag of the call.
 * @reserved: 0.
 * @stats: What happened to the pages.
 */
struct pmadv_range_record {
	struct pmadv_record head;
	__u64 start;
	__u64 end;
	__u32 vma_flags;
	__u32 modifiers;
	__s32 verdict;
	__s32 advice;
	__u32 outcome;
	__u32 error;
	__u32 walk_flags;
	__u32 reserved;
	struct pmadv_stats stats;
};

/**
 * struct pmadv_call_record - a call ended
 * @head: What all records begin with.
 * @ret: What the call returned.
 * @walk_flags: enum pmadv_flag, with those that others imply.
 * @advice: The caller's proposal.
 * @result: What the call did.
 */
struct pmadv_call_record {
	struct pmadv_record head;
	__s64 ret;
	__u32 walk_flags;
	__s32 advice;
	struct pmadv_result result;
};

#ifdef __cplusplus
#define pmadv_layout_assert	static_assert
#else
#define pmadv_layout_assert	_Static_assert
#endif

pmadv_layout_assert(sizeof(struct pmadv_record) == 48, "layout of version 2");
pmadv_layout_assert(sizeof(struct pmadv_range_record) == 176, "layout of version 2");
pmadv_layout_assert(sizeof(struct pmadv_call_record) == 256, "layout of version 2");

#endif /* _PMADV_MONITOR_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The structures of the hook, as flavours: libbpf takes "struct NAME___pmadv"
 * for the kernel's "struct NAME" and finds where its members really are. The
 * plain names mean the flavours from here on, whether or not the vmlinux.h that
 * was included before has them. On a kernel without the hook the engine fills
 * these very structures.
 *
 * What each member means stands in include/linux/process_madvise.h of the
 * kernel, and, of struct pmadv_stats and pmadv_result, in
 * <linux/process_madvise.h>.
 */
#ifndef __PMADV_POLICY_TYPES_BPF_H
#define __PMADV_POLICY_TYPES_BPF_H

#define pmadv_stats		pmadv_stats___pmadv
#define pmadv_result		pmadv_result___pmadv
#define pmadv_walk		pmadv_walk___pmadv
#define pmadv_range		pmadv_range___pmadv
#define pmadv_sample		pmadv_sample___pmadv
#define pmadv_pages		pmadv_pages___pmadv
#define pmadv_exit_info		pmadv_exit_info___pmadv
#define process_madvise_ops	process_madvise_ops___pmadv

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pmadv_stats {
	u64 scanned;
	u64 young;
	u64 shared;
	u64 deactivated;
	u64 isolated;
	u64 reclaimed;
	u64 written_back;
	u64 activated;
	u64 swapped;
	u64 time_ns;
};

struct pmadv_result {
	u32 size;
	u32 stopped;
	u64 max_pages;
	u64 cursor;
	u32 cursor_index;
	u32 error;
	u64 error_addr;
	u64 call_id;
	u64 ranges_seen;
	u64 ranges_advised;
	u64 ranges_skipped;
	u64 ranges_refused;
	u64 ranges_failed;
	u64 holes;
	u64 bytes_advised;
	u64 yields;
	struct pmadv_stats stats;
};

struct pmadv_walk {
	u32 flags;
	s32 advice;
	struct pmadv_result result;
};

struct pmadv_range {
	u64 start;
	u64 end;
	u64 vma_start;
	u64 vma_end;
	u64 max_pages;
	u32 vma_flags;
	u32 modifiers;
	s32 advice;
	u32 walk_flags;
	u64 call_id;
};

struct pmadv_sample {
	u32 looked_at;
	u32 present;
	u32 young;
	u32 dirty;
	u32 swapped;
};

struct pmadv_pages {
	u64 present[PMADV_MAX_PAGES / 64];
	u64 young[PMADV_MAX_PAGES / 64];
	u64 dirty[PMADV_MAX_PAGES / 64];
	u64 swapped[PMADV_MAX_PAGES / 64];
};

struct pmadv_exit_info {
	u32 kind;
	s64 code;
	char msg[PMADV_EXIT_MSG_LEN];
};

#pragma clang attribute pop

struct process_madvise_ops {
	s32 (*advise)(struct pmadv_range *range, struct task_struct *task,
		      struct vm_area_struct *vma);
	void (*advised)(struct pmadv_range *range, struct pmadv_stats *stats);
	s32 (*begin)(struct pmadv_walk *walk, struct task_struct *task);
	void (*end)(struct pmadv_walk *walk, struct pmadv_stats *stats);
	s32 (*init)(void);
	void (*exit)(struct pmadv_exit_info *info);
	u64 cgroup_id;
	u64 flags;
	u64 inner_refused;
	char name[PMADV_NAME_LEN];
};

#endif /* __PMADV_POLICY_TYPES_BPF_H */

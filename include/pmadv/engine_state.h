/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the engine for kernels without the hook (bpf/engine.bpf.c) shares with the
 * command that drives it (loader/engine): memory that both map. The two are
 * installed together; PMADV_ENGINE_VERSION is what they agree on.
 *
 * A walk is a sequence of batches. The command sets the input, reads the
 * iterator until a batch is full or the walk is over, gives the advice, has the
 * target's identity checked, and goes on from @cursor.
 */
#ifndef PMADV_ENGINE_STATE_H
#define PMADV_ENGINE_STATE_H

#ifndef __VMLINUX_H__
#include <linux/process_madvise.h>
#endif

#include <pmadv/hook.h>

#define PMADV_ENGINE_VERSION 4

/* UIO_MAXIOV: what one process_madvise(2) takes. */
#define PMADV_ENGINE_BATCH	1024

/* A page table of 512 entries maps 2 MiB; a scan looks at so many of them. */
#define PMADV_SCAN_TABLES	16
#define PMADV_SCAN_BYTES	(PMADV_SCAN_TABLES << 21)
#define PMADV_SCAN_WORDS	(PMADV_SCAN_TABLES * 512 / 64)

/* A bit for each page of a page table. */
#define PMADV_TABLE_WORDS	(PMADV_MAX_PAGES / 64)

/**
 * struct pmadv_identity - an address space at a moment
 * @mm: Its mm_struct, 0 if there is none any more.
 * @exec_id: Programs the process has executed.
 * @seq: mm_lock_seq, which moves whenever somebody has held mmap_lock for
 *	writing. As long as it stays, no mapping has changed.
 *
 * Equal and with an even @seq where it is a seqcount: nothing was changed in
 * between. A kernel without mm_lock_seq (before 6.4) cannot say.
 */
struct pmadv_identity {
	__u64 mm;
	__u64 exec_id;
	__u64 seq;
};

/**
 * struct pmadv_answer - what the policy answered about a range
 * @start: First address.
 * @end: Address after it, as the policy left it.
 * @max_pages: The policy's cap, 0 for none.
 * @verdict: As it came.
 * @modifiers: enum pmadv_modifier, as they came.
 * @vma_flags: enum pmadv_vma_flag.
 * @changed: Set by the check: the mapping is no longer what it was.
 * @object: What is mapped: an inode or an anon_vma.
 * @origin: Where it is mapped: the page offset that address 0 would have.
 * @vma_start: The mapping the range is part of.
 * @vma_end: Address after it.
 * @masked: It is for the pages of @selected only.
 * @bad_selection: But these are not ones that it can be for.
 * @clear_young: The accessed bits of the other pages are to be cleared.
 * @selected: Bit i is page i of the range.
 */
struct pmadv_answer {
	__u64 start;
	__u64 end;
	__u64 max_pages;
	__s32 verdict;
	__u32 modifiers;
	__u32 vma_flags;
	__u32 changed;
	__u64 object;
	__u64 origin;
	__u64 vma_start;
	__u64 vma_end;
	__u32 masked;
	__u32 bad_selection;
	__u32 clear_young;
	__u32 reserved;
	__u64 selected[PMADV_TABLE_WORDS];
};

/* Of 64 bits, in a node of the kernel's maple tree. */
#define PMADV_TREE_WORDS 32

/**
 * struct pmadv_tree - where in the tree of the target's mappings the engine is
 * @root: What its root pointer is.
 * @node: The node in hand, a leaf.
 * @start: First address of the entry in hand, or to be looked up.
 * @last: Last address of the leaf.
 * @slot: The entry's place in it.
 * @end: The last place that is in use; @slot is behind that: it is to be looked up.
 * @by_step: The iterator goes from mapping to mapping: the kernel is older than 6.2,
 *	or its tree is not as we know it.
 */
struct pmadv_tree {
	__u64 root;
	__u64 node[PMADV_TREE_WORDS];
	__u64 start;
	__u64 last;
	__u64 slot;
	__u64 end;
	__u32 by_step;
	__u32 reserved;
};

enum pmadv_engine_stop {
	PMADV_ENGINE_GOES_ON,
	PMADV_ENGINE_FULL,		/* the batch is */
	PMADV_ENGINE_OVER,		/* @end was reached */
	PMADV_ENGINE_POLICY_STOP,
	PMADV_ENGINE_INVALID,		/* ejected: see enum pmadv_exit_kind */
	PMADV_ENGINE_NO_PROGRESS,
	PMADV_ENGINE_ERROR,
	PMADV_ENGINE_SLOW,
};

enum pmadv_engine_seq {
	PMADV_SEQ_NONE,
	PMADV_SEQ_PLAIN,		/* moves when the lock is released */
	PMADV_SEQ_COUNT,		/* a seqcount: odd while it is held */
};

/**
 * struct pmadv_engine - the engine's state
 *
 * Input, for a walk:
 * @tgid: Whom to ask about, as the kernel numbers it; 0 if the link says so.
 * @walk_flags: enum pmadv_flag.
 * @advice: The caller's proposal, or 0.
 * @call_id: Number of the walk.
 * @end: Address after the last to ask about.
 * @page_offset: Where the kernel has all memory mapped; 0: page tables cannot be
 *	read here.
 * @phys_mask: Bits of a page table entry that are an address.
 * @levels: Of page tables, 4 or 5.
 * @want_all: Keep answers that want nothing done, too.
 * @slow_ns: Answers that take longer count; 0: nobody measures.
 *
 * Input, for a batch:
 * @capacity: Answers it may have, at most PMADV_ENGINE_BATCH.
 * @most_bytes: End it once so many bytes of address space are to be advised.
 *
 * Both:
 * @cursor: First address not asked about.
 *
 * Output:
 * @stop: enum pmadv_engine_stop.
 * @nr: Answers in the batch.
 * @skipped: Answers of the batch that wanted nothing done, and are not in it.
 * @bytes: To be advised by those that are in it.
 * @invalid: Invalid verdicts of the walk.
 * @seq_kind: enum pmadv_engine_seq.
 * @pid: The thread asked about, as the kernel numbers it.
 * @asked: Identity when the batch began.
 * @moved: It was another one when it ended.
 * @now: Identity at the last check.
 * @rechecked: Answers that the last check looked up again.
 * @error_code: Of bpf_pmadv_error().
 * @error_msg: Of bpf_pmadv_error().
 * @nr_slow: Slow answers in a row.
 * @begin_ret: What begin() returned.
 * @begun: Times begin() was called.
 *
 * Scratch of the engine:
 * @sample, @sample_start, @sample_pages, @sample_nr: The sample under way.
 * @masked, @nr_selected, @selected, @clear_young: What the policy has asked for
 *	while it is asked about a range.
 * @pgd: Top page table of the target.
 * @vma: The mapping the policy is asked about; 0 outside of that.
 * @no_sample: It is one without ordinary pages.
 * @probe_addr, @probe_entry: Of the self-test of reading page tables.
 * @tree: The target's mappings.
 */
struct pmadv_engine {
	__u32 version;
	__u32 tgid;
	__u32 walk_flags;
	__s32 advice;
	__u64 call_id;
	__u64 end;
	__u64 page_offset;
	__u64 phys_mask;
	__u32 levels;
	__u32 want_all;
	__u64 slow_ns;

	__u32 capacity;
	__u32 recheck;
	__u64 most_bytes;

	__u64 cursor;

	__u32 stop;
	__u32 nr;
	__u64 skipped;
	__u64 bytes;
	__u32 invalid;
	__u32 seq_kind;
	__s32 pid;
	__u32 moved;
	struct pmadv_identity asked;
	struct pmadv_identity now;
	__u64 rechecked;
	__s64 error_code;
	char error_msg[128];
	__u32 nr_slow;
	__s32 begin_ret;
	__u32 begun;
	__u32 reserved;

	__u32 present;
	__u32 young;
	__u32 dirty;
	__u32 swapped;
	__u64 sample_start;
	__u64 sample_pages;
	__u64 sample_nr;
	__u64 pgd;
	__u64 vma;
	__u64 no_sample;
	__u64 probe_addr;
	__u64 probe_entry;
	__u32 masked;
	__u32 nr_selected;
	__u64 selected[PMADV_TABLE_WORDS];
	__u64 clear_young;
	struct pmadv_tree tree;

	struct pmadv_answer answers[PMADV_ENGINE_BATCH];
};

#define PMADV_SIMULATED_NAME	256

/**
 * struct pmadv_simulation - a mapping that was recorded, to ask a policy about
 * @active: There is one: the policy is not asked about a process.
 * @vma_flags: enum pmadv_vma_flag.
 * @start: First address.
 * @end: Address after the last.
 * @present: Pages that were in memory.
 * @young: Pages that had been accessed.
 * @swapped: Pages that were swapped out.
 * @name: What bpf_pmadv_vma_name() says, "": none.
 */
struct pmadv_simulation {
	__u32 active;
	__u32 vma_flags;
	__u64 start;
	__u64 end;
	__u64 present;
	__u64 young;
	__u64 swapped;
	char name[PMADV_SIMULATED_NAME];
};

/**
 * struct pmadv_scan - every page of a stretch of address space
 * @start: First address; the bitmaps begin with the page table it is in.
 * @end: Address after the last; at most PMADV_SCAN_BYTES after that table.
 * @present: A bit for each page that is in memory.
 * @young: A bit for each that was accessed since its accessed bit was cleared.
 * @dirty: A bit for each that was written to.
 * @swapped: A bit for each that is swapped out.
 * @table: The page table under way.
 * @entries: What it holds.
 */
struct pmadv_scan {
	__u64 start;
	__u64 end;
	__u64 present[PMADV_SCAN_WORDS];
	__u64 young[PMADV_SCAN_WORDS];
	__u64 dirty[PMADV_SCAN_WORDS];
	__u64 swapped[PMADV_SCAN_WORDS];
	__u64 table;
	__u64 entries[512];
};

/**
 * struct pmadv_exactness - what is known about the ranges that got advice
 * @proven: No mapping of the target changed from the moment the policy was asked
 *	until the advice was carried out: it is exactly what was decided about.
 * @unproven: Some mapping did change, or the kernel cannot say.
 * @reasked: Answers thrown away because the target had changed, and asked for
 *	again.
 * @dropped: Answers thrown away for good.
 */
struct pmadv_exactness {
	__u64 proven;
	__u64 unproven;
	__u64 reasked;
	__u64 dropped;
};

/**
 * struct pmadv_engine_sums - what an engine has done since it was loaded
 * @version: PMADV_ENGINE_VERSION.
 * @process: Whose it is.
 * @cgroup_id: Scope of the policy, 0: the system.
 * @name: Of the policy.
 * @calls: Walks.
 * @ejected: 1 if the policy was ejected.
 * @invalid_verdicts: Answers that are none.
 * @result: Sum of the walks.
 * @exact: Sum of the walks.
 *
 * The memory is a map of its own, PMADV_ENGINE_SUMS as the kernel names it, for
 * whoever wants to know what engines there are; it goes when their process ends,
 * however that happens. The command writes it, word by word: who reads meanwhile
 * may find sums that are a moment apart.
 */
struct pmadv_engine_sums {
	__u32 version;
	__s32 process;
	__u64 cgroup_id;
	char name[PMADV_NAME_LEN];
	__u64 calls;
	__u64 ejected;
	__u64 invalid_verdicts;
	struct pmadv_result result;
	struct pmadv_exactness exact;
};

/* The kernel keeps no more than fifteen letters of a map's name. */
#define PMADV_ENGINE_SUMS	".data.pmadv_sum"

#endif /* PMADV_ENGINE_STATE_H */

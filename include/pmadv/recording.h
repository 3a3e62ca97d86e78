/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that `pmadv record` and `pmadv advise --record` write, and `pmadv report`
 * and `pmadv simulate` read.
 *
 *	struct pmadv_file_header
 *	struct pmadv_file_block, followed by its compressed entries
 *	struct pmadv_file_block, followed by its compressed entries
 *	...
 *
 * Integers are little-endian. A block says how long it is, decompresses on its
 * own and carries a checksum (it is a zlib stream, RFC 1950), so that a file
 * cut off anywhere is good up to its last complete block; pmadv record writes
 * one at least every second. Decompressed, a block is entries, one after the
 * other, each a multiple of eight bytes that starts with struct pmadv_record,
 * whose size says where the next one begins: those of the monitor as they
 * were, and the ones below. A reader skips entries of types it does not know.
 * What cannot be read without knowing more is a new PMADV_FILE_VERSION, and
 * readers refuse versions above their own.
 *
 * Who may read the file learns the layout of other processes' address spaces:
 * it is created readable for its owner only.
 */
#ifndef _PMADV_RECORDING_H
#define _PMADV_RECORDING_H

#include <pmadv/monitor.h>

#define PMADV_FILE_MAGIC	"PMADVREC"
#define PMADV_FILE_VERSION	1
#define PMADV_BLOCK_MAGIC	0x4b4c4250U	/* "PBLK" */
/* Decompressed, no block is longer. */
#define PMADV_BLOCK_MAX		(1U << 20)

/**
 * enum pmadv_file_engine - what asked the policies
 * @PMADV_FILE_HOOK: The kernel, whose hook reports what any program calls.
 * @PMADV_FILE_ENGINE: pmadv itself, on a kernel without the hook. Only its own
 *	walks are there, and of the statistics those that can be seen from outside:
 *	scanned, young, swapped, reclaimed and the time.
 */
enum pmadv_file_engine {
	PMADV_FILE_HOOK		= 0,
	PMADV_FILE_ENGINE	= 1,
};

/**
 * struct pmadv_file_header - what the file begins with
 * @magic: PMADV_FILE_MAGIC, without a NUL.
 * @version: PMADV_FILE_VERSION.
 * @size: Of this header; the first block is there.
 * @page_size: Of the machine, in bytes; statistics count such pages.
 * @engine: enum pmadv_file_engine.
 * @start_ns: When the recording began, on CLOCK_MONOTONIC, as in all entries.
 * @start_realtime_ns: The same moment in nanoseconds since 1970.
 * @only_target: The process whose calls were recorded, 0: all.
 * @interval_ms: How often samples were taken, in milliseconds.
 * @release: The kernel, as uname(2) has it.
 */
struct pmadv_file_header {
	char magic[8];
	__u32 version;
	__u32 size;
	__u32 page_size;
	__u32 engine;
	__u64 start_ns;
	__u64 start_realtime_ns;
	__s32 only_target;
	__u32 interval_ms;
	char release[64];
};

/**
 * struct pmadv_file_block - what precedes the entries of a block
 * @magic: PMADV_BLOCK_MAGIC.
 * @stored: Bytes that follow, compressed.
 * @size: Bytes they decompress to, at most PMADV_BLOCK_MAX.
 * @reserved: 0.
 */
struct pmadv_file_block {
	__u32 magic;
	__u32 stored;
	__u32 size;
	__u32 reserved;
};

/**
 * enum pmadv_entry_type - entries besides enum pmadv_record_type
 * @PMADV_ENTRY_TARGET: struct pmadv_target_entry.
 * @PMADV_ENTRY_SYSTEM: struct pmadv_system_entry.
 * @PMADV_ENTRY_MAPPING: struct pmadv_mapping_entry.
 * @PMADV_ENTRY_END: struct pmadv_record alone: the recording ended as it was
 *	meant to.
 * @PMADV_ENTRY_VMA: struct pmadv_vma_entry.
 */
enum pmadv_entry_type {
	PMADV_ENTRY_TARGET	= 64,
	PMADV_ENTRY_SYSTEM	= 65,
	PMADV_ENTRY_MAPPING	= 66,
	PMADV_ENTRY_END		= 67,
	PMADV_ENTRY_VMA		= 68,
};

/* A number that could not be read. */
#define PMADV_UNKNOWN		(~0ULL)

/**
 * struct pmadv_target_entry - a target, when a sample was taken
 * @head: @tgid and @comm say which.
 * @resident: In memory, in bytes.
 * @swapped: In swap, in bytes.
 * @major_faults: Of the process since it started: pages it had to wait for.
 * @refault_anon: Of its cgroup: anonymous pages that came back after they had
 *	been reclaimed, since the cgroup was made.
 * @refault_file: The same for pages of files.
 * @cgroup: Its path, "" if it has none; NUL-terminated and filled up with NULs.
 *
 * What cannot be read, as without the memory controller, is PMADV_UNKNOWN.
 */
struct pmadv_target_entry {
	struct pmadv_record head;
	__u64 resident;
	__u64 swapped;
	__u64 major_faults;
	__u64 refault_anon;
	__u64 refault_file;
	char cgroup[];
};

/**
 * struct pmadv_system_entry - the system, when a sample was taken
 * @head: @time_ns only.
 * @refault_anon: As of a cgroup, for the whole system, since it was booted.
 * @refault_file: The same.
 * @swapped_in: Pages read back from swap since it was booted.
 * @swapped_out: Pages written to swap.
 * @lost: Records lost since the recording began, for want of buffer space.
 */
struct pmadv_system_entry {
	struct pmadv_record head;
	__u64 refault_anon;
	__u64 refault_file;
	__u64 swapped_in;
	__u64 swapped_out;
	__u64 lost;
};

/**
 * struct pmadv_mapping_entry - a mapping of a target that has a name
 * @head: @tgid says whose.
 * @start: First address.
 * @end: Address after the last.
 * @name: As in /proc/PID/maps; NUL-terminated and filled up with NULs.
 *
 * Written when a range is seen that is in no mapping known, at the next sample:
 * a mapping that was short-lived may have no entry.
 */
struct pmadv_mapping_entry {
	struct pmadv_record head;
	__u64 start;
	__u64 end;
	char name[];
};

/**
 * struct pmadv_vma_entry - a mapping of a target, as a dry run found it
 * @head: @tgid and @comm say whose; all of a process at a time have the same @time_ns.
 * @start: First address.
 * @end: Address after the last.
 * @vma_flags: enum pmadv_vma_flag.
 * @reserved: 0.
 * @resident: In memory, in bytes.
 * @swapped: In swap, in bytes.
 * @accessed: In memory and accessed since that was last cleared, in bytes.
 * @name: As in /proc/PID/maps, "" for none; NUL-terminated and filled up with NULs.
 */
struct pmadv_vma_entry {
	struct pmadv_record head;
	__u64 start;
	__u64 end;
	__u32 vma_flags;
	__u32 reserved;
	__u64 resident;
	__u64 swapped;
	__u64 accessed;
	char name[];
};

pmadv_layout_assert(sizeof(struct pmadv_file_header) == 112, "layout of version 1");
pmadv_layout_assert(sizeof(struct pmadv_file_block) == 16, "layout of version 1");
pmadv_layout_assert(sizeof(struct pmadv_target_entry) == 88, "layout of version 1");
pmadv_layout_assert(sizeof(struct pmadv_system_entry) == 88, "layout of version 1");
pmadv_layout_assert(sizeof(struct pmadv_mapping_entry) == 64, "layout of version 1");
pmadv_layout_assert(sizeof(struct pmadv_vma_entry) == 96, "layout of version 1");

#endif /* _PMADV_RECORDING_H */

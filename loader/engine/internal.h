/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of the engine. */
#ifndef PMADV_ENGINE_INTERNAL_H
#define PMADV_ENGINE_INTERNAL_H

#include <pmadv/engine_state.h>

#include "engine/engine.h"
#include "engine/join.h"

/* As policies see them; see <pmadv/policy_types.bpf.h>. */
struct bpf_range {
	uint64_t start;
	uint64_t end;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t max_pages;
	uint32_t vma_flags;
	uint32_t modifiers;
	int32_t advice;
	uint32_t walk_flags;
	uint64_t call_id;
};

struct bpf_walk {
	uint32_t flags;
	int32_t advice;
	struct pmadv_result result;
};

struct bpf_exit_info {
	uint32_t kind;
	int64_t code;
	char msg[PMADV_EXIT_MSG_LEN];
};

enum engine_program {
	PROGRAM_ASK,
	PROGRAM_CHECK,
	PROGRAM_SCAN,
	PROGRAM_PROBE,
	PROGRAM_ADVISED,
	PROGRAM_BEGIN,
	PROGRAM_END,
	PROGRAM_INIT,
	PROGRAM_EXIT,
	PROGRAM_SIMULATE,
	NR_PROGRAMS
};

struct engine {
	struct policy policy;
	unsigned int members;		/* enum engine_member */
	int programs[NR_PROGRAMS];	/* file descriptors; -1: not loaded */
	bool by_pid;			/* CHECK and SCAN are system calls */
	bool filter;			/* iterators can be over one process */
	bool simulates;			/* and walks over no process */
	bool loaded;
	bool slow;			/* answers took long: measure each */
	uint64_t last_call_id;
	char ejection[PMADV_NAME_LEN + PMADV_EXIT_MSG_LEN + 64];
	/* Memory shared with the programs. */
	struct pmadv_engine *state;
	struct pmadv_engine_sums *sums;
	struct pmadv_scan *scan;
	struct pmadv_simulation *simulation;
	struct bpf_range *range;
	struct bpf_walk *walk;
	struct pmadv_stats *stats;
	struct bpf_exit_info *exit_info;
};

/* giving.c: what a record of the walk begins with. */
void fill_record_head(struct pmadv_record *head, const struct engine_walk *walk,
		      uint16_t type, uint32_t size);

/* program.c: a file descriptor to read from, or -errno. */
int program_iterate(struct engine *engine, enum engine_program program, pid_t tid);
/* Run a program over the task of @tid to its end; 0 or -errno. */
int program_run_over(struct engine *engine, enum engine_program program, pid_t tid);
/* Run a system call program: what it returned, or -errno. */
int program_call(struct engine *engine, enum engine_program program);
/* A thread of @pid that has an address space; @pid itself unless it has exited. */
pid_t live_thread(pid_t pid);

/* page_tables.c: find out how to read them; leaves page_offset 0 if that fails. */
void page_tables_find(struct engine *engine);
/* Look at all pages of a stretch that begins in its first page table. */
bool scan_range(struct engine *engine, pid_t tid, uint64_t start, uint64_t end);
uint64_t scan_count(const struct engine *engine, const __u64 *bits, uint64_t start,
		    uint64_t end);
bool scan_bit(const struct engine *engine, const __u64 *bits, uint64_t address);

/* asking.c: what begins alike if a process is asked about and if what was recorded is. */
void engine_begin_walk(struct engine *engine, struct engine_walk *walk);
void engine_begin_batch(struct engine *engine);

/* members.c */
int member_begin(struct engine *engine, pid_t tid);
void member_end(struct engine *engine, const struct pmadv_result *result);
void member_advised(struct engine *engine, const struct pmadv_range_record *record,
		    const struct pmadv_answer *answer);
/* Eject the policy if what it did in the last batch asks for it: 0 or -EEJECTED. */
int engine_check_ejection(struct engine *engine);
/* Eject the policy: it is asked no more, and its exit() is told why. */
int engine_eject(struct engine *engine, uint32_t kind, int64_t code, const char *msg);

#endif /* PMADV_ENGINE_INTERNAL_H */

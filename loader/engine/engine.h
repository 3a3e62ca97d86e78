/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine for kernels without the hook: a policy that is asked in a BPF
 * iterator, and whose advice is given with plain process_madvise(2).
 *
 * Between asking and advising the target may change its mappings. Nothing can
 * prevent that there, but most often it can be told: see struct pmadv_exactness.
 */
#ifndef PMADV_ENGINE_H
#define PMADV_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/process_madvise.h>
#include <pmadv/engine_state.h>
#include <pmadv/hook.h>
#include <pmadv/monitor.h>

#include "lib/util.h"
#include "policy/policy.h"

struct engine;

/* A walk, as the policy's callers want it. */
struct engine_walk {
	pid_t pid;
	int pidfd;
	const char *comm;		/* for records */
	const struct iovec *ranges;	/* NULL: everything */
	size_t nr_ranges;
	int advice;
	unsigned int flags;		/* enum pmadv_flag */
	bool proven_only;
	bool freeze;
	/* Called for each range if it is there; an error ends the walk with it. */
	int (*on_range)(void *data, const struct pmadv_range_record *record);
	void *data;
	/* In: where to start and how much; out: what was done. */
	struct pmadv_result result;
	struct pmadv_exactness exact;
	uint64_t pages;			/* of max_pages that were used */
};

/* Which parts of it the running kernel supports. */
struct engine_features {
	bool proof;		/* mm_lock_seq: 6.4 */
	bool page_tables;	/* x86-64, and the self-test passed */
	bool recheck;		/* bpf_find_vma(): 5.17 */
	bool filter;		/* an iterator over one process: 6.1 */
	bool collapse;		/* MADV_COLLAPSE: 6.1 */
};

/*
 * Open a policy for the engine, set its knobs with policy_set() on
 * engine_policy(), then load it, which runs its init(). These report what is
 * wrong.
 */
int engine_open(struct engine **engine, const char *name);
/* The same, for engine_simulate(): a policy that reads the task or the VMA is refused. */
int engine_open_simulation(struct engine **engine, const char *name);
struct policy *engine_policy(struct engine *engine);
int engine_load(struct engine *engine);
/* Runs exit() if it was loaded. NULL is all right. */
void engine_close(struct engine *engine);

/* For an engine that is loaded: */
void engine_features(const struct engine *engine, struct engine_features *features);

/*
 * Walk. 0 or -errno, not reported; -EEJECTED if the policy was ejected, now or
 * in an earlier walk: engine_ejection() says why; -ELACKS if the kernel cannot
 * prove anything, and @proven_only was wanted.
 */
int engine_walk(struct engine *engine, struct engine_walk *walk);
void exact_add(struct pmadv_exactness *sum, const struct pmadv_exactness *one);
const char *engine_ejection(const struct engine *engine);

/* A mapping as it was recorded. Pages are not known of all: then they are 0. */
struct engine_mapping {
	uint64_t start;
	uint64_t end;
	uint32_t vma_flags;
	uint64_t present;
	uint64_t young;
	uint64_t swapped;
	const char *name;		/* as bpf_pmadv_vma_name() has it; "": none */
};

/*
 * Walk over @nr mappings in order, none of which need exist: ask the policy, and have
 * each range reported with what would become of it. Of @walk only comm, pid, advice and
 * on_range with its data are looked at. The results are those of engine_walk().
 */
int engine_simulate(struct engine *engine, struct engine_walk *walk,
		    const struct engine_mapping *mapping, size_t nr);

#endif /* PMADV_ENGINE_H */

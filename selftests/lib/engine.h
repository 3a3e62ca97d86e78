/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command's engine for stock kernels, as tests in C drive it: policies and
 * kernels that it cannot take are reported on stderr, as the command does.
 */
#ifndef SELFTESTS_ENGINE_H
#define SELFTESTS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/process_madvise.h>

struct tested_engine;

/**
 * struct tested_walk - one walk
 * @pid: The target.
 * @pidfd: The same.
 * @dry_run: Ask, and do nothing.
 * @proven_only: As the option of that name.
 * @freeze: As the option of that name.
 * @chosen: Called for each range that is to get advice, if it is there.
 * @data: For @chosen.
 * @result: What was done.
 * @proven: Ranges advised, and exactly those that the policy was asked about.
 * @unproven: Ranges advised of which that is not known.
 * @again: Answers that were thrown away, for a change of the target.
 */
struct tested_walk {
	pid_t pid;
	int pidfd;
	bool dry_run;
	bool proven_only;
	bool freeze;
	void (*chosen)(void *data, uint64_t start, uint64_t end, int advice);
	void *data;
	struct pmadv_result result;
	uint64_t proven;
	uint64_t unproven;
	uint64_t again;
};

/*
 * Load the policy in the file @object, as seen from the folder of the program, with
 * its knobs set as @settings say: NAME=VALUE each, and NULL behind the last. 0 or
 * -errno.
 */
int tested_engine_open(struct tested_engine **engine, const char *object,
		       const char *const *settings);
/*
 * Walk everything the target has. 0 or -errno; -EOPNOTSUPP if the kernel cannot prove
 * anything, and @proven_only was wanted.
 */
int tested_engine_walk(struct tested_engine *engine, struct tested_walk *walk);
/*
 * Look at every page of [start, end), in pieces. Returns how many are in memory, and
 * in @young how many of these were accessed; -EOPNOTSUPP where page tables cannot be
 * read.
 */
long tested_engine_scan(struct tested_engine *engine, pid_t pid, uint64_t start,
			uint64_t end, uint64_t *young);
void tested_engine_close(struct tested_engine *engine);

#endif /* SELFTESTS_ENGINE_H */

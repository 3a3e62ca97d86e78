/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of a process, its cgroup and the system, sampled together. */
#ifndef PMADV_SAMPLE_H
#define PMADV_SAMPLE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Refaults and swap traffic are in pages; a value that cannot be read is
 * PMADV_UNKNOWN.
 */
struct target_sample {
	uint64_t resident;		/* bytes */
	uint64_t swapped;		/* bytes */
	uint64_t major_faults;
	uint64_t refault_anon;		/* of the cgroup */
	uint64_t refault_file;
	char cgroup[PATH_MAX];		/* below the mount point, or "" */
};

struct system_sample {
	uint64_t refault_anon;
	uint64_t refault_file;
	uint64_t swapped_in;
	uint64_t swapped_out;
};

/* A key in a file like memory.stat, and where its number goes. */
struct sample_key {
	const char *name;
	uint64_t *value;
};

/*
 * Read keys from a file with lines like "name number"; a missing key gives
 * PMADV_UNKNOWN.
 */
void sample_keys(const char *path, const struct sample_key *keys, size_t nr);

/* Returns 0 or, if the process no longer exists, -errno. */
int sample_target(pid_t pid, struct target_sample *sample);
void sample_system(struct system_sample *sample);

#endif /* PMADV_SAMPLE_H */

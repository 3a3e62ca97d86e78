/* SPDX-License-Identifier: GPL-2.0 */
/* How much of a process is in huge pages. */
#ifndef PMADV_HUGE_H
#define PMADV_HUGE_H

#include <stdint.h>
#include <sys/types.h>

struct huge_usage {
	/* Bytes that are resident, in mappings that have room for a huge page. */
	uint64_t resident;
	/* Of these: in pages of that size. */
	uint64_t huge;
};

/* 0 or -errno. */
int process_huge(pid_t pid, struct huge_usage *usage);
/* In percent, rounded down; all of it if nothing is resident there. */
unsigned int huge_coverage(const struct huge_usage *usage);

#endif /* PMADV_HUGE_H */

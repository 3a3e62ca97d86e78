/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration of the daemon: an INI file with a section [daemon] and a
 * section [rule NAME] for each rule. One table of keys determines which keys
 * exist, how they are checked, where they are stored, and the text of the man
 * page.
 */
#ifndef PMADV_CONFIG_H
#define PMADV_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/goal.h"
#include "daemon/pacer.h"
#include "lib/util.h"

#define CONFIG_DEFAULT	"/etc/pmadv.conf"

/* Numbers from @low to @high, if any were given. */
struct span {
	bool given;
	int64_t low;
	int64_t high;
};

/* "some 150ms 1s": more than 150 ms of stall within 1 s. */
struct pressure {
	bool full;
	uint64_t stall_ns;
	uint64_t window_ns;
};

struct rule {
	char *name;
	unsigned int line;
	/* Which processes; a condition that is not given matches all. */
	char *cgroup;
	char *command;
	struct span uid;
	struct span oom_score_adj;
	bool frozen;
	uint64_t rss_above;
	uint64_t rss_grew;		/* bytes, since the last walk */
	uint64_t idle_ns;
	uint64_t min_interval_ns;	/* between two walks of a process */
	/* The policy that decides about them. */
	char *policy;
	struct vec set;			/* of char * */
	int advice;
	uint32_t fingerprint;		/* of the object and what was set */
	/* When, and how much. */
	struct pressure pressure;
	uint64_t free_under;		/* bytes */
	uint64_t free_under_percent;	/* of all memory, if not in bytes */
	uint64_t bytes_per_second;
	struct goal goal;
	struct pacer_config pace;
};

struct config {
	bool detach;			/* on exit */
	struct vec rules;		/* of struct rule */
};

/* Read @path. Reports every error with its line; returns 0 or -EUSAGE etc. */
int config_read(const char *path, struct config *config);
/* Do the policies exist, and do they have these knobs? Errors as above. */
int config_check_policies(const char *path, struct config *config);
void config_free(struct config *config);

/* reStructuredText for the man page: the keys. */
void config_dump_keys(void);

#endif /* PMADV_CONFIG_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* When the processes of a rule were walked, and how large they were afterwards. */
#ifndef PMADV_PAST_H
#define PMADV_PAST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/config.h"
#include "lib/util.h"

/* A process that a rule with "rss-grew" or "min-interval" has walked. */
struct past {
	pid_t pid;
	/* In jiffies after boot; differs if the number is reused. */
	uint64_t started;
	uint64_t walked_ns;
	/* After the walk, in bytes. */
	uint64_t resident;
};

/* The walk of @pid has just ended; in @pasts of struct past. */
void past_note(struct vec *pasts, pid_t pid, uint64_t now_ns);
/* May the rule walk @pid, as far as its last walk matters? */
bool past_allows(const struct vec *pasts, const struct rule *rule, pid_t pid, uint64_t now_ns);
void past_forget_gone(struct vec *pasts);

#endif /* PMADV_PAST_H */

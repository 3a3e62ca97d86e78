/* SPDX-License-Identifier: GPL-2.0 */
/* For how long processes have been idle. */
#ifndef PMADV_IDLE_H
#define PMADV_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/util.h"

/* A process as watched for a rule with "idle". */
struct idle {
	pid_t pid;
	uint64_t started;	/* jiffies after boot; differs if the number is reused */
	uint64_t since_ns;	/* idle since */
	uint64_t cpu_ns;	/* CPU time used by then */
	bool walked;		/* since it became idle */
	bool seen;		/* seen in the current look */
};

/* Watch @pid, in @idles of struct idle. Call idle_end_look() after the last one. */
void idle_look(struct vec *idles, pid_t pid, uint64_t now_ns);
void idle_end_look(struct vec *idles);
/* The pure part of it: the process has used @cpu_ns by @now_ns. */
void idle_update(struct idle *idle, uint64_t cpu_ns, uint64_t now_ns);
/* The entry of @pid, or NULL. */
struct idle *idle_find(const struct vec *idles, pid_t pid);

#endif /* PMADV_IDLE_H */

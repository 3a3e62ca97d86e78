/* SPDX-License-Identifier: GPL-2.0 */
/* For how long processes have been idle. */
#ifndef PMADV_IDLE_H
#define PMADV_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/util.h"

/* One process as a rule with "idle" has watched it. */
struct idle {
	pid_t pid;
	uint64_t started;	/* jiffies after boot: tells its number's next owner */
	uint64_t since_ns;	/* idle since */
	uint64_t cpu_ns;	/* used by then */
	bool walked;		/* since it is idle */
	bool seen;		/* in the look that is under way */
};

/* Watch @pid, in @idles of struct idle. Call idle_end_look() after the last. */
void idle_look(struct vec *idles, pid_t pid, uint64_t now_ns);
void idle_end_look(struct vec *idles);
/* The pure part: it has used @cpu_ns by @now_ns. */
void idle_update(struct idle *idle, uint64_t cpu_ns, uint64_t now_ns);
/* What is known of @pid, or NULL. */
struct idle *idle_find(const struct vec *idles, pid_t pid);

#endif /* PMADV_IDLE_H */

// SPDX-License-Identifier: GPL-2.0
#include "daemon/idle.h"

#include "lib/util.h"
#include "proc/process.h"

/*
 * A process that uses less of a CPU than this is idle: an occasional timer is
 * no work.
 */
#define IDLE_PERCENT	1

void idle_update(struct idle *idle, uint64_t cpu_ns, uint64_t now_ns)
{
	uint64_t passed = now_ns - idle->since_ns;

	if ((cpu_ns - idle->cpu_ns) * 100 <= passed * IDLE_PERCENT)
		return;
	idle->since_ns = now_ns;
	idle->cpu_ns = cpu_ns;
	idle->walked = false;
}

struct idle *idle_find(const struct vec *idles, pid_t pid)
{
	return vec_find(idles, sizeof(struct idle), pid);
}

void idle_look(struct vec *idles, pid_t pid, uint64_t now_ns)
{
	struct idle *idle = idle_find(idles, pid);
	struct process_stat stat;

	if (process_stat(pid, &stat))
		return;
	if (!idle)
		idle = vec_add(idles, sizeof(*idle));
	if (!idle)
		return;

	if (idle->pid != pid || idle->started != stat.started) {
		idle->pid = pid;
		idle->started = stat.started;
		idle->since_ns = now_ns;
		idle->cpu_ns = stat.cpu_ns;
		idle->walked = false;
	}
	idle_update(idle, stat.cpu_ns, now_ns);
	idle->seen = true;
}

void idle_end_look(struct vec *idles)
{
	struct idle *idle = idles->items;
	size_t kept = 0;

	for (size_t i = 0; i < idles->nr; i++) {
		if (!idle[i].seen)
			continue;
		idle[kept] = idle[i];
		idle[kept++].seen = false;
	}
	idles->nr = kept;
}

// SPDX-License-Identifier: GPL-2.0
#include "daemon/past.h"

#include "proc/process.h"

static struct past *find(const struct vec *pasts, pid_t pid)
{
	return vec_find(pasts, sizeof(struct past), pid);
}

static bool is_same(const struct past *past)
{
	struct process_stat stat;

	return !process_stat(past->pid, &stat) && stat.started == past->started;
}

void past_note(struct vec *pasts, pid_t pid, uint64_t now_ns)
{
	struct past *past = find(pasts, pid);
	struct process_stat stat;
	uint64_t swapped;

	if (process_stat(pid, &stat))
		return;
	if (!past)
		past = vec_add(pasts, sizeof(*past));
	if (!past)
		return;
	past->pid = pid;
	past->started = stat.started;
	past->walked_ns = now_ns;
	process_memory(pid, &past->resident, &swapped);
}

bool past_allows(const struct vec *pasts, const struct rule *rule, pid_t pid, uint64_t now_ns)
{
	const struct past *past = find(pasts, pid);
	uint64_t resident, swapped;

	if (!past || !is_same(past))
		return true;
	if (now_ns - past->walked_ns < rule->min_interval_ns)
		return false;
	if (!rule->rss_grew)
		return true;
	return !process_memory(pid, &resident, &swapped) && resident > past->resident &&
	       resident - past->resident > rule->rss_grew;
}

void past_forget_gone(struct vec *pasts)
{
	struct past *past = pasts->items;
	size_t kept = 0;

	for (size_t i = 0; i < pasts->nr; i++)
		if (is_same(&past[i]))
			past[kept++] = past[i];
	pasts->nr = kept;
}

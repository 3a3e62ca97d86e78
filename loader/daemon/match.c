// SPDX-License-Identifier: GPL-2.0
#include "daemon/match.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/cgroup.h"
#include "walk/target.h"

/* A process that uses less of a CPU is idle: a timer now and then is no work. */
#define IDLE_PERCENT	1

static bool in_span(const struct span *span, int64_t value)
{
	return !span->given || (value >= span->low && value <= span->high);
}

static bool match_command(const char *pattern, pid_t pid)
{
	char name[NAME_MAX + 1];

	if (!target_command(pid, name) && !fnmatch(pattern, name, 0))
		return true;
	return !target_program(pid, name) && !fnmatch(pattern, name, 0);
}

/* The real one: files in /proc belong to root for some. */
static bool match_uid(const struct span *span, pid_t pid)
{
	char path[64], line[256];
	bool matches = false;
	int64_t uid;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	if (!status)
		return false;
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "Uid: %" SCNd64, &uid) == 1)
			matches = in_span(span, uid);
	fclose(status);
	return matches;
}

static bool match_oom(const struct span *span, pid_t pid)
{
	char path[64], line[32];
	int64_t value;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	return !read_line(path, line, sizeof(line)) && !parse_s64(line, 10, &value) &&
	       in_span(span, value);
}

static bool is_frozen(pid_t pid)
{
	char path[PATH_MAX], events[PATH_MAX + 16], line[64];
	bool frozen = false;
	FILE *file;

	if (cgroup_of(pid, path))
		return false;
	snprintf(events, sizeof(events), "%s/cgroup.events", path);
	file = fopen(events, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		frozen |= !strcmp(line, "frozen 1\n");
	fclose(file);
	return frozen;
}

static bool match_rss(uint64_t above, pid_t pid)
{
	uint64_t resident, swapped;

	return !target_memory(pid, &resident, &swapped) && resident > above;
}

bool match_process(const struct rule *rule, pid_t pid)
{
	/* From cheap to dear. */
	return (!rule->command || match_command(rule->command, pid)) &&
	       (!rule->oom_score_adj.given || match_oom(&rule->oom_score_adj, pid)) &&
	       (!rule->uid.given || match_uid(&rule->uid, pid)) &&
	       (!rule->rss_above || match_rss(rule->rss_above, pid)) &&
	       (!rule->frozen || is_frozen(pid));
}

bool match_cgroup(const struct rule *rule, pid_t pid)
{
	char path[PATH_MAX], mount[PATH_MAX];
	size_t length;

	if (!rule->cgroup)
		return true;
	if (cgroup_of(pid, path) || cgroup_mount(mount))
		return false;

	length = strlen(mount);
	while (strlen(path) > length) {
		if (!fnmatch(rule->cgroup, path + length, FNM_PATHNAME))
			return true;
		*strrchr(path, '/') = '\0';
	}
	return !strcmp(rule->cgroup, "/");
}

static bool read_usage(pid_t pid, uint64_t *started, uint64_t *cpu_ns)
{
	char path[64], line[1024];
	uint64_t user, system;
	const char *rest;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_line(path, line, sizeof(line)))
		return false;
	/* The name may contain anything, a parenthesis among it. */
	rest = strrchr(line, ')');
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
			    " %" SCNu64 " %*d %*d %*d %*d %*d %*d %" SCNu64,
			    &user, &system, started) != 3)
		return false;
	*cpu_ns = (user + system) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	return true;
}

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
	struct idle *idle = idles->items;

	for (size_t i = 0; i < idles->nr; i++)
		if (idle[i].pid == pid)
			return &idle[i];
	return NULL;
}

void idle_look(struct vec *idles, pid_t pid, uint64_t now_ns)
{
	struct idle *idle = idle_find(idles, pid);
	uint64_t started, cpu_ns;

	if (!read_usage(pid, &started, &cpu_ns))
		return;
	if (!idle)
		idle = vec_add(idles, sizeof(*idle));
	if (!idle)
		return;

	if (idle->pid != pid || idle->started != started) {
		idle->pid = pid;
		idle->started = started;
		idle->since_ns = now_ns;
		idle->cpu_ns = cpu_ns;
		idle->walked = false;
	}
	idle_update(idle, cpu_ns, now_ns);
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

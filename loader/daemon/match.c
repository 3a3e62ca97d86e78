// SPDX-License-Identifier: GPL-2.0
#include "daemon/match.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "lib/text.h"
#include "proc/cgroup.h"
#include "proc/process.h"

static bool in_span(const struct span *span, int64_t value)
{
	return !span->given || (value >= span->low && value <= span->high);
}

static bool match_command(const char *pattern, pid_t pid)
{
	char name[NAME_MAX + 1];

	if (!process_command(pid, name) && !fnmatch(pattern, name, 0))
		return true;
	return !process_program(pid, name) && !fnmatch(pattern, name, 0);
}

static bool match_uid(const struct span *span, pid_t pid)
{
	struct process_status status;

	return !process_status(pid, &status) && in_span(span, status.uid);
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
	char path[PATH_MAX];

	return !cgroup_of(pid, path) && cgroup_frozen(path);
}

static bool match_rss(uint64_t above, pid_t pid)
{
	uint64_t resident, swapped;

	return !process_memory(pid, &resident, &swapped) && resident > above;
}

bool match_process(const struct rule *rule, pid_t pid)
{
	/* Cheap conditions first. */
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

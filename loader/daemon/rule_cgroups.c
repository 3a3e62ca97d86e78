// SPDX-License-Identifier: GPL-2.0
#include "daemon/rule_cgroups.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "lib/error.h"
#include "lib/text.h"
#include "proc/cgroup.h"

int rule_cgroups(const struct rule *rule, struct rule_cgroups *cgroups)
{
	char mount[PATH_MAX], *pattern;
	glob_t *found;

	memset(cgroups, 0, sizeof(*cgroups));
	if (!rule->cgroup)
		return 0;
	if (cgroup_mount(mount))
		return say_error(-ENOENT, "rule %s: no cgroup v2 is mounted", rule->name);

	pattern = format_string("%s%s", mount, rule->cgroup);
	found = calloc(1, sizeof(*found));
	if (!pattern || !found) {
		free(pattern);
		free(found);
		return say_no_memory();
	}
	/* No match is not an error: such cgroups may appear later. */
	if (!glob(pattern, GLOB_ONLYDIR, NULL, found)) {
		cgroups->nr = found->gl_pathc;
		cgroups->paths = found->gl_pathv;
	}
	cgroups->found = found;
	free(pattern);
	return 0;
}

void rule_cgroups_free(struct rule_cgroups *cgroups)
{
	if (cgroups->found)
		globfree(cgroups->found);
	free(cgroups->found);
	memset(cgroups, 0, sizeof(*cgroups));
}

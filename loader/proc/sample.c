// SPDX-License-Identifier: GPL-2.0
#include "proc/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pmadv/recording.h>

#include "lib/text.h"
#include "lib/util.h"
#include "proc/cgroup.h"
#include "proc/process.h"

void sample_keys(const char *path, const struct sample_key *keys, size_t nr)
{
	char line[256], name[64];
	uint64_t value;
	FILE *file;

	for (size_t i = 0; i < nr; i++)
		*keys[i].value = PMADV_UNKNOWN;
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %" SCNu64, name, &value) != 2)
			continue;
		for (size_t i = 0; i < nr; i++)
			if (!strcmp(name, keys[i].name))
				*keys[i].value = value;
	}
	fclose(file);
}

/* The path of the cgroup below the mount point, and its refaults. */
static void read_cgroup(pid_t pid, struct target_sample *sample)
{
	const struct sample_key keys[] = {
		{ "workingset_refault_anon", &sample->refault_anon },
		{ "workingset_refault_file", &sample->refault_file },
	};
	char dir[PATH_MAX] = "", mount[PATH_MAX] = "", path[PATH_MAX + 16];
	int err;

	err = cgroup_of(pid, dir);
	snprintf(path, sizeof(path), "%s/memory.stat", dir);
	sample_keys(path, keys, ARRAY_SIZE(keys));
	if (err || cgroup_mount(mount) || strncmp(dir, mount, strlen(mount)))
		snprintf(sample->cgroup, sizeof(sample->cgroup), "%s", "");
	else
		snprintf(sample->cgroup, sizeof(sample->cgroup), "%s",
			 dir[strlen(mount)] ? dir + strlen(mount) : "/");
	clean_text(sample->cgroup);
}

int sample_target(pid_t pid, struct target_sample *sample)
{
	struct process_stat stat;
	int err;

	err = process_memory(pid, &sample->resident, &sample->swapped);
	if (err)
		return err;
	sample->major_faults = process_stat(pid, &stat) ? PMADV_UNKNOWN : stat.major_faults;
	read_cgroup(pid, sample);
	return 0;
}

void sample_system(struct system_sample *sample)
{
	const struct sample_key keys[] = {
		{ "workingset_refault_anon", &sample->refault_anon },
		{ "workingset_refault_file", &sample->refault_file },
		{ "pswpin", &sample->swapped_in },
		{ "pswpout", &sample->swapped_out },
	};

	sample_keys("/proc/vmstat", keys, ARRAY_SIZE(keys));
}

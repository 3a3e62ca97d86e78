// SPDX-License-Identifier: GPL-2.0
#include "proc/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <pmadv/record.h>

#include "lib/util.h"
#include "proc/cgroup.h"
#include "walk/target.h"

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

static uint64_t read_major_faults(pid_t pid)
{
	char path[64], line[1024];
	const char *fields;
	uint64_t faults;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_line(path, line, sizeof(line)))
		return PMADV_UNKNOWN;
	/* The name, in brackets, may have brackets and spaces. */
	fields = strrchr(line, ')');
	if (!fields || sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %" SCNu64,
			      &faults) != 1)
		return PMADV_UNKNOWN;
	return faults;
}

/* Path of the cgroup below the mount point, and refaults of it. */
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
	int err;

	err = target_memory(pid, &sample->resident, &sample->swapped);
	if (err)
		return err;
	sample->major_faults = read_major_faults(pid);
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

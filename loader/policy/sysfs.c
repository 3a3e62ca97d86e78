// SPDX-License-Identifier: GPL-2.0
#include "policy/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/error.h"
#include "lib/text.h"
#include "lib/util.h"
#include "proc/cgroup.h"

static const struct {
	const char *file;
	size_t field;
} numbers[] = {
#define NUMBER(name)	{ #name, offsetof(struct sysfs_policy, name) }
#define COUNT(name)	{ #name, offsetof(struct sysfs_policy, counts.name) }
#define STAT(name)	{ #name, offsetof(struct sysfs_policy, counts.stats.name) }
	NUMBER(cgroup_id),
	NUMBER(link_id),
	NUMBER(inner_refused),
	NUMBER(calls),
	NUMBER(errors),
	NUMBER(invalid_verdicts),
	COUNT(ranges_seen),
	COUNT(ranges_advised),
	COUNT(ranges_skipped),
	COUNT(ranges_refused),
	COUNT(ranges_failed),
	COUNT(bytes_advised),
	STAT(scanned),
	STAT(young),
	STAT(shared),
	STAT(deactivated),
	STAT(isolated),
	STAT(reclaimed),
	STAT(written_back),
	STAT(activated),
	STAT(swapped),
	STAT(time_ns),
#undef NUMBER
#undef COUNT
#undef STAT
};

static int read_policy(const char *id, struct sysfs_policy *policy)
{
	char path[sizeof(SYSFS_DIR) + 2 * NAME_MAX];
	int err;

	snprintf(path, sizeof(path), SYSFS_DIR "/policies/%s/name", id);
	err = read_line(path, policy->name, sizeof(policy->name));
	if (err)
		return err;
	clean_text(policy->name);

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		snprintf(path, sizeof(path), SYSFS_DIR "/policies/%s/%s", id,
			 numbers[i].file);
		err = read_u64(path, (uint64_t *)((char *)policy + numbers[i].field));
		if (err)
			return err;
	}
	return 0;
}

int sysfs_policies(struct vec *policies)
{
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	dir = opendir(SYSFS_DIR "/policies");
	if (!dir)
		return errno == ENOENT ? -ELACKS : -errno;

	while (!err && (entry = readdir(dir))) {
		struct sysfs_policy policy = { }, *item;

		if (entry->d_name[0] == '.')
			continue;
		err = read_policy(entry->d_name, &policy);
		/* It was detached meanwhile, so it is not in force. */
		if (err == -ENOENT || err == -ENODEV) {
			err = 0;
			continue;
		}
		if (err)
			break;

		item = vec_add(policies, sizeof(*item));
		if (item)
			*item = policy;
		else
			err = -ENOMEM;
	}

	closedir(dir);
	if (err)
		vec_free(policies);
	return err;
}

const struct sysfs_policy *sysfs_policy_of_link(const struct vec *policies,
						uint64_t link_id)
{
	const struct sysfs_policy *policy = policies->items;

	for (size_t i = 0; i < policies->nr; i++)
		if (policy[i].link_id == link_id)
			return &policy[i];
	return NULL;
}

static const struct sysfs_policy *policy_of_scope(const struct vec *policies,
						  uint64_t cgroup_id)
{
	const struct sysfs_policy *policy = policies->items;

	for (size_t i = 0; i < policies->nr; i++)
		if (policy[i].cgroup_id == cgroup_id)
			return &policy[i];
	return NULL;
}

const struct sysfs_policy *sysfs_policy_of_process(const struct vec *policies,
						   pid_t pid)
{
	const struct sysfs_policy *policy = NULL;
	char path[PATH_MAX], mount[PATH_MAX];
	struct stat st;
	int err;

	err = cgroup_of(pid, path);
	if (err == -EXDEV)
		return NULL;
	if (err || cgroup_mount(mount))
		return policy_of_scope(policies, 0);

	/* Go from the cgroup of the process up to the root, which is a scope, too. */
	while (!policy && strlen(path) >= strlen(mount) && !stat(path, &st)) {
		policy = policy_of_scope(policies, st.st_ino);
		*strrchr(path, '/') = '\0';
	}
	return policy ? policy : policy_of_scope(policies, 0);
}

int sysfs_ejected(uint64_t *count)
{
	return read_u64(SYSFS_DIR "/ejected", count);
}

int sysfs_last_ejection(char *text, size_t size)
{
	int err;

	err = read_line(SYSFS_DIR "/last_ejection", text, size);
	if (!err)
		clean_text(text);
	return err;
}

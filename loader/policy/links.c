// SPDX-License-Identifier: GPL-2.0
/* Policies and their links, read from the kernel and never from a file of ours. */
#include "policy/links.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/error.h"
#include "lib/text.h"
#include "lib/util.h"
#include "policy/sysfs.h"
#include "proc/cgroup.h"

/* Limit for nested folders in bpffs. */
#define PINS_DEPTH	8

int pin_dir_make(const char *dir)
{
	struct statfs fs;

	if (statfs(BPFFS_DIR, &fs) || fs.f_type != BPF_FS_MAGIC)
		return say_error(-ENODEV, "no bpf file system at %s: first do 'mount -t bpf bpf %s'",
				 BPFFS_DIR, BPFFS_DIR);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return say_error(-errno, "cannot make %s: %s", dir, strerror(errno));
	return 0;
}

int struct_ops_link(int fd, uint32_t *id, uint32_t *map_id)
{
	struct bpf_link_info info = { };
	uint32_t length = sizeof(info);

	if (bpf_link_get_info_by_fd(fd, &info, &length))
		return -errno;
	if (info.type != BPF_LINK_TYPE_STRUCT_OPS)
		return -ENOLINK;

	/*
	 * info.struct_ops.map_id, which Debian 12's <linux/bpf.h> does not have
	 * yet: the first member of the union that all kinds of links share.
	 */
	memcpy(map_id, &info.raw_tracepoint, sizeof(*map_id));
	*id = info.id;
	return 0;
}

bool link_in_force(int fd)
{
	uint32_t id, map_id;

	return fd >= 0 && !struct_ops_link(fd, &id, &map_id) && map_id;
}

static int add_link(uint32_t id, const struct vec *policies, struct vec *links)
{
	struct policy_link link = { }, *item;
	const struct sysfs_policy *policy;
	int err;
	int fd;

	fd = bpf_link_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = struct_ops_link(fd, &link.link_id, &link.map_id);
	close(fd);
	if (err)
		return err == -ENOLINK ? 0 : err;

	/*
	 * A link with a map that sysfs does not know belongs to another
	 * struct_ops. A link without a map could be anybody's; its pin decides.
	 */
	policy = sysfs_policy_of_link(policies, id);
	if (link.map_id && !policy)
		return 0;
	if (policy) {
		memcpy(link.name, policy->name, sizeof(link.name));
		link.cgroup_id = policy->cgroup_id;
	}

	item = vec_add(links, sizeof(*item));
	if (!item)
		return -ENOMEM;
	*item = link;
	return 0;
}

/* Maps and programs may be pinned, too, and return information of another kind. */
static bool is_link(int fd)
{
	char path[32], line[64];
	bool found = false;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	if (!info)
		return false;
	while (!found && fgets(line, sizeof(line), info))
		found = !strncmp(line, "link_id:", 8);
	fclose(info);
	return found;
}

static void find_pin(const char *path, struct vec *links)
{
	struct policy_link *link = links->items;
	uint32_t id, map_id;
	bool known;
	int fd;

	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	known = is_link(fd) && !struct_ops_link(fd, &id, &map_id);
	close(fd);
	if (!known)
		return;

	for (size_t i = 0; i < links->nr; i++)
		if (link[i].link_id == id && !link[i].pin)
			link[i].pin = strdup(path);
}

/* Look at the pins in @dir and below it, without following symlinks. */
static void find_pins(const char *dir, unsigned int depth, struct vec *links)
{
	struct dirent *entry;
	DIR *stream = depth ? opendir(dir) : NULL;

	if (!stream)
		return;

	while ((entry = readdir(stream))) {
		char path[PATH_MAX];
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >=
			    (int)sizeof(path) || lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			find_pins(path, depth - 1, links);
		else if (S_ISREG(st.st_mode))
			find_pin(path, links);
	}
	closedir(stream);
}

/*
 * Keep links without a map only if we pinned them; the pin, NAME or NAME@CGROUP, has
 * their name and their cgroup.
 */
static void sort_out_dead_links(struct vec *links)
{
	struct policy_link *link = links->items;
	size_t kept = 0;

	for (size_t i = 0; i < links->nr; i++) {
		const char *ours = PIN_DIR "/";
		const char *pin = link[i].pin;

		if (!link[i].map_id) {
			if (!pin || strncmp(pin, ours, strlen(ours))) {
				free(link[i].pin);
				continue;
			}
			pin = strrchr(pin, '/') + 1;
			snprintf(link[i].name, sizeof(link[i].name), "%.*s",
				 (int)strcspn(pin, "@"), pin);
			pin = strchr(pin, '@');
			link[i].cgroup_id = pin ? strtoull(pin + 1, NULL, 10) : 0;
		}
		link[kept++] = link[i];
	}
	links->nr = kept;
}

int policy_links(const struct vec *policies, struct vec *links)
{
	uint32_t id = 0;
	int err = 0;

	while (!err && !bpf_link_get_next_id(id, &id))
		err = add_link(id, policies, links);
	if (!err && errno != ENOENT)
		err = -errno;
	if (err) {
		policy_links_free(links);
		return err;
	}

	find_pins(BPFFS_DIR, PINS_DEPTH, links);
	sort_out_dead_links(links);
	return 0;
}

char *policy_link_pin(uint32_t link_id)
{
	struct policy_link link = { .link_id = link_id };
	struct vec links = { .items = &link, .nr = 1 };

	find_pins(BPFFS_DIR, PINS_DEPTH, &links);
	return link.pin;
}

void policy_links_free(struct vec *links)
{
	struct policy_link *link = links->items;

	for (size_t i = 0; i < links->nr; i++)
		free(link[i].pin);
	vec_free(links);
}

char *scope_text(uint64_t cgroup_id)
{
	char path[PATH_MAX];

	if (!cgroup_id)
		return strdup("system");
	if (!cgroup_path_of(cgroup_id, path))
		return strdup(path);
	return format_string("cgroup %" PRIu64 " (%s)", cgroup_id,
			     in_initial_cgroup_namespace() ?
			     "removed" : "removed, or outside of this cgroup namespace");
}

// SPDX-License-Identifier: GPL-2.0
/* Which policies there are: asked of the kernel, never of a file of ours. */
#include "policy.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "cgroup.h"

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
	 * yet: it is what the union that all kinds of links share begins with.
	 */
	memcpy(map_id, &info.raw_tracepoint, sizeof(*map_id));
	*id = info.id;
	return 0;
}

/* Where in the kernel's value of a policy's map the name and scope are. */
struct ops_layout {
	uint32_t value_type;
	uint32_t value_size;
	uint32_t name;
	uint32_t cgroup_id;
};

static uint32_t member_offset(const struct btf *btf, const struct btf_type *type,
			      const char *name, uint32_t *member_type)
{
	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];

		if (strcmp(btf__name_by_offset(btf, member->name_off), name))
			continue;
		if (member_type)
			*member_type = member->type;
		return btf_member_bit_offset(type, i) / 8;
	}
	return UINT32_MAX;
}

static int read_layout(struct ops_layout *layout)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *value, *ops;
	uint32_t data, ops_type = 0;
	int err = -ELACKS;
	int id;

	if (!btf)
		return -ELACKS;
	id = btf__find_by_name_kind(btf, OPS_VALUE_TYPE, BTF_KIND_STRUCT);
	if (id < 0)
		goto out;

	value = btf__type_by_id(btf, (uint32_t)id);
	data = member_offset(btf, value, "data", &ops_type);
	if (data == UINT32_MAX)
		goto out;
	ops = btf__type_by_id(btf, ops_type);
	layout->value_type = (uint32_t)id;
	layout->value_size = value->size;
	layout->name = member_offset(btf, ops, "name", NULL);
	layout->cgroup_id = member_offset(btf, ops, "cgroup_id", NULL);
	if (layout->name == UINT32_MAX || layout->cgroup_id == UINT32_MAX)
		goto out;
	layout->name += data;
	layout->cgroup_id += data;
	err = 0;
out:
	btf__free(btf);
	policy_log_forget();
	return err;
}

/* 1 if the map is a policy's, whose name and scope go to @link; 0 if not. */
static int read_policy_map(uint32_t map_id, const struct ops_layout *layout,
			   struct policy_link *link)
{
	struct bpf_map_info info = { };
	uint32_t length = sizeof(info);
	int key = 0, ret = 0;
	char *value = NULL;
	int fd;

	fd = bpf_map_get_fd_by_id(map_id);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;

	if (bpf_map_get_info_by_fd(fd, &info, &length) ||
	    info.btf_vmlinux_value_type_id != layout->value_type ||
	    info.value_size < layout->value_size)
		goto out;

	value = calloc(1, info.value_size);
	if (!value || bpf_map_lookup_elem(fd, &key, value)) {
		ret = value ? -errno : -ENOMEM;
		goto out;
	}
	link->map_id = map_id;
	memcpy(link->name, value + layout->name, sizeof(link->name));
	link->name[sizeof(link->name) - 1] = '\0';
	memcpy(&link->cgroup_id, value + layout->cgroup_id, sizeof(link->cgroup_id));
	ret = 1;
out:
	free(value);
	close(fd);
	return ret;
}

static int add_link(uint32_t id, const struct ops_layout *layout, struct vec *links)
{
	struct policy_link link = { }, *item;
	uint32_t map_id = 0;
	int ret;
	int fd;

	fd = bpf_link_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	ret = struct_ops_link(fd, &link.link_id, &map_id);
	close(fd);
	if (ret)
		return ret == -ENOLINK ? 0 : ret;

	/* Without a map it could be anybody's: its pin will tell. */
	if (map_id) {
		ret = read_policy_map(map_id, layout, &link);
		if (ret <= 0)
			return ret;
	}

	item = vec_add(links, sizeof(*item));
	if (!item)
		return -ENOMEM;
	*item = link;
	return 0;
}

/* Maps and programs are pinned too, and answer with information of their own. */
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

/* Look at what is pinned in @dir and below it, not following symlinks. */
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

/* Of links without a map keep those pinned by us, named after their pin. */
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
			snprintf(link[i].name, sizeof(link[i].name), "%.*s",
				 (int)strcspn(pin + strlen(ours), "@"),
				 pin + strlen(ours));
		}
		link[kept++] = link[i];
	}
	links->nr = kept;
}

int policy_links(struct vec *links)
{
	struct ops_layout layout;
	uint32_t id = 0;
	int err;

	err = read_layout(&layout);
	if (err)
		return err;

	while (!err && !bpf_link_get_next_id(id, &id))
		err = add_link(id, &layout, links);
	if (!err && errno != ENOENT)
		err = -errno;
	if (err) {
		policy_links_free(links);
		return err;
	}

	find_pins(BPFFS_DIR, 8, links);
	sort_out_dead_links(links);
	return 0;
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
	return format_string("cgroup %" PRIu64 " (removed)", cgroup_id);
}

/* SPDX-License-Identifier: GPL-2.0 */
/* The links of policies that the kernel has, and where in bpffs they are pinned. */
#ifndef PMADV_LINKS_H
#define PMADV_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include <pmadv/hook.h>

#include "lib/util.h"

#define BPFFS_DIR	"/sys/fs/bpf"
#define PIN_DIR		BPFFS_DIR "/pmadv"

/* Make a folder in bpffs. Returns 0 or -errno, which is reported. */
int pin_dir_make(const char *dir);

/*
 * The ids of a link. Returns 0, -ENOLINK if it is not the link of a struct_ops,
 * or -errno.
 */
int struct_ops_link(int fd, uint32_t *id, uint32_t *map_id);
/* Is it the link of a policy that is in force? */
bool link_in_force(int fd);

/* A link of a policy, as the kernel reports it. */
struct policy_link {
	uint32_t link_id;
	uint32_t map_id;	/* 0: no longer in force, and still pinned */
	char name[PMADV_NAME_LEN];
	uint64_t cgroup_id;
	char *pin;		/* where it is pinned in bpffs, or NULL */
};

/*
 * All links of @policies (see sysfs_policies()), as struct policy_link. Returns
 * 0, -EPERM or another error, and reports nothing.
 */
int policy_links(const struct vec *policies, struct vec *links);
void policy_links_free(struct vec *links);
/* The path where a link is pinned now, or NULL; the caller frees it. */
char *policy_link_pin(uint32_t link_id);

/* "system" or the path of the cgroup; the caller frees it. */
char *scope_text(uint64_t cgroup_id);

#endif /* PMADV_LINKS_H */

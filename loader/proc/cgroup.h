/* SPDX-License-Identifier: GPL-2.0 */
/* cgroups (v2): where they are mounted, and IDs from paths and back. */
#ifndef PMADV_CGROUP_H
#define PMADV_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Mount point of cgroup v2, or -ENOENT. */
int cgroup_mount(char path[PATH_MAX]);

/*
 * The directory of cgroup @name: a path as it is, or one below the mount point.
 * Returns 0, -ENOENT, or -ENOTDIR if it is not a cgroup of v2, and reports
 * nothing.
 */
int cgroup_resolve(const char *name, char path[PATH_MAX]);

/* The same for the argument of --cgroup; reports errors. */
int cgroup_id_of(const char *name, uint64_t *id);

/* Path of a cgroup below the mount point ("/" for the root), or -ENOENT. */
int cgroup_path_of(uint64_t id, char path[PATH_MAX]);

/* Do we see all cgroups? In a container, often not. */
bool in_initial_cgroup_namespace(void);

/*
 * The directory of the cgroup that a process is in; 0, -EXDEV if no path that we can
 * tell leads there (it is outside of our cgroup namespace, or what is mounted is
 * another part of the hierarchy), or another error.
 */
int cgroup_of(pid_t pid, char path[PATH_MAX]);

/* Are all processes of the cgroup in folder @path frozen? */
bool cgroup_frozen(const char *path);

#endif /* PMADV_CGROUP_H */

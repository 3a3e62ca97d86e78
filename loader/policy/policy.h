/* SPDX-License-Identifier: GPL-2.0 */
/* Policies: from an object file to a link, and the links that the kernel has. */
#ifndef PMADV_POLICY_H
#define PMADV_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>
#include <pmadv/hook.h>

#include "lib/util.h"
#include "options.h"

#define BPFFS_DIR	"/sys/fs/bpf"
#define PIN_DIR		BPFFS_DIR "/pmadv"

#define OPS_TYPE	"process_madvise_ops"
#define OPS_VALUE_TYPE	"bpf_struct_ops_process_madvise_ops"

struct policy {
	struct bpf_object *object;
	struct bpf_map *map;
	struct bpf_link *link;
	char path[PATH_MAX];		/* of the object */
	char name[PMADV_NAME_LEN];
	uint64_t cgroup_id;
	uint32_t link_id;
	uint64_t ejected_before;	/* ejections when it was attached */
};

/* What libbpf and the verifier say is kept for when something fails. */
void policy_log_init(bool verbose);
/* Print the end of it, and forget it. */
void policy_log_print(void);
void policy_log_forget(void);

/* Does the running kernel have the hook? 0 or, having said so, -ELACKS. */
int hook_check(void);

/* May we put policies in force? 0 or, having said so, -EPERM. */
int policy_permitted(void);

/*
 * Path of object @name: a file, or NAME.bpf.o in $PMADV_POLICY_DIR, in bpf/
 * next to the program, or where policies are installed. 0 or, having said what
 * is wrong, -errno.
 */
int object_find(const char *name, char path[PATH_MAX]);

/* These say what is wrong and return an error; policy_close() undoes all. */
int policy_open(struct policy *policy, const char *name);
int policy_set(struct policy *policy, const struct vec *set, const char *cgroup);
int policy_attach(struct policy *policy);
int policy_pin(struct policy *policy, char path[PATH_MAX]);
int policy_pin_at(struct policy *policy, const char *path);
void policy_close(struct policy *policy);

/* A folder in bpffs; 0 or, said, -errno. */
int pin_dir_make(const char *dir);

/*
 * Instead of attaching it: put it in the place of the policy that has this link.
 * Only what is wrong with the policy is said. -ENOLINK if that link is gone.
 */
int policy_replace(struct policy *policy, int link_fd);

/* File descriptor that polls EPOLLHUP once the policy is out. */
int policy_fd(const struct policy *policy);
/*
 * The policy went out though nobody asked us: say why. -EEJECTED if the kernel
 * ejected it, -ECANCELED if somebody detached it.
 */
int policy_say_gone(const struct policy *policy);

/* Of a link's fd: 0, -ENOLINK if it is no link of a struct_ops, or -errno. */
int struct_ops_link(int fd, uint32_t *id, uint32_t *map_id);
/* Is it the link of a policy that is in force? */
bool link_in_force(int fd);

/* A link of a policy, as the kernel has it. */
struct policy_link {
	uint32_t link_id;
	uint32_t map_id;	/* 0: no longer in force, and still pinned */
	char name[PMADV_NAME_LEN];
	uint64_t cgroup_id;
	char *pin;		/* where it is pinned in bpffs, or NULL */
};

/*
 * All links of @policies (see sysfs_policies()), of struct policy_link; 0,
 * -EPERM or another error; says nothing.
 */
int policy_links(const struct vec *policies, struct vec *links);
void policy_links_free(struct vec *links);
/* Where a link is pinned now, to be freed, or NULL. */
char *policy_link_pin(uint32_t link_id);

/* "system" or the path of the cgroup; to be freed. */
char *scope_text(uint64_t cgroup_id);

#endif /* PMADV_POLICY_H */

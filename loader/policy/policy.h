/* SPDX-License-Identifier: GPL-2.0 */
/* The life of a policy: from an object file to a link, and out again. */
#ifndef PMADV_POLICY_H
#define PMADV_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>
#include <pmadv/hook.h>

#include "lib/util.h"

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

/* These return 0 or an error, which is reported; policy_close() undoes all of them. */
int policy_open(struct policy *policy, const char *name);
/* The same of what is in an open file; messages name @path. */
int policy_open_fd(struct policy *policy, const char *path, int fd);
int policy_set(struct policy *policy, const struct vec *set, const char *cgroup);
/* Have it refuse @advices, bits of MADV_ constants, to policies of scopes inside. */
int policy_refuse(struct policy *policy, uint64_t advices);
int policy_attach(struct policy *policy);
int policy_pin(struct policy *policy, char path[PATH_MAX]);
int policy_pin_at(struct policy *policy, const char *path);
void policy_close(struct policy *policy);

/*
 * Instead of attaching @policy, replace the policy of this link with it. Only
 * errors of @policy are reported. Returns -ENOLINK if the link is gone.
 */
int policy_replace(struct policy *policy, int link_fd);

/* A file descriptor that polls EPOLLHUP once the policy is no longer in force. */
int policy_fd(const struct policy *policy);
/*
 * Report why the policy is no longer in force although we did not detach it.
 * Returns -EEJECTED if the kernel ejected it, -ECANCELED if somebody detached
 * it.
 */
int policy_say_gone(const struct policy *policy);

#endif /* PMADV_POLICY_H */

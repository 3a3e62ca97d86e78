// SPDX-License-Identifier: GPL-2.0
#include "policy/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "lib/error.h"
#include "lib/privileges.h"
#include "lib/util.h"
#include "policy/bpf_log.h"
#include "policy/hook.h"
#include "policy/knobs.h"
#include "policy/links.h"
#include "policy/object.h"
#include "policy/sysfs.h"
#include "proc/cgroup.h"

/* From enum map_flags; <linux/bpf.h> of Debian 12 does not have it yet. */
#define MAP_FLAG_LINK	(1U << 13)

/* "process_madvise_ops", or a flavour of it, "process_madvise_ops___old". */
static bool is_policy_map(struct bpf_object *object, struct bpf_map *map)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_type *type;
	const char *name;

	if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
		return false;
	type = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	name = type ? btf__name_by_offset(btf, type->name_off) : "";
	return !strncmp(name, OPS_TYPE, strlen(OPS_TYPE)) &&
	       (!name[strlen(OPS_TYPE)] || !strncmp(name + strlen(OPS_TYPE), "___", 3));
}

/* A data member of the policy's structure, before it is loaded; not aligned. */
static void *ops_member(const struct policy *policy, const char *name, size_t size)
{
	const struct btf *btf = bpf_object__btf(policy->object);
	const struct btf_type *type =
		btf__type_by_id(btf, bpf_map__btf_value_type_id(policy->map));
	size_t whole = 0;
	char *data = bpf_map__initial_value(policy->map, &whole);

	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		size_t offset = btf_member_bit_offset(type, i) / 8;

		if (strcmp(btf__name_by_offset(btf, member->name_off), name))
			continue;
		if (btf__resolve_size(btf, member->type) != (ssize_t)size ||
		    offset + size > whole)
			return NULL;
		return data + offset;
	}
	return NULL;
}

static int find_policy_map(struct policy *policy)
{
	const char *name, *path = policy->path;
	struct bpf_map *map = NULL;

	while ((map = bpf_object__next_map(policy->object, map))) {
		if (!is_policy_map(policy->object, map) || !bpf_map__autocreate(map))
			continue;
		if (policy->map)
			return say_error(-EUSAGE, "%s has more than one policy, %s and %s: split it",
					 path, bpf_map__name(policy->map),
					 bpf_map__name(map));
		policy->map = map;
	}

	if (!policy->map)
		return say_error(-EUSAGE,
				 "%s has no policy: there is no struct " OPS_TYPE " in its section .struct_ops.link",
				 path);
	if (!(bpf_map__map_flags(policy->map) & MAP_FLAG_LINK))
		return say_error(-EUSAGE, "%s: the policy %s is in section .struct_ops: it must be in .struct_ops.link",
				 path, bpf_map__name(policy->map));

	name = ops_member(policy, "name", PMADV_NAME_LEN);
	if (!name || !*name)
		return say_error(-EUSAGE, "%s: the policy %s has no .name", path,
				 bpf_map__name(policy->map));
	snprintf(policy->name, sizeof(policy->name), "%.*s", PMADV_NAME_LEN - 1, name);
	return 0;
}

static int say_no_btf(const char *path)
{
	return say_error(-EUSAGE, "%s has no BTF: build it with clang -target bpf -g", path);
}

static int open_object(struct policy *policy, const char *file)
{
	int err;

	policy->object = bpf_object__open_file(file, NULL);
	if (!policy->object) {
		err = -errno;
		policy_log_print();
		if (err == -ENOENT)
			return say_no_btf(policy->path);
		return say_error(err, "%s is not a readable BPF object (%s): build it with clang -target bpf -g",
				 policy->path, error_text(err));
	}
	if (!bpf_object__btf(policy->object))
		return say_no_btf(policy->path);
	return find_policy_map(policy);
}

int policy_open(struct policy *policy, const char *name)
{
	int err;

	memset(policy, 0, sizeof(*policy));
	err = object_find(name, policy->path);
	return err ? err : open_object(policy, policy->path);
}

int policy_open_fd(struct policy *policy, const char *path, int fd)
{
	char file[32];

	memset(policy, 0, sizeof(*policy));
	snprintf(policy->path, sizeof(policy->path), "%s", path);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	return open_object(policy, file);
}

int policy_set(struct policy *policy, const struct vec *set, const char *cgroup)
{
	const char *const *assignments = set->items;
	void *cgroup_id;
	int err = 0;

	for (size_t i = 0; i < set->nr && !err; i++)
		err = knob_set(policy->object, assignments[i]);
	if (err)
		return err;

	cgroup_id = ops_member(policy, "cgroup_id", sizeof(policy->cgroup_id));
	if (cgroup) {
		if (!cgroup_id)
			return say_error(-EUSAGE, "policy %s has no cgroup_id in its " OPS_TYPE
					 ": build it against this kernel's vmlinux.h",
					 policy->name);
		err = cgroup_id_of(cgroup, &policy->cgroup_id);
		if (err)
			return err;
		memcpy(cgroup_id, &policy->cgroup_id, sizeof(policy->cgroup_id));
	} else if (cgroup_id) {
		memcpy(&policy->cgroup_id, cgroup_id, sizeof(policy->cgroup_id));
	}
	return 0;
}

int policy_refuse(struct policy *policy, uint64_t advices)
{
	uint64_t *refused = ops_member(policy, "inner_refused", sizeof(*refused));

	if (!advices)
		return 0;
	if (!refused)
		return say_error(-EUSAGE, "policy %s has no inner_refused in its " OPS_TYPE
				 ": build it against this kernel's vmlinux.h",
				 policy->name);
	*refused |= advices;
	return 0;
}

static int say_busy(const struct policy *policy)
{
	struct vec policies = { };
	const struct sysfs_policy *other;
	char name[PMADV_NAME_LEN] = "";
	char *scope = scope_text(policy->cgroup_id);

	if (!sysfs_policies(&policies)) {
		other = policies.items;
		for (size_t i = 0; i < policies.nr; i++)
			if (other[i].cgroup_id == policy->cgroup_id)
				memcpy(name, other[i].name, sizeof(name));
	}
	if (*name)
		say_error(-EBUSY, "policy %s is in force there already (scope: %s): first do 'pmadv detach %s'",
			  name, scope ? scope : "?", name);
	else
		say_error(-EBUSY, "another policy is in force there already (scope: %s): see 'pmadv list'",
			  scope ? scope : "?");
	free(scope);
	vec_free(&policies);
	return -EBUSY;
}

static int say_attach_failed(const struct policy *policy, int err)
{
	policy_log_print();
	switch (-err) {
	case EBUSY:
	case EEXIST:
		return say_busy(policy);
	case EPERM:
	case EACCES:
		return say_no_bpf(err, FOR_A_POLICY);
	case EOPNOTSUPP:
		return say_error(err, "the kernel does not take the policy %s: it must be in section .struct_ops.link",
				 policy->name);
	case ENOENT:
	case ESTALE:
	case ENODEV:
		if (policy->cgroup_id)
			return say_error(err, "the cgroup of policy %s (id %" PRIu64 ") is gone",
					 policy->name, policy->cgroup_id);
		/* fall through */
	default:
		return say_error(err, "attaching policy %s failed: %s; its init() may have refused, see also dmesg",
				 policy->name, error_text(err));
	}
}

static int say_load_failed(const struct policy *policy, int err)
{
	policy_log_print();
	if (err == -EPERM)
		return say_no_bpf(err, FOR_A_POLICY);
	/* The verifier fails with EACCES in this case. */
	if (err == -EACCES)
		return say_error(-EINVAL, "%s: the verifier refuses policy %s: it does what a policy may not do",
				 policy->path, policy->name);
	/* libbpf finds this when it compares its structure with the kernel's. */
	if (err == -EOPNOTSUPP)
		return say_error(err, "%s: policy %s is for another kernel: build it with vmlinux.h and include/pmadv of this one",
				 policy->path, policy->name);
	return say_error(err, "%s: the kernel refuses to load policy %s: %s",
			 policy->path, policy->name, error_text(err));
}

static void warn_other_programs(const struct policy *policy)
{
	struct bpf_program *program = NULL;

	while ((program = bpf_object__next_program(policy->object, program)))
		if (bpf_program__type(program) != BPF_PROG_TYPE_STRUCT_OPS &&
		    bpf_program__autoload(program))
			say_warning("program %s of the object is not part of the policy: it is not attached",
				    bpf_program__name(program));
}

static int policy_load(struct policy *policy)
{
	int err;

	err = hook_check();
	if (!err)
		err = policy_permitted();
	if (err)
		return err;
	warn_other_programs(policy);

	err = object_load(policy->object);
	if (err)
		return say_load_failed(policy, err);

	if (sysfs_ejected(&policy->ejected_before))
		policy->ejected_before = 0;
	return 0;
}

int policy_attach(struct policy *policy)
{
	uint32_t map_id;
	int err;

	err = policy_load(policy);
	if (err)
		return err;
	policy->link = bpf_map__attach_struct_ops(policy->map);
	if (!policy->link)
		return say_attach_failed(policy, -errno);
	policy_log_forget();

	return struct_ops_link(bpf_link__fd(policy->link), &policy->link_id, &map_id);
}

int policy_replace(struct policy *policy, int link_fd)
{
	int err;

	err = policy_load(policy);
	if (err)
		return err;

	/*
	 * Only libbpf knows the contents that the kernel expects in the map,
	 * and writes them only when it attaches. That attach fails, because the
	 * policy to be replaced is still there.
	 */
	policy->link = bpf_map__attach_struct_ops(policy->map);
	if (!policy->link && errno != EBUSY)
		return say_attach_failed(policy, -errno);
	policy_log_forget();
	if (policy->link)
		return -ENOLINK;
	if (bpf_link_update(link_fd, bpf_map__fd(policy->map), NULL))
		return -errno;
	return 0;
}

/* A link that is no longer in force leaves its pin behind, which nobody needs. */
static void remove_dead_pin(const char *path)
{
	int fd = bpf_obj_get(path);
	uint32_t id, map_id;

	if (fd < 0)
		return;
	if (!struct_ops_link(fd, &id, &map_id) && !map_id)
		unlink(path);
	close(fd);
}

int policy_pin_at(struct policy *policy, const char *path)
{
	int err;

	err = bpf_link__pin(policy->link, path);
	if (err) {
		policy_log_print();
		return say_error(err, "cannot pin the policy at %s: %s", path,
				 error_text(err));
	}
	/* Whoever detached it before it was pinned did not see the pin. */
	if (!link_in_force(bpf_link__fd(policy->link))) {
		unlink(path);
		return policy_say_gone(policy);
	}
	/* The policy is to stay in force when we end. */
	bpf_link__disconnect(policy->link);
	return 0;
}

int policy_pin(struct policy *policy, char path[PATH_MAX])
{
	int err;

	err = pin_dir_make(PIN_DIR);
	if (err)
		return err;

	if (policy->cgroup_id)
		snprintf(path, PATH_MAX, PIN_DIR "/%s@%" PRIu64, policy->name,
			 policy->cgroup_id);
	else
		snprintf(path, PATH_MAX, PIN_DIR "/%s", policy->name);
	remove_dead_pin(path);
	return policy_pin_at(policy, path);
}

void policy_close(struct policy *policy)
{
	bpf_link__destroy(policy->link);
	bpf_object__close(policy->object);
	policy_log_forget();
	memset(policy, 0, sizeof(*policy));
}

int policy_fd(const struct policy *policy)
{
	return bpf_link__fd(policy->link);
}

/* The last ejection begins with "NAME: ". */
static bool is_about(const char *ejection, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(ejection, name, length) && ejection[length] == ':';
}

int policy_say_gone(const struct policy *policy)
{
	char ejection[PMADV_NAME_LEN + PMADV_EXIT_MSG_LEN + 64] = "";
	uint64_t ejected = 0;

	if (!sysfs_ejected(&ejected) && ejected != policy->ejected_before &&
	    !sysfs_last_ejection(ejection, sizeof(ejection)) &&
	    is_about(ejection, policy->name))
		return say_error(-EEJECTED, "the kernel ejected policy %s", ejection);
	return say_error(-ECANCELED, "somebody else detached policy %s", policy->name);
}

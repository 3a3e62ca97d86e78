// SPDX-License-Identifier: GPL-2.0
#include "policy/engines.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <pmadv/engine_state.h>

#include "lib/error.h"
#include "lib/text.h"
#include "policy/hook.h"
#include "policy/sysfs.h"

/* The sums of an engine, if that is whose map it is. */
static bool read_sums(int fd, struct pmadv_engine_sums *sums)
{
	struct bpf_map_info info = { };
	uint32_t size = sizeof(info);
	const uint32_t key = 0;

	return !bpf_map_get_info_by_fd(fd, &info, &size) &&
	       !strcmp(info.name, PMADV_ENGINE_SUMS) && info.value_size == sizeof(*sums) &&
	       !bpf_map_lookup_elem(fd, &key, sums) &&
	       sums->version == PMADV_ENGINE_VERSION;
}

static int add_engine(struct vec *policies, uint32_t id)
{
	struct pmadv_engine_sums sums;
	struct sysfs_policy *policy;
	int fd = bpf_map_get_fd_by_id(id);
	bool ours;

	/* It was closed meanwhile. */
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	ours = read_sums(fd, &sums);
	close(fd);
	if (!ours)
		return 0;

	policy = vec_add(policies, sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	snprintf(policy->name, sizeof(policy->name), "%.*s", (int)sizeof(sums.name) - 1,
		 sums.name);
	clean_text(policy->name);
	policy->process = sums.process;
	policy->cgroup_id = sums.cgroup_id;
	policy->link_id = id;
	policy->calls = sums.calls;
	policy->ejected = sums.ejected;
	policy->invalid_verdicts = sums.invalid_verdicts;
	policy->counts = sums.result;
	policy->exact = sums.exact;
	return 0;
}

int engines_running(struct vec *policies)
{
	uint32_t id = 0;
	int err = 0;

	while (!err && !bpf_map_get_next_id(id, &id))
		err = add_engine(policies, id);
	if (!err && errno != ENOENT)
		err = -errno;
	if (err)
		vec_free(policies);
	return err;
}

int policies_at_work(struct vec *policies)
{
	return hook_present() ? sysfs_policies(policies) : engines_running(policies);
}

int policies_ejected(const struct vec *policies, uint64_t *ejected)
{
	const struct sysfs_policy *policy = policies->items;

	if (hook_present())
		return sysfs_ejected(ejected);
	*ejected = 0;
	for (size_t i = 0; i < policies->nr; i++)
		*ejected += policy[i].ejected;
	return 0;
}

int policies_say_error(int err)
{
	if (hook_present())
		return say_error(err, SYSFS_DIR ": %s", error_text(err));
	if (err == -EPERM)
		return say_error(err, "no permission to look for engines: this needs CAP_SYS_ADMIN; run it as root");
	return say_error(err, "cannot look for engines: %s", error_text(err));
}

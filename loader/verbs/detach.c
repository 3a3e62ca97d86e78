// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/hook.h"
#include "policy/links.h"
#include "policy/sysfs.h"
#include "proc/cgroup.h"

static const struct option_def options[] = {
	{ "cgroup", 'c', OPTION_CGROUP, offsetof(struct args, cgroup), "PATH",
	  "only where the policy is in force for this cgroup" },
	{ "all", 'a', OPTION_FLAG, offsetof(struct args, all), NULL,
	  "all policies of that name or, without a name, all there are" },
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv detach background_app",
	  "take a policy out of force, whoever attached it" },
	{ "pmadv detach cold_pages --cgroup /sys/fs/cgroup/background",
	  "where it is in force for several cgroups" },
	{ "pmadv detach --all", "end all policies" },
	{ }
};

/*
 * Remove all its pins: there may be several, and whoever attached it may have
 * pinned it meanwhile.
 */
static int unpin(uint32_t link_id)
{
	char *pin;
	int err = 0;

	while (!err && (pin = policy_link_pin(link_id))) {
		if (unlink(pin) && errno != ENOENT)
			err = say_error(-errno, "cannot remove %s: %s", pin, strerror(errno));
		free(pin);
	}
	return err;
}

static int detach_link(const struct policy_link *link)
{
	char *scope;
	int err = 0;
	int fd;

	/* Of a policy that left, only the pin remains. */
	if (link->map_id) {
		fd = bpf_link_get_fd_by_id(link->link_id);
		if (fd >= 0) {
			if (bpf_link_detach(fd))
				err = -errno;
			close(fd);
		} else if (errno != ENOENT) {
			err = -errno;
		}
	}
	/* If somebody else detached it meanwhile, we are done. */
	if (err && err != -EINVAL && err != -ENOENT)
		return say_error(err, "cannot detach %s (link %u): %s", link->name,
				 link->link_id, error_text(err));
	err = unpin(link->link_id);
	if (err)
		return err;

	scope = scope_text(link->cgroup_id);
	if (out_json()) {
		struct json_object *line = json_line("detached");

		json_text(line, "policy", link->name);
		json_text(line, "scope", link->map_id ? scope : NULL);
		json_number(line, "link_id", link->link_id);
		json_text(line, "pin", link->pin);
		err = json_print(line);
	} else {
		out_text("%s detached: %s%s\n", link->name,
			 link->map_id ? "scope " : "what was left of it",
			 link->map_id && scope ? scope : "");
		err = out_flush();
	}
	free(scope);
	return err;
}

static bool wanted(const struct policy_link *link, const char *name,
		   const uint64_t *cgroup_id)
{
	if (name && strcmp(link->name, name))
		return false;
	return !cgroup_id || link->cgroup_id == *cgroup_id;
}

/*
 * Pins left of policies that are not in force any more go along with the one of
 * that name that is: their cgroups may be gone, and nobody can tell which.
 */
static bool left_over(const struct policy_link *link, const char *name)
{
	return name && !link->map_id && !strcmp(link->name, name);
}

static int say_none(const struct vec *links, const char *name, const char *cgroup)
{
	const struct policy_link *link = links->items;
	char *names = NULL, *longer;

	if (!name)
		return say_error(-ENOENT, "no policy is attached");

	for (size_t i = 0; i < links->nr; i++) {
		longer = format_string("%s%s%s", names ? names : "", names ? ", " : "",
				       link[i].name);
		free(names);
		names = longer;
	}
	if (names)
		say_error(-ENOENT, "policy %s is not attached%s%s; there is: %s", name,
			  cgroup ? " for cgroup " : "", cgroup ? cgroup : "", names);
	else
		say_error(-ENOENT, "policy %s is not attached, nor any other", name);
	free(names);
	return -ENOENT;
}

static int detach_run(const struct args *args)
{
	const char *name = args->nr_operands ? args->operands[0] : NULL;
	const struct policy_link *link;
	struct vec policies = { }, links = { };
	uint64_t cgroup_id;
	size_t nr = 0, nr_in_force = 0;
	int err;

	if (!name && !args->all)
		return say_error(-EUSAGE, "which policy? give its name (see 'pmadv list'), or --all");
	if (args->cgroup) {
		err = cgroup_id_of(args->cgroup, &cgroup_id);
		if (err)
			return err;
	}

	err = hook_check();
	if (err)
		return err;
	err = sysfs_policies(&policies);
	if (err)
		return say_error(err, SYSFS_DIR ": %s", error_text(err));
	err = policy_links(&policies, &links);
	vec_free(&policies);
	if (err == -EPERM)
		return say_error(err, "no permission to look at BPF links: this needs CAP_SYS_ADMIN; run it as root");
	if (err)
		return say_error(err, "cannot look at BPF links: %s", error_text(err));

	link = links.items;
	for (size_t i = 0; i < links.nr; i++) {
		if (!wanted(&link[i], name, args->cgroup ? &cgroup_id : NULL))
			continue;
		nr++;
		nr_in_force += link[i].map_id != 0;
	}

	if (!nr)
		err = say_none(&links, name, args->cgroup);
	else if (nr_in_force > 1 && !args->all)
		err = say_error(-EUSAGE, "policy %s is attached %zu times: select one with --cgroup, or give --all",
				name, nr_in_force);

	for (size_t i = 0; i < links.nr && !err; i++)
		if (wanted(&link[i], name, args->cgroup ? &cgroup_id : NULL) ||
		    left_over(&link[i], name))
			err = detach_link(&link[i]);

	policy_links_free(&links);
	return err;
}

const struct verb verb_detach = {
	.name = "detach",
	.operands = "[NAME]",
	.min_operands = 0,
	.max_operands = 1,
	.summary = "Take a policy out of force, and remove its pin.",
	.options = options,
	.examples = examples,
	.run = detach_run,
};

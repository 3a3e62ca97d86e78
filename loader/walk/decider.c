// SPDX-License-Identifier: GPL-2.0
#include "walk/decider.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/signals.h"
#include "policy/hook.h"
#include "proc/cgroup.h"

const char *engine_in_use(void)
{
	return hook_present() ? "hook" : "engine";
}

static int open_hook(struct decider *decider, const char *name, const struct vec *set,
		     const char *cgroup)
{
	int err;

	err = policy_open(&decider->hook, name);
	if (!err)
		err = policy_set(&decider->hook, set, cgroup);
	if (!err)
		err = policy_attach(&decider->hook);
	return err;
}

static int open_engine(struct decider *decider, const char *name, const struct vec *set,
		       const char *cgroup)
{
	int err;

	if (cgroup && cgroup_resolve(cgroup, decider->cgroup))
		return say_error(-EUSAGE, "--cgroup %s: there is no such cgroup (v2)", cgroup);
	err = engine_open(&decider->engine, name);
	if (!err)
		err = policy_set(engine_policy(decider->engine), set, cgroup);
	if (!err)
		err = engine_load(decider->engine);
	return err;
}

int decider_open(struct decider *decider, const char *name, const struct vec *set,
		 const char *cgroup)
{
	int err;

	memset(decider, 0, sizeof(*decider));
	err = hook_present() ? open_hook(decider, name, set, cgroup) :
			       open_engine(decider, name, set, cgroup);
	if (err)
		decider_close(decider);
	return err;
}

void decider_close(struct decider *decider)
{
	engine_close(decider->engine);
	policy_close(&decider->hook);
	memset(decider, 0, sizeof(*decider));
}

const char *decider_name(const struct decider *decider)
{
	return decider->engine ? engine_policy(decider->engine)->name : decider->hook.name;
}

bool decider_covers(const struct decider *decider, pid_t pid)
{
	size_t length = strlen(decider->cgroup);
	char path[PATH_MAX];

	if (!length)
		return true;
	return !cgroup_of(pid, path) && !strncmp(path, decider->cgroup, length) &&
	       (!path[length] || path[length] == '/');
}

bool decider_left(const struct decider *decider, int64_t timeout_ns)
{
	struct pollfd link = { .fd = -1 };

	if (decider->engine) {
		wait_fds(NULL, 0, *engine_ejection(decider->engine) ? 0 : timeout_ns);
		return *engine_ejection(decider->engine);
	}
	link.fd = policy_fd(&decider->hook);
	return wait_fds(&link, 1, timeout_ns) > 0;
}

int decider_say_left(const struct decider *decider)
{
	if (decider->engine)
		return say_error(-EEJECTED, "the engine ejected policy %s",
				 engine_ejection(decider->engine));
	return policy_say_gone(&decider->hook);
}

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/privileges.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "options.h"
#include "policy/knobs.h"
#include "policy/links.h"
#include "policy/hook.h"
#include "policy/policy.h"

static const struct option_def options[] = {
	OPTION_SET,
	OPTION_SCOPE,
	{ "refuse", 'r', OPTION_ADVICES, offsetof(struct args, refuse), "ADVICE",
	  "policies of cgroups inside this scope cannot give it; repeatable" },
	{ "pin", 'p', OPTION_FLAG, offsetof(struct args, pin), NULL,
	  "pin the policy below " PIN_DIR " and leave; it stays in force until "
	  "'pmadv detach'" },
	{ "knobs", 'k', OPTION_FLAG, offsetof(struct args, knobs), NULL,
	  "print the knobs of the policy with their types and values, as set; "
	  "attach nothing" },
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv attach background_app",
	  "put a policy in force for the whole system until Ctrl-C" },
	{ "pmadv attach cold_pages --set max_young_pct=10 --pin",
	  "set a knob, and leave the policy in force" },
	{ "pmadv attach by_name --set 'rules+=[anon:dalvik*]=pageout'",
	  "a rule for a policy that has a table of them" },
	{ "pmadv attach ./mine.bpf.o --cgroup /sys/fs/cgroup/background",
	  "a policy of your own, for one cgroup" },
	{ "pmadv attach noop --refuse pageout --pin",
	  "no policy of a cgroup can page out, whoever attaches it" },
	{ "pmadv attach by_name --knobs",
	  "what can be set" },
	{ }
};

static int print_attached(const struct policy *policy, const char *pin)
{
	char *scope = scope_text(policy->cgroup_id);
	int err;

	if (!scope)
		return say_no_memory();

	if (out_json()) {
		struct json_object *line = json_line("attached");

		json_text(line, "policy", policy->name);
		json_text(line, "scope", scope);
		json_number(line, "cgroup_id", policy->cgroup_id);
		json_number(line, "link_id", policy->link_id);
		json_text(line, "pin", pin);
		err = json_print(line);
	} else {
		out_text("%s attached: scope %s, link %u%s%s\n", policy->name, scope,
			 policy->link_id, pin ? ", pinned at " : "", pin ? pin : "");
		err = out_flush();
	}

	free(scope);
	return err;
}

/* Wait until we are asked to stop, or the policy is no longer in force. */
static int stay(const struct policy *policy)
{
	struct pollfd link = { .fd = policy_fd(policy) };
	int ret;

	do {
		ret = wait_fds(&link, 1, -1);
	} while (ret == -EINTR && !stop_asked);

	if (stop_asked)
		return 0;
	if (ret < 0)
		return say_error(ret, "waiting: %s", error_text(ret));
	ret = policy_say_gone(policy);
	/* 'pmadv detach' is as orderly an end as Ctrl-C. */
	return ret == -ECANCELED ? 0 : ret;
}

static int attach_run(const struct args *args)
{
	char pin[PATH_MAX];
	struct policy policy;
	int err;

	err = policy_open(&policy, args->operands[0]);
	if (!err)
		err = policy_set(&policy, &args->set, args->cgroup);
	if (!err)
		err = policy_refuse(&policy, args->refuse);
	if (err)
		goto out;

	if (args->knobs) {
		err = knobs_print(policy.object);
		if (!err)
			say_note("policy %s has no knobs", policy.name);
		err = err < 0 ? err : 0;
		goto out;
	}

	if (!hook_present()) {
		err = say_error(-ELACKS, "attaching takes a kernel with the hook, which this one is not: 'pmadv run %s TARGET' walks processes with the policy on any kernel from 5.15 on, and so does 'pmadv daemon'",
				args->operands[0]);
		goto out;
	}
	err = policy_attach(&policy);
	if (err)
		goto out;
	if (args->pin) {
		err = policy_pin(&policy, pin);
		if (!err)
			err = print_attached(&policy, pin);
		goto out;
	}

	err = print_attached(&policy, NULL);
	if (err)
		goto out;
	privileges_drop(PRIVILEGES_NONE);
	say_note("in force until Ctrl-C");
	err = stay(&policy);
	if (!err)
		say_note("%s detached", policy.name);
out:
	policy_close(&policy);
	return err;
}

const struct verb verb_attach = {
	.name = "attach",
	.operands = "POLICY|FILE.bpf.o",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Put a policy in force: load it, set its knobs, attach it.",
	.options = options,
	.examples = examples,
	.run = attach_run,
};

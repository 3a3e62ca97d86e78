// SPDX-License-Identifier: GPL-2.0
/*
 * Object files, as far as it goes without a kernel: opened, the policy in them
 * found, knobs listed and set, and the variables that the monitor needs.
 */
#include "fuzz.h"

#include <errno.h>

#include "lib/util.h"
#include "policy/knobs.h"
#include "policy/policy.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

static void use_knobs(struct policy *policy)
{
	static const char *const settings[] = {
		"max_pages=7", "list=1,2", "list[3]=4", "point.y[1]=-1", "mode=1",
		"rules+=[anon:x]=pageout", "weights=a=1", "label=x", "enabled=no",
	};
	struct vec one = { .nr = 1 };
	size_t size;

	knobs_print(policy->object);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		one.items = (void *)&settings[i];
		policy_set(policy, &one, NULL);
	}
	knob_set_number(policy->object, "only_target", 1);
	variable_find(policy->object, ".bss", "lost", &size);
	variable_find(policy->object, ".bss", "counter", &size);
	knobs_print(policy->object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy policy;
	int err;

	err = policy_open(&policy, fuzz_file(data, size));
	if (!err)
		must(policy.map && *policy.name);
	if (!err)
		use_knobs(&policy);
	policy_close(&policy);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: <pmadv/hook.h> says what the BTF of the kernel says, no more
 * and no less.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "hook.h"

static const struct {
	const char *name;
	long long value;
} constants[] = {
#include "constants.inc"
};

static const char *const enums[] = {
	"pmadv_verdict", "pmadv_modifier", "pmadv_pages_flag", "pmadv_vma_flag",
	"pmadv_outcome", "pmadv_exit_kind", "pmadv_limit",
};

/* An enumerator of the kernel's: is there a macro of that name and value? */
static void expect_constant(const char *name, long long value)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(constants); i++)
		if (!strcmp(constants[i].name, name))
			break;
	if (EXPECT(i < ARRAY_LEN(constants), ": %s is missing", name))
		EXPECT(constants[i].value == value, ": %s is %lld, not %lld",
		       name, constants[i].value, value);
}

/* Returns how many enumerators there are. */
static unsigned int expect_enum(const struct btf *btf, const char *name)
{
	const struct btf_type *type;
	const struct btf_enum *e;
	unsigned int i;
	int id;

	id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);
	if (!EXPECT(id > 0, ": %s", name))
		return 0;
	type = btf__type_by_id(btf, id);
	e = btf_enum(type);
	for (i = 0; i < btf_vlen(type); i++)
		expect_constant(btf__name_by_offset(btf, e[i].name_off),
				btf_kflag(type) ? (long long)e[i].val :
						  (__u32)e[i].val);
	return i;
}

static void run_constants(struct hook *h)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned int i, nr = 0;

	if (!EXPECT(btf, ""))
		return;
	for (i = 0; i < ARRAY_LEN(enums); i++)
		nr += expect_enum(btf, enums[i]);
	EXPECT_EQ(nr, ARRAY_LEN(constants));
	btf__free(btf);
}

const struct hook_test hook_constant_tests[] = {
	{
		.name = "constants",
		.description = "hook.h has what the kernel's BTF has",
		.run = run_constants,
	},
	{ }
};

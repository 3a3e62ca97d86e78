// SPDX-License-Identifier: GPL-2.0
#include "policy/hook.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "lib/error.h"
#include "lib/privileges.h"
#include "policy/bpf_log.h"
#include "policy/sysfs.h"

/* sysfs is quicker to look at than BTF, which is megabytes to read. */
bool hook_present(void)
{
	return !access(SYSFS_DIR, F_OK);
}

int hook_check(void)
{
	struct btf *btf;
	int id;

	if (hook_present())
		return 0;

	btf = btf__load_vmlinux_btf();
	if (!btf)
		return say_error(-ELACKS, "the kernel has no BTF (/sys/kernel/btf/vmlinux): it must be built with CONFIG_DEBUG_INFO_BTF=y");
	id = btf__find_by_name_kind(btf, OPS_VALUE_TYPE, BTF_KIND_STRUCT);
	btf__free(btf);
	policy_log_forget();
	if (id < 0)
		return say_error(-ELACKS, "this kernel has no policies for process_madvise(2): boot one built with CONFIG_PROCESS_MADVISE_BPF=y; 'pmadv probe' shows what is there");
	return 0;
}

/* Without these, libbpf fails with errors that do not name the reason. */
int policy_permitted(void)
{
	return privileges_check_bpf(FOR_A_POLICY);
}

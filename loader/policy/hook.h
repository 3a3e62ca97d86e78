/* SPDX-License-Identifier: GPL-2.0 */
/* The hook in the running kernel, and whether we may use it. */
#ifndef PMADV_POLICY_HOOK_H
#define PMADV_POLICY_HOOK_H

#include <stdbool.h>

#define OPS_TYPE	"process_madvise_ops"
#define OPS_VALUE_TYPE	"bpf_struct_ops_process_madvise_ops"

/* Does the running kernel have the hook? Returns 0 or -ELACKS, which is reported. */
int hook_check(void);

/* The same as a quick question. */
bool hook_present(void);

/* What say_no_bpf() is to say about policies. */
#define FOR_A_POLICY "put a policy in force"

/* May we put policies in force? Returns 0 or -EPERM, which is reported. */
int policy_permitted(void);

#endif /* PMADV_POLICY_HOOK_H */

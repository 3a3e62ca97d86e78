/* SPDX-License-Identifier: GPL-2.0 */
/* The output of libbpf and of the verifier. */
#ifndef PMADV_BPF_LOG_H
#define PMADV_BPF_LOG_H

#include <stdbool.h>

/* Keep the output of libbpf and of the verifier until something fails. */
void policy_log_init(bool verbose);
/* Print the end of that output, and forget it. */
void policy_log_print(void);
void policy_log_forget(void);

#endif /* PMADV_BPF_LOG_H */

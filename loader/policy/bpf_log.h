/* SPDX-License-Identifier: GPL-2.0 */
/* What libbpf and the verifier print. */
#ifndef PMADV_BPF_LOG_H
#define PMADV_BPF_LOG_H

#include <stdbool.h>

/* What libbpf and the verifier say is kept for when something fails. */
void policy_log_init(bool verbose);
/* Print the end of it, and forget it. */
void policy_log_print(void);
void policy_log_forget(void);

#endif /* PMADV_BPF_LOG_H */

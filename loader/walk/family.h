/* SPDX-License-Identifier: GPL-2.0 */
/* The processes that a target has started, for the monitor to watch. */
#ifndef PMADV_FAMILY_H
#define PMADV_FAMILY_H

#include <sys/types.h>

#include <bpf/libbpf.h>

/*
 * Tell the monitor, which is attached and sees those that will be started, of the
 * process @pid and of those that have been. Returns 0 or an error, which is reported.
 */
int family_begin(struct bpf_object *monitor, pid_t pid);

#endif /* PMADV_FAMILY_H */

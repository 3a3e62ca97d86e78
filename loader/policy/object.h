/* SPDX-License-Identifier: GPL-2.0 */
/* Where the objects of policies and of the monitor are. */
#ifndef PMADV_OBJECT_H
#define PMADV_OBJECT_H

#include <limits.h>

/*
 * Find the object @name: a file, or NAME.bpf.o in $PMADV_POLICY_DIR, in bpf/
 * beside the program, or where policies are installed. Returns 0 or -errno,
 * which is reported.
 */
int object_find(const char *name, char path[PATH_MAX]);

#endif /* PMADV_OBJECT_H */

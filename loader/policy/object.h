/* SPDX-License-Identifier: GPL-2.0 */
/* The objects of policies and of the monitor: where they are, and loading them. */
#ifndef PMADV_OBJECT_H
#define PMADV_OBJECT_H

#include <limits.h>

struct bpf_object;

/*
 * Find the object @name: a file, or NAME.bpf.o in $PMADV_POLICY_DIR, in bpf/
 * beside the program, or where policies are installed. Returns 0 or -errno,
 * which is reported.
 */
int object_find(const char *name, char path[PATH_MAX]);

/* bpf_object__load(), in a third of the time. */
int object_load(struct bpf_object *object);

#endif /* PMADV_OBJECT_H */

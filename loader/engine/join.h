/* SPDX-License-Identifier: GPL-2.0 */
/* A policy's object and the engine's, linked in memory into one. */
#ifndef PMADV_JOIN_H
#define PMADV_JOIN_H

#include <stdbool.h>
#include <stddef.h>

/* The members that a policy has, as bits. */
enum engine_member {
	ENGINE_ADVISE	= 1 << 0,
	ENGINE_ADVISED	= 1 << 1,
	ENGINE_BEGIN	= 1 << 2,
	ENGINE_END	= 1 << 3,
	ENGINE_INIT	= 1 << 4,
	ENGINE_EXIT	= 1 << 5,
};

/*
 * Link the object at @policy with the engine. With @own_kfuncs it calls the
 * engine's functions in place of the kernel's, even where the kernel has them.
 * Returns a file descriptor of the result, to be opened through /proc/self/fd;
 * or, having reported what is wrong, a negative error.
 */
int engine_join(const char *policy, bool own_kfuncs, unsigned int *members);

/*
 * Take the CO-RE relocations against types of the hook out of the ELF file
 * @image of @size bytes: a kernel without the hook cannot resolve them, and the
 * engine fills the structures as the object was compiled. Returns 0, -EPROTO if
 * the objects in it do not agree on one of these types, or -ENOEXEC for a file
 * that is not what the linker writes.
 */
int engine_strip_core(char *image, size_t size);

#endif /* PMADV_JOIN_H */

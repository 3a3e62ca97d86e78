/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The knobs of a policy: its global `const volatile` variables, found and
 * checked through BTF, in an object that is open and not yet loaded.
 *
 *	NAME=VALUE		an integer, bool, enum or string
 *	NAME=V1,V2,...		an array, from its first element on
 *	NAME[3]=VALUE		one element
 *	NAME.MEMBER=VALUE	a member of a struct; also NAME[3].MEMBER
 *	NAME+=VALUE		the next free element of an array, counted in the
 *				knob nr_NAME if there is one; with a structure of
 *				a string and an integer: NAME+=STRING=INTEGER;
 *				NAME=STRING=INTEGER empties the table first;
 *				<pmadv/knobs.h> says what more a policy can
 *				describe
 *
 * Integers may have a unit (4K) and, where MADV_ constants are meant, be the
 * name of an advice.
 */
#ifndef PMADV_KNOBS_H
#define PMADV_KNOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>

/* Returns 0, -EUSAGE or -ENOMEM, and reports errors. */
int knob_set(struct bpf_object *object, const char *assignment);

/* For our own use: set the integer or bool knob @name; reports nothing. */
int knob_set_number(struct bpf_object *object, const char *name, uint64_t value);

/* Print all knobs with type and value. Returns how many there are, or -errno. */
int knobs_print(struct bpf_object *object);

/* The address and size of a global variable in section ".bss" or ".data". */
void *variable_find(struct bpf_object *object, const char *section,
		    const char *name, size_t *size);

#endif /* PMADV_KNOBS_H */

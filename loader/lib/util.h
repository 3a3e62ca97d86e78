/* SPDX-License-Identifier: GPL-2.0 */
/* For every part of the command: a growing array, the clock, the page size. */
#ifndef PMADV_UTIL_H
#define PMADV_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

uint64_t page_size(void);
uint64_t now_ns(void);
/* Processor time that this thread has used. */
uint64_t cpu_ns(void);

/*
 * How long not to look again at many processes, after a look took @took of processor
 * time: at most one percent of a processor is spent on it.
 */
uint64_t pause_after(uint64_t took);

/* To the nearest; what is more than any uint64_t is UINT64_MAX. Not for negative ones. */
uint64_t round_u64(double number);

/* A growing array of pointers or structs. */
struct vec {
	void *items;
	size_t nr;
	size_t room;
};

/* Append a zeroed item of @size bytes and return it, or NULL. */
void *vec_add(struct vec *vec, size_t size);
void vec_free(struct vec *vec);

/* The item of @size bytes that begins with the int32_t @key, as a pid, or NULL. */
void *vec_find(const struct vec *vec, size_t size, int32_t key);

/*
 * The index of the first item that ends above @address, or their number. They are in
 * order, and begin with where they start and where they end, each a uint64_t.
 */
size_t vec_find_end(const struct vec *vec, size_t size, uint64_t address);

/*
 * The item of @key, but one is appended if there is none. Returns NULL if memory runs
 * out. The search begins where the one before ended, at *@last, as most callers ask for
 * the same item again and again.
 */
void *vec_of_key(struct vec *vec, size_t size, int32_t key, size_t *last);

#endif /* PMADV_UTIL_H */

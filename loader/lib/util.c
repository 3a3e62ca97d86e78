// SPDX-License-Identifier: GPL-2.0
#include "lib/util.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

uint64_t pause_after(uint64_t took)
{
	return took * 100;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t round_u64(double number)
{
	return number < (double)UINT64_MAX ? (uint64_t)(number + 0.5) : UINT64_MAX;
}

void *vec_add(struct vec *vec, size_t size)
{
	void *items, *item;
	size_t room;

	if (vec->nr == vec->room) {
		room = vec->room ? vec->room * 2 : 16;
		items = reallocarray(vec->items, room, size);
		if (!items)
			return NULL;
		vec->items = items;
		vec->room = room;
	}

	item = (char *)vec->items + vec->nr++ * size;
	memset(item, 0, size);
	return item;
}

void *vec_find(const struct vec *vec, size_t size, int32_t key)
{
	char *item = vec->items;

	for (size_t i = 0; i < vec->nr; i++, item += size)
		if (*(const int32_t *)item == key)
			return item;
	return NULL;
}

size_t vec_find_end(const struct vec *vec, size_t size, uint64_t address)
{
	size_t first = 0, behind = vec->nr;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;
		const uint64_t *item = (void *)((char *)vec->items + middle * size);

		if (item[1] > address)
			behind = middle;
		else
			first = middle + 1;
	}
	return first;
}

void *vec_of_key(struct vec *vec, size_t size, int32_t key, size_t *last)
{
	int32_t *item;

	for (size_t i = 0; i < vec->nr; i++) {
		size_t at = (*last + i) % vec->nr;

		item = (int32_t *)((char *)vec->items + at * size);
		if (*item == key) {
			*last = at;
			return item;
		}
	}
	item = vec_add(vec, size);
	if (item) {
		*item = key;
		*last = vec->nr - 1;
	}
	return item;
}

void vec_free(struct vec *vec)
{
	free(vec->items);
	memset(vec, 0, sizeof(*vec));
}

// SPDX-License-Identifier: GPL-2.0
#include "recording/seen.h"

#include <string.h>

#include "proc/maps.h"

struct seen *seen_note(struct seen_all *all, const struct pmadv_record *head)
{
	size_t before = all->list.nr;
	struct seen *seen = vec_of_key(&all->list, sizeof(*seen), head->tgid, &all->last);

	if (!seen)
		return NULL;
	all->total += all->list.nr - before;
	/*
	 * The number may belong to another process now, or the program may be
	 * another one.
	 */
	if (seen->gone || strcmp(seen->comm, head->comm))
		seen->fresh = false;
	seen->gone = false;
	memcpy(seen->comm, head->comm, sizeof(seen->comm));
	return seen;
}

void seen_forget_gone(struct seen_all *all)
{
	struct seen *seen = all->list.items;
	size_t kept = 0;

	for (size_t i = 0; i < all->list.nr; i++) {
		if (seen[i].gone)
			maps_free(&seen[i].maps);
		else
			seen[kept++] = seen[i];
	}
	all->list.nr = kept;
}

void seen_free(struct seen_all *all)
{
	struct seen *seen = all->list.items;

	for (size_t i = 0; i < all->list.nr; i++)
		maps_free(&seen[i].maps);
	vec_free(&all->list);
}

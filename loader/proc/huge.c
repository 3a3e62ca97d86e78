// SPDX-License-Identifier: GPL-2.0
#include "proc/huge.h"

#include "lib/text.h"
#include "lib/util.h"
#include "proc/maps.h"

#define HUGE_SIZE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

static uint64_t huge_page_size(void)
{
	uint64_t size;

	return read_u64(HUGE_SIZE, &size) || !size ? 2 << 20 : size;
}

int process_huge(pid_t pid, struct huge_usage *usage)
{
	const uint64_t size = huge_page_size();
	const struct map_name *map;
	struct vec maps = {};
	int err = maps_read_usage(pid, &maps);

	*usage = (struct huge_usage){};
	if (err)
		return err;
	map = maps.items;
	for (size_t i = 0; i < maps.nr; i++) {
		/* Whole ones, from one multiple of their size to the next. */
		if (map[i].end / size <= (map[i].start + size - 1) / size)
			continue;
		usage->resident += map[i].resident;
		usage->huge += map[i].huge;
	}
	maps_free(&maps);
	return 0;
}

unsigned int huge_coverage(const struct huge_usage *usage)
{
	if (usage->huge >= usage->resident)
		return 100;
	return (unsigned int)((double)usage->huge * 100 / (double)usage->resident);
}

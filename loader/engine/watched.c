// SPDX-License-Identifier: GPL-2.0
#include "engine/watched.h"

#include <errno.h>
#include <link.h>

/* The kernel changes it in memory of the file's, so it must not be in .bss. */
static volatile unsigned short watchers __attribute__((section(".probes")));

bool watched(void)
{
	return watchers;
}

/* It is for its call that this function is there: nothing of that may be optimised. */
__attribute__((noinline, used))
void watched_record(const struct pmadv_record *record)
{
	__asm__ volatile("" : : "r"(record) : "memory");
}

struct search {
	uintptr_t address;
	uint64_t offset;	/* 0: not found */
};

/* The program itself comes first. */
static int look_at_program(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;

	(void)size;
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && search->address >= start &&
		    search->address - start < segment->p_filesz)
			search->offset = search->address - start + segment->p_offset;
	}
	return 1;
}

static uint64_t offset_of(uintptr_t address)
{
	struct search search = { .address = address };

	dl_iterate_phdr(look_at_program, &search);
	return search.offset;
}

int watched_find(struct watched_place *place)
{
	place->function = offset_of((uintptr_t)watched_record);
	place->count = offset_of((uintptr_t)&watchers);
	return place->function && place->count ? 0 : -ENOENT;
}

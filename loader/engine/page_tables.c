// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the page tables of a process, which BPF can do where it knows the
 * address at which the kernel has all memory mapped. No symbol says that for
 * sure; it is found, and proven, with a page of our own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/internal.h"
#include "lib/util.h"

#define GIB		(1ULL << 30)
#define TRIES		8192	/* so many GiB of memory at most */
#define PAGEMAP_FRAME	((1ULL << 55) - 1)
#define TABLE_BYTES	(2ULL << 20)
#define ENTRY_PRESENT	1

static struct {
	uint64_t page_offset;
	uint64_t phys_mask;
	uint32_t levels;
} found;

/* The frame that a page of ours is in, or 0. */
static uint64_t own_frame(const volatile char *page)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t offset = (off_t)((uintptr_t)page / page_size() * sizeof(entry));

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), offset) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry & PAGEMAP_FRAME;
}

/* How many levels, and which bits of an entry are an address. */
static void read_cpu(struct pmadv_engine *state)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	unsigned int bits = 52;
	char line[8192];

	state->levels = 4;
	while (file && fgets(line, sizeof(line), file) && line[0] != '\n') {
		if (!strncmp(line, "flags", 5) && strstr(line, " la57"))
			state->levels = 5;
		sscanf(line, "address sizes : %u bits physical", &bits);
	}
	if (file)
		fclose(file);
	state->phys_mask = ((1ULL << bits) - 1) & ~(page_size() - 1);
}

static bool finds(struct engine *engine, uint64_t page_offset, uint64_t frame)
{
	struct pmadv_engine *state = engine->state;

	state->page_offset = page_offset;
	state->probe_entry = 0;
	if (program_run_over(engine, PROGRAM_PROBE, getpid()))
		return false;
	return state->probe_entry & ENTRY_PRESENT &&
	       (state->probe_entry & state->phys_mask) / page_size() == frame;
}

/* The top table is in that mapping, whose base is a multiple of a GiB below. */
static uint64_t search(struct engine *engine, uint64_t frame)
{
	struct pmadv_engine *state = engine->state;
	uint64_t base;

	state->pgd = 0;
	finds(engine, 0, frame);
	base = state->pgd & ~(GIB - 1);
	for (int i = 0; base && i < TRIES; i++, base -= GIB)
		if (finds(engine, base, frame))
			return base;
	return 0;
}

void page_tables_find(struct engine *engine)
{
	struct pmadv_engine *state = engine->state;
	volatile char *page;
	uint64_t frame;

	/* The same until the next boot; later there may be no right to find out. */
	state->page_offset = found.page_offset;
	state->phys_mask = found.phys_mask;
	state->levels = found.levels;
	if (found.page_offset)
		return;
	if (sizeof(void *) != 8 || page_size() != 4096 || engine->programs[PROGRAM_PROBE] < 0)
		return;
	page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (page == MAP_FAILED)
		return;
	*page = 1;
	frame = own_frame(page);
	if (frame) {
		read_cpu(state);
		state->tgid = engine->filter ? 0 : (uint32_t)getpid();
		state->probe_addr = (uintptr_t)page;
		found.page_offset = search(engine, frame);
		found.phys_mask = state->phys_mask;
		found.levels = state->levels;
	}
	state->page_offset = found.page_offset;
	munmap((void *)page, page_size());
}

bool scan_range(struct engine *engine, pid_t tid, uint64_t start, uint64_t end)
{
	struct pmadv_scan *scan = engine->scan;
	size_t words = (end - (start & ~(TABLE_BYTES - 1)) + TABLE_BYTES - 1) /
		       TABLE_BYTES * 8;

	if (!engine->state->page_offset || end <= start || words > PMADV_SCAN_WORDS)
		return false;
	scan->start = start;
	scan->end = end;
	memset(scan->present, 0, words * sizeof(uint64_t));
	memset(scan->young, 0, words * sizeof(uint64_t));
	memset(scan->dirty, 0, words * sizeof(uint64_t));
	memset(scan->swapped, 0, words * sizeof(uint64_t));
	if (engine->by_pid)
		return !program_call(engine, PROGRAM_SCAN);
	return !program_run_over(engine, PROGRAM_SCAN, tid);
}

static uint64_t bit_of(const struct engine *engine, uint64_t address)
{
	return (address - (engine->scan->start & ~(TABLE_BYTES - 1))) / 4096;
}

bool scan_bit(const struct engine *engine, const __u64 *bits, uint64_t address)
{
	uint64_t bit = bit_of(engine, address);

	return bits[bit / 64] >> bit % 64 & 1;
}

uint64_t scan_count(const struct engine *engine, const __u64 *bits, uint64_t start,
		    uint64_t end)
{
	uint64_t from = bit_of(engine, start), to = bit_of(engine, end), count = 0;

	while (from < to) {
		uint64_t word = bits[from / 64] >> from % 64;
		uint64_t nr = 64 - from % 64;

		if (nr > to - from) {
			nr = to - from;
			word &= (1ULL << nr) - 1;
		}
		count += (uint64_t)__builtin_popcountll(word);
		from += nr;
	}
	return count;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: pages that were used, whoever noticed first. Others clear
 * the same accessed bit, and rely on being told of it when we do.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>

#include "hook.h"

#define PAGE_IDLE	"/sys/kernel/mm/page_idle/bitmap"

/* Bits of /proc/kpageflags. */
#define REFERENCED	(1ULL << 2)
#define ACTIVE		(1ULL << 6)

static uint64_t read_u64(const char *path, uint64_t at)
{
	uint64_t value = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (pread(fd, &value, sizeof(value), at * sizeof(value)) !=
	    sizeof(value))
		value = 0;
	close(fd);
	return value;
}

/* The number of the page at an address of the target, 0 if it is not there. */
static uint64_t page_number(struct hook *h, unsigned long addr)
{
	uint64_t entry;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", h->target.pid);
	entry = read_u64(path, addr / PAGE);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

/*
 * What whoever tracks idle pages does: take the accessed bit, remember it in
 * the page, and wait for another access.
 */
static int mark_idle(struct hook *h)
{
	unsigned long addr;
	uint64_t pfn, bits;
	int fd, err = 0;

	fd = open(PAGE_IDLE, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (addr = h->addr; addr < h->addr + h->len && !err; addr += PAGE) {
		pfn = page_number(h, addr);
		if (!pfn)
			continue;
		bits = 1ULL << pfn % 64;
		if (pwrite(fd, &bits, sizeof(bits), pfn / 64 * sizeof(bits)) !=
		    sizeof(bits))
			err = -errno;
	}
	close(fd);
	return err;
}

/* How many pages does the tracker take for idle still? */
static unsigned int count_idle(struct hook *h, unsigned long addr, size_t len)
{
	unsigned long at;
	unsigned int nr = 0;
	uint64_t pfn;

	for (at = addr; at < addr + len; at += PAGE) {
		pfn = page_number(h, at);
		nr += pfn && read_u64(PAGE_IDLE, pfn / 64) >> pfn % 64 & 1;
	}
	return nr;
}

/* How many of the first pages of the range are young to bpf_pmadv_sample()? */
static unsigned int sample_young(struct hook *h, struct hook_rule *rule)
{
	struct hook_rule walk = *rule;
	unsigned int young;

	rule->verdict = PMADV_SKIP;
	rule->todo = HOOK_DO_SAMPLE;
	rule->sample_nr = 64;
	h->skel->bss->nr_seen = 0;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	young = h->skel->bss->seen[0].young;
	*rule = walk;
	return young;
}

static void run_young_idle(struct hook *h)
{
	const struct pmadv_stats *stats = &h->result.stats;
	unsigned long used = h->addr + 8 * PAGE;
	struct hook_rule *rule;

	if (access(PAGE_IDLE, W_OK)) {
		hook_skip("this kernel has no idle page tracking");
		return;
	}
	rule = hook_rule(h->skel, h->addr, h->addr + h->len, MADV_PAGEOUT);
	rule->modifiers = PMADV_SKIP_YOUNG;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 64);

	/* Used since, but the tracker took the bit. */
	target_call(&h->target, do_read, used, 24 * PAGE, 0);
	EXPECT_EQ(mark_idle(h), 0);
	EXPECT_EQ(count_idle(h, h->addr, h->len), 64);
	EXPECT_EQ(sample_young(h, rule), 24);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 24);
	EXPECT_EQ(stats->reclaimed, 40);
	EXPECT_EQ(hook_present(h, used, 24 * PAGE), 24);

	/* Used since, and it is we who take the bit: the tracker must know. */
	EXPECT_EQ(mark_idle(h), 0);
	target_call(&h->target, do_read, used, 8 * PAGE, 0);
	rule->verdict = MADV_COLD;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 8);
	EXPECT_EQ(count_idle(h, used, 8 * PAGE), 0);
	EXPECT_EQ(count_idle(h, used + 8 * PAGE, 16 * PAGE), 16);

	/* And nobody was told of a use that there was not. */
	rule->verdict = MADV_PAGEOUT;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 0);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

/* What is spared, reclaim must take for used, with idle page flags or without. */
static void run_young_told(struct hook *h)
{
	unsigned long addr;
	struct hook_rule *rule;
	unsigned int told = 0;

	rule = hook_rule(h->skel, h->addr, h->addr + h->len, MADV_COLD);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	for (addr = h->addr; addr < h->addr + h->len; addr += PAGE)
		told += !!(read_u64("/proc/kpageflags", page_number(h, addr)) &
			   (REFERENCED | ACTIVE));
	EXPECT_EQ(told, 0);

	target_call(&h->target, do_read, h->addr, h->len, 0);
	rule->modifiers = PMADV_SKIP_YOUNG;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.stats.young, 64);
	for (addr = h->addr; addr < h->addr + h->len; addr += PAGE)
		told += !!(read_u64("/proc/kpageflags", page_number(h, addr)) &
			   (REFERENCED | ACTIVE));
	EXPECT_EQ(told, 64);
}

static int load_module(const char *path, const char *args)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, args, 0))
		err = -errno;
	close(fd);
	return err;
}

/*
 * A module that maps the same memory: see module/second_mmu.c. There is one for each
 * kernel, and a kernel refuses those of the others.
 */
static int load_second_mmu(struct hook *h, unsigned long start,
			   unsigned int pages)
{
	const char *dir = getenv("PMADV_SELFTESTS");
	char path[512], args[128];
	int err = -ENOEXEC;
	glob_t found;
	size_t i;

	snprintf(path, sizeof(path), "%s/module/*/second_mmu.ko", dir ? dir : ".");
	snprintf(args, sizeof(args), "pid=%d start=%lu pages=%u", h->target.pid,
		 start, pages);
	if (glob(path, 0, NULL, &found))
		return -ENOENT;
	for (i = 0; i < found.gl_pathc && err == -ENOEXEC; i++)
		err = load_module(found.gl_pathv[i], args);
	globfree(&found);
	return err;
}

static void unload_second_mmu(struct hook *h)
{
	syscall(SYS_delete_module, "second_mmu", 0);
}

/* What a virtual machine uses is in use, whatever the page table says. */
static void run_young_second_mmu(struct hook *h)
{
	const struct pmadv_stats *stats = &h->result.stats;
	unsigned long used = h->addr + 8 * PAGE;
	struct hook_rule *rule;
	int err;

	rule = hook_rule(h->skel, h->addr, h->addr + h->len, MADV_PAGEOUT);
	rule->modifiers = PMADV_SKIP_YOUNG;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 64);

	err = load_second_mmu(h, used, 24);
	if (err == -ENOEXEC) {
		hook_skip("no module was built for this kernel");
		return;
	}
	EXPECT_EQ(err, 0);
	EXPECT_EQ(sample_young(h, rule), 24);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 24);
	EXPECT_EQ(stats->reclaimed, 40);
	EXPECT_EQ(hook_present(h, used, 24 * PAGE), 24);

	/* Cleared there, too: it was not used again. */
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(stats->young, 0);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
}

const struct hook_test hook_young_tests[] = {
	{
		.name = "young_idle",
		.description = "a page is young whoever took its accessed bit",
		.setup = hook_setup_attached,
		.run = run_young_idle,
	},
	{
		.name = "young_told",
		.description = "reclaim learns that a spared page was in use",
		.setup = hook_setup_attached,
		.run = run_young_told,
	},
	{
		.name = "young_second_mmu",
		.description = "a page is young if another MMU accessed it",
		.setup = hook_setup_attached,
		.run = run_young_second_mmu,
		.cleanup = unload_second_mmu,
	},
	{ }
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: what a policy is told about a mapping, and what it can
 * ask, compared with mappings that are known.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <linux/userfaultfd.h>

#include "hook.h"

/* A name given to the target must be in its memory: a string known from the start. */
#define EXE	((unsigned long)"/proc/self/exe")

static struct hook_rule *ask(struct hook *h, unsigned int todo)
{
	struct hook_rule *rule;

	hook_reset(h->skel);
	rule = hook_rule(h->skel, h->addr, h->addr + h->len, PMADV_SKIP);
	rule->todo = todo;
	return rule;
}

/* Ask for the name of the target's memory; NULL if it has none. */
static const char *ask_name(struct hook *h)
{
	const struct hook_seen *seen = h->skel->bss->seen;

	ask(h, HOOK_DO_NAME);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	if (seen->name_ret == -ENOENT)
		return NULL;
	EXPECT_EQ(seen->name_ret, strnlen(seen->name, HOOK_NAME_LEN));
	return seen->name;
}

static void expect_name(struct hook *h, const char *want)
{
	const char *got = ask_name(h);

	EXPECT(want && got ? !strcmp(got, want) : got == want,
	       ": %s instead of %s", got ?: "none", want ?: "none");
}

static void run_name(struct hook *h)
{
	static const char long_name[] =
		"a name of fifty letters that is much longer than 32";
	struct target *t = &h->target;
	char exe[PATH_MAX] = "";

	expect_name(h, NULL);
	EXPECT_EQ(target_call(t, do_name, h->addr, h->len,
			      (unsigned long)"dalvik-main space"), 0);
	expect_name(h, "dalvik-main space");
	EXPECT(h->skel->bss->seen[0].vma_flags & PMADV_VMA_NAMED, "");

	/* There is nothing left to ask about when advice was carried out. */
	EXPECT_EQ(h->skel->bss->seen[0].late_name_ret, -ENOENT);

	EXPECT_EQ(target_call(t, do_name, h->addr, h->len,
			      (unsigned long)long_name), 0);
	expect_name(h, "a name of fifty letters that is");
	EXPECT_EQ(strlen(h->skel->bss->seen[0].name), HOOK_NAME_LEN - 1);

	h->skel->data->name_size = 5;
	expect_name(h, "a na");
	h->skel->data->name_size = 1;
	expect_name(h, "");
	h->skel->data->name_size = 0;
	ask(h, HOOK_DO_NAME);
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->seen[0].name_ret, -EINVAL);
	h->skel->data->name_size = HOOK_NAME_LEN;

	/* Only half of it: two mappings, two names. */
	EXPECT_EQ(target_call(t, do_name, h->addr, h->len / 2, 0), 0);
	h->len /= 2;
	expect_name(h, NULL);
	h->addr += h->len;
	expect_name(h, "a name of fifty letters that is");

	h->len = 4 * PAGE;
	EXPECT(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0, "");
	h->addr = target_call(t, do_map_path, EXE, PROT_READ, MAP_PRIVATE);
	if (EXPECT(h->addr, ""))
		expect_name(h, strrchr(exe, '/') + 1);

	h->addr = target_call(t, do_map_memfd, (unsigned long)"cells", h->len,
			      MAP_SHARED);
	if (EXPECT(h->addr, ""))
		expect_name(h, "memfd:cells");
}

static const struct hook_seen *ask_sample(struct hook *h, unsigned int nr)
{
	ask(h, HOOK_DO_SAMPLE)->sample_nr = nr;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	return h->skel->bss->seen;
}

static void run_sample(struct hook *h)
{
	static const unsigned int wrong[] = { 0, 65, 1000, UINT_MAX };
	const struct hook_seen *s;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(wrong); i++) {
		s = ask_sample(h, wrong[i]);
		EXPECT_EQ(s->sample_ret, -EINVAL);
		EXPECT_EQ(s->looked_at, 0);
	}

	/* All pages, just written to. */
	s = ask_sample(h, 64);
	EXPECT_EQ(s->sample_ret, 0);
	EXPECT_EQ(s->looked_at, 64);
	EXPECT_EQ(s->present, 64);
	EXPECT_EQ(s->young, 64);
	EXPECT_EQ(s->dirty, 64);
	EXPECT_EQ(s->swapped, 0);
	EXPECT_EQ(s->late_sample_ret, -EINVAL);

	/* Looking changed nothing. */
	s = ask_sample(h, 64);
	EXPECT_EQ(s->young, 64);

	/* Fewer pages, and a narrowed range with fewer than asked for. */
	s = ask_sample(h, 7);
	EXPECT_EQ(s->looked_at, 7);
	EXPECT_EQ(s->present, 7);
	ask(h, HOOK_DO_SAMPLE)->sample_nr = 64;
	h->skel->bss->rules[0].step = 16 * PAGE;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->skel->bss->nr_seen, 4);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(h->skel->bss->seen[i].looked_at, 16);
}

/* 64 pages: half swapped, a quarter used and the rest not, one page gone. */
static void run_sample_mixed(struct hook *h)
{
	unsigned long quarter = h->len / 4;
	struct hook_rule *rule;
	const struct hook_seen *s;
	char *gone;

	hook_reset(h->skel);
	hook_rule(h->skel, h->addr, h->addr + 2 * quarter, MADV_PAGEOUT);
	rule = hook_rule(h->skel, h->addr + 2 * quarter, h->addr + h->len,
			 MADV_PAGEOUT);
	rule->modifiers = PMADV_SKIP_YOUNG;
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 32);
	target_call(&h->target, do_read, h->addr + 2 * quarter, quarter, 0);
	gone = (char *)h->addr + h->len - PAGE;
	EXPECT_EQ(target_call(&h->target, do_madvise, (unsigned long)gone, PAGE,
			      MADV_DONTNEED), 0);

	s = ask_sample(h, 64);
	EXPECT_EQ(s->looked_at, 64);
	EXPECT_EQ(s->present, 31);
	EXPECT_EQ(s->young, 16);
	EXPECT_EQ(s->dirty, 31);
	EXPECT_EQ(s->swapped, 32);

	/* Evenly spaced: every fourth page shows the same shares. */
	s = ask_sample(h, 16);
	EXPECT_EQ(s->looked_at, 16);
	EXPECT_EQ(s->present, 8);
	EXPECT_EQ(s->young, 4);
	EXPECT_EQ(s->swapped, 8);
}

static long do_map_huge(unsigned long flags, unsigned long unused1,
			unsigned long unused2)
{
	void *p = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? 0 : (long)p;
}

/* Huge pages: a transparent one is sampled like others, hugetlb is not. */
static void run_sample_huge(struct hook *h)
{
	const struct hook_seen *s;
	struct target *t = &h->target;

	h->len = HUGE;
	h->addr = target_call(t, do_map_filled, HUGE, 1, 1);
	if (EXPECT(h->addr, "") &&
	    smaps(t->pid, "AnonHugePages", h->addr, h->addr + HUGE) == HUGE) {
		s = ask_sample(h, 64);
		EXPECT_EQ(s->sample_ret, 0);
		EXPECT_EQ(s->looked_at, 64);
		EXPECT_EQ(s->present, 64);
		EXPECT_EQ(s->young, 64);
		EXPECT_EQ(s->dirty, 64);
		EXPECT_EQ(smaps(t->pid, "AnonHugePages", h->addr,
				h->addr + HUGE), HUGE);
	}

	if (write_file("/proc/sys/vm/nr_hugepages", "1")) {
		hook_skip("this kernel has no hugetlb pages");
		return;
	}
	h->addr = target_call(t, do_map_huge, MAP_HUGETLB, 0, 0);
	if (EXPECT(h->addr, "")) {
		s = ask_sample(h, 64);
		EXPECT_EQ(s->sample_ret, -EOPNOTSUPP);
		EXPECT_EQ(s->vma_flags, PMADV_VMA_READ | PMADV_VMA_WRITE |
					PMADV_VMA_HUGETLB);
	}
}

static void cleanup_huge(struct hook *h)
{
	write_file("/proc/sys/vm/nr_hugepages", "0");
}

/*
 * How mappings are made, and what the policy must be told about them. The first
 * three numbers are passed to @make in the target.
 */
static long do_map_prot(unsigned long prot, unsigned long flags,
			unsigned long unused)
{
	return do_map(4 * PAGE, prot, flags);
}

static long do_advised(unsigned long advice, unsigned long unused1,
		       unsigned long unused2)
{
	long addr = do_map(4 * PAGE, PROT_READ | PROT_WRITE, 0);

	return madvise((void *)addr, 4 * PAGE, advice) ? 0 : addr;
}

static long do_locked(unsigned long unused1, unsigned long unused2,
		      unsigned long unused3)
{
	long addr = do_map(4 * PAGE, PROT_READ | PROT_WRITE, 0);

	return mlock((void *)addr, 4 * PAGE) ? 0 : addr;
}

static long do_named(unsigned long unused1, unsigned long unused2,
		     unsigned long unused3)
{
	long addr = do_map(4 * PAGE, PROT_READ | PROT_WRITE, 0);

	return do_name(addr, 4 * PAGE, (unsigned long)"n") ? 0 : addr;
}

static long do_sealed(unsigned long unused1, unsigned long unused2,
		      unsigned long unused3)
{
	long addr = do_map(4 * PAGE, PROT_READ | PROT_WRITE, 0);

	return syscall(__NR_mseal, addr, 4 * PAGE, 0) ? 0 : addr;
}

static long do_uffd(unsigned long unused1, unsigned long unused2,
		    unsigned long unused3)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	reg.range.start = do_map(4 * PAGE, PROT_READ | PROT_WRITE, 0);
	reg.range.len = 4 * PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return 0;
	return reg.range.start;
}

/* Where the kernel put something of this name. */
static unsigned long find_mapping(pid_t pid, const char *name)
{
	struct mapping *maps;
	unsigned long found = 0;
	int i, n;

	n = read_maps(pid, &maps);
	for (i = 0; i < n && !found; i++)
		if (!strcmp(maps[i].name, name))
			found = maps[i].start;
	if (n >= 0)
		free(maps);
	return found;
}

static long do_heap(unsigned long unused1, unsigned long unused2,
		    unsigned long unused3)
{
	void *brk = sbrk(4 * PAGE);

	if (brk == (void *)-1)
		return 0;
	return ((unsigned long)brk + PAGE - 1) & ~(PAGE - 1);
}

/* Where on x86-64 nothing but the vDSO is, and the kernel puts nothing. */
static long do_map_above_stack(unsigned long unused1, unsigned long unused2,
			       unsigned long unused3)
{
	void *p = mmap((void *)0x7fffffff0000, 4 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return p == MAP_FAILED ? 0 : (long)p;
}

#define R	PMADV_VMA_READ
#define W	PMADV_VMA_WRITE
#define X	PMADV_VMA_EXEC
#define PRIVATE	(MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED	(MAP_SHARED | MAP_ANONYMOUS)

static const struct {
	const char *what;
	target_fn make;
	unsigned long arg[3];
	unsigned int vma_flags;
} facts[] = {
	{ "anonymous", do_map_prot, { PROT_READ | PROT_WRITE, PRIVATE },
	  R | W | PMADV_VMA_ANON },
	{ "read-only", do_map_prot, { PROT_READ, PRIVATE },
	  R | PMADV_VMA_ANON },
	{ "inaccessible", do_map_prot, { PROT_NONE, PRIVATE },
	  PMADV_VMA_ANON },
	{ "executable", do_map_prot, { PROT_READ | PROT_EXEC, PRIVATE },
	  R | X | PMADV_VMA_ANON },
	{ "growing down", do_map_prot,
	  { PROT_READ | PROT_WRITE, PRIVATE | MAP_GROWSDOWN },
	  R | W | PMADV_VMA_ANON | PMADV_VMA_STACK },
	{ "shared", do_map_prot, { PROT_READ | PROT_WRITE, SHARED },
	  R | W | PMADV_VMA_SHMEM | PMADV_VMA_SHARED },
	{ "memfd", do_map_memfd, { (unsigned long)"m", 4 * PAGE, MAP_PRIVATE },
	  R | W | PMADV_VMA_SHMEM },
	{ "shared memfd", do_map_memfd,
	  { (unsigned long)"m", 4 * PAGE, MAP_SHARED },
	  R | W | PMADV_VMA_SHMEM | PMADV_VMA_SHARED },
	{ "file", do_map_path, { EXE, PROT_READ, MAP_PRIVATE },
	  R | PMADV_VMA_FILE },
	{ "shared file", do_map_path, { EXE, PROT_READ, MAP_SHARED },
	  R | PMADV_VMA_FILE | PMADV_VMA_SHARED },
	{ "program", do_map_path, { EXE, PROT_READ | PROT_EXEC, MAP_PRIVATE },
	  R | X | PMADV_VMA_FILE },
	{ "locked", do_locked, {},
	  R | W | PMADV_VMA_ANON | PMADV_VMA_LOCKED },
	{ "named", do_named, {},
	  R | W | PMADV_VMA_ANON | PMADV_VMA_NAMED },
	{ "sealed", do_sealed, {},
	  R | W | PMADV_VMA_ANON | PMADV_VMA_SEALED },
	{ "huge wanted", do_advised, { MADV_HUGEPAGE },
	  R | W | PMADV_VMA_ANON | PMADV_VMA_HUGEPAGE },
	{ "userfaultfd", do_uffd, {},
	  R | W | PMADV_VMA_ANON | PMADV_VMA_UFFD },
	{ "heap", do_heap, {},
	  R | W | PMADV_VMA_ANON | PMADV_VMA_HEAP },
	{ "above the stack", do_map_above_stack, {},
	  R | W | PMADV_VMA_ANON },
};

/* The policy is asked about one page at @addr; what was it told? */
static void expect_facts(struct hook *h, const char *what, unsigned long addr,
			 unsigned int want)
{
	const struct hook_seen *seen = h->skel->bss->seen;

	hook_reset(h->skel);
	EXPECT_EQ(hook_walk_range(h, addr, PAGE, 0, 0), 0);
	EXPECT(h->skel->bss->nr_seen == 1 && seen->start == addr &&
	       seen->end == addr + PAGE && seen->vma_start <= addr &&
	       seen->vma_end > addr, ": asked about %s", what);
	EXPECT(seen->vma_flags == want, ": %s is %x, not %x", what,
	       seen->vma_flags, want);
}

static void run_facts(struct hook *h)
{
	unsigned long addr;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(facts); i++) {
		addr = target_call(&h->target, facts[i].make, facts[i].arg[0],
				   facts[i].arg[1], facts[i].arg[2]);
		if (EXPECT(addr, ": mapping %s", facts[i].what))
			expect_facts(h, facts[i].what, addr,
				     facts[i].vma_flags);
	}

	addr = find_mapping(h->target.pid, "[stack]");
	if (EXPECT(addr, ""))
		expect_facts(h, "stack", addr,
			     R | W | PMADV_VMA_ANON | PMADV_VMA_STACK);
	addr = find_mapping(h->target.pid, "[vdso]");
	if (EXPECT(addr, ""))
		expect_facts(h, "vDSO", addr, R | X | PMADV_VMA_SPECIAL);
}

const struct hook_test hook_kfunc_tests[] = {
	{
		.name = "facts",
		.description = "the facts about a mapping are what it is",
		.setup = hook_setup_attached,
		.run = run_facts,
	},
	{
		.name = "name",
		.description = "bpf_pmadv_vma_name() gives names, cut to fit",
		.setup = hook_setup_attached,
		.run = run_name,
	},
	{
		.name = "sample",
		.description = "bpf_pmadv_sample() counts, and changes nothing",
		.setup = hook_setup_attached,
		.run = run_sample,
	},
	{
		.name = "sample_mixed",
		.description = "bpf_pmadv_sample() tells kinds of pages apart",
		.setup = hook_setup_attached,
		.run = run_sample_mixed,
	},
	{
		.name = "sample_huge",
		.description = "bpf_pmadv_sample() of transparent and other huge pages",
		.setup = hook_setup_attached,
		.run = run_sample_huge,
		.cleanup = cleanup_huge,
	},
	{ }
};

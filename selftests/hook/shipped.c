// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the policies in bpf/: each does for a target what it says on top.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include <pmadv/by_name.h>

#include "hook.h"
#include "policy_background_app.skel.h"
#include "policy_by_name.skel.h"
#include "policy_cold_pages.skel.h"
#include "policy_collapse.skel.h"
#include "policy_foreground.skel.h"
#include "policy_noop.skel.h"
#include "policy_page_age.skel.h"

/* Load a policy with the knobs it has by now, and attach it. */
static bool put_in_force(struct hook *h, struct bpf_object *obj,
			 const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	return EXPECT(map, ": no policy %s", name) &&
	       EXPECT_EQ(bpf_object__load(obj), 0) &&
	       EXPECT_EQ(hook_attach(map, &h->link), 0);
}

/* A file on disk that nobody else maps: an object beside this program's. */
static char file[PATH_MAX];

static int setup_shipped(struct hook *h)
{
	ssize_t len;

	len = readlink("/proc/self/exe", file, sizeof(file) - 32);
	if (len < 0)
		return -errno;
	file[len] = '\0';
	strcpy(strrchr(file, '/'), "/../bpf/noop.bpf.o");
	return hook_setup_target(h);
}

static long do_map_filled_as(unsigned long prot, unsigned long flags,
			     unsigned long locked)
{
	unsigned long addr = do_map(16 * PAGE, PROT_READ | PROT_WRITE, flags);

	if (!addr)
		return 0;
	fill(addr, 16 * PAGE, 1);
	if (mprotect((void *)addr, 16 * PAGE, prot) ||
	    (locked && mlock((void *)addr, 16 * PAGE)))
		return 0;
	return addr;
}

static long do_map_file(unsigned long prot, unsigned long unused1,
			unsigned long unused2)
{
	long addr = do_map_path((unsigned long)file, prot, MAP_PRIVATE);

	if (addr)
		do_read(addr, 4 * PAGE, 0);
	return addr;
}

static long do_map_changed_file(unsigned long prot, unsigned long unused1,
				unsigned long unused2)
{
	long addr = do_map_path((unsigned long)file, prot, MAP_PRIVATE);

	if (addr)
		fill(addr, 4 * PAGE, 1);
	return addr;
}

static long do_map_small(unsigned long unused1, unsigned long unused2,
			 unsigned long unused3)
{
	return do_map_filled(2 * PAGE, 1, 0);
}

#define RW	(PROT_READ | PROT_WRITE)

static const struct {
	const char *what;
	target_fn make;
	unsigned long arg[3];
	size_t pages;
	size_t swapped;
	bool leaves;
} apart[] = {
	{ "memory", do_map_filled_as, { RW, 0 }, 16, 16, true },
	{ "a constant", do_map_filled_as, { PROT_READ, 0 }, 16, 16, true },
	{ "little", do_map_small, {}, 2, 2, true },
	{ "code", do_map_filled_as, { PROT_READ | PROT_EXEC, 0 }, 16 },
	{ "shared memory", do_map_filled_as,
	  { RW, MAP_SHARED | MAP_ANONYMOUS }, 16 },
	{ "locked memory", do_map_filled_as, { RW, 0, 1 }, 16 },
	{ "a file", do_map_file, { PROT_READ }, 4, 0, true },
	{ "a changed file", do_map_changed_file, { RW }, 4, 4, true },
	{ "a program", do_map_file, { PROT_READ | PROT_EXEC }, 4 },
};

static void expect_apart(struct hook *h, unsigned int i)
{
	size_t len = apart[i].pages * PAGE;
	unsigned long addr;
	bool leaves = apart[i].leaves;

	addr = target_call(&h->target, apart[i].make, apart[i].arg[0],
			   apart[i].arg[1], apart[i].arg[2]);
	if (!EXPECT(addr, ": mapping %s", apart[i].what))
		return;
	EXPECT(hook_walk_range(h, addr, len, 0, 0) == (leaves ? (long)len : 0),
	       ": %s", apart[i].what);
	EXPECT(h->result.ranges_advised == leaves, ": %s", apart[i].what);
	EXPECT(h->result.ranges_skipped == !leaves, ": %s", apart[i].what);
	EXPECT(hook_swapped(h, addr, len) == (long)apart[i].swapped,
	       ": %s", apart[i].what);
	EXPECT(hook_present(h, addr, len) == (leaves ? 0 : (long)apart[i].pages),
	       ": %s", apart[i].what);
	if (apart[i].make == do_map_filled_as)
		EXPECT(!target_call(&h->target, do_check, addr, len, 1),
		       ": %s", apart[i].what);
}

static void run_background_app(struct hook *h)
{
	struct policy_background_app *skel = policy_background_app__open();
	unsigned int i;

	if (!EXPECT(skel, ""))
		return;
	EXPECT_EQ(skel->rodata->min_bytes, 0);
	if (!put_in_force(h, skel->obj, "background_app"))
		goto out;
	for (i = 0; i < ARRAY_LEN(apart); i++)
		expect_apart(h, i);

	/* Everything from the stack to the vDSO, and the process still runs. */
	memset(&h->result, 0, sizeof(h->result));
	h->result.size = sizeof(h->result);
	EXPECT(pmadv(h->target.pidfd, NULL, 0, 0,
		     PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE | PMADV_RESULT,
		     &h->result) > 0, "");
	EXPECT_EQ(h->result.ranges_refused, 0);
	EXPECT_EQ(h->result.ranges_failed, 0);
	EXPECT(h->result.ranges_skipped > 0, "");
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
out:
	policy_background_app__destroy(skel);
}

static void run_background_app_knobs(struct hook *h)
{
	struct policy_background_app *skel = policy_background_app__open();

	if (!EXPECT(skel, ""))
		return;
	skel->rodata->min_bytes = 33 * PAGE;
	skel->rodata->skip_young = true;
	if (!put_in_force(h, skel->obj, "background_app"))
		goto out;

	EXPECT_EQ(hook_walk_range(h, h->addr, 32 * PAGE, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 1);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.stats.young, 64);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
out:
	policy_background_app__destroy(skel);
}

static void run_cold_pages(struct hook *h)
{
	struct policy_cold_pages *skel = policy_cold_pages__open();
	unsigned long third = h->addr + 32 * PAGE;

	if (!EXPECT(skel, ""))
		return;
	skel->rodata->chunk_pages = 16;
	skel->rodata->sample_pages = 16;
	if (!put_in_force(h, skel->obj, "cold_pages"))
		goto out;

	/* Everything is young: the first walk marks. */
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.ranges_seen, 4);
	EXPECT_EQ(h->result.stats.young, 64);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);

	/*
	 * The third chunk is busy, of the last a quarter is used: all of the
	 * one stay, and of the other what was used.
	 */
	target_call(&h->target, do_read, third, 20 * PAGE, 0);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, 32 * PAGE), 32);
	EXPECT_EQ(hook_present(h, third, 20 * PAGE), 20);
	EXPECT_EQ(hook_swapped(h, third + 20 * PAGE, 12 * PAGE), 12);

	/* Then it idles, too. What is out already needs no decision. */
	EXPECT_EQ(hook_walk(h, 0, 0), 32 * PAGE);
	EXPECT_EQ(h->result.ranges_skipped, 2);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	hook_expect_intact(h);
out:
	policy_cold_pages__destroy(skel);
}

static void run_cold_pages_busy(struct hook *h)
{
	struct policy_cold_pages *skel = policy_cold_pages__open();

	if (!EXPECT(skel, ""))
		return;
	skel->rodata->max_young_pct = 10;
	skel->rodata->sample_pages = 64;
	skel->rodata->max_pages = 5;
	if (!put_in_force(h, skel->obj, "cold_pages"))
		goto out;

	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	target_call(&h->target, do_read, h->addr, 8 * PAGE, 0);

	/* 12 % are young: none goes; then none is, and five go. */
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);
	EXPECT(hook_walk(h, 0, 0) > 0, "");
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 5);
	hook_expect_intact(h);
out:
	policy_cold_pages__destroy(skel);
}

/* page_age in force with these knobs. */
static struct policy_page_age *page_age(struct hook *h, unsigned int stay_away,
					unsigned int max_returns)
{
	struct policy_page_age *skel = policy_page_age__open();

	if (!EXPECT(skel, ""))
		return NULL;
	EXPECT_EQ(skel->rodata->stay_away, 12);
	EXPECT_EQ(skel->rodata->max_returns, 20);
	skel->rodata->stay_away = stay_away;
	skel->rodata->max_returns = max_returns;
	if (put_in_force(h, skel->obj, "page_age"))
		return skel;
	policy_page_age__destroy(skel);
	return NULL;
}

/* Walk; before each walk so many pages are used. How many are out then? */
static long age(struct hook *h, unsigned int walks, unsigned int used)
{
	while (walks--) {
		if (used)
			target_call(&h->target, do_read, h->addr, used * PAGE, 0);
		EXPECT(hook_walk(h, 0, 0) >= 0, "");
	}
	return hook_swapped(h, h->addr, h->len);
}

static void run_page_age(struct hook *h)
{
	struct policy_page_age *skel = page_age(h, 2, 0);
	unsigned int i;

	if (!skel)
		return;

	/* Nothing leaves before it was seen to stay away. Then what is not used does. */
	EXPECT_EQ(age(h, 4, 24), 0);
	EXPECT_EQ(age(h, 16, 24), 40);
	EXPECT_EQ(hook_present(h, h->addr, 24 * PAGE), 24);

	/* It returns again and again: it stays for longer than it idles in between. */
	for (i = 0; i < 20; i++) {
		age(h, 1, 64);
		age(h, 2, 24);
	}
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);

	/* Until it idles for longer than it ever did. */
	EXPECT_EQ(age(h, 24, 24), 40);
	EXPECT_EQ(hook_present(h, h->addr, 24 * PAGE), 24);
	hook_expect_intact(h);
	policy_page_age__destroy(skel);
}

/* Before each walk a third of the pages is used, by chance. */
static void age_by_chance(struct hook *h, unsigned int walks)
{
	static unsigned int seed = 1;
	unsigned int i;

	while (walks--) {
		for (i = 0; i < 64; i++)
			if (rand_r(&seed) % 3 == 0)
				target_call(&h->target, do_read, h->addr + i * PAGE,
					    PAGE, 0);
		EXPECT(hook_walk(h, 0, 0) >= 0, "");
	}
}

static void run_page_age_limit(struct hook *h)
{
	struct policy_page_age *skel = page_age(h, 2, 1);
	long swapped;

	if (!skel)
		return;
	/* Walks without a pause: no page may return in the time between two. */
	age_by_chance(h, 16);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 0);

	/* One may in a second: so many leave that one of them should. */
	sleep(1);
	age_by_chance(h, 1);
	swapped = hook_swapped(h, h->addr, h->len);
	EXPECT(swapped >= 1 && swapped <= 8, ": %ld are out", swapped);
	hook_expect_intact(h);
	policy_page_age__destroy(skel);
}

static void run_foreground(struct hook *h)
{
	struct policy_foreground *skel = policy_foreground__open();
	struct iovec vec = { (void *)h->addr, h->len };

	if (!EXPECT(skel, ""))
		return;
	if (!put_in_force(h, skel->obj, "foreground"))
		goto out;

	/* Nothing is swapped out, so nothing is read back. */
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 1);

	EXPECT_EQ(pmadv(h->target.pidfd, &vec, 1, MADV_PAGEOUT, 0, NULL),
		  h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(target_call(&h->target, do_read_major, h->addr, h->len, 0),
		  0);
	hook_expect_intact(h);
out:
	policy_foreground__destroy(skel);
}

static long in_huge_pages(struct hook *h)
{
	return smaps(h->target.pid, "AnonHugePages", h->addr, h->addr + h->len);
}

/* collapse in force; @min_bytes and @max_absent: its knobs. */
static struct policy_collapse *collapse(struct hook *h, unsigned long min_bytes,
					unsigned int max_absent)
{
	struct policy_collapse *skel = policy_collapse__open();

	if (!EXPECT(skel, ""))
		return NULL;
	EXPECT_EQ(skel->rodata->min_bytes, 16 << 20);
	EXPECT_EQ(skel->rodata->max_absent, 64);
	skel->rodata->min_bytes = min_bytes;
	skel->rodata->max_absent = max_absent;
	if (put_in_force(h, skel->obj, "collapse"))
		return skel;
	policy_collapse__destroy(skel);
	return NULL;
}

static void run_collapse(struct hook *h)
{
	struct policy_collapse *skel;
	struct target *t = &h->target;

	/* All of the first is there, of the second enough, of the third a page too few. */
	if (!EXPECT_EQ(hook_map_small_pages(h, 3 * HUGE), 0))
		return;
	EXPECT_EQ(target_call(t, do_madvise, h->addr + 2 * HUGE - 64 * PAGE, 64 * PAGE,
			      MADV_DONTNEED), 0);
	EXPECT_EQ(target_call(t, do_madvise, h->addr + 3 * HUGE - 65 * PAGE, 65 * PAGE,
			      MADV_DONTNEED), 0);
	skel = collapse(h, 4 * HUGE, 64);
	if (!skel)
		return;

	/* No place for one is whole in this range. */
	EXPECT_EQ(hook_walk_range(h, h->addr + PAGE, 2 * HUGE - 2 * PAGE, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 2);
	EXPECT_EQ(hook_walk(h, 0, 0), 2 * HUGE);
	EXPECT_EQ(h->result.ranges_seen, 3);
	EXPECT_EQ(h->result.ranges_advised, 2);
	EXPECT_EQ(in_huge_pages(h), 2 * HUGE);
	EXPECT_EQ(hook_present(h, h->addr, h->len), 2 * 512 + 447);
	/* What is huge already is no failure. */
	EXPECT_EQ(hook_walk(h, 0, 0), 2 * HUGE);
	EXPECT_EQ(h->result.ranges_failed, 0);
	EXPECT_EQ(target_call(t, do_check, h->addr, 2 * HUGE - 64 * PAGE, 1), 0);
	EXPECT_EQ(target_call(t, do_check, h->addr + 2 * HUGE, 447 * PAGE, 1), 0);
	policy_collapse__destroy(skel);
}

static void run_collapse_knobs(struct hook *h)
{
	struct policy_collapse *skel;

	if (!EXPECT_EQ(hook_map_small_pages(h, 2 * HUGE), 0))
		return;
	skel = collapse(h, 3 * HUGE + 1, 512);
	if (!skel)
		return;
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 1);
	EXPECT_EQ(in_huge_pages(h), 0);
	hook_detach(&h->link);
	policy_collapse__destroy(skel);

	/* Swapped out is not there: it would have to be read. */
	EXPECT_EQ(pmadv_one(h->target.pidfd, h->addr + HUGE, PAGE, MADV_PAGEOUT, 0, NULL),
		  PAGE);
	EXPECT_EQ(hook_swapped(h, h->addr + HUGE, HUGE), 1);
	skel = collapse(h, 0, 0);
	if (!skel)
		return;
	EXPECT_EQ(hook_walk(h, 0, 0), HUGE);
	EXPECT_EQ(in_huge_pages(h), HUGE);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 1);
	hook_expect_intact(h);
	policy_collapse__destroy(skel);
}

static void run_collapse_apart(struct hook *h)
{
	struct policy_collapse *skel = collapse(h, 0, 512);
	struct target *t = &h->target;
	unsigned long addr;

	if (!skel)
		return;
	addr = target_call(t, do_map, 3 * HUGE, RW, MAP_SHARED | MAP_ANONYMOUS);
	EXPECT(addr && !target_call(t, do_fill, addr, 3 * HUGE, 1), "");
	EXPECT_EQ(hook_walk_range(h, addr, 3 * HUGE, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 1);
	addr = target_call(t, do_map_file, PROT_READ, 0, 0);
	EXPECT_EQ(hook_walk_range(h, addr, 4 * PAGE, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 1);
	policy_collapse__destroy(skel);
}

static void run_noop(struct hook *h)
{
	struct policy_noop *skel = policy_noop__open();

	if (!EXPECT(skel, ""))
		return;
	if (!put_in_force(h, skel->obj, "noop"))
		goto out;
	memset(&h->result, 0, sizeof(h->result));
	h->result.size = sizeof(h->result);
	EXPECT_EQ(pmadv(h->target.pidfd, NULL, 0, MADV_PAGEOUT,
			PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE |
			PMADV_RESULT, &h->result), 0);
	EXPECT(h->result.ranges_seen > 5, "");
	EXPECT_EQ(h->result.ranges_skipped, h->result.ranges_seen);
	EXPECT_EQ(hook_present(h, h->addr, h->len), 64);
out:
	policy_noop__destroy(skel);
}

static void set_rule(struct policy_by_name *skel, const char *pattern,
		     int advice, unsigned int kind)
{
	unsigned int i = skel->rodata->nr_rules++;

	strcpy((char *)skel->rodata->rules[i].pattern, pattern);
	skel->rodata->rules[i].advice = advice;
	skel->rodata->rules[i].kind = kind;
}

static void run_by_name(struct hook *h)
{
	struct policy_by_name *skel = policy_by_name__open();
	struct target *t = &h->target;
	unsigned long path;

	if (!EXPECT(skel, ""))
		return;
	set_rule(skel, "*-keep", PMADV_SKIP, 0);
	set_rule(skel, "*.bpf.o", MADV_COLD, PMADV_VMA_FILE);
	set_rule(skel, "*.bpf.o", MADV_PAGEOUT, PMADV_VMA_NAMED);
	set_rule(skel, "heap-?", MADV_PAGEOUT, PMADV_VMA_NAMED);
	set_rule(skel, "heap*", MADV_COLD, PMADV_VMA_NAMED);
	if (!put_in_force(h, skel->obj, "by_name"))
		goto out;

	/* Without a name; with one no rule is for; first match first. */
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), 0);
	target_call(t, do_name, h->addr, h->len, (unsigned long)"stacks");
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), 0);
	target_call(t, do_name, h->addr, h->len, (unsigned long)"heap-keep");
	EXPECT_EQ(hook_walk(h, 0, 0), 0);
	EXPECT_EQ(h->result.ranges_skipped, 1);
	target_call(t, do_name, h->addr, h->len, (unsigned long)"heap-10");
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.stats.deactivated, 64);
	target_call(t, do_name, h->addr, h->len, (unsigned long)"heap-1");
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.stats.reclaimed, 64);
	hook_expect_intact(h);

	/* The same name has one rule for files, and another for anonymous memory. */
	path = target_call(t, do_map_file, PROT_READ, 0, 0);
	EXPECT(path, "");
	EXPECT_EQ(hook_walk_range(h, path, 4 * PAGE, 0, 0), 4 * PAGE);
	EXPECT_EQ(h->result.stats.deactivated, 4);
	target_call(t, do_name, h->addr, h->len, (unsigned long)"noop.bpf.o");
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_swapped(h, h->addr, h->len), 64);
out:
	policy_by_name__destroy(skel);
}

/* The longest name that anonymous memory may have. */
static const char seventy_nine[] =
	"seventy-nine letters are as much as a name of memory may have, not one "
	"more----";

_Static_assert(sizeof(seventy_nine) == 80, "with its NUL");

/* A name that a pattern matches, and the most similar one that it does not. */
static const struct {
	const char *pattern;
	const char *name;
	bool matches;
} globs[] = {
	{ "abc", "abc", true },
	{ "abc", "abcd", false },
	{ "abc", "ab", false },
	{ "?bc", "abc", true },
	{ "?bc", "bc", false },
	{ "*", "anything at all", true },
	{ "*", "a", true },
	{ "*", seventy_nine, true },
	{ "a*", "a", true },
	{ "a*", "ba", false },
	{ "*c", "abcabc", true },
	{ "*c", "abcabd", false },
	{ "a*b*c", "a-b-b-c", true },
	{ "a*b*c", "a-c-b", false },
	{ "*ab?", "aabab-", true },
	{ "*ab?", "aabab", false },
	{ "**?**", "x", true },
	{ "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  false },
	{ "dalvik-main space", "dalvik-main space", true },
	{ "dalvik-main space", "dalvik-main space 1", false },
};

static struct policy_by_name *load_glob(struct hook *h, const char *pattern)
{
	struct policy_by_name *skel = policy_by_name__open();

	if (!EXPECT(skel, ""))
		return NULL;
	set_rule(skel, pattern, MADV_COLD, 0);
	put_in_force(h, skel->obj, "by_name");
	return skel;
}

/* Patterns are knobs, so a policy has to be loaded for each. */
static void run_globs(struct hook *h)
{
	struct policy_by_name *skel = NULL;
	unsigned int i;
	long want;

	for (i = 0; i < ARRAY_LEN(globs); i++) {
		if (!i || strcmp(globs[i].pattern, globs[i - 1].pattern)) {
			hook_detach(&h->link);
			policy_by_name__destroy(skel);
			skel = load_glob(h, globs[i].pattern);
		}
		EXPECT_EQ(target_call(&h->target, do_name, h->addr, h->len,
				      (unsigned long)globs[i].name), 0);
		want = globs[i].matches ? h->len : 0;
		EXPECT(hook_walk(h, 0, PMADV_DRY_RUN) == want, ": %s and %s",
		       globs[i].pattern, globs[i].name);
	}
	policy_by_name__destroy(skel);
}

const struct hook_test hook_shipped_tests[] = {
	{
		.name = "background_app",
		.description = "background_app tells mappings apart",
		.setup = setup_shipped,
		.run = run_background_app,
	},
	{
		.name = "background_app_knobs",
		.description = "background_app's knobs are heeded",
		.setup = setup_shipped,
		.run = run_background_app_knobs,
	},
	{
		.name = "by_name",
		.description = "by_name: the first rule that matches decides",
		.setup = setup_shipped,
		.run = run_by_name,
	},
	{
		.name = "by_name_globs",
		.description = "by_name: patterns match what they should",
		.setup = setup_shipped,
		.run = run_globs,
	},
	{
		.name = "cold_pages",
		.description = "cold_pages reclaims what was not used between walks",
		.setup = setup_shipped,
		.run = run_cold_pages,
	},
	{
		.name = "cold_pages_busy",
		.description = "cold_pages leaves a busy mapping alone, and caps",
		.setup = setup_shipped,
		.run = run_cold_pages_busy,
	},
	{
		.name = "collapse_apart",
		.description = "collapse leaves files and shared memory alone",
		.setup = setup_shipped,
		.run = run_collapse_apart,
	},
	{
		.name = "collapse_knobs",
		.description = "collapse's knobs are heeded",
		.setup = setup_shipped,
		.run = run_collapse_knobs,
	},
	{
		.name = "collapse_there",
		.description = "collapse makes huge pages of what is there",
		.setup = setup_shipped,
		.run = run_collapse,
	},
	{
		.name = "page_age",
		.description = "page_age reclaims what stays away, until it returns",
		.setup = setup_shipped,
		.run = run_page_age,
	},
	{
		.name = "page_age_limit",
		.description = "page_age keeps pages that would return too often",
		.setup = setup_shipped,
		.run = run_page_age_limit,
	},
	{
		.name = "foreground",
		.description = "foreground reads back what was swapped out",
		.setup = setup_shipped,
		.run = run_foreground,
	},
	{
		.name = "noop",
		.description = "noop is asked and does nothing",
		.setup = setup_shipped,
		.run = run_noop,
	},
	{ }
};

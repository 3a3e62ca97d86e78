/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the hook: what they share. One struct per test; a test runs in the
 * one process, walks a target of its own and takes its policy with it.
 */
#ifndef SELFTESTS_HOOK_H
#define SELFTESTS_HOOK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <linux/types.h>

#include <pmadv/hook.h>

#include "policy.h"
#include "lib/util.h"
#include "hook_policy.skel.h"

/* Cgroups of the tests; made and removed by those that need them. */
#define HOOK_CGROUP	"/sys/fs/cgroup/pmadv-hook"

#define HOOK_SYSFS	"/sys/kernel/mm/process_madvise"

struct hook_test;

/**
 * struct hook - what a test works with
 * @test: The test itself.
 * @skel: The policy, loaded.
 * @link: Its link while it is attached.
 * @more: More of the same, for tests of several scopes.
 * @more_link: Their links.
 * @target: The process that is walked.
 * @addr: Its memory, of @len bytes, filled with generation 1 of the pattern.
 * @len: Length of that memory.
 * @result: Of the latest walk.
 */
struct hook {
	const struct hook_test *test;
	struct hook_policy *skel;
	struct bpf_link *link;
	struct hook_policy *more[2];
	struct bpf_link *more_link[2];
	struct target target;
	unsigned long addr;
	size_t len;
	struct pmadv_result result;
};

/**
 * struct hook_test - a test
 * @name: To choose it by on the command line.
 * @description: What holds if it passes.
 * @setup: Brings about what @run needs. May be NULL. Returns 0, or -errno with
 *	which the test fails.
 * @run: The test; says what is wrong through EXPECT().
 * @cleanup: Undoes what hook_cleanup() does not know of. May be NULL. Runs
 *	whatever happened before.
 * @expected: What must become of a bad policy, for @run to look at: what the
 *	verifier or the kernel says, or the errno. Or who has which right.
 */
struct hook_test {
	const char *name;
	const char *description;
	int (*setup)(struct hook *h);
	void (*run)(struct hook *h);
	void (*cleanup)(struct hook *h);
	struct {
		const char *why;
		int err;
		const struct right *right;
	} expected;
};

/* Each ends with an entry without a name. */
extern const struct hook_test hook_constant_tests[];
extern const struct hook_test hook_verdict_tests[];
extern const struct hook_test hook_range_tests[];
extern const struct hook_test hook_contended_tests[];
extern const struct hook_test hook_young_tests[];
extern const struct hook_test hook_member_tests[];
extern const struct hook_test hook_attach_tests[];
extern const struct hook_test hook_error_tests[];
extern const struct hook_test hook_kfunc_tests[];
extern const struct hook_test hook_page_tests[];
extern const struct hook_test hook_scope_tests[];
extern const struct hook_test hook_race_tests[];
extern const struct hook_test hook_hostile_tests[];
extern const struct hook_test hook_right_tests[];
extern const struct hook_test hook_shipped_tests[];

/*
 * Expectations. One that does not hold fails the test, which goes on unless it
 * looks at the value, true if it holds.
 */
bool hook_expect(bool holds, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define EXPECT(cond, fmt, ...) \
	hook_expect(cond, __FILE__, __LINE__, "not so: " #cond fmt, \
		    ##__VA_ARGS__)

#define EXPECT_EQ(got, want) \
	hook_expect_eq(got, want, #got, #want, __FILE__, __LINE__)

bool hook_expect_eq(long long got, long long want, const char *got_text,
		    const char *want_text, const char *file, int line);

/* The test can't run here; says why, which must stay valid. */
void hook_skip(const char *why);

/* Setups, each with a target of 64 filled pages. */
int hook_setup_target(struct hook *h);
int hook_setup_loaded(struct hook *h);
int hook_setup_attached(struct hook *h);

/* Undo all that a struct hook holds. */
void hook_cleanup(struct hook *h);

/* Give the target other memory to test with: @pages of them. */
int hook_map(struct hook *h, size_t pages);
/*
 * @len bytes in small pages, from a place for a huge page on, in a mapping that is
 * longer by one.
 */
int hook_map_small_pages(struct hook *h, size_t len);

/* Load another copy of the policy, for a cgroup if @cgroup_id is not 0. */
struct hook_policy *hook_load(uint64_t cgroup_id);
/* The same of one that refuses policies inside its scope that advice, as bits. */
struct hook_policy *hook_load_refusing(uint64_t cgroup_id, uint64_t refused);

/* Attach; -errno on failure. */
int hook_attach(struct bpf_map *map, struct bpf_link **link);
void hook_detach(struct bpf_link **link);
/* The same, and update, as soon as the map's last life as a policy has ended. */
int hook_attach_again(struct bpf_map *map, struct bpf_link **link);
int hook_update_again(struct bpf_link *link, struct bpf_map *map);

/* Add a rule to a policy; NULL if there are too many. */
struct hook_rule *hook_rule(struct hook_policy *skel, uint64_t start,
			    uint64_t end, int verdict);
/* Forget rules and what was seen. */
void hook_reset(struct hook_policy *skel);

/* Walk the target's memory, or some of it, and ask. The result is h->result. */
long hook_walk(struct hook *h, int advice, unsigned int flags);
long hook_walk_range(struct hook *h, unsigned long addr, size_t len, int advice,
		     unsigned int flags);

/* Told to a target: name memory; the name must be known when it is forked. */
long do_name(unsigned long addr, unsigned long len, unsigned long name);
/* Map the first four pages of a file. */
long do_map_path(unsigned long path, unsigned long prot, unsigned long flags);
/* Map all of a new memfd of that name. */
long do_map_memfd(unsigned long name, unsigned long len, unsigned long flags);

/* Read a range and say how often the swap device had to be waited for. */
long do_read_major(unsigned long addr, unsigned long len, unsigned long unused);

/* Pages of the target swapped out, and present, in a range; -errno. */
long hook_swapped(struct hook *h, unsigned long addr, size_t len);
long hook_present(struct hook *h, unsigned long addr, size_t len);

/* Is the target's memory unchanged? Brings it back from swap. */
void hook_expect_intact(struct hook *h);
/* Besides, is all of it in memory, and did the latest call touch nothing? */
void hook_expect_untouched(struct hook *h);
/* Did no advice leave its mark on the target's mapping? */
void hook_expect_unmarked(struct hook *h);

/*
 * Has the policy's exit() run @exits times? Waits for it: a worker finishes what
 * the kernel wants to leave.
 */
bool hook_left(struct hook_policy *skel, unsigned int exits);
/* The same, and it was told this reason. */
bool hook_expect_exit(struct hook_policy *skel, unsigned int exits,
		      unsigned int kind);

/* Wait until the policy stays there: one of enum hook_hold. */
bool hook_await_held(struct hook_policy *skel, unsigned int where);

/* Have a child make a call; it exits with what that returned, negated. */
pid_t hook_start(struct hook *h, int (*call)(struct hook *h));
/* Wait until a process waits, for a lock for instance, and goes on doing so. */
bool hook_await_waiting(pid_t pid);

/* Does poll() on a link say that its policy is gone? Waits up to @ms for it. */
bool hook_hung_up(struct bpf_link *link, int ms);

/* A counter of the policy of this name in sysfs; -ENOENT without one. */
long long hook_counter(const char *policy, const char *counter);

void hook_sleep_ms(unsigned int ms);

/* A signal handler: that there was one is enough. */
void hook_on_signal(int sig);

#endif /* SELFTESTS_HOOK_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: programs that the verifier must refuse, each for its own
 * reason, which is looked for in its log.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "hook.h"
#include "hook_foreign.skel.h"
#include "hook_kept.skel.h"
#include "hook_refused.skel.h"

#define LOG_SIZE	(1 << 20)

/*
 * Load only what belongs to the struct_ops map or the program of that name.
 * Returns the error and leaves the verifier's log in @log.
 */
static int load_only(struct bpf_object *obj, const char *name, char *log)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	log[0] = '\0';
	bpf_object__for_each_map(map, obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS &&
		    strcmp(bpf_map__name(map), name))
			bpf_map__set_autocreate(map, false);
	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
			bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
		bpf_program__set_log_buf(prog, log, LOG_SIZE);
		bpf_program__set_log_level(prog, 1);
	}
	return bpf_object__load(obj);
}

static void expect_refused(const char *name, int err, const char *log,
			   const char *why)
{
	if (EXPECT(err, ": %s was accepted", name))
		EXPECT(strstr(log, why), ": %s: %d, without \"%s\" in:\n%s",
		       name, err, why, log);
}

#define CAN_WRITE	"a policy can write end, max_pages, modifiers"

/* What must be refused, and what the log must say. */
static const struct {
	const char *name;
	const char *why;
} policies[] = {
	{ "write_start", CAN_WRITE },
	{ "write_facts", CAN_WRITE },
	{ "write_call_id", CAN_WRITE },
	{ "write_half_end", CAN_WRITE },
	{ "write_vma", CAN_WRITE },
	{ "write_task", CAN_WRITE },
	{ "write_walk", CAN_WRITE },
	{ "write_stats", CAN_WRITE },
	{ "read_past", "beyond struct pmadv_range" },
	{ "sleep", "attach to unsupported member advise" },
	{ "sleep_late", "attach to unsupported member advised" },
	{ "sleep_kfunc", "must be sleepable" },
	{ "sleep_helper", "bpf_copy_from_user" },
	{ "helper_find_vma", "bpf_find_vma" },
	{ "helper_signal", "bpf_send_signal" },
	{ "helper_poke", "bpf_probe_write_user" },
	{ "helper_override", "bpf_override_return" },
	{ "no_range", "expected pointer to STRUCT pmadv_range" },
	{ "null_range", "Possibly NULL pointer" },
	{ "inner_range", "expected pointer to STRUCT pmadv_range" },
	{ "stored_range", "must be referenced or trusted" },
	{ "small_name", "invalid" },
	{ "small_sample", "invalid" },
	{ "loose_message", "doesn't point to a const string" },
	{ "endless", "infinite loop" },
};

static void run_refused(struct hook *h)
{
	char *log = calloc(1, LOG_SIZE);
	struct hook_refused *skel;
	unsigned int i;

	if (!EXPECT(log, ""))
		return;
	for (i = 0; i < ARRAY_LEN(policies); i++) {
		skel = hook_refused__open();
		if (!EXPECT(skel, ""))
			break;
		expect_refused(policies[i].name,
			       load_only(skel->obj, policies[i].name, log),
			       log, policies[i].why);
		hook_refused__destroy(skel);
	}

	free(log);
}

/* Load and attach the one that has nothing wrong with it. */
static struct hook_refused *accept(struct hook *h, const char *name)
{
	struct hook_refused *skel = hook_refused__open();
	char *log = calloc(1, LOG_SIZE);
	struct bpf_map *map;

	if (EXPECT(skel, "") && EXPECT(log, "") &&
	    EXPECT(!load_only(skel->obj, name, log), ": %s:\n%s", name, log)) {
		map = bpf_object__find_map_by_name(skel->obj, name);
		EXPECT_EQ(hook_attach(map, &h->link), 0);
	}
	free(log);
	return skel;
}

static void run_accepted(struct hook *h)
{
	struct hook_refused *skel = accept(h, "fine");

	EXPECT_EQ(target_call(&h->target, do_name, h->addr, h->len,
			      (unsigned long)"fine"), 0);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(h->result.ranges_advised, 64);
	EXPECT_EQ(h->result.stats.young, 64);
	hook_refused__destroy(skel);
}

static void run_tools(struct hook *h)
{
	struct hook_refused *skel = accept(h, "tools");

	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	if (skel)
		EXPECT_EQ(skel->bss->nr_asked, 2);
	hook_refused__destroy(skel);
}

/* It is not the verifier that refuses this one, so there is no log. */
static void run_kept(struct hook *h)
{
	struct hook_kept *skel = hook_kept__open();

	if (EXPECT(skel, ""))
		EXPECT_EQ(hook_kept__load(skel), -ENOENT);
	hook_kept__destroy(skel);
}

static void run_foreign(struct hook *h)
{
	static const char *const names[] = {
		"foreign", "foreign_trace", "foreign_syscall",
	};
	char *log = calloc(1, LOG_SIZE);
	struct hook_foreign *skel;
	unsigned int i;

	if (!EXPECT(log, ""))
		return;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		skel = hook_foreign__open();
		if (!EXPECT(skel, ""))
			break;
		expect_refused(names[i], load_only(skel->obj, names[i], log),
			       log, "calling kernel function");
		EXPECT(strstr(log, "is not allowed"), ": %s:\n%s", names[i],
		       log);
		hook_foreign__destroy(skel);
	}
	free(log);
}

const struct hook_test hook_refused_tests[] = {
	{
		.name = "refused",
		.description = "the verifier refuses what no policy may do",
		.run = run_refused,
	},
	{
		.name = "kept",
		.description = "a policy can't own a range",
		.run = run_kept,
	},
	{
		.name = "accepted",
		.description = "a policy may use all it is offered",
		.setup = hook_setup_target,
		.run = run_accepted,
	},
	{
		.name = "tools",
		.description = "a policy may use maps, storage and other kfuncs",
		.setup = hook_setup_target,
		.run = run_tools,
	},
	{
		.name = "foreign",
		.description = "our kfuncs are for policies only",
		.run = run_foreign,
	},
	{ }
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hook: bad policies, one a test, each with the outcome it must
 * have. The tables at the end are the list of them; `hook -l 'bad.*'` prints it.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "hook.h"
#include "hook_foreign.skel.h"
#include "hook_hostile.skel.h"
#include "hook_kept.skel.h"
#include "hook_refused.skel.h"
#include "hook_wrong.skel.h"

/* Constants that Debian's <linux/bpf.h> does not have yet. */
#define STRUCT_OPS_LINK		44		/* BPF_STRUCT_OPS */
#define MAP_LINK		(1U << 13)	/* BPF_F_LINK */
#define MAP_MODULE_TYPE		(1U << 15)	/* BPF_F_VTYPE_BTF_OBJ_FD */
#define ENOTSUPP		524

#define LOG_SIZE		(1 << 20)

/* The name of the struct_ops map, or program, that a test is about. */
static const char *subject(const struct hook *h)
{
	return strchr(h->test->name, '.') + 1;
}

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

static void expect_refused(struct hook *h, struct bpf_object *obj)
{
	const char *name = subject(h), *why = h->test->expected.why;
	char *log = calloc(1, LOG_SIZE);
	int err;

	if (!EXPECT(log, ""))
		return;
	err = load_only(obj, name, log);
	if (EXPECT(err, ": %s was accepted", name))
		EXPECT(strstr(log, why), ": %s: %d, without \"%s\" in:\n%s",
		       name, err, why, log);
	free(log);
}

static void run_refused(struct hook *h)
{
	struct hook_refused *skel = hook_refused__open();

	if (EXPECT(skel, ""))
		expect_refused(h, skel->obj);
	hook_refused__destroy(skel);
}

static void run_foreign(struct hook *h)
{
	struct hook_foreign *skel = hook_foreign__open();

	if (EXPECT(skel, ""))
		expect_refused(h, skel->obj);
	hook_foreign__destroy(skel);
}

/* The verifier does not refuse this one, so there is no log. */
static void run_kept(struct hook *h)
{
	struct hook_kept *skel = hook_kept__open();

	if (EXPECT(skel, ""))
		EXPECT_EQ(hook_kept__load(skel), h->test->expected.err);
	hook_kept__destroy(skel);
}

static int load_hostile(const char *name, struct hook_hostile **skel)
{
	char *log = calloc(1, LOG_SIZE);
	int err = -ENOMEM;

	*skel = hook_hostile__open();
	if (*skel && log) {
		err = load_only((*skel)->obj, name, log);
		if (err == -ENOTSUPP && strstr(log, "JIT does not support"))
			hook_skip("this kernel's BPF has no exceptions (CONFIG_UNWINDER_ORC)");
		else
			EXPECT(!err, ": %s:\n%s", name, log);
	}
	free(log);
	return err;
}

static struct bpf_map *map_of(struct hook *h, const struct hook_hostile *skel)
{
	return bpf_object__find_map_by_name(skel->obj, subject(h));
}

/* Afterwards no policy is in force, and nothing is left behind. */
static void expect_not_attached(struct hook *h, struct bpf_map *map)
{
	EXPECT_EQ(hook_attach(map, &h->link), h->test->expected.err);
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), -ENOENT);
	EXPECT_EQ(hook_counter(subject(h), "calls"), -ENOENT);
	hook_expect_untouched(h);
}

static void run_wrong(struct hook *h)
{
	struct hook_wrong *skel = hook_wrong__open_and_load();

	if (EXPECT(skel, ""))
		expect_not_attached(h, bpf_object__find_map_by_name(skel->obj,
								    subject(h)));
	hook_wrong__destroy(skel);
}

static void run_not_attached(struct hook *h)
{
	struct hook_hostile *skel;

	if (!load_hostile(subject(h), &skel))
		expect_not_attached(h, map_of(h, skel));
	hook_hostile__destroy(skel);
}

static void run_twice(struct hook *h)
{
	struct bpf_link *again = NULL;
	struct hook_hostile *skel;

	if (!load_hostile("honest", &skel)) {
		EXPECT_EQ(hook_attach(skel->maps.honest, &h->link), 0);
		EXPECT_EQ(hook_attach(skel->maps.honest, &again),
			  h->test->expected.err);
		EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	}
	hook_hostile__destroy(skel);
}

/*
 * Attach and walk, also memory that is locked, and everything else the target
 * has. Returns the first walk's return value; the result is h->result.
 */
static long attach_and_walk(struct hook *h, struct bpf_map *map)
{
	int err;

	err = hook_map(h, PMADV_MAX_INVALID + 20);
	if (!err)
		err = target_call(&h->target, do_mlock, h->addr + 8 * PAGE,
				  PAGE, 0);
	if (!err)
		err = hook_attach(map, &h->link);
	EXPECT_EQ(err, 0);
	if (err)
		return err;
	return hook_walk_range(h, h->addr, h->len - 4 * PAGE, MADV_PAGEOUT, 0);
}

static void expect_ejected(struct hook *h, struct bpf_map *map)
{
	char text[256] = "";
	long ret;

	ret = attach_and_walk(h, map);
	EXPECT(ret == -ECANCELED || ret > 0, ": %ld", ret);
	EXPECT_EQ(h->result.stopped, PMADV_STOPPED_EJECTED);
	EXPECT(hook_hung_up(h->link, 2000), "");
	EXPECT_EQ(hook_walk(h, 0, 0), -ENOENT);

	EXPECT(read_file(HOOK_SYSFS "/last_ejection", text, sizeof(text)) > 0,
	       "");
	EXPECT(!strncmp(text, subject(h), strlen(subject(h))) &&
	       strstr(text, h->test->expected.why), ": %s", text);
	EXPECT_EQ(hook_counter(subject(h), "calls"), -ENOENT);
	hook_expect_unmarked(h);
	hook_expect_intact(h);
}

static void run_ejected(struct hook *h)
{
	struct hook_hostile *skel;

	if (!load_hostile(subject(h), &skel))
		expect_ejected(h, map_of(h, skel));
	hook_hostile__destroy(skel);
}

static void expect_sums(const struct pmadv_result *r)
{
	EXPECT_EQ(r->ranges_seen, r->ranges_advised + r->ranges_skipped +
				  r->ranges_refused + r->ranges_failed);
}

/*
 * The policy stays in force, the target is unchanged, and another policy can
 * replace it.
 */
static void expect_harmless(struct hook *h, struct bpf_map *map)
{
	EXPECT_EQ(attach_and_walk(h, map) < 0, 0);
	expect_sums(&h->result);
	EXPECT(pmadv(h->target.pidfd, NULL, 0, MADV_COLD,
		     PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE, NULL) >= 0, "");
	EXPECT(!hook_hung_up(h->link, 0), "");
	hook_expect_unmarked(h);
	hook_expect_intact(h);

	hook_detach(&h->link);
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), -ENOENT);
}

static void run_harmless(struct hook *h)
{
	struct hook_hostile *skel;

	if (!load_hostile(subject(h), &skel))
		expect_harmless(h, map_of(h, skel));
	hook_hostile__destroy(skel);
}

static void run_tail(struct hook *h)
{
	struct hook_hostile *skel;
	__u32 key = 0;
	int fd;

	if (!load_hostile(subject(h), &skel)) {
		fd = bpf_program__fd(skel->progs.tail_advise);
		EXPECT_EQ(bpf_map__update_elem(skel->maps.again, &key,
					       sizeof(key), &fd, sizeof(fd),
					       BPF_ANY), 0);
		expect_harmless(h, map_of(h, skel));
		EXPECT(skel->bss->tails > 33, "");
		/* The process is its own user as long as it is in the namespace. */
		bpf_map__delete_elem(skel->maps.again, &key, sizeof(key), 0);
	}
	hook_hostile__destroy(skel);
}

/* The caller is not stuck in it: a signal ends the call, after a range. */
static void run_steady(struct hook *h)
{
	struct itimerval soon = { .it_value.tv_usec = 5000 };
	struct hook_hostile *skel;
	struct pmadv_result r;

	if (!load_hostile(subject(h), &skel)) {
		expect_harmless(h, map_of(h, skel));
		EXPECT_EQ(hook_attach_again(map_of(h, skel), &h->link), 0);
		signal(SIGALRM, hook_on_signal);
		setitimer(ITIMER_REAL, &soon, NULL);
		memset(&r, 0, sizeof(r));
		r.size = sizeof(r);
		pmadv(h->target.pidfd, NULL, 0, 0, PMADV_RESULT | PMADV_POLICY |
		      PMADV_ENTIRE_ADDRESS_SPACE, &r);
		signal(SIGALRM, SIG_DFL);
		EXPECT_EQ(r.stopped, PMADV_STOPPED_SIGNAL);
	}
	hook_hostile__destroy(skel);
}

/* begin() keeps everybody from being advised, and does no more than that. */
static void run_begin(struct hook *h)
{
	struct hook_hostile *skel;

	if (!load_hostile(subject(h), &skel)) {
		EXPECT_EQ(hook_attach(map_of(h, skel), &h->link), 0);
		EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), h->test->expected.err);
		EXPECT_EQ(h->result.ranges_seen, 0);
		EXPECT(!hook_hung_up(h->link, 0), "");
		hook_expect_untouched(h);
	}
	hook_hostile__destroy(skel);
}

/* libbpf itself knows that the kernel has no such member. */
static void run_future(struct hook *h)
{
	struct hook_hostile *skel = hook_hostile__open();
	char *log = calloc(1, LOG_SIZE);

	if (EXPECT(skel, "") && EXPECT(log, ""))
		EXPECT_EQ(load_only(skel->obj, subject(h), log),
			  h->test->expected.err);
	free(log);
	hook_hostile__destroy(skel);
}

/* ---- What libbpf would not do ----------------------------------------- */

/* A struct_ops map by hand. Returns its fd, or -errno. */
static int raw_map(const char *type, __s32 size_more, bool of_module)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = MAP_LINK);
	struct btf *btf = btf__load_vmlinux_btf();
	struct hook_hostile *skel;
	int id, fd = -ENOENT;

	if (!btf)
		return -errno;
	/* The kernel wants to see some BTF, and does not look into it. */
	if (load_hostile("honest", &skel))
		goto out;
	opts.btf_fd = bpf_object__btf_fd(skel->obj);
	id = btf__find_by_name_kind(btf, "bpf_struct_ops_process_madvise_ops",
				    BTF_KIND_STRUCT);
	opts.btf_vmlinux_value_type_id =
		btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	if (of_module) {
		opts.map_flags |= MAP_MODULE_TYPE;
		opts.value_type_btf_obj_fd = opts.btf_fd;
	}
	if (id > 0)
		fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, "raw", 4,
				    btf__type_by_id(btf, id)->size + size_more,
				    1, &opts);
out:
	hook_hostile__destroy(skel);
	btf__free(btf);
	return fd;
}

#define VALUE_TYPE	"bpf_struct_ops_process_madvise_ops"

static void expect_no_map(struct hook *h, int fd)
{
	EXPECT_EQ(fd, h->test->expected.err);
	if (fd >= 0)
		close(fd);
}

static void run_size_short(struct hook *h)
{
	expect_no_map(h, raw_map(VALUE_TYPE, -8, false));
}

static void run_size_long(struct hook *h)
{
	expect_no_map(h, raw_map(VALUE_TYPE, 8, false));
}

static void run_other_type(struct hook *h)
{
	expect_no_map(h, raw_map("process_madvise_ops", 0, false));
}

/* A program's BTF is no module's. */
static void run_other_btf(struct hook *h)
{
	expect_no_map(h, raw_map(VALUE_TYPE, 0, true));
}

/* The contents of such a map, in the layout of the kernel. */
struct raw_value {
	__u32 refcnt;
	__u32 state;
	char hole[56];
	__u64 members[6];	/* from advise on: programs' fds */
	__u64 cgroup_id;
	__u64 flags;
	char name[PMADV_NAME_LEN];
	char rest[48];
};

enum { RAW_ADVISE, RAW_ADVISED, RAW_BEGIN };

/* Give a map of its own that value, and expect it not to be taken. */
static void expect_raw(struct hook *h, __u32 key, struct raw_value *value)
{
	int fd = raw_map(VALUE_TYPE, 0, false);

	strcpy(value->name, "raw");
	if (EXPECT(fd >= 0, ": %d", fd)) {
		EXPECT_EQ(bpf_map_update_elem(fd, &key, value, 0),
			  h->test->expected.err);
		EXPECT_EQ(bpf_link_create(fd, 0, STRUCT_OPS_LINK, NULL),
			  -EINVAL);
		close(fd);
	}
	EXPECT_EQ(hook_walk(h, MADV_PAGEOUT, 0), -ENOENT);
}

static void run_raw_state(struct hook *h)
{
	expect_raw(h, 0, &(struct raw_value){ .state = 1 });
}

static void run_raw_refcnt(struct hook *h)
{
	expect_raw(h, 0, &(struct raw_value){ .refcnt = 1 });
}

static void run_raw_hole(struct hook *h)
{
	expect_raw(h, 0, &(struct raw_value){ .hole[7] = 1 });
}

static void run_raw_rest(struct hook *h)
{
	expect_raw(h, 0, &(struct raw_value){ .rest[47] = 1 });
}

static void run_raw_key(struct hook *h)
{
	expect_raw(h, 1, &(struct raw_value){});
}

static void run_raw_fd(struct hook *h)
{
	expect_raw(h, 0, &(struct raw_value){ .members[RAW_ADVISE] = 999 });
}

static void run_raw_member(struct hook *h)
{
	struct raw_value value = {};
	struct hook_hostile *skel;

	if (!load_hostile("honest", &skel)) {
		value.members[RAW_ADVISED] =
			bpf_program__fd(skel->progs.honest_advise);
		expect_raw(h, 0, &value);
	}
	hook_hostile__destroy(skel);
}

static void run_raw_begin(struct hook *h)
{
	struct raw_value value = {};
	struct hook_hostile *skel;

	if (!load_hostile("begin_positive", &skel)) {
		value.members[RAW_ADVISE] =
			bpf_program__fd(skel->progs.begin_positive_begin);
		expect_raw(h, 0, &value);
	}
	hook_hostile__destroy(skel);
}

/* A program that is no policy's at all. */
static void run_raw_type(struct hook *h)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", insns,
			       ARRAY_LEN(insns), NULL);

	if (!EXPECT(fd >= 0, ": %d", fd))
		return;
	expect_raw(h, 0, &(struct raw_value){ .members[RAW_ADVISE] = fd });
	close(fd);
}

/* The map never got a value. */
static void run_raw_empty(struct hook *h)
{
	int link, fd = raw_map(VALUE_TYPE, 0, false);

	if (!EXPECT(fd >= 0, ": %d", fd))
		return;
	link = bpf_link_create(fd, 0, STRUCT_OPS_LINK, NULL);
	EXPECT_EQ(link, h->test->expected.err);
	close(fd);
}

/* ---- Who has no right to ---------------------------------------------- */

/* Load the honest one as somebody less; returns the errno. */
static int load_with(uint64_t caps, bool userns)
{
	struct hook_hostile *skel;
	char *log = NULL;
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		if (userns ? unshare(CLONE_NEWUSER) : set_caps(caps))
			_exit(255);
		skel = hook_hostile__open();
		log = calloc(1, LOG_SIZE);
		_exit(skel && log ? -load_only(skel->obj, "honest", log) : 255);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

static void run_load_unprivileged(struct hook *h)
{
	EXPECT_EQ(load_with(0, false), h->test->expected.err);
}

static void run_load_bpf(struct hook *h)
{
	EXPECT_EQ(load_with(CAP(BPF), false), h->test->expected.err);
}

static void run_load_perfmon(struct hook *h)
{
	EXPECT_EQ(load_with(CAP(PERFMON) | CAP(SYS_NICE), false),
		  h->test->expected.err);
}

static void run_load_userns(struct hook *h)
{
	EXPECT_EQ(load_with(0, true), h->test->expected.err);
	/* Or the others would prove nothing. */
	EXPECT_EQ(load_with(CAP(BPF) | CAP(PERFMON), false), 0);
}

/* ---- What there is nothing wrong with --------------------------------- */

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
	/* Which it then forgot. */
	EXPECT_EQ(hook_walk(h, 0, 0), h->len);
	if (skel)
		EXPECT_EQ(skel->bss->nr_asked, 1);
	hook_refused__destroy(skel);
}

/* ---- The lists -------------------------------------------------------- */

#define TEST(what, text, runs, ...) {					\
	.name = "bad." what,						\
	.description = text,						\
	.setup = hook_setup_target,					\
	.run = runs,							\
	.expected = { __VA_ARGS__ },					\
}

/* The verifier says no, and this is what it says. */
#define REFUSED(map, text, says) \
	TEST(map, text ": refused by the verifier", run_refused, .why = says)

#define FOREIGN(prog, text) \
	TEST(prog, text ": refused by the verifier", run_foreign, \
	     .why = "is not allowed")

/* Loading it works; attaching it fails. */
#define NOT_ATTACHED(map, text, runs, error) \
	TEST(map, text ": not attached, " #error, runs, .err = -(error))

/* The kernel does not take what is not made with libbpf, either. */
#define NOT_LOADED(map, text, runs, error) \
	TEST(map, text ": not loaded, " #error, runs, .err = -(error))

#define EJECTED(map, text, kind) \
	TEST(map, text ": ejected, " kind, run_ejected, .why = kind)

#define HARMLESS(map, text) \
	TEST(map, text ": does no harm", run_harmless)

#define CAN_WRITE	"a policy can write end, max_pages, modifiers"

const struct hook_test hook_hostile_tests[] = {
	/* The verifier's */
	REFUSED("write_start", "writes where the range begins", CAN_WRITE),
	REFUSED("write_facts", "calls locked memory unlocked", CAN_WRITE),
	REFUSED("write_call_id", "renumbers the call", CAN_WRITE),
	REFUSED("write_half_end", "writes half of the end", CAN_WRITE),
	REFUSED("write_vma", "writes the mapping", CAN_WRITE),
	REFUSED("write_task", "writes the target", CAN_WRITE),
	REFUSED("write_walk", "writes the call's flags", CAN_WRITE),
	REFUSED("write_stats", "embellishes the statistics", CAN_WRITE),
	REFUSED("read_past", "reads behind the range",
		"beyond struct pmadv_range"),
	REFUSED("map_past", "reads behind a map's value",
		"invalid access to map value"),
	REFUSED("sleep", "would sleep in advise()",
		"attach to unsupported member advise"),
	REFUSED("sleep_late", "would sleep in advised()",
		"attach to unsupported member advised"),
	REFUSED("sleep_kfunc", "calls a kfunc that sleeps",
		"must be sleepable"),
	REFUSED("sleep_helper", "calls a helper that sleeps",
		"bpf_copy_from_user"),
	REFUSED("helper_find_vma", "takes mmap_lock again", "bpf_find_vma"),
	REFUSED("helper_signal", "kills", "bpf_send_signal"),
	REFUSED("helper_poke", "writes user memory", "bpf_probe_write_user"),
	REFUSED("helper_override", "overrides a function",
		"bpf_override_return"),
	REFUSED("no_range", "calls our kfunc from begin()",
		"expected pointer to STRUCT pmadv_range"),
	REFUSED("vma_as_range", "takes a mapping for a range",
		"expected pointer to STRUCT pmadv_range"),
	REFUSED("null_range", "gives a kfunc no range",
		"Possibly NULL pointer"),
	REFUSED("inner_range", "gives a kfunc the middle of a range",
		"expected pointer to STRUCT pmadv_range"),
	REFUSED("stored_range", "uses a range of long ago",
		"must be referenced or trusted"),
	NOT_LOADED("kept", "owns a range", run_kept, ENOENT),
	REFUSED("small_name", "has a name written over its stack", "invalid"),
	REFUSED("small_sample", "has a sample written over its stack",
		"invalid"),
	REFUSED("small_pages", "has pages written over its stack", "invalid"),
	REFUSED("long_mask", "gives a mask that is not all its own", "invalid"),
	REFUSED("loose_message", "gives a message that may change",
		"doesn't point to a const string"),
	REFUSED("endless", "never returns", "infinite loop"),
	REFUSED("lock_kept", "returns with a lock held", "bpf_spin_"),
	REFUSED("lock_call", "calls our kfunc with a lock held",
		"function calls are not allowed while holding a lock"),
	REFUSED("rcu_unlock", "leaves the RCU section",
		"unmatched rcu read unlock"),
	REFUSED("preempt", "returns with preemption off",
		"bpf_preempt_disable"),
	REFUSED("task_leak", "keeps a reference nobody drops",
		"Unreleased reference"),
	REFUSED("task_put", "drops a reference that is not its own",
		"expects ref"),
	FOREIGN("foreign", "another struct_ops calls our kfunc"),
	FOREIGN("foreign_trace", "a tracing program calls our kfunc"),
	FOREIGN("foreign_syscall", "a syscall program calls our kfunc"),

	/* Callers without the right, and calls that libbpf would not make */
	NOT_LOADED("load_unprivileged", "without any capability",
		   run_load_unprivileged, EPERM),
	NOT_LOADED("load_bpf", "with CAP_BPF alone", run_load_bpf, EPERM),
	NOT_LOADED("load_perfmon", "without CAP_BPF", run_load_perfmon, EPERM),
	NOT_LOADED("load_userns", "from a user namespace", run_load_userns,
		   EPERM),
	NOT_LOADED("size_short", "a structure that is too short",
		   run_size_short, EINVAL),
	NOT_LOADED("size_long", "a structure that is too long", run_size_long,
		   EINVAL),
	NOT_LOADED("other_type", "another type of that size", run_other_type,
		   ENOTSUPP),
	NOT_LOADED("other_btf", "the type of a module that is none",
		   run_other_btf, EINVAL),
	NOT_LOADED("future", "a member we do not have, set", run_future,
		   ENOTSUP),
	HARMLESS("future_zero", "a member we do not have, zero"),
	NOT_LOADED("raw_state", "pretends to be attached", run_raw_state,
		   EINVAL),
	NOT_LOADED("raw_refcnt", "pretends to be in use", run_raw_refcnt,
		   EINVAL),
	NOT_LOADED("raw_hole", "sets bytes between members", run_raw_hole,
		   EINVAL),
	NOT_LOADED("raw_rest", "sets bytes behind the last member",
		   run_raw_rest, EINVAL),
	NOT_LOADED("raw_key", "is a map's second policy", run_raw_key, E2BIG),
	NOT_LOADED("raw_fd", "a program that is not open", run_raw_fd, EBADF),
	NOT_LOADED("raw_member", "advise()'s program as advised()",
		   run_raw_member, EINVAL),
	NOT_LOADED("raw_begin", "begin()'s, which sleeps, as advise()",
		   run_raw_begin, EINVAL),
	NOT_LOADED("raw_type", "a socket filter as advise()", run_raw_type,
		   EINVAL),

	/* Refused when attached */
	NOT_ATTACHED("raw_empty", "a map nobody filled in", run_raw_empty,
		     EINVAL),
	NOT_ATTACHED("flagged", "an unknown flag", run_wrong, EINVAL),
	NOT_ATTACHED("flagged_high", "the highest flag", run_wrong, EINVAL),
	NOT_ATTACHED("nameless", "no name", run_wrong, EINVAL),
	NOT_ATTACHED("spaced", "a blank in its name", run_wrong, EINVAL),
	NOT_ATTACHED("unending", "a name without an end", run_wrong, EINVAL),
	NOT_ATTACHED("linkless", "no link to tell of an ejection", run_wrong,
		     EOPNOTSUPP),
	NOT_ATTACHED("no_cgroup", "a cgroup that is none", run_not_attached,
		     ENOENT),
	NOT_ATTACHED("twice", "one map in two links", run_twice, EBUSY),
	NOT_ATTACHED("init_positive", "init() answers 1", run_not_attached,
		     EINVAL),
	NOT_ATTACHED("init_lowest", "init() answers INT_MIN", run_not_attached,
		     EINVAL),
	NOT_ATTACHED("init_busy", "init() answers -EBUSY", run_not_attached,
		     EBUSY),

	/* Ejected */
	EJECTED("dontneed", "MADV_DONTNEED", "invalid verdicts"),
	EJECTED("dontneed_locked", "MADV_DONTNEED_LOCKED", "invalid verdicts"),
	EJECTED("lazyfree", "MADV_FREE", "invalid verdicts"),
	EJECTED("remove", "MADV_REMOVE", "invalid verdicts"),
	EJECTED("dontfork", "MADV_DONTFORK", "invalid verdicts"),
	EJECTED("wipeonfork", "MADV_WIPEONFORK", "invalid verdicts"),
	EJECTED("unmergeable", "MADV_UNMERGEABLE", "invalid verdicts"),
	EJECTED("populate_write", "MADV_POPULATE_WRITE", "invalid verdicts"),
	EJECTED("hwpoison", "MADV_HWPOISON", "invalid verdicts"),
	EJECTED("soft_offline", "MADV_SOFT_OFFLINE", "invalid verdicts"),
	EJECTED("guard_install", "MADV_GUARD_INSTALL", "invalid verdicts"),
	EJECTED("int_max", "INT_MAX", "invalid verdicts"),
	EJECTED("int_min", "INT_MIN", "invalid verdicts"),
	EJECTED("pageout_plus", "MADV_PAGEOUT and a bit more",
		"invalid verdicts"),
	EJECTED("an_errno", "an errno as its verdict", "invalid verdicts"),
	EJECTED("an_eperm", "EPERM as its verdict", "invalid verdicts"),
	EJECTED("nameless_name", "a missing name as its verdict",
		"invalid verdicts"),
	EJECTED("pointer", "a pointer as its verdict", "invalid verdicts"),
	EJECTED("throw", "an exception whose cookie is MADV_DONTNEED",
		"invalid verdicts"),
	EJECTED("all_modifiers", "all modifiers there could be",
		"invalid verdicts"),
	EJECTED("end_nothing", "narrows to nothing", "no progress"),
	EJECTED("end_zero", "sets the end to 0", "no progress"),
	EJECTED("end_backwards", "sets the end below the start",
		"no progress"),
	EJECTED("end_odd", "narrows to a byte", "no progress"),
	EJECTED("end_wider", "widens by a page", "no progress"),
	EJECTED("end_highest", "sets the end to ~0", "no progress"),
	EJECTED("end_of_mapping", "widens to all of the mapping",
		"no progress"),
	EJECTED("end_of_nothing", "narrows to nothing what it skips",
		"no progress"),
	EJECTED("error_format", "a format as its last words", "%s%n%p%x%d%%"),
	EJECTED("error_long", "last words without an end", "error"),
	EJECTED("slow", "30 ms for each answer", "too slow"),
	EJECTED("stuck", "more than a second for an answer", "too slow"),
	EJECTED("late_error", "an error after the fact", "after the fact"),

	/* Harmless */
	HARMLESS("crawl", "narrows to a page again and again"),
	HARMLESS("huge_cap", "the highest cap there is"),
	HARMLESS("too_late", "writes to a range that was dealt with"),
	HARMLESS("odd_arguments", "gives kfuncs odd numbers"),
	HARMLESS("flood", "fills a ring buffer nobody reads"),
	HARMLESS("fill", "fills a map"),
	HARMLESS("hold_task", "keeps its target from being freed"),
	HARMLESS("peek", "reads memory that is not there"),
	HARMLESS("fickle", "answers differently each time"),
	HARMLESS("always_stop", "ends every call"),
	TEST("tail", "calls itself: does no harm", run_tail),
	TEST("steady", "takes its time: a signal ends the call", run_steady),
	TEST("begin_positive", "begin() answers 1: the call fails, EINVAL",
	     run_begin, .err = -EINVAL),
	TEST("begin_lowest", "begin() answers INT_MIN: the call fails, EINVAL",
	     run_begin, .err = -EINVAL),
	TEST("begin_restart",
	     "begin() answers -ERESTARTSYS: the call fails, EINVAL",
	     run_begin, .err = -EINVAL),

	/* Neither would any of these fail, if there were nothing wrong */
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
	{ }
};

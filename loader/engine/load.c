// SPDX-License-Identifier: GPL-2.0
/* From a policy's object to programs that can be run. */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "engine/internal.h"
#include "lib/error.h"
#include "lib/privileges.h"
#include "policy/bpf_log.h"
#include "policy/hook.h"
#include "policy/knobs.h"
#include "policy/object.h"

/* The programs of each kind, by their function in bpf/engine.bpf.c. */
static const char *const names[NR_PROGRAMS] = {
	[PROGRAM_ASK] = "pmadv_engine_ask",
	[PROGRAM_CHECK] = "pmadv_engine_check",
	[PROGRAM_SCAN] = "pmadv_engine_scan_pages",
	[PROGRAM_PROBE] = "pmadv_engine_probe",
	[PROGRAM_ADVISED] = "pmadv_engine_advised",
	[PROGRAM_BEGIN] = "pmadv_engine_begin",
	[PROGRAM_END] = "pmadv_engine_end",
	[PROGRAM_INIT] = "pmadv_engine_init",
	[PROGRAM_EXIT] = "pmadv_engine_exit",
	[PROGRAM_SIMULATE] = "pmadv_engine_simulate",
};

static bool kernel_from(unsigned int major, unsigned int minor)
{
	unsigned int have_major = 0, have_minor = 0;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &have_major, &have_minor) != 2)
		return false;
	return have_major > major || (have_major == major && have_minor >= minor);
}

static int open_engine(struct engine **result, const char *name, bool simulates)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	char path[PATH_MAX];
	int fd, err;

	*result = NULL;
	if (!engine)
		return say_no_memory();
	for (size_t i = 0; i < NR_PROGRAMS; i++)
		engine->programs[i] = -1;
	engine->simulates = simulates;

	err = object_find(name, path);
	if (err)
		goto fail;
	fd = engine_join(path, simulates, &engine->members);
	if (fd < 0) {
		err = fd;
		goto fail;
	}
	err = policy_open_fd(&engine->policy, path, fd);
	close(fd);
	if (err)
		goto fail;
	*result = engine;
	return 0;
fail:
	engine_close(engine);
	return err;
}

int engine_open(struct engine **engine, const char *name)
{
	return open_engine(engine, name, false);
}

int engine_open_simulation(struct engine **engine, const char *name)
{
	return open_engine(engine, name, true);
}

struct policy *engine_policy(struct engine *engine)
{
	return &engine->policy;
}

static bool wanted(const struct engine *engine, enum engine_program program)
{
	switch (program) {
	case PROGRAM_ADVISED:
		return engine->members & ENGINE_ADVISED;
	case PROGRAM_BEGIN:
		return engine->members & ENGINE_BEGIN;
	case PROGRAM_END:
		return engine->members & ENGINE_END;
	case PROGRAM_INIT:
		return engine->members & ENGINE_INIT;
	case PROGRAM_EXIT:
		return engine->members & ENGINE_EXIT;
	case PROGRAM_SCAN:
	case PROGRAM_CHECK:
		return !engine->simulates && kernel_from(5, 17);
	case PROGRAM_SIMULATE:
		return engine->simulates;
	default:
		return !engine->simulates;
	}
}

/* Some are there in two forms, of which the kernel can do one. */
static void program_name(const struct engine *engine, enum engine_program program,
			 char name[64])
{
	const char *form = "";

	if (engine->by_pid && (program == PROGRAM_CHECK || program == PROGRAM_SCAN))
		form = "_by_pid";
	if (program == PROGRAM_BEGIN && engine->simulates)
		form = "_simulated";
	else if (program == PROGRAM_BEGIN && !kernel_from(5, 18))
		form = "_atomic";
	snprintf(name, 64, "%s%s", names[program], form);
}

static int choose_programs(struct engine *engine)
{
	struct bpf_object *object = engine->policy.object;
	struct bpf_program *program;
	char name[64];

	bpf_map__set_autocreate(engine->policy.map, false);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, false);
	for (enum engine_program i = 0; i < NR_PROGRAMS; i++) {
		if (!wanted(engine, i))
			continue;
		program_name(engine, i, name);
		program = bpf_object__find_program_by_name(object, name);
		if (!program)
			return say_error(-EPROTO, "engine.bpf.o has no %s: install pmadv and its engine.bpf.o together",
					 name);
		bpf_program__set_autoload(program, true);
	}
	return 0;
}

static void keep_programs(struct engine *engine)
{
	struct bpf_program *prog;
	char name[64];

	for (enum engine_program i = 0; i < NR_PROGRAMS; i++) {
		if (!wanted(engine, i))
			continue;
		program_name(engine, i, name);
		prog = bpf_object__find_program_by_name(engine->policy.object, name);
		engine->programs[i] = bpf_program__fd(prog);
	}
}

/* Memory of the programs, which libbpf has mapped; NULL if it is not as we know it. */
static void *memory(struct engine *engine, const char *name, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(engine->policy.object, name);
	size_t have = 0;
	void *data = map ? bpf_map__initial_value(map, &have) : NULL;

	return have >= size ? data : NULL;
}

static int keep_memory(struct engine *engine)
{
	engine->state = memory(engine, ".data.pmadv_engine", sizeof(*engine->state));
	engine->sums = memory(engine, PMADV_ENGINE_SUMS, sizeof(*engine->sums));
	engine->scan = memory(engine, ".data.pmadv_scan", sizeof(*engine->scan));
	engine->simulation = memory(engine, ".data.pmadv_simulation",
				    sizeof(*engine->simulation));
	engine->range = memory(engine, ".data.pmadv_range", sizeof(*engine->range));
	engine->walk = memory(engine, ".data.pmadv_walk", sizeof(*engine->walk));
	engine->stats = memory(engine, ".data.pmadv_stats", sizeof(*engine->stats));
	engine->exit_info = memory(engine, ".data.pmadv_exit", sizeof(*engine->exit_info));
	if (!engine->state || engine->state->version != PMADV_ENGINE_VERSION ||
	    !engine->sums || !engine->scan || !engine->simulation || !engine->range ||
	    !engine->walk || !engine->stats || !engine->exit_info)
		return say_error(-EPROTO, "engine.bpf.o is not of this pmadv: install them together");
	return 0;
}

static void begin_sums(struct engine *engine)
{
	*engine->sums = (struct pmadv_engine_sums) {
		.version = PMADV_ENGINE_VERSION,
		.process = getpid(),
		.cgroup_id = engine->policy.cgroup_id,
	};
	memcpy(engine->sums->name, engine->policy.name, sizeof(engine->sums->name));
}

static int say_load_failed(const struct engine *engine, int err)
{
	if (engine->simulates && (err == -EACCES || err == -EINVAL)) {
		policy_log_forget();
		return say_error(-ELACKS, "policy %s cannot be simulated: it looks at the task or the mapping itself, and a record has neither; 'pmadv explain --policy %s TARGET' asks it about a process",
				 engine->policy.name, engine->policy.name);
	}
	policy_log_print();
	if (err == -EPERM)
		return say_no_bpf(err, FOR_A_POLICY);
	if (err == -EACCES || err == -EINVAL)
		return say_error(-EINVAL, "%s: the verifier refuses policy %s in the engine for kernels without the hook: it does what a policy may not do, or may do with the hook only",
				 engine->policy.path, engine->policy.name);
	return say_error(err, "%s: the kernel refuses to load policy %s: %s",
			 engine->policy.path, engine->policy.name, error_text(err));
}

static int run_init(struct engine *engine)
{
	int ret;

	if (engine->programs[PROGRAM_INIT] < 0)
		return 0;
	ret = program_call(engine, PROGRAM_INIT);
	if (!ret)
		return 0;
	ret = ret > 0 ? -EINVAL : ret;
	return say_error(ret, "init() of policy %s refused: %s", engine->policy.name,
			 error_text(ret));
}

int engine_load(struct engine *engine)
{
	int err;

	if (!kernel_from(5, 15))
		return say_error(-ELACKS, "policies take a kernel from 5.15 on");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return say_error(-ELACKS, "the kernel has no BTF (/sys/kernel/btf/vmlinux): policies take CONFIG_DEBUG_INFO_BTF=y");
	err = policy_permitted();
	if (err)
		return err;
	engine->by_pid = kernel_from(6, 12);
	engine->filter = true;
	err = choose_programs(engine);
	if (err)
		return err;
	err = object_load(engine->policy.object);
	if (err)
		return say_load_failed(engine, err);
	policy_log_forget();
	err = keep_memory(engine);
	if (err)
		return err;
	keep_programs(engine);
	if (!engine->simulates) {
		begin_sums(engine);
		page_tables_find(engine);
	}
	err = run_init(engine);
	engine->loaded = !err;
	return err;
}

void engine_features(const struct engine *engine, struct engine_features *features)
{
	*features = (struct engine_features) {
		.proof = engine->state->seq_kind != PMADV_SEQ_NONE,
		.page_tables = engine->state->page_offset,
		.recheck = engine->programs[PROGRAM_CHECK] >= 0,
		.filter = engine->filter,
		.collapse = kernel_from(6, 1),
	};
}

const char *engine_ejection(const struct engine *engine)
{
	return engine->ejection;
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	if (engine->loaded && !*engine->ejection && engine->programs[PROGRAM_EXIT] >= 0) {
		engine->exit_info->kind = PMADV_EXIT_DETACHED;
		snprintf(engine->exit_info->msg, sizeof(engine->exit_info->msg), "detached");
		program_call(engine, PROGRAM_EXIT);
	}
	policy_close(&engine->policy);
	free(engine);
}

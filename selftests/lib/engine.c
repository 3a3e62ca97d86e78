// SPDX-License-Identifier: GPL-2.0
/*
 * Between tests and the loader's engine. Compiled as the loader is, whose headers
 * have names that the tests' own have, too; see lib.mk.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/internal.h"
#include "lib/error.h"
#include "lib/util.h"
#include "policy/policy.h"

#include "../../selftests/lib/engine.h"

struct tested_engine {
	struct engine *engine;
};

static int set_knobs(struct engine *engine, const char *const *settings)
{
	struct vec set = {};
	int err = 0;

	for (; settings && *settings && !err; settings++) {
		const char **item = vec_add(&set, sizeof(*item));

		if (item)
			*item = *settings;
		else
			err = -ENOMEM;
	}
	if (!err)
		err = policy_set(engine_policy(engine), &set, NULL);
	vec_free(&set);
	return err;
}

/* Tests are in build/selftests, the engine's object and the policies in build/bpf. */
static int find_object(const char *object, char path[PATH_MAX])
{
	char program[PATH_MAX], policies[PATH_MAX + 8];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length < 0)
		return -errno;
	program[length] = '\0';
	*strrchr(program, '/') = '\0';
	snprintf(policies, sizeof(policies), "%s/../bpf", program);
	setenv("PMADV_POLICY_DIR", policies, 0);
	if (snprintf(path, PATH_MAX, "%s/%s", program, object) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

int tested_engine_open(struct tested_engine **result, const char *object,
		       const char *const *settings)
{
	struct tested_engine *tested = calloc(1, sizeof(*tested));
	char path[PATH_MAX];
	int err;

	if (!tested)
		return -ENOMEM;
	err = find_object(object, path);
	if (!err)
		err = engine_open(&tested->engine, path);
	if (!err)
		err = set_knobs(tested->engine, settings);
	if (!err)
		err = engine_load(tested->engine);
	if (err) {
		tested_engine_close(tested);
		return err;
	}
	*result = tested;
	return 0;
}

static int on_range(void *data, const struct pmadv_range_record *record)
{
	struct tested_walk *walk = data;

	if (record->outcome == PMADV_ADVISED)
		walk->chosen(walk->data, record->start, record->end, record->verdict);
	return 0;
}

int tested_engine_walk(struct tested_engine *tested, struct tested_walk *walk)
{
	struct engine_walk asked = {
		.pid = walk->pid,
		.pidfd = walk->pidfd,
		.flags = PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE |
			 (walk->dry_run ? PMADV_DRY_RUN : 0),
		.proven_only = walk->proven_only,
		.freeze = walk->freeze,
		.on_range = walk->chosen ? on_range : NULL,
		.data = walk,
	};
	int err = engine_walk(tested->engine, &asked);

	walk->result = asked.result;
	walk->proven = asked.exact.proven;
	walk->unproven = asked.exact.unproven;
	walk->again = asked.exact.reasked + asked.exact.dropped;
	return err == -ELACKS ? -EOPNOTSUPP : err;
}

long tested_engine_scan(struct tested_engine *tested, pid_t pid, uint64_t start,
			uint64_t end, uint64_t *young)
{
	const struct engine *engine = tested->engine;
	long present = 0;

	*young = 0;
	engine->state->pid = pid;
	for (uint64_t at = start; at < end; at += PMADV_SCAN_BYTES) {
		uint64_t to = end - at > PMADV_SCAN_BYTES ? at + PMADV_SCAN_BYTES : end;

		if (!scan_range(tested->engine, pid, at, to))
			return -EOPNOTSUPP;
		present += (long)scan_count(engine, engine->scan->present, at, to);
		*young += scan_count(engine, engine->scan->young, at, to);
	}
	return present;
}

void tested_engine_close(struct tested_engine *tested)
{
	if (!tested)
		return;
	engine_close(tested->engine);
	free(tested);
}

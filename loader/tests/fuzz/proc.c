// SPDX-License-Identifier: GPL-2.0
/*
 * Files of /proc, cgroups and sysfs: whichever is opened has the input in it. The
 * linker puts the functions below in place of those of the C library.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>

#include "daemon/config.h"
#include "daemon/idle.h"
#include "daemon/match.h"
#include "daemon/pacer.h"
#include "daemon/pressure.h"
#include "lib/util.h"
#include "policy/sysfs.h"
#include "proc/cgroup.h"
#include "proc/maps.h"
#include "proc/process.h"
#include "proc/sample.h"
#include "walk/target.h"

#define SOME_PID	1

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_setmntent(const char *path, const char *mode);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, int mode);
ssize_t __wrap_readlink(const char *path, char *buf, size_t size);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);

static const uint8_t *input;
static size_t input_size;

/* libFuzzer has files to open, too. */
static bool is_input(const char *path)
{
	return input && !strstr(path, "/fuzz/");
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	if (!is_input(path))
		return __real_fopen(path, mode);
	return fmemopen((void *)input, input_size, "r");
}

FILE *__wrap_setmntent(const char *path, const char *mode)
{
	return __wrap_fopen(path, mode);
}

int __wrap_open(const char *path, int flags, int mode)
{
	if (!is_input(path))
		return __real_open(path, flags, mode);
	return __real_open(fuzz_file(input, input_size), O_RDONLY);
}

ssize_t __wrap_readlink(const char *path, char *buf, size_t size)
{
	(void)path;
	if (size > input_size)
		size = input_size;
	memcpy(buf, input, size);
	return (ssize_t)size;
}

DIR *__wrap_opendir(const char *path)
{
	return __real_opendir(is_input(path) ? "/proc/self/task" : path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

static void read_maps(void)
{
	uint64_t resident, swapped;
	struct vec maps = { };

	if (!maps_read(SOME_PID, &maps))
		for (size_t i = 0; i < maps.nr; i++)
			maps_name(&maps, ((struct map_name *)maps.items)[i].start);
	maps_free(&maps);
	maps_read_usage(SOME_PID, &maps);
	maps_free(&maps);
	range_usage(SOME_PID, 0, input_size / 8 * page_size(), &resident, &swapped);
}

static void read_samples(void)
{
	struct rule of_system = { }, of_cgroup = { .cgroup = (char *)"/cgroup" };
	struct pacer_sample pacer = { };
	struct target_sample target;
	struct system_sample system;
	uint64_t available, total;

	sample_target(SOME_PID, &target);
	sample_system(&system);
	memory_available(&available, &total);
	pressure_count(&of_cgroup, &pacer);
	pressure_count(&of_system, &pacer);
}

static void read_names(void)
{
	char command[PROCESS_NAME_LEN], program[NAME_MAX + 1], path[PATH_MAX];

	process_command(SOME_PID, command);
	process_program(SOME_PID, program);
	cgroup_mount(path);
	cgroup_of(SOME_PID, path);
}

static void match(void)
{
	struct span any = { .given = true, .low = INT64_MIN, .high = INT64_MAX };
	struct rule rule = {
		.command = (char *)"*",
		.cgroup = (char *)"/*",
		.uid = any,
		.oom_score_adj = any,
		.rss_above = 1,
		.frozen = true,
	};
	struct vec idles = { };

	match_process(&rule, SOME_PID);
	match_cgroup(&rule, SOME_PID);
	for (uint64_t now = 1; now < 3; now++) {
		idle_look(&idles, SOME_PID, now);
		idle_end_look(&idles);
	}
	vec_free(&idles);
}

static bool wants_none(pid_t pid, void *data)
{
	(void)data;
	must(pid > 0);
	return false;
}

static void read_lists(void)
{
	const struct target_filter none = { .wanted = wants_none };
	struct vec policies = { }, targets = { };
	uint64_t ejected;
	char text[64];

	if (!sysfs_policies(&policies))
		sysfs_policy_of_process(&policies, SOME_PID);
	vec_free(&policies);
	sysfs_ejected(&ejected);
	sysfs_last_ejection(text, sizeof(text));
	targets_filter("/proc/self/attr", &none, &targets);
	must(!targets.nr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_size = size;
	read_maps();
	read_samples();
	read_names();
	match();
	read_lists();
	input = NULL;
	return 0;
}

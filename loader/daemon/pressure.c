// SPDX-License-Identifier: GPL-2.0
#include "daemon/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pmadv/recording.h>

#include "daemon/config.h"
#include "daemon/pacer.h"
#include "daemon/rule_cgroups.h"
#include "lib/text.h"
#include "lib/util.h"
#include "proc/sample.h"

#define SYSTEM	"/proc/pressure/memory"

int memory_available(uint64_t *available, uint64_t *total)
{
	const struct sample_key keys[] = {
		{ "MemAvailable:", available },
		{ "MemTotal:", total },
	};

	sample_keys("/proc/meminfo", keys, ARRAY_SIZE(keys));
	if (*available == PMADV_UNKNOWN || *total == PMADV_UNKNOWN)
		return -ENODATA;
	*available *= 1024;
	*total *= 1024;
	return 0;
}

static void add_refaults(const char *path, uint64_t *sum)
{
	uint64_t anon, file;
	const struct sample_key keys[] = {
		{ "workingset_refault_anon", &anon },
		{ "workingset_refault_file", &file },
	};

	sample_keys(path, keys, ARRAY_SIZE(keys));
	*sum += anon == PMADV_UNKNOWN ? 0 : anon;
	*sum += file == PMADV_UNKNOWN ? 0 : file;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234", in microseconds. */
static int add_stalls(const char *path, uint64_t *sum)
{
	char line[256];
	uint64_t us;
	int err;

	err = read_line(path, line, sizeof(line));
	if (err)
		return err;
	if (!strstr(line, "total=") ||
	    sscanf(strstr(line, "total="), "total=%" SCNu64, &us) != 1)
		return -ENODATA;
	*sum += us * 1000;
	return 0;
}

/* Those of the system stand for all cgroups that have none of their own: once. */
struct missing {
	bool refaults;
	bool stalls;
};

/* Of the cgroup in folder @path. */
static void add_counters(const char *path, struct pacer_sample *sample,
			 struct missing *missing)
{
	char file[PATH_MAX + 32];

	snprintf(file, sizeof(file), "%s/memory.stat", path);
	if (access(file, R_OK))
		missing->refaults = true;
	else
		add_refaults(file, &sample->refaults);

	snprintf(file, sizeof(file), "%s/memory.pressure", path);
	if (add_stalls(file, &sample->stalled_ns))
		missing->stalls = true;
}

void pressure_count(const struct rule *rule, struct pacer_sample *sample)
{
	struct missing missing = { !rule->cgroup, !rule->cgroup };
	struct rule_cgroups cgroups;

	/* There are none if the rule has no pattern. */
	if (rule_cgroups(rule, &cgroups))
		return;
	for (size_t i = 0; i < cgroups.nr; i++)
		add_counters(cgroups.paths[i], sample, &missing);
	rule_cgroups_free(&cgroups);
	if (missing.refaults)
		add_refaults("/proc/vmstat", &sample->refaults);
	if (missing.stalls)
		sample->no_stalls = add_stalls(SYSTEM, &sample->stalled_ns);
	sample->counted = true;
}

/* One that is removed meanwhile has nothing any longer. */
static int add_current(const char *path, double *sum)
{
	char file[PATH_MAX + 32];
	uint64_t bytes;
	int err;

	snprintf(file, sizeof(file), "%s/memory.current", path);
	err = read_u64(file, &bytes);
	if (!err)
		*sum += (double)bytes;
	return err && access(path, F_OK) ? 0 : err;
}

/* What the cgroups of @rule have. */
static int read_memory(const struct rule *rule, double *bytes)
{
	struct rule_cgroups cgroups;
	int err = rule_cgroups(rule, &cgroups);

	if (err)
		return err;
	for (size_t i = 0; i < cgroups.nr && !err; i++)
		err = add_current(cgroups.paths[i], bytes);
	rule_cgroups_free(&cgroups);
	return err;
}

/* A program writes it; to wait for one that does not would hold up all rules. */
static int read_fed(const char *path, double *number)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char text[64], *end;
	struct stat st;
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = fstat(fd, &st) || !S_ISREG(st.st_mode) ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length < 0)
		return -EINVAL;
	text[length] = '\0';
	*number = strtod(text, &end);
	return end == text || end[strspn(end, "\n")] || !isfinite(*number) ? -EINVAL : 0;
}

void goal_read(const struct rule *rule, const struct pacer_sample *sample,
	       struct goal_reading *reading)
{
	switch (rule->goal.kind) {
	case GOAL_PSI:
		reading->number = (double)sample->stalled_ns;
		reading->known = sample->counted && !sample->no_stalls;
		break;
	case GOAL_REFAULTS:
		reading->number = (double)sample->refaults;
		reading->known = sample->counted;
		break;
	case GOAL_MEMORY:
		reading->known = !read_memory(rule, &reading->number);
		break;
	case GOAL_FREE:
		reading->number = (double)sample->available;
		reading->known = sample->available != PMADV_UNKNOWN;
		break;
	case GOAL_FILE:
		reading->known = !read_fed(rule->goal.path, &reading->number);
		break;
	case GOAL_NONE:
		break;
	}
}

int pressure_open(const struct pressure *pressure)
{
	char text[64];
	int length;
	int fd;

	fd = open(SYSTEM, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	length = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64,
			  pressure->full ? "full" : "some", pressure->stall_ns / 1000,
			  pressure->window_ns / 1000);
	/*
	 * Write the NUL as well, because the kernel overwrites the last byte
	 * with one.
	 */
	if (write(fd, text, (size_t)length + 1) < 0) {
		length = -errno;
		close(fd);
		return length;
	}
	return fd;
}

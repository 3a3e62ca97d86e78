// SPDX-License-Identifier: GPL-2.0
#include "proc/process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/text.h"

int process_command(pid_t pid, char name[PROCESS_NAME_LEN])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	return read_line(path, name, PROCESS_NAME_LEN);
}

/* The last component of the program's path; kernel threads have none. */
int process_program(pid_t pid, char name[NAME_MAX + 1])
{
	static const char deleted[] = " (deleted)";
	char path[64], exe[PATH_MAX];
	ssize_t length;
	char *base;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	length = readlink(path, exe, sizeof(exe) - 1);
	if (length < 0)
		return -errno;

	exe[length] = '\0';
	if ((size_t)length > strlen(deleted) &&
	    !strcmp(exe + length - strlen(deleted), deleted))
		exe[length - (ssize_t)strlen(deleted)] = '\0';
	base = strrchr(exe, '/');
	snprintf(name, NAME_MAX + 1, "%.*s", NAME_MAX, base ? base + 1 : exe);
	return 0;
}

int process_stat(pid_t pid, struct process_stat *stat)
{
	char path[64], line[1024];
	uint64_t user, system;
	const char *rest;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_line(path, line, sizeof(line)))
		return -ESRCH;
	/* The name, in parentheses, may contain anything, a parenthesis among it. */
	rest = strrchr(line, ')');
	if (!rest || sscanf(rest, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %" SCNu64 " %*u %" SCNu64
			    " %" SCNu64 " %*d %*d %*d %*d %*d %*d %" SCNu64,
			    &stat->parent, &stat->major_faults, &user, &system,
			    &stat->started) != 5)
		return -EINVAL;
	stat->cpu_ns = (user + system) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	return 0;
}

/* Does the line begin with "@key:"? Then what follows is taken. */
static bool take_u64(const char *line, const char *key, uint64_t *value)
{
	size_t length = strlen(key);

	if (strncmp(line, key, length))
		return false;
	*value = strtoull(line + length, NULL, 10);
	return true;
}

int process_status(pid_t pid, struct process_status *status)
{
	char path[64], line[256];
	uint64_t kb;
	FILE *file;

	*status = (struct process_status){ .uid = -1 };
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;

	/* Half of the cost of a look at many processes would be sscanf() here. */
	while (fgets(line, sizeof(line), file)) {
		if (take_u64(line, "VmRSS:", &kb)) {
			status->resident = kb * 1024;
			status->has_memory = true;
		} else if (take_u64(line, "VmSwap:", &kb)) {
			status->swapped = kb * 1024;
			break;
		} else if (take_u64(line, "Uid:", &kb)) {
			status->uid = (int64_t)kb;
		}
	}

	fclose(file);
	return 0;
}

int process_memory(pid_t pid, uint64_t *resident, uint64_t *swapped)
{
	struct process_status status;
	int err;

	err = process_status(pid, &status);
	*resident = err ? 0 : status.resident;
	*swapped = err ? 0 : status.swapped;
	if (err)
		return err;
	return status.has_memory ? 0 : -ENODATA;
}

bool process_has_memory(pid_t pid)
{
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	return read_line(path, line, sizeof(line)) || strncmp(line, "0 ", 2);
}

// SPDX-License-Identifier: GPL-2.0
/* Running the engine's programs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "engine/internal.h"
#include "lib/text.h"

int program_iterate(struct engine *engine, enum engine_program program, pid_t tid)
{
	union bpf_iter_link_info info = { .task.tid = (uint32_t)tid };
	LIBBPF_OPTS(bpf_link_create_opts, options);
	int link, fd, prog = engine->programs[program];

	if (engine->filter) {
		options.iter_info = &info;
		options.iter_info_len = sizeof(info);
	}
	link = bpf_link_create(prog, 0, BPF_TRACE_ITER, &options);
	if (link < 0 && engine->filter && (errno == EINVAL || errno == E2BIG)) {
		engine->filter = false;
		return program_iterate(engine, program, tid);
	}
	if (link < 0)
		return -errno;
	fd = bpf_iter_create(link);
	if (fd < 0)
		fd = -errno;
	close(link);
	return fd;
}

int program_run_over(struct engine *engine, enum engine_program program, pid_t tid)
{
	char none[64];
	ssize_t ret;
	int fd;

	fd = program_iterate(engine, program, tid);
	if (fd < 0)
		return fd;
	do {
		ret = read(fd, none, sizeof(none));
	} while (ret > 0 || (ret < 0 && errno == EINTR));
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return (int)ret;
}

int program_call(struct engine *engine, enum engine_program program)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int err = bpf_prog_test_run_opts(engine->programs[program], &options);

	return err ? err : (int)options.retval;
}

/* The state of a thread, as in /proc: 'Z' if it has exited. */
static char thread_state(pid_t pid, const char *thread)
{
	char path[320], line[512];
	const char *name_end;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, thread);
	if (read_line(path, line, sizeof(line)))
		return 'X';
	name_end = strrchr(line, ')');
	return name_end && name_end[1] ? name_end[2] : 'X';
}

static bool has_exited(char state)
{
	return state == 'Z' || state == 'X';
}

pid_t live_thread(pid_t pid)
{
	char path[64], own[16];
	struct dirent *entry;
	pid_t found = pid;
	DIR *dir;

	snprintf(own, sizeof(own), "%d", pid);
	if (!has_exited(thread_state(pid, own)))
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return pid;
	while (found == pid && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    !has_exited(thread_state(pid, entry->d_name)))
			found = (pid_t)atoi(entry->d_name);
	closedir(dir);
	return found;
}

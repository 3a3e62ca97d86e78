// SPDX-License-Identifier: GPL-2.0
#include "walk/target.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pmadv/process_madvise.h>

#include "lib/error.h"
#include "lib/text.h"
#include "lib/util.h"
#include "proc/cgroup.h"
#include "proc/process.h"

#define COMM_MAX	15	/* the length to which the kernel truncates a command's name */

/* Does process @pid run @command? Its own name or that of its program counts. */
static bool runs_command(pid_t pid, const char *command)
{
	char comm[PROCESS_NAME_LEN], exe[NAME_MAX + 1];
	bool has_exe = !process_program(pid, exe);

	if (has_exe && !strcmp(exe, command))
		return true;
	if (process_command(pid, comm))
		return false;
	/* If the name may have been truncated, the name of the program must agree. */
	return !strcmp(comm, command) ||
	       (!has_exe && strlen(comm) == COMM_MAX &&
		!strncmp(comm, command, COMM_MAX));
}

static bool is_wanted(const struct target_filter *filter, pid_t pid)
{
	return !filter || filter->wanted(pid, filter->data);
}

/* @filter: must still hold once the pidfd is open; or NULL. */
static int add_process(pid_t pid, const struct target_filter *filter,
		       struct vec *targets)
{
	const struct target *known = targets->items;
	struct target *target;
	int pidfd;

	for (size_t i = 0; i < targets->nr; i++)
		if (known[i].pid == pid)
			return 0;

	pidfd = pmadv_open(pid);
	if (pidfd < 0)
		return -errno;
	/* The process id may have been reused before we had the pidfd. */
	if (!is_wanted(filter, pid)) {
		close(pidfd);
		return -ESRCH;
	}

	target = vec_add(targets, sizeof(*target));
	if (!target) {
		close(pidfd);
		return -ENOMEM;
	}
	target->pid = pid;
	target->pidfd = pidfd;
	if (process_command(pid, target->name))
		snprintf(target->name, sizeof(target->name), "?");
	clean_text(target->name);
	return 0;
}

static int say_no_pid(const char *name, int err)
{
	if (err == -ESRCH)
		return say_error(err, "there is no process %s", name);
	if (err == -EINVAL || err == -ENOENT)
		return say_error(-ESRCH, "%s is a thread, not a process: give the number of its process",
				 name);
	return say_error(err, "process %s: %s", name, error_text(err));
}

static int add_pid(const char *name, bool none_ok, struct vec *targets)
{
	uint64_t pid;
	int err;

	err = parse_u64(name, 10, &pid);
	if (err || !pid || pid > INT_MAX)
		return say_error(-EUSAGE, "'%s' is not the number of a process", name);

	err = add_process((pid_t)pid, NULL, targets);
	if (err == -ESRCH && none_ok)
		return 0;
	if (!err && !process_has_memory((pid_t)pid)) {
		struct target *last = &((struct target *)targets->items)[targets->nr - 1];

		close(last->pidfd);
		targets->nr--;
		return say_error(-ESRCH, "process %s (%s) is a kernel thread, or exited: it has no memory to advise",
				 name, last->name);
	}
	return err ? say_no_pid(name, err) : 0;
}

static int add_procs_file(const char *path, const struct target_filter *filter,
			  struct vec *targets)
{
	char line[32];
	uint64_t pid;
	FILE *procs;
	int err = 0;

	procs = fopen(path, "re");
	if (!procs)
		return -errno;

	errno = 0;
	while (!err && fgets(line, sizeof(line), procs)) {
		line[strcspn(line, "\n")] = '\0';
		/* 0 is a process outside our PID namespace. */
		if (parse_u64(line, 10, &pid) || !pid || pid > INT_MAX)
			continue;
		if (pid == (uint64_t)getpid() || !is_wanted(filter, (pid_t)pid) ||
		    !process_has_memory((pid_t)pid))
			continue;
		err = add_process((pid_t)pid, filter, targets);
		if (err == -ESRCH || err == -EINVAL || err == -ENOENT)
			err = 0;
	}
	/* The procs of a threaded cgroup are those of its threaded domain. */
	if (!err && ferror(procs) && errno != EOPNOTSUPP && errno != ENODEV)
		err = -errno;

	fclose(procs);
	return err;
}

/* The processes of the cgroup in folder @path and of its descendants. */
static int add_tree(const char *path, const struct target_filter *filter,
		    struct vec *targets)
{
	char *roots[] = { (char *)path, NULL };
	FTSENT *entry;
	int err = 0;
	FTS *tree;

	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!tree)
		return -errno;

	while (!err && (entry = fts_read(tree))) {
		char *procs;

		if (entry->fts_info != FTS_D)
			continue;
		procs = format_string("%s/cgroup.procs", entry->fts_path);
		err = procs ? add_procs_file(procs, filter, targets) : -ENOMEM;
		/* It was removed meanwhile, so no process is in it. */
		if (err == -ENOENT)
			err = 0;
		free(procs);
	}
	fts_close(tree);
	return err;
}

static int add_cgroup(const char *name, const char *path, bool none_ok,
		      struct vec *targets)
{
	size_t before = targets->nr;
	int err;

	err = add_tree(path, NULL, targets);
	if (err)
		return say_error(err, "cgroup %s: %s", name, error_text(err));
	if (targets->nr == before && !none_ok)
		return say_error(-ESRCH, "cgroup %s has no processes", name);
	return 0;
}

/* Find all processes that the filter wants. Returns how many, or -errno. */
static int add_all(const struct target_filter *filter, struct vec *targets)
{
	struct dirent *entry;
	int found = 0;
	int err = 0;
	DIR *proc;

	proc = opendir("/proc");
	if (!proc)
		return -errno;

	while (!err && (entry = readdir(proc))) {
		uint64_t pid;

		if (parse_u64(entry->d_name, 10, &pid) || pid > INT_MAX)
			continue;
		if (pid == (uint64_t)getpid() || !is_wanted(filter, (pid_t)pid) ||
		    !process_has_memory((pid_t)pid))
			continue;
		err = add_process((pid_t)pid, filter, targets);
		if (!err)
			found++;
		else if (err == -ESRCH || err == -EINVAL || err == -ENOENT)
			err = 0;
	}

	closedir(proc);
	return err ? err : found;
}

int targets_filter(const char *cgroup, const struct target_filter *filter,
		   struct vec *targets)
{
	int ret = cgroup ? add_tree(cgroup, filter, targets) : add_all(filter, targets);

	return ret < 0 ? ret : 0;
}

static bool wants_command(pid_t pid, void *data)
{
	return runs_command(pid, data);
}

static int add_deduced(const char *name, bool none_ok, struct vec *targets)
{
	const char *command = strncmp(name, "comm:", 5) ? name : name + 5;
	const struct target_filter runs = { wants_command, (char *)command };
	char path[PATH_MAX];
	int found, err;

	if (!*name)
		return say_error(-EUSAGE, "an empty name is not a target");
	if (name[strspn(name, "0123456789")] == '\0')
		return add_pid(name, none_ok, targets);
	if (!strncmp(name, "pid:", 4))
		return add_pid(name + 4, none_ok, targets);

	if (!strncmp(name, "cgroup:", 7) || strchr(name, '/')) {
		const char *cgroup = strncmp(name, "cgroup:", 7) ? name : name + 7;

		err = cgroup_resolve(cgroup, path);
		if (!err)
			return add_cgroup(cgroup, path, none_ok, targets);
		if (err == -ENOENT && none_ok)
			return 0;
		if (err == -ENOTDIR)
			return say_error(-EUSAGE, "'%s' is not a cgroup of cgroup v2; a program is named without its path",
					 cgroup);
		return say_error(err, "there is no cgroup '%s'", cgroup);
	}

	found = add_all(&runs, targets);
	if (found < 0)
		return say_error(found, "looking for '%s': %s", name, error_text(found));
	if (found)
		return 0;
	if (!cgroup_resolve(name, path))
		return add_cgroup(name, path, none_ok, targets);
	if (none_ok)
		return 0;
	return say_error(-ESRCH, "no process runs '%s', and no cgroup has that name", name);
}

int targets_find(char *const *names, int nr, bool none_ok, struct vec *targets)
{
	int err = 0;

	for (int i = 0; i < nr && !err; i++)
		err = add_deduced(names[i], none_ok, targets);
	if (err)
		targets_free(targets);
	return err;
}

void targets_free(struct vec *targets)
{
	struct target *target = targets->items;

	for (size_t i = 0; i < targets->nr; i++)
		close(target[i].pidfd);
	vec_free(targets);
}

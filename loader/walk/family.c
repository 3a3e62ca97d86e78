// SPDX-License-Identifier: GPL-2.0
#include "walk/family.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <bpf/bpf.h>

#include "lib/error.h"
#include "lib/text.h"
#include "proc/process.h"

static bool has(int map, int32_t pid)
{
	uint8_t member;

	return !bpf_map_lookup_elem(map, &pid, &member);
}

/*
 * The monitor takes out who ends, but not who has ended already: nobody else is to
 * have that number.
 */
static int add(int map, int32_t pid, uint64_t started)
{
	const uint8_t member = 1;
	struct process_stat stat;
	int err;

	err = bpf_map_update_elem(map, &pid, &member, BPF_ANY);
	if (!err && (process_stat(pid, &stat) || stat.started != started ||
		     !process_has_memory(pid)))
		bpf_map_delete_elem(map, &pid);
	return err;
}

/* Add the children of members. Returns how many, or -errno. */
static int add_children(int map)
{
	struct process_stat stat;
	struct dirent *entry;
	int err = 0, nr = 0;
	uint64_t pid;
	DIR *proc;

	proc = opendir("/proc");
	if (!proc)
		return -errno;
	while (!err && (entry = readdir(proc))) {
		if (parse_u64(entry->d_name, 10, &pid) || pid > INT_MAX ||
		    has(map, (int32_t)pid) || process_stat((pid_t)pid, &stat) ||
		    !has(map, stat.parent))
			continue;
		err = add(map, (int32_t)pid, stat.started);
		nr += has(map, (int32_t)pid);
	}
	closedir(proc);
	return err ? err : nr;
}

int family_begin(struct bpf_object *monitor, pid_t pid)
{
	int map = bpf_object__find_map_fd_by_name(monitor, "family");
	struct process_stat stat;
	int ret;

	if (map < 0)
		return say_error(-EPROTO, "monitor.bpf.o is not the monitor of this pmadv: install them together");
	if (process_stat(pid, &stat))
		return say_error(-ESRCH, "there is no process %d", pid);
	ret = add(map, pid, stat.started);
	/*
	 * The monitor sees the children of who is a member already; one that was
	 * started before that is found now, or the next time.
	 */
	while (!ret && (ret = add_children(map)) > 0)
		ret = 0;
	return ret < 0 ? say_error(ret, "watching the children of %d: %s", pid,
				   error_text(ret)) : 0;
}

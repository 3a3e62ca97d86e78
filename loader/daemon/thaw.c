// SPDX-License-Identifier: GPL-2.0
#include "daemon/thaw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "proc/cgroup.h"

int thaw_open(struct thaw *thaw)
{
	const struct f_owner_ex owner = { F_OWNER_TID, gettid() };

	thaw->watch = -1;
	thaw->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (thaw->fd < 0 || fcntl(thaw->fd, F_SETOWN_EX, &owner) ||
	    fcntl(thaw->fd, F_SETSIG, SIGUSR1) ||
	    fcntl(thaw->fd, F_SETFL, O_ASYNC | O_NONBLOCK))
		return -errno;
	return 0;
}

void thaw_close(struct thaw *thaw)
{
	if (thaw->fd >= 0)
		close(thaw->fd);
	thaw->fd = -1;
}

void thaw_watch(struct thaw *thaw, pid_t pid)
{
	char cgroup[PATH_MAX], path[PATH_MAX + 16];

	if (cgroup_of(pid, cgroup))
		return;
	snprintf(path, sizeof(path), "%s/cgroup.events", cgroup);
	thaw->watch = inotify_add_watch(thaw->fd, path, IN_MODIFY);
}

void thaw_unwatch(struct thaw *thaw)
{
	char events[4096];

	if (thaw->watch < 0)
		return;
	inotify_rm_watch(thaw->fd, thaw->watch);
	thaw->watch = -1;
	/* What is not read would leave no room for the next one. */
	while (read(thaw->fd, events, sizeof(events)) > 0)
		;
}

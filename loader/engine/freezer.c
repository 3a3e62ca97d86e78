// SPDX-License-Identifier: GPL-2.0
#include "engine/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "proc/cgroup.h"

/* Freezing takes well below a millisecond; longer only if a thread cannot stop. */
#define FROZEN_NS	100000000ULL

static bool write_state(int fd, char state)
{
	return pwrite(fd, &state, 1, 0) == 1;
}

static bool read_has(int fd, const char *text)
{
	char line[128];
	ssize_t length = pread(fd, line, sizeof(line) - 1, 0);

	line[length > 0 ? length : 0] = '\0';
	return strstr(line, text);
}

/*
 * The process that thaws: hears 'f' before freezing and 't' after thawing, and
 * the end of the pipe when we are gone. Signals for our group are not for it.
 */
static void guard(int freeze, int from)
{
	char state = 't';

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(from, &state, 1) > 0)
		;
	if (state == 'f')
		write_state(freeze, '0');
	_exit(0);
}

static int start_guard(struct freezer *freezer)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	freezer->guard = fork();
	if (freezer->guard < 0) {
		close(ends[0]);
		close(ends[1]);
		return -errno;
	}
	if (!freezer->guard) {
		close(ends[1]);
		guard(freezer->freeze, ends[0]);
	}
	close(ends[0]);
	freezer->pipe = ends[1];
	return 0;
}

/* A cgroup stops with all that is below it. */
static bool holds_us(const char *cgroup)
{
	size_t length = strlen(cgroup);
	char own[PATH_MAX];

	return cgroup_of(getpid(), own) || (!strncmp(own, cgroup, length) &&
					    (!own[length] || own[length] == '/'));
}

int freezer_open(struct freezer *freezer, pid_t pid)
{
	char cgroup[PATH_MAX], path[PATH_MAX + 16];
	int err;

	*freezer = (struct freezer){ .freeze = -1, .events = -1, .pipe = -1 };
	err = cgroup_of(pid, cgroup);
	if (err)
		return err;
	if (holds_us(cgroup))
		return -EBUSY;
	snprintf(path, sizeof(path), "%s/cgroup.freeze", cgroup);
	freezer->freeze = open(path, O_RDWR | O_CLOEXEC);
	if (freezer->freeze < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	snprintf(path, sizeof(path), "%s/cgroup.events", cgroup);
	freezer->events = open(path, O_RDONLY | O_CLOEXEC);
	err = freezer->events < 0 ? -errno : start_guard(freezer);
	if (err)
		freezer_close(freezer);
	return err;
}

void freezer_freeze(struct freezer *freezer)
{
	uint64_t until = now_ns() + FROZEN_NS;

	if (freezer->freeze < 0 || read_has(freezer->freeze, "1"))
		return;
	if (write(freezer->pipe, "f", 1) != 1)
		return;
	freezer->frozen = write_state(freezer->freeze, '1');
	while (freezer->frozen && !read_has(freezer->events, "frozen 1") && now_ns() < until)
		usleep(20);
}

void freezer_thaw(struct freezer *freezer)
{
	if (!freezer->frozen)
		return;
	write_state(freezer->freeze, '0');
	freezer->frozen = false;
	/* Should the guard be gone, it is not needed any more. */
	if (write(freezer->pipe, "t", 1) != 1)
		return;
}

void freezer_close(struct freezer *freezer)
{
	freezer_thaw(freezer);
	if (freezer->pipe >= 0) {
		close(freezer->pipe);
		waitpid(freezer->guard, NULL, 0);
	}
	if (freezer->events >= 0)
		close(freezer->events);
	if (freezer->freeze >= 0)
		close(freezer->freeze);
	freezer->freeze = -1;
}

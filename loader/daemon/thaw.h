/* SPDX-License-Identifier: GPL-2.0 */
/* A walk over a frozen process ends when that is thawed. */
#ifndef PMADV_THAW_H
#define PMADV_THAW_H

#include <sys/types.h>

/* An inotify instance that sends SIGUSR1 to the thread that opened it. */
struct thaw {
	int fd;
	int watch;
};

/* 0 or -errno; close it also if this failed. */
int thaw_open(struct thaw *thaw);
void thaw_close(struct thaw *thaw);

/*
 * From now on, a signal when the cgroup of @pid is frozen or thawed, or gets its first or
 * loses its last process. Without a watch there is no signal, and no harm.
 */
void thaw_watch(struct thaw *thaw, pid_t pid);
/* One that was sent may still arrive. */
void thaw_unwatch(struct thaw *thaw);

#endif /* PMADV_THAW_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Advisory lock on a file, and who holds it. */
#ifndef PMADV_LOCK_H
#define PMADV_LOCK_H

#include <sys/types.h>

/*
 * Lock @path, which was opened as @fd, until @fd is closed or this process
 * ends, however that happens. Returns 0, -EBUSY if another process holds the
 * lock or has replaced the file, or another error, and reports nothing.
 */
int lock_take(int fd, const char *path);

/* The process that holds the lock on @fd; 0 if it is not known, or there is none. */
pid_t lock_holder_pid(int fd);

/* " (process 123)" for the holder of the lock on @fd, or "" if it is not known. */
#define LOCK_HOLDER_LEN	32
const char *lock_holder(int fd, char buf[LOCK_HOLDER_LEN]);

#endif /* PMADV_LOCK_H */

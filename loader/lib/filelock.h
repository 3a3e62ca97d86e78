/* SPDX-License-Identifier: GPL-2.0 */
/* Advisory lock on a file, and who holds it. */
#ifndef PMADV_LOCK_H
#define PMADV_LOCK_H

/*
 * Lock @path, which was opened as @fd, until @fd is closed or this process
 * ends, however that happens. Returns 0, -EBUSY if another process holds the
 * lock or has replaced the file, or another error, and reports nothing.
 */
int lock_take(int fd, const char *path);

/* " (process 123)" for the holder of the lock on @fd, or "" if it is not known. */
#define LOCK_HOLDER_LEN	32
const char *lock_holder(int fd, char buf[LOCK_HOLDER_LEN]);

#endif /* PMADV_LOCK_H */

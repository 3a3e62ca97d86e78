/* SPDX-License-Identifier: GPL-2.0 */
/* Of two that would do the same, one has the lock, and the other one says who. */
#ifndef PMADV_LOCK_H
#define PMADV_LOCK_H

/*
 * Lock @path, which was opened as @fd, until that is closed or we end, however
 * that happens: 0, -EBUSY if another process has it, or has put another file in
 * its place, or another error; says nothing.
 */
int lock_take(int fd, const char *path);

/* " (process 123)", who has the lock of @fd, or "" if that cannot be known. */
#define LOCK_HOLDER_LEN	32
const char *lock_holder(int fd, char buf[LOCK_HOLDER_LEN]);

#endif /* PMADV_LOCK_H */

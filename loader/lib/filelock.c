// SPDX-License-Identifier: GPL-2.0
#include "lib/filelock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int lock_take(int fd, const char *path)
{
	struct stat ours, there;

	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(fd, &ours))
		return -errno;
	if (lstat(path, &there) || there.st_dev != ours.st_dev ||
	    there.st_ino != ours.st_ino)
		return -EBUSY;
	return 0;
}

pid_t lock_holder_pid(int fd)
{
	unsigned int major, minor;
	unsigned long inode;
	pid_t holder = 0;
	char line[128];
	struct stat st;
	FILE *locks;
	int pid;

	locks = fopen("/proc/locks", "re");
	if (!locks || fstat(fd, &st))
		goto out;
	while (fgets(line, sizeof(line), locks)) {
		/* 0 stands for a process outside of our PID namespace. */
		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &major, &minor,
			   &inode) == 4 && pid > 0 && inode == st.st_ino &&
		    makedev(major, minor) == st.st_dev)
			holder = pid;
	}
out:
	if (locks)
		fclose(locks);
	return holder;
}

const char *lock_holder(int fd, char buf[LOCK_HOLDER_LEN])
{
	pid_t pid = lock_holder_pid(fd);

	buf[0] = '\0';
	if (pid)
		snprintf(buf, LOCK_HOLDER_LEN, " (process %d)", pid);
	return buf;
}

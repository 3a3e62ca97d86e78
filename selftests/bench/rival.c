// SPDX-License-Identifier: GPL-2.0
/*
 * The best that user space can do without a policy: learn of the mappings from
 * /proc/PID/maps, read in large pieces and parsed by hand, or by ioctl; decide;
 * give the advice in vectors as long as a call takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"

/* Debian 12's <linux/fs.h> is older than the call. */
#ifndef PROCMAP_QUERY
struct procmap_query {
	__u64 size;
	__u64 query_flags;
	__u64 query_addr;
	__u64 vma_start;
	__u64 vma_end;
	__u64 vma_flags;
	__u64 vma_page_size;
	__u64 vma_offset;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 vma_name_size;
	__u32 build_id_size;
	__u64 vma_name_addr;
	__u64 build_id_addr;
};

#define PROCMAP_QUERY	_IOWR('f', 17, struct procmap_query)
#define PROCMAP_QUERY_VMA_WRITABLE		0x02
#define PROCMAP_QUERY_VMA_SHARED		0x08
#define PROCMAP_QUERY_COVERING_OR_NEXT_VMA	0x10
#endif

int monitor_open(struct monitor *monitor, const struct target *target,
		 int advice, uint64_t min_bytes)
{
	char path[64];
	int err;

	memset(monitor, 0, sizeof(*monitor));
	monitor->pidfd = target->pidfd;
	monitor->advice = advice;
	monitor->min_bytes = min_bytes;
	snprintf(path, sizeof(path), "/proc/%d/maps", target->pid);
	monitor->maps_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (monitor->maps_fd < 0)
		return -errno;
	monitor->buf = malloc(MONITOR_BUFFER);
	if (!monitor->buf) {
		err = -ENOMEM;
		goto close_maps;
	}
	return 0;

close_maps:
	close(monitor->maps_fd);
	return err;
}

void monitor_close(struct monitor *monitor)
{
	free(monitor->buf);
	close(monitor->maps_fd);
}

static int monitor_begin(struct monitor *monitor)
{
	monitor->nr = 0;
	monitor->seen = 0;
	monitor->advised = 0;
	monitor->bytes = 0;
	return lseek(monitor->maps_fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int monitor_advise(struct monitor *monitor)
{
	long ret;

	if (!monitor->nr)
		return 0;
	ret = pmadv(monitor->pidfd, monitor->vec, monitor->nr, monitor->advice,
		    0, NULL);
	if (ret < 0)
		return ret;
	monitor->bytes += ret;
	monitor->advised += monitor->nr;
	monitor->nr = 0;
	return 0;
}

static int monitor_decide(struct monitor *monitor, unsigned long start,
			  unsigned long end, bool wanted)
{
	monitor->seen++;
	if (!wanted || end - start < monitor->min_bytes)
		return 0;
	monitor->vec[monitor->nr].iov_base = (void *)start;
	monitor->vec[monitor->nr].iov_len = end - start;
	return ++monitor->nr == VECTOR ? monitor_advise(monitor) : 0;
}

static const char *parse_hex(const char *s, unsigned long *value)
{
	unsigned long v = 0;

	for (;; s++) {
		unsigned int digit = *s - '0';

		if (digit > 9) {
			digit = *s - 'a';
			if (digit > 5)
				break;
			digit += 10;
		}
		v = v << 4 | digit;
	}
	*value = v;
	return s;
}

/* "start-end perms offset major:minor inode name", for instance "rw-p". */
static int parse_line(struct monitor *monitor, const char *s)
{
	unsigned long start, end;
	bool wanted;

	s = parse_hex(s, &start);
	s = parse_hex(s + 1, &end);
	wanted = s[2] == 'w' && s[4] == 'p';
	if (wanted) {
		s = strchr(s + 6, ' ');		/* the offset */
		s = strchr(s + 1, ' ');		/* the device */
		wanted = s[1] == '0';		/* no inode */
	}
	return monitor_decide(monitor, start, end, wanted);
}

int monitor_maps(struct monitor *monitor)
{
	size_t have = 0;
	int err;

	err = monitor_begin(monitor);
	while (!err) {
		char *line = monitor->buf, *end;
		ssize_t got;

		got = read(monitor->maps_fd, monitor->buf + have,
			   MONITOR_BUFFER - have);
		if (got < 0)
			return -errno;
		if (!got)
			break;
		have += got;
		while (!err && (end = memchr(line, '\n', monitor->buf + have - line))) {
			err = parse_line(monitor, line);
			line = end + 1;
		}
		have -= line - monitor->buf;
		memmove(monitor->buf, line, have);
	}
	return err ? err : monitor_advise(monitor);
}

int monitor_query(struct monitor *monitor)
{
	struct procmap_query query;
	unsigned long addr = 0;
	bool wanted;
	int err;

	err = monitor_begin(monitor);
	while (!err) {
		memset(&query, 0, sizeof(query));
		query.size = sizeof(query);
		query.query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA;
		query.query_addr = addr;
		if (ioctl(monitor->maps_fd, PROCMAP_QUERY, &query)) {
			if (errno == ENOENT)
				break;
			return -errno;
		}
		addr = query.vma_end;
		wanted = !query.inode &&
			 (query.vma_flags & PROCMAP_QUERY_VMA_WRITABLE) &&
			 !(query.vma_flags & PROCMAP_QUERY_VMA_SHARED);
		err = monitor_decide(monitor, query.vma_start, query.vma_end,
				     wanted);
	}
	return err ? err : monitor_advise(monitor);
}

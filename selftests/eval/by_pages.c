// SPDX-License-Identifier: GPL-2.0
/*
 * by_pages: reclaimers in user space, with what stock kernels offer.
 *
 * usage: by_pages idle SECONDS PID...
 *        by_pages mappings|policy SECONDS PID...
 *
 * "idle" decides what cold_pages decides: every SECONDS the pages of private mappings
 * that were not accessed since the last walk are paged out. It reads the mappings, the
 * frames out of pagemap, and their bits in page_idle. The other two read lines "fPID"
 * and "bPID" on standard input, which say who came to the front or went to the back;
 * SECONDS after a program went there, "mappings" pages out each of its private mappings,
 * as Android does for cached apps, and "policy" walks it for the policies that are in
 * force.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <pmadv/process_madvise.h>

#define PAGE	     4096UL
#define PRESENT	     (1ULL << 63)
#define FRAME(entry) ((entry) & ((1ULL << 55) - 1))
#define BATCH	     512 /* pages looked at in one go */
#define VECTOR	     1024
#define MAX_PIDS     64

struct target {
	pid_t pid;
	int pidfd;
	int pagemap;
	double due; /* 0: it is in front, or was paged out */
};

struct vector {
	struct iovec ranges[VECTOR];
	int used;
};

static struct target targets[MAX_PIDS];
static int nr_targets;
static int idle_fd = -1;
static uint64_t *idle_map;
static size_t idle_words;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int add_target(pid_t pid)
{
	struct target *target = &targets[nr_targets];
	char path[64];

	if (nr_targets == MAX_PIDS)
		return -E2BIG;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	target->pid = pid;
	target->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	target->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (target->pidfd < 0 || target->pagemap < 0)
		return -errno;
	nr_targets++;
	return 0;
}

static void give(struct target *target, struct vector *vector)
{
	if (vector->used)
		syscall(SYS_process_madvise, target->pidfd, vector->ranges,
			(size_t)vector->used, MADV_PAGEOUT, 0UL);
	vector->used = 0;
}

static void add(struct target *target, struct vector *vector, unsigned long start,
		unsigned long size)
{
	struct iovec *last = vector->ranges + vector->used - 1;

	if (vector->used && (unsigned long)last->iov_base + last->iov_len == start) {
		last->iov_len += size;
		return;
	}
	if (vector->used == VECTOR)
		give(target, vector);
	vector->ranges[vector->used++] = (struct iovec){ (void *)start, size };
}

/*
 * Those of the pages that are still marked idle are paged out, the others are marked in
 * @marks, for the next walk to see.
 */
static void judge(struct target *target, struct vector *vector, unsigned long start,
		  unsigned long end, uint64_t *marks)
{
	uint64_t entries[BATCH];
	ssize_t got;
	size_t i;

	for (; start < end; start += got / 8 * PAGE) {
		size_t want = (end - start) / PAGE;

		if (want > BATCH)
			want = BATCH;
		got = pread(target->pagemap, entries, want * 8, start / PAGE * 8);
		if (got < 8)
			return;
		for (i = 0; i < (size_t)got / 8; i++) {
			uint64_t frame = FRAME(entries[i]);

			if (!(entries[i] & PRESENT) || frame / 64 >= idle_words)
				continue;
			if (idle_map[frame / 64] & 1ULL << frame % 64)
				add(target, vector, start + i * PAGE, PAGE);
			else
				marks[frame / 64] |= 1ULL << frame % 64;
		}
	}
}

/* Calls @fn for each mapping that is private and no program text. */
static void each_mapping(struct target *target, void *data,
			 void (*fn)(struct target *target, unsigned long start,
				    unsigned long end, void *data))
{
	unsigned long start, end;
	char path[64], rights[5];
	char *line = NULL;
	size_t size = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", target->pid);
	maps = fopen(path, "re");
	if (!maps)
		return;
	while (getline(&line, &size, maps) > 0) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3 ||
		    rights[3] != 'p' || rights[2] == 'x' || strstr(line, "[v"))
			continue;
		fn(target, start, end, data);
	}
	free(line);
	fclose(maps);
}

struct walk {
	struct vector vector;
	uint64_t *marks;
};

static void judge_mapping(struct target *target, unsigned long start, unsigned long end,
			  void *data)
{
	struct walk *walk = data;

	judge(target, &walk->vector, start, end, walk->marks);
}

/* The kernel takes and gives a page of the file at a time, up to where memory ends. */
static size_t read_idle(void)
{
	size_t size = 0;
	ssize_t got;

	while (size < idle_words * 8) {
		got = pread(idle_fd, (char *)idle_map + size, PAGE, size);
		if (got <= 0)
			break;
		size += got;
	}
	return size;
}

static int write_idle(const uint64_t *marks, size_t size)
{
	size_t done = 0;
	ssize_t put;

	while (done < size) {
		put = pwrite(idle_fd, (const char *)marks + done, size - done, done);
		if (put <= 0)
			return -errno;
		done += put;
	}
	return 0;
}

static void walk_idle(struct walk *walk)
{
	size_t size = read_idle();
	int i;

	memset(walk->marks, 0, idle_words * 8);
	for (i = 0; i < nr_targets; i++) {
		each_mapping(&targets[i], walk, judge_mapping);
		give(&targets[i], &walk->vector);
	}
	/* What is written as 0 stays as it is. */
	if (write_idle(walk->marks, size))
		perror("by_pages: page_idle");
}

static int idle(double every)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	struct timespec nap = { every, (every - (long)every) * 1e9 };

	/* A bit per frame, and holes; whole pages, as it is read. */
	idle_words = ((sysconf(_SC_PHYS_PAGES) + (1UL << 20)) / 64 + 511) & ~511UL;
	idle_map = calloc(idle_words, 8);
	idle_fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR | O_CLOEXEC);
	if (walk)
		walk->marks = calloc(idle_words, 8);
	if (!walk || !walk->marks || !idle_map || idle_fd < 0) {
		free(walk);
		return -errno;
	}
	for (;;) {
		walk_idle(walk);
		nanosleep(&nap, NULL);
	}
}

static void page_out_mapping(struct target *target, unsigned long start,
			     unsigned long end, void *data)
{
	add(target, data, start, end - start);
}

static void page_out(struct target *target, bool policy)
{
	static struct vector vector;

	if (policy) {
		struct pmadv_result result = {};

		pmadv_call_all(target->pidfd, NULL, 0, MADV_PAGEOUT,
			       PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE, &result,
			       NULL);
		return;
	}
	each_mapping(target, &vector, page_out_mapping);
	give(target, &vector);
}

/* "fPID" or "bPID" */
static void hear(const char *line, double delay)
{
	pid_t pid = atoi(line + 1);
	int i;

	for (i = 0; i < nr_targets; i++)
		if (targets[i].pid == pid)
			targets[i].due = line[0] == 'b' ? now() + delay : 0;
}

static int away(double delay, bool policy)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
	char line[32];
	int i;

	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		double first = 0;

		for (i = 0; i < nr_targets; i++) {
			if (targets[i].due && targets[i].due <= now()) {
				page_out(&targets[i], policy);
				targets[i].due = 0;
			}
			if (targets[i].due && (!first || targets[i].due < first))
				first = targets[i].due;
		}
		if (first)
			first = first > now() ? (first - now()) * 1000 + 1 : 0;
		else
			first = -1;
		if (poll(&input, 1, first) > 0) {
			if (!fgets(line, sizeof(line), stdin))
				return 0;
			hear(line, delay);
		}
	}
}

int main(int argc, char **argv)
{
	int i, err;

	if (argc < 4) {
		fprintf(stderr, "usage: by_pages idle|mappings|policy SECONDS PID...\n");
		return 2;
	}
	for (i = 3; i < argc; i++) {
		err = add_target(atoi(argv[i]));
		if (err) {
			fprintf(stderr, "by_pages: %s: %s\n", argv[i], strerror(-err));
			return 1;
		}
	}
	if (!strcmp(argv[1], "idle"))
		err = idle(atof(argv[2]));
	else
		err = away(atof(argv[2]), !strcmp(argv[1], "policy"));
	if (err)
		fprintf(stderr, "by_pages: %s\n", strerror(-err));
	return err ? 1 : 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rows of the benchmark share. Each prints samples, one a line:
 *
 *	sample NAME VALUE
 *
 * and selftests/bench/run knows which of them make which row of its table.
 */
#ifndef SELFTESTS_BENCH_H
#define SELFTESTS_BENCH_H

#include "lib/util.h"

#define VECTOR		1024	/* ranges one call takes at most */

/**
 * struct options - what the command line says
 * @samples: Samples to take of each measurement.
 * @vmas: Mappings of the target that has many.
 */
struct options {
	unsigned int samples;
	unsigned int vmas;
};

int bench_few(const struct options *opts);
int bench_all(const struct options *opts);
int bench_noop(const struct options *opts);
int bench_vector(const struct options *opts);
int bench_counts(const struct options *opts);
int bench_pageout(const struct options *opts);
int bench_latency(const struct options *opts);
int bench_records(const struct options *opts);
int bench_scale(const struct options *opts);
int bench_memory(const struct options *opts);
int bench_native(const struct options *opts);
int bench_usual(const struct options *opts);
int bench_young(const struct options *opts);
int bench_load(const struct options *opts);
int bench_many(const struct options *opts);
int bench_storm(const struct options *opts);

/* Does the running kernel have our changes? */
bool kernel_is_ours(void);

void sample(const char *name, double value);
uint64_t now_ns(void);
/* Say what failed, and return @err. */
int failed(const char *what, int err);

/* Have the target run @run in a thread of its own, until the target ends. */
int start_thread(struct target *target, void *(*run)(void *unused));

/*
 * A process with many small mappings: all are anonymous and writable, one page
 * each, but BIG_PAGES in each hundredth; there is a hole behind each, so that
 * nobody can take two of them for one.
 */
#define BIG_EVERY	100
#define BIG_PAGES	4UL
#define BIG		(BIG_PAGES * PAGE)

/**
 * struct crowd - that process
 * @target: The process.
 * @addr: Its first mapping.
 * @len: To the end of the last.
 * @nr: How many there are.
 */
struct crowd {
	struct target target;
	unsigned long addr;
	unsigned long len;
	unsigned int nr;
};

/* Where the mapping @i is, from the first on, and how long. */
unsigned long crowd_offset(unsigned int i);
unsigned long crowd_len(unsigned int i);

int crowd_start(struct crowd *crowd, unsigned int nr);
/* Have each page accessed by its owner. */
int crowd_touch(struct crowd *crowd);
void crowd_stop(struct crowd *crowd);

/* A policy of ours in force, for a cgroup or for the whole system (0). */
struct policy {
	struct bench_policy *skel;
	struct policy_noop *noop;
	struct bpf_link *link;
};

int policy_attach(struct policy *policy, int advice, uint64_t min_bytes,
		  uint64_t cgroup_id);
int policy_attach_noop(struct policy *policy);
void policy_detach(struct policy *policy);

/* Walk everything the target has, as the policy in force decides. */
int policy_walk(int pidfd, struct pmadv_result *result);

/* The mappings of a crowd in vectors, for calls without flags. */
struct known {
	int pidfd;
	unsigned int nr;
	struct iovec *vec;
};

int known_open(struct known *known, const struct crowd *crowd);
int known_walk(const struct known *known);
void known_close(struct known *known);

/* Have a target map memory that compresses like memory in use. */
long do_map_data(unsigned long len, unsigned long unused1, unsigned long unused2);
/* Page it out, by the policy in force or, where there are none, by a call. */
int page_out(const struct target *target, unsigned long addr, unsigned long len);

/**
 * struct latencies - what a thread of the target waited while memory went out
 * @began: When the call did, on CLOCK_MONOTONIC.
 * @ended: When it came back.
 * @p99: The 99th percentile of the times that mmap() and munmap() took.
 * @max: The longest.
 * @nr: How many they were.
 */
struct latencies {
	uint64_t began;
	uint64_t ended;
	uint64_t p99;
	uint64_t max;
	unsigned int nr;
};

/* Must be opened before the target is started. */
int latencies_open(void);
void latencies_close(void);
int latencies_while(struct target *target, unsigned long len,
		    struct latencies *latencies);

/* Allocations of kernel memory that the calling thread makes, of any kind. */
struct counter {
	int fds[3];
};

int counter_open(struct counter *counter);
uint64_t counter_read(const struct counter *counter);
void counter_close(struct counter *counter);

#define MONITOR_BUFFER	(1UL << 20)

/**
 * struct monitor - who does in user space what a policy does
 * @maps_fd: The target's /proc/PID/maps.
 * @pidfd: The target.
 * @advice: What ranges that are chosen get.
 * @min_bytes: Ranges from that size on are chosen.
 * @buf: What was read and not yet parsed, MONITOR_BUFFER bytes.
 * @vec: Ranges chosen and not yet advised.
 * @nr: How many these are.
 * @seen: Mappings looked at.
 * @advised: Mappings that got the advice.
 * @bytes: Their size.
 */
struct monitor {
	int maps_fd;
	int pidfd;
	int advice;
	uint64_t min_bytes;
	char *buf;
	struct iovec vec[VECTOR];
	unsigned int nr;
	uint64_t seen;
	uint64_t advised;
	uint64_t bytes;
};

int monitor_open(struct monitor *monitor, const struct target *target,
		 int advice, uint64_t min_bytes);
void monitor_close(struct monitor *monitor);
/* Two ways to learn of the mappings: the text, and ioctl(PROCMAP_QUERY). */
int monitor_maps(struct monitor *monitor);
int monitor_query(struct monitor *monitor);

/**
 * struct watcher - pmadv monitor, watching everybody from another CPU
 * @pid: The process.
 * @records: Records it has read, once it was stopped.
 * @lost: Records it has lost.
 */
struct watcher {
	pid_t pid;
	uint64_t records;
	uint64_t lost;
};

int watcher_start(struct watcher *watcher);
int watcher_stop(struct watcher *watcher);

#endif /* SELFTESTS_BENCH_H */

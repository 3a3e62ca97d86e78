/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the tests: the bare system call, a target process that obeys
 * commands, and views of its memory that do not come from the code under test
 * (pagemap, mincore, smaps, vmstat).
 */
#ifndef SELFTESTS_UTIL_H
#define SELFTESTS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/process_madvise.h>

#ifndef __NR_process_madvise
#define __NR_process_madvise	440
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open		434
#endif
#ifndef SYS_close_range
#define SYS_close_range		436
#endif
#ifndef __NR_mseal
#define __NR_mseal		462
#endif

#ifndef MADV_COLD
#define MADV_COLD		20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif

#define ARRAY_LEN(a)		(sizeof(a) / sizeof((a)[0]))

/* The guest is x86, with base pages and one size of huge page. */
#define PAGE			4096UL
#define HUGE			(2UL << 20)

/* All known flags, and all unknown bits. */
#define PMADV_ALL		(PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE | \
				 PMADV_SKIP_ERRORS | PMADV_DRY_RUN | \
				 PMADV_RESULT)

/* The advice that another process's memory may get. */
extern const int advices[4];
const char *advice_name(int advice);

/* The kernel checks itself: everything takes a few times longer. */
bool slow_kernel(void);

/* Walks lock one mapping after the other, instead of the address space. */
bool has_vma_walks(void);

/* The system call itself: -errno on failure, so that errno can't go stale. */
long pmadv(int pidfd, const void *vec, size_t vlen, int advice,
	   unsigned int flags, void *result);

/* The same for one range, with a result zeroed and sized. */
long pmadv_one(int pidfd, unsigned long addr, size_t len, int advice,
	       unsigned int flags, struct pmadv_result *result);

int pidfd_open_pid(pid_t pid, unsigned int flags);

/*
 * Run the test and its target on one CPU: pages in another CPU's LRU batches
 * are not on the LRU yet and would be left alone, which no test can predict.
 */
int pin_to_cpu(int cpu);

/* A process that runs functions of this program when told to. */
struct target {
	pid_t pid;
	int pidfd;
	int sock;
};

typedef long (*target_fn)(unsigned long a, unsigned long b, unsigned long c);

int target_start(struct target *t);
/* The caller as its own target: what it is told to do it does itself. */
int target_self(struct target *t);
/* Start it after running @setup in it; its result other than 0 is a failure. */
int target_start_with(struct target *t, target_fn setup, unsigned long arg);
long target_call(struct target *t, target_fn fn, unsigned long a,
		 unsigned long b, unsigned long c);
/* The target's main thread ends, and another one of it obeys from now on. */
long do_end_main_thread(unsigned long a, unsigned long b, unsigned long c);
void target_stop(struct target *t);

/*
 * Things a target is told to do; they work in any process. Addresses are
 * returned as unsigned long in disguise, 0 for failure.
 */

/* An anonymous mapping of @len with unmapped pages on both sides. */
long do_map(unsigned long len, unsigned long prot, unsigned long flags);
/* The same, written to, small pages only, and aligned to HUGE when @huge. */
long do_map_filled(unsigned long len, unsigned long gen, unsigned long huge);
long do_unmap(unsigned long addr, unsigned long len, unsigned long unused);
long do_mlock(unsigned long addr, unsigned long len, unsigned long unused);
/* Write the pattern of generation @gen; see fill(). */
long do_fill(unsigned long addr, unsigned long len, unsigned long gen);
/* Number of pages that are not as do_fill() left them. */
long do_check(unsigned long addr, unsigned long len, unsigned long gen);
/* Read one byte a page. */
long do_read(unsigned long addr, unsigned long len, unsigned long unused);
/* Pages that are mapped and that mincore() calls resident. */
long do_mincore(unsigned long addr, unsigned long len, unsigned long unused);
/* madvise(2) by the owner itself; 0 or -errno. */
long do_madvise(unsigned long addr, unsigned long len, unsigned long advice);

/*
 * A pattern that says which page and which generation it is: no page can be
 * mistaken for another, or for what it was before.
 */
void fill(unsigned long addr, size_t len, unsigned long gen);
size_t check(unsigned long addr, size_t len, unsigned long gen);
/* The same for memory that was filled when it was at @was. */
size_t check_moved(unsigned long addr, size_t len, unsigned long gen,
		   unsigned long was);

/* The state of a range according to /proc/PID/pagemap. */
struct pages {
	size_t present;
	size_t swapped;
	size_t file;
	size_t exclusive;
};

int pagemap(pid_t pid, unsigned long addr, size_t len, struct pages *pages);

/* A line of /proc/PID/maps. */
struct mapping {
	uint64_t start;
	uint64_t end;
	char perms[5];
	char name[128];
};

/* Read all of them; returns how many, -errno on failure. Free *maps. */
int read_maps(pid_t pid, struct mapping **maps);

/*
 * Sum of a field of /proc/PID/smaps, in bytes, over the mappings that overlap
 * the range; -errno on failure. VmFlags are matched as a field "VmFlags:xx",
 * which counts mappings.
 */
long long smaps(pid_t pid, const char *field, uint64_t start, uint64_t end);

/* A number out of /proc/vmstat, -1 if there is none of that name. */
long long vmstat(const char *name);

int write_file(const char *path, const char *text);
/* Reads at most size - 1 bytes and adds a NUL; returns the length. */
ssize_t read_file(const char *path, char *buf, size_t size);

/* Leave the calling thread with the capabilities in the mask @keep, no others. */
int set_caps(uint64_t keep);

/* With <linux/capability.h>. */
#define CAP(c)			(1ULL << CAP_##c)
#define CAPS_ALL		((1ULL << 41) - 1)

/* A user that nothing belongs to. */
#define USER			1000

/* Become the user, and group, @uid with exactly the capabilities @caps. */
int become(uid_t uid, uint64_t caps);

/* fork(), and become() in the child, which exits with 99 if it can't. */
pid_t fork_as(uid_t uid, uint64_t caps);

#endif /* SELFTESTS_UTIL_H */

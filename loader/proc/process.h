/* SPDX-License-Identifier: GPL-2.0 */
/* A process, as its files in /proc describe it. */
#ifndef PMADV_PROCESS_H
#define PMADV_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_NAME_LEN	64

/* The name of a process, and of its program's file. Return 0 or -errno. */
int process_command(pid_t pid, char name[PROCESS_NAME_LEN]);
int process_program(pid_t pid, char name[NAME_MAX + 1]);

/* From /proc/PID/stat. */
struct process_stat {
	pid_t parent;
	uint64_t started;	/* jiffies after boot; differs if the number is reused */
	uint64_t cpu_ns;	/* used so far, in user space and in the kernel */
	uint64_t major_faults;
};

/* 0, -ESRCH, or -EINVAL if there is something else in the file. */
int process_stat(pid_t pid, struct process_stat *stat);

/* From /proc/PID/status. */
struct process_status {
	int64_t uid;		/* the real one: files in /proc belong to root for some */
	uint64_t resident;	/* bytes */
	uint64_t swapped;	/* bytes */
	bool has_memory;	/* kernel threads and exited processes have none */
};

/* 0 or -errno. */
int process_status(pid_t pid, struct process_status *status);

/* Bytes resident and swapped out; 0, -ENODATA if it has no memory, or -errno. */
int process_memory(pid_t pid, uint64_t *resident, uint64_t *swapped);

/* Kernel threads have no memory of their own to advise. The cheapest way to tell. */
bool process_has_memory(pid_t pid);

#endif /* PMADV_PROCESS_H */

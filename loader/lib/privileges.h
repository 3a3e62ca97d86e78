/* SPDX-License-Identifier: GPL-2.0 */
/* Giving up the capabilities that a verb no longer needs once it has started. */
#ifndef PMADV_PRIVILEGES_H
#define PMADV_PRIVILEGES_H

#include <stdbool.h>

enum privileges {
	PRIVILEGES_NONE,	/* waits and reads what is open */
	PRIVILEGES_WRITE,	/* writes a file wherever it is to be */
	PRIVILEGES_LOOK,	/* looks at the mappings of other processes */
	PRIVILEGES_LOOK_AT_BPF,	/* looks at the kernel's BPF links, programs and maps */
	PRIVILEGES_WRITE_ABOUT_BPF,	/* that, and writes a file */
	PRIVILEGES_ADVISE,	/* goes on advising other processes */
	PRIVILEGES_ENGINE,	/* that, and runs the engine's programs for it */
	PRIVILEGES_DAEMON,	/* that, and puts policies in force */
};

/*
 * Give up for good the capabilities that @keep does not need, and report what
 * is left.
 */
void privileges_drop(enum privileges keep);

/* Is a capability, like "sys_nice", in effect? */
bool privilege_held(const char *name);

/*
 * May we load policies and tracing programs? Only the initial user namespace counts.
 * Returns 0, or reports that we may not do @what, and returns -EPERM.
 */
int privileges_check_bpf(const char *what);

/* Report that @err, -EPERM or -EACCES, is a lack of permission for @what; returns it. */
int say_no_bpf(int err, const char *what);

#endif /* PMADV_PRIVILEGES_H */

// SPDX-License-Identifier: GPL-2.0
#include "lib/privileges.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cap-ng.h>

#include "lib/error.h"
#include "lib/util.h"

#define FOR(what)	(1U << (what))
#define FOR_BPF		(FOR(PRIVILEGES_ENGINE) | FOR(PRIVILEGES_DAEMON))
#define FOR_ADVISE	(FOR(PRIVILEGES_ADVISE) | FOR_BPF)

/*
 * DAC_OVERRIDE and the two after it are kept because paging out a file's pages
 * depends on the caller's right to write to the file or on owning it: without
 * them a policy would do less for root than it should. SYS_RESOURCE is for PSI
 * triggers.
 */
static const struct {
	unsigned int capability;
	unsigned int keep;	/* FOR() an enum privileges */
} needs[] = {
	{ CAP_SYS_ADMIN, FOR(PRIVILEGES_LOOK_AT_BPF) | FOR(PRIVILEGES_WRITE_ABOUT_BPF) },
	{ CAP_SYS_PTRACE, FOR(PRIVILEGES_LOOK) | FOR_ADVISE },
	{ CAP_SYS_NICE, FOR_ADVISE },
	{ CAP_DAC_OVERRIDE, FOR_ADVISE | FOR(PRIVILEGES_WRITE) |
			    FOR(PRIVILEGES_WRITE_ABOUT_BPF) },
	{ CAP_DAC_READ_SEARCH, FOR_ADVISE },
	{ CAP_FOWNER, FOR_ADVISE },
	{ CAP_BPF, FOR_BPF },
	{ CAP_PERFMON, FOR_BPF },
	{ CAP_SYS_RESOURCE, FOR(PRIVILEGES_DAEMON) },
};

/* The capabilities that the kernel reports, not those that were requested. */
static void say_kept(void)
{
	char *kept = NULL;

	if (!capng_get_caps_process())
		kept = capng_print_caps_text(CAPNG_PRINT_BUFFER, CAPNG_PERMITTED);
	if (kept)
		say_note("capabilities kept: %s", kept);
	free(kept);
}

void privileges_drop(enum privileges keep)
{
	bool held[ARRAY_SIZE(needs)] = { };
	size_t i;

	if (capng_get_caps_process())
		return;
	for (i = 0; i < ARRAY_SIZE(needs); i++)
		held[i] = needs[i].keep & FOR(keep) &&
			  capng_have_capability(CAPNG_EFFECTIVE, needs[i].capability);

	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < ARRAY_SIZE(needs); i++)
		if (held[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     needs[i].capability);
	/*
	 * A program that root executes would get all of them back. This rules
	 * that out for good, and needs no CAP_SETPCAP as emptying the bounding
	 * set would.
	 */
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		say_warning("cannot give up capabilities that are no longer needed");
	say_kept();
}

/* Its inode number is the same everywhere: PROC_USER_INIT_INO. */
static bool in_initial_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) || st.st_ino == 0xEFFFFFFDU;
}

bool privilege_held(const char *name)
{
	int capability = capng_name_to_capability(name);

	if (capability < 0 || capng_get_caps_process())
		return false;
	return capng_have_capability(CAPNG_EFFECTIVE, (unsigned int)capability);
}

int say_no_bpf(int err, const char *what)
{
	return say_error(err, "no permission to %s: this needs CAP_BPF and CAP_PERFMON in the initial user namespace; run it as root",
			 what);
}

int privileges_check_bpf(const char *what)
{
	if (in_initial_user_namespace() && privilege_held("bpf") &&
	    privilege_held("perfmon"))
		return 0;
	return say_no_bpf(-EPERM, what);
}

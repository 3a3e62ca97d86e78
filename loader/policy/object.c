// SPDX-License-Identifier: GPL-2.0
#include "policy/object.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/util.h"

#ifndef PMADV_POLICY_DIR
#define PMADV_POLICY_DIR	"/usr/lib/pmadv"
#endif

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);

	return length > end && !strcmp(text + length - end, suffix);
}

/* The folder of the program; "" if it is not known. */
static void program_dir(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[length > 0 ? length : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
}

int object_find(const char *name, char path[PATH_MAX])
{
	const char *given = getenv("PMADV_POLICY_DIR");
	char program[PATH_MAX];
	const struct {
		const char *dir;
		const char *below;
	} places[] = {
		{ given, "" },
		{ program, "/bpf" },
		{ program, "/../lib/pmadv" },
		{ PMADV_POLICY_DIR, "" },
	};
	struct stat st;

	if (strchr(name, '/') || has_suffix(name, ".o")) {
		if (access(name, R_OK) || stat(name, &st))
			return say_error(-errno, "%s: %s", name, strerror(errno));
		if (!S_ISREG(st.st_mode))
			return say_error(-EINVAL, "%s is not a file: give the path of a BPF object, NAME.bpf.o",
					 name);
		snprintf(path, PATH_MAX, "%s", name);
		return 0;
	}

	program_dir(program);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i].dir || !*places[i].dir)
			continue;
		if (snprintf(path, PATH_MAX, "%s%s/%s.bpf.o", places[i].dir,
			     places[i].below, name) < PATH_MAX && !access(path, F_OK))
			return 0;
	}

	return say_error(-ENOENT, "there is no %s.bpf.o in %s%s%s/bpf or %s; give the path of a file, or set PMADV_POLICY_DIR",
			 name, given ? given : "", given ? ", " : "", program,
			 PMADV_POLICY_DIR);
}

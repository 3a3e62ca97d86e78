// SPDX-License-Identifier: GPL-2.0
#include "policy/object.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>

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

/* What libbpf reads, and its copy of it, with room for what else it takes. */
#define LOADING_BYTES ((size_t)24 << 20)
#define HUGE_PAGE     ((uintptr_t)2 << 20)
/* As malloc has it by itself. */
#define MALLOC_KEEPS  (128 << 10)

/*
 * libbpf reads all types of the kernel, megabytes of them, copies them, and frees them
 * soon. Page by page, faults are most of what loading takes: have malloc take huge
 * pages for it.
 */
static void take_huge_pages(void)
{
	uintptr_t start, end;
	char *room;

	/* From the heap, with what malloc adds. */
	mallopt(M_MMAP_THRESHOLD, LOADING_BYTES + HUGE_PAGE);
	mallopt(M_TRIM_THRESHOLD, 2 * LOADING_BYTES);
	room = malloc(LOADING_BYTES);
	if (!room)
		return;
	start = ((uintptr_t)room + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	end = ((uintptr_t)room + LOADING_BYTES) & ~(HUGE_PAGE - 1);
	/* Without them it only takes longer. */
	madvise((void *)start, end - start, MADV_HUGEPAGE);
	free(room);
}

static void give_back(void)
{
	mallopt(M_MMAP_THRESHOLD, MALLOC_KEEPS);
	mallopt(M_TRIM_THRESHOLD, MALLOC_KEEPS);
	malloc_trim(0);
}

int object_load(struct bpf_object *object)
{
	int err;

	take_huge_pages();
	err = bpf_object__load(object);
	give_back();
	return err;
}

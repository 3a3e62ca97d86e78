// SPDX-License-Identifier: GPL-2.0
#include "recording/rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/text.h"

#define CENTISECOND_NS	10000000

bool rotation_due(const struct rotation *rotation, uint64_t size, uint64_t age)
{
	return (rotation->max_size && size >= rotation->max_size &&
		size >= 2 * rotation->base) ||
	       (rotation->max_time && age >= rotation->max_time);
}

int rotation_check(const struct rotation *rotation)
{
	char *path, *folder;
	int err = 0;

	path = strdup(rotation->path);
	if (!path)
		return say_no_memory();
	folder = dirname(path);
	if (faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS)) {
		err = -errno;
		say_error(err, "%s: no more files can be made there once the rights that a recording does not need are given up: name a file in a folder of your own with --output",
			  folder);
	}
	free(path);
	return err;
}

/* As perf has it: names sort by it. */
static char *full_name(const char *path, uint64_t time)
{
	time_t seconds = (time_t)(time / 100);
	char text[32];
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm))
		return NULL;
	return format_string("%s.%s%02u", path, text, (unsigned int)(time % 100));
}

/* NFS and some others have no RENAME_NOREPLACE. */
static int rename_new(const char *from, const char *to)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)
		return -errno;
	if (!faccessat(AT_FDCWD, to, F_OK, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	return rename(from, to) ? -errno : 0;
}

/* No file of that name is replaced, whoever made it; none sorts before the last one. */
static int rename_full(struct rotation *rotation, char **name)
{
	struct timespec wall;
	uint64_t time;
	int err = -EEXIST;

	clock_gettime(CLOCK_REALTIME, &wall);
	time = (uint64_t)wall.tv_sec * 100 + (uint64_t)wall.tv_nsec / CENTISECOND_NS;
	if (time <= rotation->named)
		time = rotation->named + 1;
	for (int tries = 0; err == -EEXIST && tries < 100; tries++, time++) {
		free(*name);
		*name = full_name(rotation->path, time);
		if (!*name)
			return -ENOMEM;
		err = rename_new(rotation->path, *name);
		rotation->named = time;
	}
	return err;
}

static void remove_oldest(struct rotation *rotation)
{
	char **full = rotation->full.items;

	/* Somebody may have moved it away already. */
	if (unlink(full[0]) && errno != ENOENT)
		say_warning("cannot remove %s: %s", full[0], strerror(errno));
	free(full[0]);
	rotation->full.nr--;
	memmove(full, full + 1, rotation->full.nr * sizeof(*full));
}

int rotation_turn(struct rotation *rotation)
{
	char **name = vec_add(&rotation->full, sizeof(*name));
	int err;

	if (!name)
		return say_no_memory();
	err = rename_full(rotation, name);
	if (err)
		return say_error(err, "cannot rename %s, which is full: %s", rotation->path,
				 error_text(err));
	while (rotation->max_files && rotation->full.nr >= rotation->max_files)
		remove_oldest(rotation);
	return 0;
}

void rotation_free(struct rotation *rotation)
{
	char **full = rotation->full.items;

	for (size_t i = 0; i < rotation->full.nr; i++)
		free(full[i]);
	vec_free(&rotation->full);
}

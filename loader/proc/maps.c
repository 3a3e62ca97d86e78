// SPDX-License-Identifier: GPL-2.0
#include "proc/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/process_madvise.h>
#include <pmadv/hook.h>

#include "lib/text.h"
#include "lib/util.h"

/* Bits of an entry of /proc/PID/pagemap. */
#define PAGEMAP_SWAPPED	(1ULL << 62)
#define PAGEMAP_PRESENT	(1ULL << 63)

static int add_map(const char *line, struct vec *maps)
{
	struct map_name *map, head = { };
	int name = 0;

	/* Lines of smaps that are not about a mapping begin with a word. */
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", &head.start,
		   &head.end, head.perms, &name) < 3 || !name)
		return -EINVAL;

	map = vec_add(maps, sizeof(*map));
	if (!map)
		return -ENOMEM;
	*map = head;
	map->name = strdup(line + name);
	if (!map->name)
		return -ENOMEM;
	clean_text(map->name);
	return 0;
}

/* A line of smaps, about the mapping that was added last. */
static void add_usage(const char *line, struct vec *maps)
{
	struct map_name *map = maps->items;
	uint64_t kb;

	if (!maps->nr)
		return;
	map += maps->nr - 1;
	if (sscanf(line, "Rss: %" SCNu64, &kb) == 1)
		map->resident = kb * 1024;
	else if (sscanf(line, "Swap: %" SCNu64, &kb) == 1)
		map->swapped = kb * 1024;
	else if (sscanf(line, "Referenced: %" SCNu64, &kb) == 1)
		map->accessed = kb * 1024;
	else if (sscanf(line, "AnonHugePages: %" SCNu64, &kb) == 1 ||
		 sscanf(line, "ShmemPmdMapped: %" SCNu64, &kb) == 1 ||
		 sscanf(line, "FilePmdMapped: %" SCNu64, &kb) == 1)
		map->huge += kb * 1024;
}

static int read_file(pid_t pid, const char *name, struct vec *maps)
{
	char path[64], *line = NULL;
	size_t size = 0;
	int err = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;

	while (!err && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		err = add_map(line, maps);
		if (err != -EINVAL)
			continue;
		add_usage(line, maps);
		err = 0;
	}

	free(line);
	fclose(file);
	if (err)
		maps_free(maps);
	return err;
}

int maps_read(pid_t pid, struct vec *maps)
{
	return read_file(pid, "maps", maps);
}

int maps_read_usage(pid_t pid, struct vec *maps)
{
	return read_file(pid, "smaps", maps);
}

int range_usage(pid_t pid, uint64_t start, uint64_t end, uint64_t *resident,
		uint64_t *swapped)
{
	uint64_t entries[512], page = start / page_size(), last = end / page_size();
	char path[64];
	int err = 0;
	int fd;

	*resident = 0;
	*swapped = 0;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	while (page < last && !err) {
		size_t want = last - page < ARRAY_SIZE(entries) ? last - page :
								  ARRAY_SIZE(entries);
		ssize_t got = pread(fd, entries, want * sizeof(*entries),
				    (off_t)(page * sizeof(*entries)));

		if (got <= 0)
			err = got ? -errno : -ESRCH;
		for (ssize_t i = 0; i < got / (ssize_t)sizeof(*entries); i++, page++) {
			*resident += entries[i] & PAGEMAP_PRESENT ? page_size() : 0;
			*swapped += entries[i] & PAGEMAP_SWAPPED ? page_size() : 0;
		}
	}

	close(fd);
	return err;
}

void maps_free(struct vec *maps)
{
	struct map_name *map = maps->items;

	for (size_t i = 0; i < maps->nr; i++)
		free(map[i].name);
	vec_free(maps);
}

const struct map_name *maps_find(const struct vec *maps, uint64_t address)
{
	size_t at = vec_find_end(maps, sizeof(struct map_name), address);
	const struct map_name *map = maps->items;

	return at < maps->nr && map[at].start <= address ? &map[at] : NULL;
}

const char *maps_name(const struct vec *maps, uint64_t address)
{
	const struct map_name *map = maps_find(maps, address);

	return map ? map->name : "";
}

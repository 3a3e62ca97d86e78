// SPDX-License-Identifier: GPL-2.0
#include "proc/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/error.h"

/* Blanks and the like are octal there. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned int code;

		if (*text == '\\' && sscanf(text + 1, "%3o", &code) == 1) {
			*to++ = (char)code;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* Where cgroup v2 is mounted, and the cgroup that one finds there, or -ENOENT. */
static int read_mount(char path[PATH_MAX], char root[PATH_MAX])
{
	char *line = NULL;
	size_t size = 0;
	int err = -ENOENT;
	FILE *mounts;

	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return -errno;

	while (err && getline(&line, &size, mounts) > 0) {
		if (!strstr(line, " - cgroup2 ") || strlen(line) >= PATH_MAX ||
		    sscanf(line, "%*s %*s %*s %4095s %4095s", root, path) != 2)
			continue;
		unescape(root);
		unescape(path);
		err = 0;
	}

	free(line);
	fclose(mounts);
	return err;
}

/*
 * The same, without reading all mounts again for each of a thousand processes: the
 * kernel tells when one has changed.
 */
static int find_mount(char path[PATH_MAX], char root[PATH_MAX])
{
	static char known_path[PATH_MAX], known_root[PATH_MAX];
	static struct pollfd mounts = { .fd = -1, .events = POLLPRI };
	static int err;

	if (mounts.fd < 0)
		mounts.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	else if (poll(&mounts, 1, 0) == 0 && !err)
		goto known;
	err = read_mount(known_path, known_root);
known:
	if (!err) {
		memcpy(path, known_path, PATH_MAX);
		memcpy(root, known_root, PATH_MAX);
	}
	return err;
}

int cgroup_mount(char path[PATH_MAX])
{
	char root[PATH_MAX];

	return find_mount(path, root);
}

static int check_cgroup(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? 0 : -ENOTDIR;
}

int cgroup_resolve(const char *name, char path[PATH_MAX])
{
	char mount[PATH_MAX];
	int err = -ENOENT;
	int length;

	if (*name == '/') {
		err = check_cgroup(name);
		if (!err) {
			snprintf(path, PATH_MAX, "%s", name);
			return 0;
		}
	}
	if (cgroup_mount(mount))
		return err;

	length = snprintf(path, PATH_MAX, "%s%s%s", mount, *name == '/' ? "" : "/",
			  name);
	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	return check_cgroup(path) ? err : 0;
}

int cgroup_id_of(const char *name, uint64_t *id)
{
	char path[PATH_MAX];
	struct stat st;
	int err;

	err = cgroup_resolve(name, path);
	if (!err && stat(path, &st))
		err = -errno;
	if (!err && !S_ISDIR(st.st_mode))
		err = -ENOTDIR;

	if (err == -ENOTDIR)
		return say_error(-EUSAGE, "'%s' is not a cgroup of cgroup v2: give a directory below its mount point, for instance /sys/fs/cgroup/NAME",
				 name);
	if (err)
		return say_error(err, "cgroup '%s': %s", name, error_text(err));

	/* The kernel uses the inode number of a cgroup as its ID. */
	*id = st.st_ino;
	return 0;
}

/* Its inode number is the same everywhere: PROC_CGROUP_INIT_INO. */
bool in_initial_cgroup_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/cgroup", &st) || st.st_ino == 0xEFFFFFFBU;
}

int cgroup_path_of(uint64_t id, char path[PATH_MAX])
{
	char mount[PATH_MAX];
	char *roots[] = { mount, NULL };
	int err = -ENOENT;
	FTSENT *entry;
	FTS *tree;

	if (cgroup_mount(mount))
		return -ENOENT;
	tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV, NULL);
	if (!tree)
		return -errno;

	while (err && (entry = fts_read(tree))) {
		const char *below;

		if (entry->fts_info != FTS_D || entry->fts_statp->st_ino != id)
			continue;
		below = entry->fts_path + strlen(mount);
		snprintf(path, PATH_MAX, "%s", *below ? below : "/");
		err = 0;
	}

	fts_close(tree);
	return err;
}

/*
 * The part of @cgroup that is below @root; NULL if it is not there. Both begin
 * at the root of our cgroup namespace and may lead up from that: the host's
 * mount has "/../.." as its root for a container.
 */
static const char *part_below(const char *root, const char *cgroup)
{
	size_t length = strcmp(root, "/") ? strlen(root) : 0;
	const char *part = cgroup + length;

	if (strncmp(cgroup, root, length) || (*part && *part != '/'))
		return NULL;
	if (!strcmp(part, "/..") || !strncmp(part, "/../", 4))
		return NULL;
	return strcmp(part, "/") ? part : "";
}

int cgroup_of(pid_t pid, char path[PATH_MAX])
{
	char mount[PATH_MAX], root[PATH_MAX], file[64], *line = NULL;
	size_t size = 0;
	int err = -ENOENT;
	FILE *cgroups;

	if (find_mount(mount, root))
		return -ENOENT;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	cgroups = fopen(file, "re");
	if (!cgroups)
		return -errno;

	/* "0::" is the hierarchy of v2; the root is "/". */
	while (err && getline(&line, &size, cgroups) > 0) {
		const char *part;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3))
			continue;
		part = part_below(root, line + 3);
		if (!part) {
			err = -EXDEV;
			break;
		}
		err = snprintf(path, PATH_MAX, "%s%s", mount, part);
		err = err < PATH_MAX ? 0 : -ENAMETOOLONG;
	}

	free(line);
	fclose(cgroups);
	return err;
}

bool cgroup_frozen(const char *path)
{
	char events[PATH_MAX + 16], line[64];
	bool frozen = false;
	FILE *file;

	snprintf(events, sizeof(events), "%s/cgroup.events", path);
	file = fopen(events, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		frozen |= !strcmp(line, "frozen 1\n");
	fclose(file);
	return frozen;
}

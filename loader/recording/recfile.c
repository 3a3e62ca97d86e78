// SPDX-License-Identifier: GPL-2.0
#include "recording/recfile.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "lib/error.h"
#include "lib/filelock.h"
#include "lib/util.h"
#include "policy/hook.h"

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "records are little-endian"
#endif

/* Large enough for compression to pay off, small enough to lose little. */
#define BLOCK_FULL	(128U << 10)

struct recfile {
	int fd;
	char *path;
	struct pmadv_file_header header;
	uint64_t done;			/* bytes written, or read and valid */
	bool damaged;
	int refused;			/* error, already reported */
	size_t used;			/* bytes of the block */
	size_t at;			/* offset of the next entry to read */
	unsigned char *stored;
	unsigned char block[PMADV_BLOCK_MAX];
};

static struct recfile *recfile_new(const char *path)
{
	struct recfile *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->fd = -1;
	file->path = strdup(path);
	file->stored = malloc(compressBound(PMADV_BLOCK_MAX));
	if (file->path && file->stored)
		return file;
	recfile_close(file);
	return NULL;
}

void recfile_close(struct recfile *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->stored);
	free(file->path);
	free(file);
}

uint64_t recfile_size(const struct recfile *file)
{
	return file->done;
}

const struct pmadv_file_header *recfile_header(const struct recfile *file)
{
	return &file->header;
}

static int write_all(struct recfile *file, const void *data, size_t size)
{
	const char *from = data;
	ssize_t written;

	while (size) {
		written = write(file->fd, from, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return say_error(written ? -errno : -EIO, "cannot write %s: %s",
					 file->path, strerror(written ? errno : EIO));
		from += written;
		size -= (size_t)written;
		file->done += (size_t)written;
	}
	return 0;
}

/* Read as much as there is, up to @size. */
static ssize_t read_some(int fd, void *data, size_t size)
{
	size_t got = 0;
	ssize_t nr;

	while (got < size) {
		nr = read(fd, (char *)data + got, size - got);
		if (nr < 0 && errno == EINTR)
			continue;
		if (nr < 0)
			return -errno;
		if (!nr)
			break;
		got += (size_t)nr;
	}
	return (ssize_t)got;
}

static int check_record(int fd)
{
	char magic[sizeof(PMADV_FILE_MAGIC) - 1];
	ssize_t got = read_some(fd, magic, sizeof(magic));

	/* A recorder that was killed at its start leaves an empty file. */
	if (got <= 0)
		return (int)got;
	return got == sizeof(magic) && !memcmp(magic, PMADV_FILE_MAGIC, sizeof(magic)) ?
	       0 : -EEXIST;
}

static int say_busy(int fd, const char *path)
{
	char holder[LOCK_HOLDER_LEN];

	return say_error(-EBUSY, "another pmadv%s is writing %s: end it first, or name another file with --output",
			 lock_holder(fd, holder), path);
}

/* Replace only recordings, and none that is being written. */
static int make_room(const char *path)
{
	struct stat st;
	int err, fd;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = check_record(fd);
	if (!err)
		err = lock_take(fd, path);
	if (!err && unlink(path))
		err = -errno;
	if (err == -EBUSY)
		say_busy(fd, path);
	close(fd);
	return err;
}

/*
 * Whatever the umask allows, readable for its owner only; do not follow links. Returns
 * -EAGAIN, and reports nothing, if there is such a file by now.
 */
static int create(struct recfile *file)
{
	int err;

	file->fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file->fd < 0 && errno == EEXIST)
		return -EAGAIN;
	if (file->fd < 0)
		return say_error(-errno, "cannot create %s: %s", file->path,
				 strerror(errno));
	err = lock_take(file->fd, file->path);
	if (err == -EBUSY)
		return say_busy(file->fd, file->path);
	return err ? say_error(err, "cannot lock %s: %s", file->path, error_text(err)) : 0;
}

void recfile_begin_header(struct pmadv_file_header *header)
{
	struct utsname system;
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	header->page_size = (uint32_t)page_size();
	header->engine = hook_present() ? PMADV_FILE_HOOK : PMADV_FILE_ENGINE;
	header->start_ns = now_ns();
	header->start_realtime_ns = (uint64_t)wall.tv_sec * 1000000000 +
				    (uint64_t)wall.tv_nsec;
	if (!uname(&system))
		snprintf(header->release, sizeof(header->release), "%.*s",
			 (int)sizeof(header->release) - 1, system.release);
}

static int say_no_room(const char *path, int err)
{
	if (err == -EBUSY)	/* make_room() said so */
		return err;
	if (err == -EEXIST)
		return say_error(err, "%s exists and is not a recording of pmadv: it is left alone; name another file with --output",
				 path);
	return say_error(err, "cannot replace %s: %s", path, error_text(err));
}

int recfile_create(const char *path, const struct pmadv_file_header *header,
		   struct recfile **out)
{
	struct recfile *file = recfile_new(path);
	int err;

	if (!file)
		return say_no_memory();
	do {
		err = make_room(path);
		if (err)
			err = say_no_room(path, err);
		else
			err = create(file);
	} while (err == -EAGAIN);
	if (!err) {
		file->header = *header;
		memcpy(file->header.magic, PMADV_FILE_MAGIC, sizeof(file->header.magic));
		file->header.version = PMADV_FILE_VERSION;
		file->header.size = sizeof(file->header);
		err = write_all(file, &file->header, sizeof(file->header));
	}
	if (err) {
		recfile_close(file);
		return err;
	}
	*out = file;
	return 0;
}

int recfile_flush(struct recfile *file)
{
	struct pmadv_file_block head = { .magic = PMADV_BLOCK_MAGIC };
	uLongf stored = compressBound(PMADV_BLOCK_MAX);
	int err;

	if (!file->used)
		return 0;
	if (compress2(file->stored, &stored, file->block, file->used,
		      Z_BEST_SPEED) != Z_OK)
		return say_no_memory();

	head.size = (uint32_t)file->used;
	head.stored = (uint32_t)stored;
	file->used = 0;
	err = write_all(file, &head, sizeof(head));
	return err ? err : write_all(file, file->stored, stored);
}

int recfile_add(struct recfile *file, struct pmadv_record *entry, size_t size,
		const char *text)
{
	size_t whole = size + (text ? strlen(text) / 8 * 8 + 8 : 0);
	int err;

	if (whole > BLOCK_FULL)
		return -E2BIG;
	if (file->used + whole > BLOCK_FULL) {
		err = recfile_flush(file);
		if (err)
			return err;
	}

	entry->version = PMADV_RECORD_VERSION;
	entry->size = (uint32_t)whole;
	memcpy(file->block + file->used, entry, size);
	memset(file->block + file->used + size, 0, whole - size);
	if (text)
		memcpy(file->block + file->used + size, text, strlen(text));
	file->used += whole;
	return 0;
}

static int check_header(struct recfile *file, ssize_t got)
{
	const struct pmadv_file_header *header = &file->header;

	if (got < 0)
		return say_error((int)got, "cannot read %s: %s", file->path,
				 error_text((int)got));
	if (!got)
		return say_error(-EINVAL, "%s is empty: the recording ended before it began",
				 file->path);
	if ((size_t)got < sizeof(header->magic) ||
	    memcmp(header->magic, PMADV_FILE_MAGIC, sizeof(header->magic)))
		return say_error(-EINVAL, "%s is not a recording of pmadv", file->path);
	if ((size_t)got < sizeof(*header))
		return say_error(-EINVAL, "%s was cut off in its first %zu bytes: there is nothing to report",
				 file->path, sizeof(*header));
	if (header->version > PMADV_FILE_VERSION)
		return say_error(-EPROTO, "%s has version %u of the format, this pmadv reads up to %u: use the pmadv that recorded it, or a newer one",
				 file->path, header->version, PMADV_FILE_VERSION);
	if (header->size < sizeof(*header) || !header->page_size ||
	    lseek(file->fd, header->size, SEEK_SET) < 0)
		return say_error(-EINVAL, "%s: its first bytes are damaged", file->path);
	file->header.release[sizeof(header->release) - 1] = '\0';
	return 0;
}

int recfile_open(const char *path, struct recfile **out)
{
	struct recfile *file = recfile_new(path);
	int err;

	if (!file)
		return say_no_memory();
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		err = say_error(-errno, "cannot open %s: %s", path, strerror(errno));
	else
		err = check_header(file, read_some(file->fd, &file->header,
						   sizeof(file->header)));
	if (err) {
		recfile_close(file);
		return err;
	}
	file->done = file->header.size;
	*out = file;
	return 0;
}

/* Read the next block. Returns whether it has entries. */
static bool read_block(struct recfile *file)
{
	uLongf size = PMADV_BLOCK_MAX;
	struct pmadv_file_block head;
	ssize_t got;

	got = read_some(file->fd, &head, sizeof(head));
	if (!got)
		return false;

	file->damaged = true;
	if (got != sizeof(head) || head.magic != PMADV_BLOCK_MAGIC ||
	    head.size > PMADV_BLOCK_MAX || head.stored > compressBound(PMADV_BLOCK_MAX))
		return false;
	got = read_some(file->fd, file->stored, head.stored);
	if (got != (ssize_t)head.stored ||
	    uncompress(file->block, &size, file->stored, head.stored) != Z_OK ||
	    size != head.size)
		return false;

	file->damaged = false;
	file->used = size;
	file->at = 0;
	file->done += sizeof(head) + head.stored;
	return true;
}

const struct pmadv_record *recfile_next(struct recfile *file)
{
	struct pmadv_record *entry;
	size_t left;

	if (file->refused)
		return NULL;
	while (file->at == file->used)
		if (file->damaged || !read_block(file))
			return NULL;

	entry = (struct pmadv_record *)(file->block + file->at);
	left = file->used - file->at;
	if (left < sizeof(*entry) || entry->size < sizeof(*entry) || entry->size > left ||
	    entry->size % 8) {
		file->damaged = true;
		file->at = file->used;
		return NULL;
	}
	if (entry->version != PMADV_RECORD_VERSION) {
		file->refused = say_error(-EPROTO, "%s has records of version %u, this pmadv reads version %u: use the pmadv that recorded it, or a newer one",
					  file->path, entry->version,
					  PMADV_RECORD_VERSION);
		return NULL;
	}
	file->at += entry->size;
	entry->comm[sizeof(entry->comm) - 1] = '\0';
	return entry;
}

int recfile_refused(const struct recfile *file)
{
	return file->refused;
}

bool recfile_damaged(const struct recfile *file, uint64_t *good)
{
	*good = file->done;
	return file->damaged;
}

// SPDX-License-Identifier: GPL-2.0
/* Files of records: what is written is read, and no damage is worse than it must be. */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <zlib.h>

#include "lib/error.h"
#include "lib/output.h"
#include "lib/util.h"
#include "recording/analysis.h"
#include "recording/recfile.h"

#define NR_BLOCKS	4
#define IN_BLOCK	3

static char dir[] = "/tmp/test_recfile.XXXXXX";
static char path[64], cut[64];

static const struct pmadv_file_header header = {
	.page_size = 4096,
	.start_ns = 1000,
	.release = "6.12-test",
};

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(cut, sizeof(cut), "%s/cut", dir);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	unlink(cut);
	return rmdir(dir);
}

/* @ends gets where each block ends; blocks have entries 1, 2, 3 and so on. */
static void write_file(uint64_t ends[NR_BLOCKS])
{
	struct pmadv_range_record record = {
		.head = { .type = PMADV_RECORD_RANGE, .tgid = 7, .comm = "target" },
		.start = 0x1000,
		.end = 0x3000,
		.verdict = 21,
	};
	struct recfile *file;

	assert_int_equal(recfile_create(path, &header, &file), 0);
	for (int block = 0; block < NR_BLOCKS; block++) {
		for (int i = 0; i < IN_BLOCK; i++) {
			record.head.time_ns = 2000 + (uint64_t)(block * IN_BLOCK + i);
			assert_int_equal(recfile_add(file, &record.head, sizeof(record),
						     NULL), 0);
		}
		assert_int_equal(recfile_flush(file), 0);
		ends[block] = recfile_size(file);
	}
	recfile_close(file);
}

static char *read_whole(size_t *size)
{
	FILE *file = fopen(path, "r");
	char *data = calloc(1, 1 << 16);

	assert_non_null(file);
	assert_non_null(data);
	*size = fread(data, 1, 1 << 16, file);
	fclose(file);
	return data;
}

static void write_cut(const char *data, size_t size)
{
	FILE *file = fopen(cut, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	fclose(file);
}

/* How many entries can be read, each of them as it was written? */
static unsigned int count_entries(struct recfile *file)
{
	const struct pmadv_record *entry;
	unsigned int nr = 0;

	while ((entry = recfile_next(file))) {
		assert_int_equal(entry->time_ns, 2000 + nr);
		assert_string_equal(entry->comm, "target");
		nr++;
	}
	return nr;
}

static void round_trip(void **state)
{
	uint64_t ends[NR_BLOCKS], good;
	struct recfile *file;
	struct stat st;

	(void)state;
	umask(0);
	write_file(ends);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, ends[NR_BLOCKS - 1]);

	assert_int_equal(recfile_open(path, &file), 0);
	assert_int_equal(recfile_header(file)->page_size, 4096);
	assert_string_equal(recfile_header(file)->release, "6.12-test");
	assert_int_equal(count_entries(file), NR_BLOCKS * IN_BLOCK);
	assert_false(recfile_damaged(file, &good));
	assert_int_equal(good, st.st_size);
	recfile_close(file);
}

static void cut_off_anywhere(void **state)
{
	uint64_t ends[NR_BLOCKS], good;
	struct analysis analysis;
	struct recfile *file;
	size_t size;
	char *data;

	(void)state;
	write_file(ends);
	data = read_whole(&size);
	for (size_t length = sizeof(header); length <= size; length++) {
		unsigned int blocks = 0;
		bool damaged;

		while (blocks < NR_BLOCKS && ends[blocks] <= length)
			blocks++;
		write_cut(data, length);
		assert_int_equal(recfile_open(cut, &file), 0);
		assert_int_equal(count_entries(file), blocks * IN_BLOCK);
		damaged = recfile_damaged(file, &good);
		assert_int_equal(damaged, good != length);
		assert_int_equal(good, blocks ? ends[blocks - 1] : sizeof(header));
		recfile_close(file);

		assert_int_equal(recfile_open(cut, &file), 0);
		assert_int_equal(analysis_read(file, 0, &analysis), 0);
		assert_int_equal(analysis.done.counts.ranges_seen, blocks * IN_BLOCK);
		assert_false(analysis.complete);
		analysis_free(&analysis);
		recfile_close(file);
	}
	free(data);
}

static void refuse(const char *because)
{
	struct recfile *file = NULL;
	int err = 0;
	char *said = CAPTURE(STDERR_FILENO, err = recfile_open(cut, &file));

	assert_true(err < 0);
	assert_null(file);
	assert_contains(said, because);
	free(said);
}

static void refused(void **state)
{
	uint64_t ends[NR_BLOCKS];
	size_t size;
	char *data;

	(void)state;
	write_file(ends);
	data = read_whole(&size);
	write_cut(data, 0);
	refuse("is empty");
	write_cut("PMADVREX and more", 17);
	refuse("is not a recording");
	for (size_t length = 8; length < sizeof(header); length++) {
		write_cut(data, length);
		refuse("was cut off in its first");
	}
	data[8]++;
	write_cut(data, size);
	refuse("has version 2 of the format, this pmadv reads up to 1");
	free(data);
	unlink(cut);
	refuse("No such file");
}

/* A later pmadv's, with a record of ours and one that it knows better. */
static void newer_records(void **state)
{
	const struct pmadv_record entries[] = {
		{ .version = PMADV_RECORD_VERSION, .type = PMADV_ENTRY_END,
		  .size = sizeof(*entries), .time_ns = 2000, .comm = "target" },
		{ .version = PMADV_RECORD_VERSION + 1, .type = PMADV_ENTRY_END,
		  .size = sizeof(*entries), .time_ns = 2001, .comm = "target" },
	};
	struct {
		struct pmadv_file_header header;
		struct pmadv_file_block block;
		unsigned char stored[1024];
	} whole = { .block = { .magic = PMADV_BLOCK_MAGIC, .size = sizeof(entries) } };
	uLongf stored = sizeof(whole.stored);
	uint64_t ends[NR_BLOCKS];
	struct analysis analysis;
	struct recfile *file;
	int err = 0;
	size_t size;
	char *data, *said;

	(void)state;
	write_file(ends);
	data = read_whole(&size);
	memcpy(&whole.header, data, sizeof(whole.header));
	free(data);
	assert_int_equal(compress(whole.stored, &stored, (const void *)entries,
				  sizeof(entries)), Z_OK);
	whole.block.stored = (uint32_t)stored;
	write_cut((const char *)&whole, offsetof(typeof(whole), stored) + stored);

	assert_int_equal(recfile_open(cut, &file), 0);
	said = CAPTURE(STDERR_FILENO, err = analysis_read(file, 0, &analysis));
	assert_int_equal(err, -EPROTO);
	assert_int_equal(exit_status(err), EXIT_FAILED);
	assert_contains(said, "has records of version 3, this pmadv reads version 2: use the pmadv that recorded it, or a newer one");
	free(said);
	recfile_close(file);
}

/* Two write one file: the second is told who the first is, and harms nothing. */
static void two_writers(void **state)
{
	struct recfile *first, *second = NULL;
	char who[64], *said;
	struct stat before, after;
	int err = 0;

	(void)state;
	assert_int_equal(recfile_create(path, &header, &first), 0);
	assert_int_equal(stat(path, &before), 0);
	said = CAPTURE(STDERR_FILENO, err = recfile_create(path, &header, &second));
	assert_int_equal(err, -EBUSY);
	assert_null(second);
	snprintf(who, sizeof(who), "another pmadv (process %d) is writing", getpid());
	assert_contains(said, who);
	assert_contains(said, "name another file with --output");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	free(said);

	recfile_close(first);
	assert_int_equal(recfile_create(path, &header, &second), 0);
	recfile_close(second);
}

/* Whatever a byte is changed to: no crash, and no entry that was not written. */
static void damaged_anywhere(void **state)
{
	uint64_t ends[NR_BLOCKS], good;
	struct recfile *file;
	size_t size;
	char *data;

	(void)state;
	write_file(ends);
	data = read_whole(&size);
	for (size_t at = sizeof(header); at < size; at++) {
		unsigned int before = 0;

		while (ends[before] <= at)
			before++;
		data[at] ^= 0x55;
		write_cut(data, size);
		assert_int_equal(recfile_open(cut, &file), 0);
		assert_true(count_entries(file) >= before * IN_BLOCK);
		/* The last four bytes of a block's head mean nothing. */
		if (!recfile_damaged(file, &good))
			assert_true((at - (before ? ends[before - 1] : sizeof(header))) / 4 == 3);
		recfile_close(file);
		data[at] ^= 0x55;
	}
	free(data);
}

static void kept_from_harm(void **state)
{
	static const char *const others[] = { "/dev/null", "/etc/passwd" };
	struct recfile *file = NULL;
	uint64_t ends[NR_BLOCKS];
	int err = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		char *said = CAPTURE(STDERR_FILENO,
				     err = recfile_create(others[i], &header, &file));

		assert_int_equal(err, -EEXIST);
		assert_contains(said, "is not a recording");
		assert_int_equal(access(others[i], F_OK), 0);
		free(said);
	}
	/* A link is neither followed nor replaced. */
	unlink(cut);
	assert_int_equal(symlink("/etc/passwd", cut), 0);
	free(CAPTURE(STDERR_FILENO, err = recfile_create(cut, &header, &file)));
	assert_int_equal(err, -EEXIST);
	unlink(cut);

	/* A recording of ours is private, whoever could read the old file. */
	write_file(ends);
	assert_int_equal(chmod(path, 0644), 0);
	write_file(ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(refused), cmocka_unit_test(damaged_anywhere),
		cmocka_unit_test(kept_from_harm), cmocka_unit_test(newer_records),
		cmocka_unit_test(two_writers),
	};

	out_init("test", false, false);
	return cmocka_run_group_tests_name("recfile", tests, begin, end);
}

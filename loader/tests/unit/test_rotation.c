// SPDX-License-Identifier: GPL-2.0
/* When a recording goes on in another file, how the full ones are named, which go. */
#include "test.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <time.h>

#include "recording/rotation.h"

static char folder[] = "/tmp/test_rotation.XXXXXX";
static char path[sizeof(folder) + 16];
static struct rotation rotation;

static void make(const char *name, const char *text)
{
	FILE *file = fopen(name, "wxe");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* What there is in the full files, a letter each, in the order of their names. */
static char *full(void)
{
	char *text = calloc(1, 256), pattern[sizeof(path) + 8];
	glob_t found = { };
	FILE *file;

	snprintf(pattern, sizeof(pattern), "%s.*", path);
	assert_non_null(text);
	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		file = fopen(found.gl_pathv[i], "re");
		assert_non_null(file);
		assert_int_equal(fread(text + i, 1, 1, file), 1);
		fclose(file);
	}
	globfree(&found);
	return text;
}

#define assert_full(want) do {						\
	char *is = full();						\
									\
	assert_string_equal(is, want);					\
	free(is);							\
} while (0)

static int make_folder(void **state)
{
	(void)state;
	strcpy(strchr(folder, '.'), ".XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.rec", folder);
	memset(&rotation, 0, sizeof(rotation));
	rotation.path = path;
	return 0;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	rotation_free(&rotation);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void turn(const char *text)
{
	make(path, text);
	assert_int_equal(rotation_turn(&rotation), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* So that names go over to the next second. */
static void wait_for_end_of_second(void)
{
	struct timespec now;

	do {
		usleep(1000);
		clock_gettime(CLOCK_REALTIME, &now);
	} while (now.tv_nsec < 980000000);
}

static void due(void **state)
{
	(void)state;
	assert_false(rotation_due(&rotation, UINT64_MAX, UINT64_MAX));
	rotation.max_size = 1000;
	assert_false(rotation_due(&rotation, 999, UINT64_MAX));
	assert_true(rotation_due(&rotation, 1000, 0));
	/* More than half of it was there from the beginning: as much again. */
	rotation.base = 800;
	assert_false(rotation_due(&rotation, 1599, 0));
	assert_true(rotation_due(&rotation, 1600, 0));
	rotation.max_time = 60;
	assert_false(rotation_due(&rotation, 800, 59));
	assert_true(rotation_due(&rotation, 800, 60));
}

static void names_sort(void **state)
{
	(void)state;
	wait_for_end_of_second();
	turn("a");
	turn("b");
	turn("c");
	turn("d");
	turn("e");
	assert_full("abcde");
}

static void others_stay(void **state)
{
	char name[sizeof(path) + 64], text[32], theirs[64] = "", *is;
	struct timespec now;
	struct tm tm;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < 50; i++, now.tv_nsec += 10000000) {
		if (now.tv_nsec >= 1000000000) {
			now.tv_nsec -= 1000000000;
			now.tv_sec++;
		}
		localtime_r(&now.tv_sec, &tm);
		strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm);
		snprintf(name, sizeof(name), "%s.%s%02ld", path, text,
			 now.tv_nsec / 10000000);
		make(name, "x");
		strcat(theirs, "x");
	}
	turn("a");
	strcat(theirs, "a");
	is = full();
	assert_string_equal(is, theirs);
	free(is);
}

static void oldest_go(void **state)
{
	char old[sizeof(path) + 8];

	(void)state;
	/* Of an earlier recording, or somebody else's: not ours to remove. */
	snprintf(old, sizeof(old), "%s.0", path);
	make(old, "x");
	rotation.max_files = 3;
	turn("a");
	turn("b");
	assert_full("xab");
	turn("c");
	assert_full("xbc");
	turn("d");
	assert_full("xcd");
	/* One that somebody has moved away. */
	assert_int_equal(unlink(((char **)rotation.full.items)[0]), 0);
	turn("e");
	assert_full("xde");

	/* The one that is being written only. */
	rotation.max_files = 1;
	turn("f");
	assert_full("x");
}

static void where_none_can_be_made(void **state)
{
	char *said;

	(void)state;
	assert_int_equal(rotation_check(&rotation), 0);
	rotation.path = "/proc/self/a.rec";
	said = CAPTURE(2, assert_int_not_equal(rotation_check(&rotation), 0));
	assert_contains(said, "/proc/self: no more files can be made there");
	free(said);
	rotation.path = path;
	/* Nothing to rename. */
	said = CAPTURE(2, assert_int_equal(rotation_turn(&rotation), -ENOENT));
	assert_contains(said, "cannot rename");
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(due, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(names_sort, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(others_stay, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(oldest_go, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(where_none_can_be_made, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests_name("rotation", tests, NULL, NULL);
}

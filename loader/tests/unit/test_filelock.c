// SPDX-License-Identifier: GPL-2.0
/* Locks on files, as two processes see them. */
#include "test.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "lib/filelock.h"

static char path[] = "/tmp/test_filelock.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int open_it(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void one_at_a_time(void **state)
{
	char buf[LOCK_HOLDER_LEN], want[LOCK_HOLDER_LEN];
	int ours = open_it(), theirs = open_it();

	(void)state;
	assert_string_equal(lock_holder(ours, buf), "");
	assert_int_equal(lock_take(ours, path), 0);
	assert_int_equal(lock_take(theirs, path), -EBUSY);
	snprintf(want, sizeof(want), " (process %d)", getpid());
	assert_string_equal(lock_holder(theirs, buf), want);
	close(ours);
	assert_int_equal(lock_take(theirs, path), 0);
	close(theirs);
}

/* The lock does not outlive the process, however that ends. */
static void holder_dies(void **state)
{
	int status, fd;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		_exit(fd < 0 || lock_take(fd, path));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd = open_it();
	assert_int_equal(lock_take(fd, path), 0);
	close(fd);
}

/* A lock on what the path no longer names keeps nobody out, so it is none. */
static void replaced(void **state)
{
	int fd = open_it(), made;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(lock_take(fd, path), -EBUSY);
	made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(made >= 0);
	assert_int_equal(lock_take(fd, path), -EBUSY);
	assert_int_equal(lock_take(made, path), 0);
	close(made);
	close(fd);
	assert_int_equal(lock_take(-1, path), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(holder_dies),
		cmocka_unit_test(replaced),
	};

	return cmocka_run_group_tests_name("filelock", tests, make_file, remove_file);
}

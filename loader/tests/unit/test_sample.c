// SPDX-License-Identifier: GPL-2.0
/* Samples of a process and of the system, and what cannot be read. */
#include "test.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <pmadv/recording.h>

#include "lib/util.h"
#include "proc/sample.h"

static char path[] = "/tmp/test_sample.XXXXXX";

static int make_file(void **state)
{
	static const char text[] = "anon 5\nanon_more 6\nlast 18446744073709551614\n"
				   "no_number x\nnothing\nfile 7";
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || write(fd, text, sizeof(text) - 1) < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void keys(void **state)
{
	uint64_t anon = 1, more = 1, last = 1, file = 1, none = 1, bad = 1;
	const struct sample_key wanted[] = {
		{ "file", &file },
		{ "anon", &anon },
		{ "anon_more", &more },
		{ "anon_less", &none },
		{ "last", &last },
		{ "no_number", &bad },
	};

	(void)state;
	sample_keys(path, wanted, ARRAY_SIZE(wanted));
	assert_int_equal(anon, 5);
	assert_int_equal(more, 6);
	assert_true(last == UINT64_MAX - 1);
	assert_int_equal(file, 7);
	assert_true(none == PMADV_UNKNOWN);
	assert_true(bad == PMADV_UNKNOWN);

	/* Without the file, none of them is known. */
	sample_keys("/no/such/file", wanted, ARRAY_SIZE(wanted));
	assert_true(anon == PMADV_UNKNOWN);
	assert_true(file == PMADV_UNKNOWN);
}

static void target(void **state)
{
	struct target_sample sample;
	pid_t gone = fork();

	(void)state;
	if (!gone)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_int_equal(sample_target(getpid(), &sample), 0);
	assert_true(sample.resident > 0);
	assert_int_equal(sample.resident % page_size(), 0);
	assert_int_not_equal(sample_target(gone, &sample), 0);
}

static void of_system(void **state)
{
	struct system_sample sample;

	(void)state;
	sample_system(&sample);
	assert_true(sample.swapped_in != PMADV_UNKNOWN);
	assert_true(sample.swapped_out != PMADV_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(target),
		cmocka_unit_test(of_system),
	};

	return cmocka_run_group_tests_name("sample", tests, make_file, remove_file);
}

// SPDX-License-Identifier: GPL-2.0
/* Which processes a recording keeps in mind. */
#include "test.h"

#include "proc/maps.h"
#include "recording/seen.h"

static struct seen *note(struct seen_all *all, int32_t tgid, const char *comm)
{
	struct pmadv_record head = { .tgid = tgid };

	snprintf(head.comm, sizeof(head.comm), "%s", comm);
	return seen_note(all, &head);
}

static void remembers(void **state)
{
	struct seen_all all = {};
	struct seen *seen = note(&all, 7, "a");

	(void)state;
	assert_false(seen->fresh);
	seen->fresh = true;
	assert_ptr_equal(note(&all, 7, "a"), seen);
	assert_true(seen->fresh);
	/* Another program has other mappings. */
	note(&all, 7, "b");
	assert_false(seen->fresh);
	assert_string_equal(seen->comm, "b");
	assert_int_equal(all.total, 1);
	seen_free(&all);
}

static void returns(void **state)
{
	struct seen_all all = {};
	struct seen *seen = note(&all, 7, "a");

	(void)state;
	seen->fresh = true;
	seen->gone = true;
	/* A record that was read late, or another process with that number. */
	note(&all, 7, "a");
	assert_false(seen->gone);
	assert_false(seen->fresh);
	seen_forget_gone(&all);
	assert_int_equal(all.list.nr, 1);
	assert_int_equal(all.total, 1);
	seen_free(&all);
}

/* However many have come and gone: those that are left are all that takes memory. */
static void forgets(void **state)
{
	struct seen_all all = {};
	struct seen *seen;

	(void)state;
	note(&all, 1, "stays");
	for (int32_t tgid = 2; tgid < 1000; tgid++) {
		seen = note(&all, tgid, "comes");
		assert_non_null(seen);
		assert_int_equal(maps_read(getpid(), &seen->maps), 0);
		seen->gone = true;
		if (tgid % 10 == 0)
			seen_forget_gone(&all);
		assert_true(all.list.nr <= 11);
	}
	assert_true(all.list.room <= 16);
	assert_int_equal(all.total, 999);
	seen_forget_gone(&all);
	assert_int_equal(all.list.nr, 1);
	assert_string_equal(((struct seen *)all.list.items)->comm, "stays");
	seen_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers),
		cmocka_unit_test(returns),
		cmocka_unit_test(forgets),
	};

	return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/* The option tables: what they accept and refuse, and that they are sound. */
#include "test.h"

#include <pmadv/process_madvise.h>

#include "lib/error.h"
#include "lib/output.h"
#include "options.h"

static int parse(const struct verb *verb, struct args *args, const char *a,
		 const char *b, const char *c)
{
	/* Operands point into it. */
	static const char *argv[5];
	int argc = 1;

	argv[0] = verb->name;
	argv[1] = a;
	argv[2] = b;
	argv[3] = c;
	memset(args, 0, sizeof(*args));
	while (argv[argc])
		argc++;
	return options_parse(verb->options, argc, (char **)argv, false, args);
}

static void refuse(const struct verb *verb, const char *option, const char *value,
		   const char *because)
{
	struct args args;
	int err = 0;
	char *said = CAPTURE(STDERR_FILENO,
			     err = parse(verb, &args, option, value, NULL));

	if (err != -EUSAGE)
		fail_msg("%s %s: %d instead of a refusal", option, value, err);
	assert_contains(said, because);
	free(said);
	args_free(&args);
}

static void accepted(void **state)
{
	struct args args;
	const struct iovec *range;

	(void)state;
	assert_int_equal(parse(&verb_advise, &args, "redis", "--advice=COLD", "-p"), 0);
	assert_int_equal(args.advice, MADV_COLD);
	assert_true(args.policy);
	assert_int_equal(args.nr_operands, 1);
	assert_string_equal(args.operands[0], "redis");
	args_free(&args);

	assert_int_equal(parse(&verb_advise, &args, "-r1000-3000", "-r", "0x5000-0x6000"), 0);
	range = args.ranges.items;
	assert_int_equal(args.ranges.nr, 2);
	assert_ptr_equal(range[0].iov_base, (void *)0x1000);
	assert_int_equal(range[0].iov_len, 0x2000);
	assert_ptr_equal(range[1].iov_base, (void *)0x5000);
	args_free(&args);

	assert_int_equal(parse(&verb_attach, &args, "--set", "a=1", "-sb=2"), 0);
	assert_int_equal(args.set.nr, 2);
	assert_string_equal(((const char **)args.set.items)[1], "b=2");
	args_free(&args);

	/* After "--" everything is an operand. */
	assert_int_equal(parse(&verb_advise, &args, "--", "--policy", NULL), 0);
	assert_false(args.policy);
	assert_string_equal(args.operands[0], "--policy");
}

static void refused(void **state)
{
	(void)state;
	refuse(&verb_advise, "--nothing", NULL, "there is no option --nothing");
	refuse(&verb_advise, "-Z", NULL, "there is no option -Z");
	refuse(&verb_advise, "--advice", NULL, "needs an argument");
	refuse(&verb_advise, "-a", NULL, "option --advice needs an argument");
	refuse(&verb_advise, "--advice", "dontneed", "cold, pageout");
	refuse(&verb_advise, "--dry-run=1", NULL, "--dry-run=1");
	refuse(&verb_advise, "--range", "1000", "START-END");
	refuse(&verb_advise, "--range", "2000-1000", "not after the start");
	refuse(&verb_advise, "--range", "1001-2000", "page size");
	refuse(&verb_advise, "--range", "1000-2001", "page size");
	refuse(&verb_advise, "--max-pages", "0", "from 1");
	refuse(&verb_advise, "--max-pages", "-1", "from 1");
	refuse(&verb_advise, "--max-pages", "1x", "from 1");
	refuse(&verb_advise, "--cursor", "xyz", "hexadecimal");
	refuse(&verb_monitor, "--pid", "0", "process");
	refuse(&verb_monitor, "--pid", "4294967296", "process");
	refuse(&verb_monitor, "--interval", "0", "more than 0");
	refuse(&verb_monitor, "--interval", "soon", "a time");
	refuse(&verb_monitor, "--count", "0", "from 1");
	refuse(&verb_monitor, "--buffer", "big", "a size");
	refuse(&verb_run, "--every", "", "a time");
	refuse(&verb_attach, "--cgroup", "", "cgroup");
}

/* getopt_long() would not report it. */
static void sound(void **state)
{
	(void)state;
	for (const struct verb *const *each = verbs; *each; each++) {
		const struct verb *verb = *each;

		assert_ptr_equal(verb_find(verb->name), verb);
		assert_non_null(verb->run);
		assert_non_null(verb->examples[0].command);
		for (const struct option_def *a = verb->options; a->name; a++) {
			assert_true((a->kind == OPTION_FLAG) == !a->value);
			assert_true(strlen(a->help) > 5);
			for (const struct option_def *b = a + 1; b->name; b++) {
				assert_string_not_equal(a->name, b->name);
				assert_false(a->letter && a->letter == b->letter);
				/* Two options never fill in the same field. */
				assert_false(a->field == b->field);
			}
		}
	}
}

/* Every example is about its verb; tests/run has the program parse them. */
static void examples(void **state)
{
	(void)state;
	for (const struct verb *const *each = verbs; *each; each++) {
		const struct verb *verb = *each;

		for (const struct example *example = verb->examples; example->command;
		     example++) {
			char prefix[32];

			snprintf(prefix, sizeof(prefix), "pmadv %s", verb->name);
			if (strncmp(example->command, prefix, strlen(prefix)))
				fail_msg("example of %s: %s", verb->name, example->command);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted), cmocka_unit_test(refused),
		cmocka_unit_test(sound), cmocka_unit_test(examples),
	};

	out_init("test", false, false);
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's configuration: the result of parsing it, and every error with
 * its line.
 */
#include "test.h"

#include <sys/mman.h>

#include "daemon/config.h"
#include "lib/error.h"
#include "lib/output.h"

static char path[] = "/tmp/pmadv-test-config.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int read_text(const char *text, struct config *config)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return config_read(path, config);
}

static void accepted(void **state)
{
	const struct rule *rule;
	struct config config;

	(void)state;
	assert_int_equal(read_text("# a comment\n"
				   "; another\n"
				   "[daemon]\n"
				   "on-exit = detach\n"
				   "\n"
				   "[rule one]\n"
				   "cgroup=/a/*.scope\n"
				   "command = redis-*   ; at the end\n"
				   "  uid = 1000..60000\n"
				   "oom-score-adj = -5..200\n"
				   "frozen = yes\n"
				   "rss-above = 64M\n"
				   "rss-grew = 8M\n"
				   "min-interval = 10m\n"
				   "idle = 1m\n"
				   "policy = background_app\n"
				   "set = min_bytes=64K\n"
				   "set = skip_young=true\n"
				   "advice = cold\n"
				   "every = 30\n"
				   "pressure = full 150ms 2s\n"
				   "free-under = 1G\n"
				   "bytes-per-second = 8M\n"
				   "cpu = 5%\n"
				   "goal = memory 400M\n"
				   "back-off-refaults = 500\n"
				   "back-off-pressure = 10%\n"
				   "back-off-min = 5s\n"
				   "back-off-max = 5m\n"
				   "[rule two]\n"
				   "uid = root\n"
				   "policy = noop", &config), 0);
	assert_true(config.detach);
	assert_int_equal(config.rules.nr, 2);
	rule = config.rules.items;
	assert_string_equal(rule->name, "one");
	assert_int_equal(rule->line, 6);
	assert_string_equal(rule->cgroup, "/a/*.scope");
	assert_string_equal(rule->command, "redis-*");
	assert_int_equal(rule->uid.low, 1000);
	assert_int_equal(rule->uid.high, 60000);
	assert_int_equal(rule->oom_score_adj.low, -5);
	assert_int_equal(rule->oom_score_adj.high, 200);
	assert_true(rule->frozen);
	assert_int_equal(rule->rss_above, 64 << 20);
	assert_int_equal(rule->rss_grew, 8 << 20);
	assert_true(rule->min_interval_ns == 600ULL * 1000000000);
	assert_int_equal(rule->idle_ns, 60000000000);
	assert_string_equal(rule->policy, "background_app");
	assert_int_equal(rule->set.nr, 2);
	assert_string_equal(((const char **)rule->set.items)[1], "skip_young=true");
	assert_int_equal(rule->advice, MADV_COLD);
	assert_int_equal(rule->pace.every_ns, 30000000000);
	assert_true(rule->pace.on_pressure);
	assert_true(rule->pressure.full);
	assert_int_equal(rule->pressure.stall_ns, 150000000);
	assert_int_equal(rule->free_under, 1 << 30);
	assert_int_equal(rule->pace.pages_per_second, (8 << 20) / page_size());
	assert_int_equal(rule->pace.cpu_percent, 5);
	assert_int_equal(rule->goal.kind, GOAL_MEMORY);
	assert_int_equal(rule->pace.max_refaults, 500);
	assert_int_equal(rule->pace.max_stall_percent, 10);
	assert_int_equal(rule->pace.hold_min_ns, 5000000000);
	assert_int_equal(rule->pace.hold_max_ns, 300000000000);

	/* What is not given. */
	rule++;
	assert_int_equal(rule->line, 30);
	assert_null(rule->cgroup);
	assert_int_equal(rule->uid.low, 0);
	assert_int_equal(rule->uid.high, 0);
	assert_false(rule->oom_score_adj.given);
	assert_int_equal(rule->pace.every_ns, 10000000000);
	assert_int_equal(rule->pace.pages_per_second, 0);
	assert_false(rule->pace.on_pressure);
	config_free(&config);
}

/* @text is refused with a message that has @because, each in its line. */
static void refuse(const char *text, const char *because)
{
	struct config config;
	char part[128];
	int err = 0;
	char *said = CAPTURE(STDERR_FILENO, err = read_text(text, &config));

	if (err != -EUSAGE)
		fail_msg("%s: %d instead of a refusal", text, err);
	snprintf(part, sizeof(part), "%s:%s", path, because);
	assert_contains(said, part);
	free(said);
}

#define RULE	"[rule a]\npolicy = noop\n"

static void refused(void **state)
{
	(void)state;
	refuse("", "0: there is no [rule NAME]");
	refuse("[daemon]\non-exit = leave\n", "2: there is no [rule NAME]");
	refuse("policy = noop\n" RULE, "1: this is in no section");
	refuse("[rules]\npolicy = noop\n", "1: there is no section [rules]");
	refuse("[rule ]\npolicy = noop\n", "1: there is no section [rule");
	refuse("[rule a\npolicy = noop\n", "1: the ] is missing");
	refuse("\n[rule b]\n\n" RULE, "2: nothing is in this section");
	refuse(RULE "[rule b]\n", "3: nothing is in this section");
	refuse("[rule a]\nuid = 0\n", "1: rule a has no policy");
	refuse(RULE "\n[rule b]\nuid = 0\n[rule c]\npolicy = noop\n",
	       "4: rule b has no policy");
	refuse(RULE RULE, "3: there is a rule a in line 1 already");
	refuse(RULE "policy = noop\n", "3: 'policy' was given above");
	refuse(RULE "color = red\n", "3: there is no 'color' in [rule a]");
	refuse("[daemon]\npolicy = noop\n" RULE, "2: there is no 'policy' in [daemon]");
	refuse(RULE "frozen\n", "3: 'frozen' has no value: write it like frozen = yes");
	refuse(RULE "frozen = maybe\n", "3: frozen = maybe: not understood");
	refuse(RULE "cgroup = a\n", "3: cgroup = a: not understood; write it like cgroup = /");
	refuse(RULE "set = min_bytes\n", "3: set = min_bytes: not understood");
	refuse(RULE "advice = free\n", "3: advice = free");
	refuse(RULE "every = 0\n", "3: every = 0: out of range");
	refuse(RULE "every = soon\n", "3: every = soon: not understood; write it like every = 30s");
	refuse(RULE "uid = no_such_user\n", "3: uid = no_such_user");
	refuse(RULE "oom-score-adj = 5..1\n", "3: oom-score-adj = 5..1: out of range");
	refuse(RULE "oom-score-adj = 1..\n", "3: oom-score-adj = 1..");
	refuse(RULE "rss-above = much\n", "3: rss-above = much");
	refuse(RULE "rss-grew = 0\n", "3: rss-grew = 0: out of range");
	refuse(RULE "min-interval = 0\n", "3: min-interval = 0: out of range");
	refuse(RULE "cpu = 5\n", "3: cpu = 5: not understood; write it like cpu = 5%");
	refuse(RULE "cpu = 101%\n", "3: cpu = 101%: out of range");
	refuse(RULE "cpu = 0%\n", "3: cpu = 0%: out of range");
	refuse(RULE "pressure = 150ms 1s\n", "3: pressure = 150ms 1s: not understood");
	refuse(RULE "pressure = none 150ms 1s\n", "3: pressure = none");
	refuse(RULE "pressure = some 2s 1s\n", "3: pressure = some 2s 1s: out of range");
	refuse(RULE "pressure = some 1s 11s\n", "3: pressure = some 1s 11s: out of range");
	refuse(RULE "pressure = some 1s 2s 3s\n", "3: pressure = some 1s 2s 3s");
	refuse(RULE "pages-per-second = 1\nbytes-per-second = 1M\n", "1: rule a has pages-per");
	refuse(RULE "free-under = 1M\nfree-under-percent = 1%\n", "1: rule a has free-under");
	refuse(RULE "back-off-max = 1s\n", "1: rule a: back-off-max is less");
	refuse(RULE "[rule b]\npolicy = cold_pages\n",
	       "3: rule b puts policy cold_pages in force for the system, where rule a in line 1");
	refuse("[rule a]\ncgroup = /x\npolicy = noop\n[rule b]\ncgroup = /x\npolicy = cold_pages\n",
	       "4: rule b puts policy cold_pages in force for /x");
}

/* All mistakes of a file are named, not the first only. */
static void all_of_them(void **state)
{
	struct config config;
	char *said;

	(void)state;
	said = CAPTURE(STDERR_FILENO,
		       read_text("[daemon]\non-exit = never\n[rule a]\nevery = x\nfoo = 1\n",
				 &config));
	assert_contains(said, ":2: on-exit = never");
	assert_contains(said, ":4: every = x");
	assert_contains(said, ":5: there is no 'foo'");
	assert_contains(said, ":3: rule a has no policy");
	free(said);
}

static void long_line(void **state)
{
	struct config config;
	char *text, *said;

	(void)state;
	text = calloc(1, 10000);
	assert_non_null(text);
	strcpy(text, RULE "command = ");
	memset(text + strlen(text), 'x', 5000);
	strcat(text, "\n");
	said = CAPTURE(STDERR_FILENO, read_text(text, &config));
	assert_contains(said, ":3: the line is too long");
	free(said);
	free(text);
}

/* Any prefix of a file is read to an end. */
static void truncated(void **state)
{
	const char *text = "[daemon]\non-exit=leave\n[rule a]\npolicy=noop\nset=a=1\n"
			   "pressure=some 1ms 1s\n[rule b]\nuid=0..5\npolicy=noop\n";
	char *part = strdup(text);

	(void)state;
	assert_non_null(part);
	for (size_t length = strlen(text); length--;) {
		struct config config;

		part[length] = '\0';
		free(CAPTURE(STDERR_FILENO, read_text(part, &config)));
		config_free(&config);
	}
	free(part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted), cmocka_unit_test(refused),
		cmocka_unit_test(all_of_them), cmocka_unit_test(long_line),
		cmocka_unit_test(truncated),
	};

	out_init("test", false, false);
	return cmocka_run_group_tests_name("config", tests, make_file, remove_file);
}

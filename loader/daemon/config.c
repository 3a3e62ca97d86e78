// SPDX-License-Identifier: GPL-2.0
#include "daemon/config.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>
#include <zlib.h>

#include "lib/error.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/text.h"
#include "lib/util.h"
#include "policy/object.h"
#include "policy/policy.h"

#define LINE_LEN		4096
#define SECOND_NS		1000000000ULL
#define DEFAULT_EVERY_NS	(10 * SECOND_NS)
#define DEFAULT_HOLD_MIN_NS	(10 * SECOND_NS)
#define DEFAULT_HOLD_MAX_NS	(600 * SECOND_NS)

static int take_text(const char *text, void *field)
{
	char **to = field;

	if (!*text)
		return -EINVAL;
	*to = strdup(text);
	return *to ? 0 : -ENOMEM;
}

static int take_set(const char *text, void *field)
{
	char **item;

	if (!strchr(text, '='))
		return -EINVAL;
	item = vec_add(field, sizeof(*item));
	return item ? take_text(text, item) : -ENOMEM;
}

static int take_cgroup(const char *text, void *field)
{
	return *text == '/' ? take_text(text, field) : -EINVAL;
}

static int take_advice(const char *text, void *field)
{
	return advice_parse(text, field);
}

static int take_yes(const char *text, void *field)
{
	bool *to = field;

	*to = !strcmp(text, "yes");
	return *to || !strcmp(text, "no") ? 0 : -EINVAL;
}

static int take_exit(const char *text, void *field)
{
	bool *to = field;

	*to = !strcmp(text, "detach");
	return *to || !strcmp(text, "leave") ? 0 : -EINVAL;
}

static int take_count(const char *text, void *field)
{
	uint64_t *to = field;
	int err = parse_u64(text, 10, to);

	return err ? err : *to ? 0 : -ERANGE;
}

static int take_size(const char *text, void *field)
{
	uint64_t *to = field;
	int err = parse_size(text, to);

	return err ? err : *to ? 0 : -ERANGE;
}

static int take_time(const char *text, void *field)
{
	uint64_t *to = field;
	int err = parse_seconds(text, to);

	return err ? err : *to ? 0 : -ERANGE;
}

static int take_percent(const char *text, void *field)
{
	char number[16];
	size_t length = strlen(text);
	int err;

	if (length < 2 || length > sizeof(number) || text[length - 1] != '%')
		return -EINVAL;
	snprintf(number, sizeof(number), "%.*s", (int)length - 1, text);
	err = take_count(number, field);
	return err ? err : *(uint64_t *)field <= 100 ? 0 : -ERANGE;
}

/* N, or LOW..HIGH. */
static int take_span(const char *text, void *field)
{
	const char *dots = strstr(text, "..");
	struct span *to = field;
	char low[24];
	int err;

	snprintf(low, sizeof(low), "%.*s", dots ? (int)(dots - text) : 23, text);
	err = parse_s64(low, 10, &to->low);
	if (!err)
		err = parse_s64(dots ? dots + 2 : low, 10, &to->high);
	if (!err && to->low > to->high)
		err = -ERANGE;
	to->given = !err;
	return err;
}

static int take_uid(const char *text, void *field)
{
	const struct passwd *user = getpwnam(text);
	struct span *to = field;

	if (!user)
		return take_span(text, field);
	to->low = user->pw_uid;
	to->high = user->pw_uid;
	to->given = true;
	return 0;
}

static int take_pressure(const char *text, void *field)
{
	struct pressure *to = field;
	char kind[8], stall[16], window[16], end;

	if (sscanf(text, "%7s %15s %15s %c", kind, stall, window, &end) != 3)
		return -EINVAL;
	to->full = !strcmp(kind, "full");
	if (!to->full && strcmp(kind, "some"))
		return -EINVAL;
	if (take_time(stall, &to->stall_ns) || take_time(window, &to->window_ns))
		return -EINVAL;
	/* The limits of the kernel. */
	if (to->window_ns < SECOND_NS / 2 || to->window_ns > 10 * SECOND_NS ||
	    to->stall_ns > to->window_ns)
		return -ERANGE;
	return 0;
}

static int take_goal(const char *text, void *field)
{
	return goal_parse(text, field);
}

struct key {
	const char *name;
	int (*take)(const char *text, void *field);
	size_t field;
	const char *example;
	const char *help;
};

static const struct key daemon_keys[] = {
	{ "on-exit", take_exit, offsetof(struct config, detach), "detach",
	  "What becomes of the policies when the daemon is asked to end: *leave* "
	  "them in force, pinned, or *detach* them. Default: *leave*" },
	{ }
};

#define F(member)	offsetof(struct rule, member)
static const struct key rule_keys[] = {
	{ "cgroup", take_cgroup, F(cgroup), "/app.slice/*.scope",
	  "Processes in these cgroups and below: a pattern, as **glob**\\(7) has "
	  "it, of paths below the mount point of cgroup v2. The policy is put in "
	  "force for each of these cgroups; without this key, for the system" },
	{ "command", take_text, F(command), "redis-*",
	  "Processes with such a name, or whose program's file is called so: a "
	  "pattern" },
	{ "uid", take_uid, F(uid), "1000..60000",
	  "Processes of a user, by name or number, or of those from one number to "
	  "another" },
	{ "frozen", take_yes, F(frozen), "yes",
	  "With *yes*: processes whose cgroup is frozen" },
	{ "oom-score-adj", take_span, F(oom_score_adj), "200..1000",
	  "Processes whose *oom_score_adj* is that, or from one number to another" },
	{ "rss-above", take_size, F(rss_above), "64M",
	  "Processes of which more than that is resident" },
	{ "rss-grew", take_size, F(rss_grew), "8M",
	  "Of the processes that the rule has walked already: those of which more than "
	  "that became resident since the end of that walk" },
	{ "min-interval", take_time, F(min_interval_ns), "10m",
	  "Walk a process again only when so much has passed since the end of its last "
	  "walk, however often there are rounds" },
	{ "idle", take_time, F(idle_ns), "5m",
	  "Processes that for so long used less than 1% of a CPU. They are walked "
	  "once, and again only after they were busy in between" },
	{ "policy", take_text, F(policy), "background_app",
	  "The policy that decides: a name or a file, as for **pmadv attach**. "
	  "Every rule has one" },
	{ "set", take_set, F(set), "min_bytes=64K",
	  "Set a knob of the policy, as the option of **pmadv attach** does. May be "
	  "given several times" },
	{ "advice", take_advice, F(advice), "pageout",
	  "What is proposed to the policy" },
	{ "every", take_time, F(pace.every_ns), "30s",
	  "Rounds begin that far apart, or farther if one takes longer. Default: 10 "
	  "seconds" },
	{ "pressure", take_pressure, F(pressure), "some 150ms 1s",
	  "Only if, since the last round, tasks were held up for lack of memory for "
	  "more than so much of so long a time (0.5 to 10 seconds): *some* of the "
	  "tasks of the system, or, with *full*, all of them" },
	{ "free-under", take_size, F(free_under), "512M",
	  "Only while less memory than that is available (*MemAvailable*)" },
	{ "free-under-percent", take_percent, F(free_under_percent), "10%",
	  "The same, as a share of all memory" },
	{ "pages-per-second", take_count, F(pace.pages_per_second), "5000",
	  "Deactivate or page out no more pages than that: a round is interrupted, "
	  "and goes on where it was" },
	{ "bytes-per-second", take_size, F(bytes_per_second), "20M",
	  "The same, in bytes" },
	{ "cpu", take_percent, F(pace.cpu_percent), "5%",
	  "Spend no more than that of a CPU on walks" },
	{ "goal", take_goal, F(goal), "psi some 0.1%",
	  "How much to reclaim follows from what comes of it: see **GOALS**" },
	{ "back-off-refaults", take_count, F(pace.max_refaults), "500",
	  "Back off when more pages a second than that are read back soon after "
	  "they were reclaimed (*workingset_refault* of the rule's cgroups together, "
	  "or of the system)" },
	{ "back-off-pressure", take_percent, F(pace.max_stall_percent), "10%",
	  "Back off when tasks are held up for lack of memory for more of the time "
	  "(*some* of the rule's cgroups together, or of the system)" },
	{ "back-off-min", take_time, F(pace.hold_min_ns), "10s",
	  "How long to do nothing, at first. Default: 10 seconds" },
	{ "back-off-max", take_time, F(pace.hold_max_ns), "10m",
	  "How long at most. Default: 10 minutes" },
	{ }
};
#undef F

/* A file that is being read. */
struct reader {
	const char *path;
	FILE *file;
	struct config *config;
	unsigned int line;
	unsigned int header;	/* line of a section that is empty so far */
	unsigned int mistakes;
	char section[LINE_LEN];	/* the current section */
	bool in_rule;		/* the current section is the last rule */
	uint64_t seen;		/* its keys so far */
};

static void mistake(struct reader *reader, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void mistake(struct reader *reader, unsigned int line, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say_error(-EUSAGE, "%s:%u: %s", reader->path, line, text);
	reader->mistakes++;
}

/* inih does not tell line numbers to its caller, and does not report empty sections. */
static char *next_line(char *line, int size, void *data)
{
	struct reader *reader = data;
	char *text = fgets(line, size, reader->file);

	if (reader->header && (!text || text[strspn(text, " \t")] == '[')) {
		mistake(reader, reader->header, "nothing is in this section");
		reader->header = 0;
	}
	if (!text)
		return NULL;

	reader->line++;
	if (!strchr(text, '\n') && !feof(reader->file))
		mistake(reader, reader->line, "the line is too long");
	text += strspn(text, " \t");
	if (*text == '[') {
		reader->header = reader->line;
		if (!strchr(text, ']'))
			mistake(reader, reader->line, "the ] is missing");
	}
	return line;
}

static struct rule *last_rule(struct config *config)
{
	return (struct rule *)config->rules.items + config->rules.nr - 1;
}

static struct rule *find_rule(struct config *config, const char *name)
{
	struct rule *rule = config->rules.items;

	for (size_t i = 0; i < config->rules.nr; i++)
		if (!strcmp(rule[i].name, name))
			return &rule[i];
	return NULL;
}

static void begin_rule(struct reader *reader, const char *name, unsigned int line)
{
	const struct rule *other = find_rule(reader->config, name);
	struct rule *rule;

	if (other)
		mistake(reader, line, "there is a rule %s in line %u already", name,
			other->line);
	rule = vec_add(&reader->config->rules, sizeof(*rule));
	if (!rule)
		return;
	rule->name = strdup(name);
	rule->line = line;
	rule->pace.every_ns = DEFAULT_EVERY_NS;
	rule->pace.hold_min_ns = DEFAULT_HOLD_MIN_NS;
	rule->pace.hold_max_ns = DEFAULT_HOLD_MAX_NS;
	reader->in_rule = true;
}

static void end_rule(struct reader *reader)
{
	struct rule *rule;

	if (!reader->in_rule)
		return;
	rule = last_rule(reader->config);
	reader->in_rule = false;
	if (!rule->policy)
		mistake(reader, rule->line, "rule %s has no policy", rule->name);
	if (rule->bytes_per_second && rule->pace.pages_per_second)
		mistake(reader, rule->line,
			"rule %s has pages-per-second and bytes-per-second: one is enough",
			rule->name);
	if (rule->free_under && rule->free_under_percent)
		mistake(reader, rule->line,
			"rule %s has free-under and free-under-percent: one is enough",
			rule->name);
	if (rule->goal.kind == GOAL_MEMORY && !rule->cgroup)
		mistake(reader, rule->line,
			"rule %s has no cgroup: a goal for memory is about that of cgroups",
			rule->name);
	if (rule->pace.hold_max_ns < rule->pace.hold_min_ns)
		mistake(reader, rule->line, "rule %s: back-off-max is less than back-off-min",
			rule->name);
	if (rule->bytes_per_second)
		rule->pace.pages_per_second = rule->bytes_per_second / page_size() ?: 1;
	rule->pace.on_pressure = rule->pressure.window_ns;
}

/* The keys of the section, or NULL. */
static const struct key *enter_section(struct reader *reader, const char *section)
{
	unsigned int line = reader->header ? reader->header : reader->line;
	const char *name = section + strlen("rule ");

	if (reader->header || !*section || strcmp(section, reader->section)) {
		end_rule(reader);
		reader->seen = 0;
		reader->header = 0;
		snprintf(reader->section, sizeof(reader->section), "%s", section);
		if (!strncmp(section, "rule ", 5) && name[strspn(name, " \t")])
			begin_rule(reader, name + strspn(name, " \t"), line);
		else if (!*section)
			mistake(reader, line, "this is in no section: [daemon] or [rule NAME]");
		else if (strcmp(section, "daemon"))
			mistake(reader, line, "there is no section [%s]: it is [daemon] or [rule NAME]",
				section);
	}
	if (reader->in_rule)
		return rule_keys;
	return strcmp(section, "daemon") ? NULL : daemon_keys;
}

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return keys;
	return NULL;
}

static int on_key(void *data, const char *section, const char *name, const char *value)
{
	struct reader *reader = data;
	const struct key *keys = enter_section(reader, section), *key;
	char *base;
	uint64_t bit;
	int err;

	if (!keys)
		return 1;
	key = find_key(keys, name);
	if (!key) {
		mistake(reader, reader->line, "there is no '%s' in [%s]", name, section);
		return 1;
	}
	if (!value) {
		mistake(reader, reader->line, "'%s' has no value: write it like %s = %s",
			name, name, key->example);
		return 1;
	}
	bit = 1ULL << (key - keys);
	if (reader->seen & bit && key->take != take_set) {
		mistake(reader, reader->line, "'%s' was given above", name);
		return 1;
	}
	reader->seen |= bit;

	base = reader->in_rule ? (char *)last_rule(reader->config) :
				 (char *)reader->config;
	err = key->take(value, base + key->field);
	if (err)
		mistake(reader, reader->line, "%s = %s: %s; write it like %s = %s", name,
			value, err == -ERANGE ? "out of range" : "not understood", name,
			key->example);
	return 1;
}

/*
 * There is one policy for a scope, so rules for the same scope must agree.
 * Whether two patterns match the same cgroup shows only when they are looked
 * up.
 */
static void check_scopes(struct reader *reader)
{
	const struct rule *rule = reader->config->rules.items;

	for (size_t i = 0; i < reader->config->rules.nr; i++) {
		for (size_t j = 0; j < i; j++) {
			const char *a = rule[i].cgroup ? rule[i].cgroup : "";
			const char *b = rule[j].cgroup ? rule[j].cgroup : "";

			if (strcmp(a, b) || !rule[i].policy || !rule[j].policy ||
			    !strcmp(rule[i].policy, rule[j].policy))
				continue;
			mistake(reader, rule[i].line,
				"rule %s puts policy %s in force for %s, where rule %s in line %u has %s: give them cgroups of their own",
				rule[i].name, rule[i].policy, *a ? a : "the system",
				rule[j].name, rule[j].line, rule[j].policy);
		}
	}
}

int config_read(const char *path, struct config *config)
{
	struct reader reader = { .path = path, .config = config };
	int line;

	memset(config, 0, sizeof(*config));
	reader.file = fopen(path, "re");
	if (!reader.file)
		return say_error(-errno, "%s: %s", path, strerror(errno));

	ini_use_stack = false;
	ini_max_line = LINE_LEN;
	ini_initial_alloc = LINE_LEN;
	ini_allow_multiline = false;
	ini_allow_no_value = true;
	line = ini_parse_stream(next_line, &reader, on_key, &reader);
	fclose(reader.file);
	end_rule(&reader);

	if (line > 0 && !reader.mistakes)
		mistake(&reader, (unsigned int)line, "not understood");
	else if (line < 0)
		reader.mistakes++;
	if (!reader.mistakes && !config->rules.nr)
		mistake(&reader, reader.line, "there is no [rule NAME]: nothing to do");
	check_scopes(&reader);
	if (!reader.mistakes)
		return 0;
	config_free(config);
	return -EUSAGE;
}

/* Equal fingerprints mean policies that decide in the same way. */
static int take_fingerprint(struct rule *rule)
{
	const char *const *set = rule->set.items;
	char path[PATH_MAX], buf[4096];
	FILE *object;
	size_t got;
	uLong sum;
	int err;

	err = object_find(rule->policy, path);
	if (err)
		return err;
	object = fopen(path, "re");
	if (!object)
		return say_error(-errno, "%s: %s", path, strerror(errno));

	sum = crc32(0, NULL, 0);
	while ((got = fread(buf, 1, sizeof(buf), object)))
		sum = crc32(sum, (const Bytef *)buf, (uInt)got);
	fclose(object);
	for (size_t i = 0; i < rule->set.nr; i++)
		sum = crc32(sum, (const Bytef *)set[i], (uInt)strlen(set[i]) + 1);
	rule->fingerprint = (uint32_t)sum;
	return 0;
}

int config_check_policies(const char *path, struct config *config)
{
	struct rule *rule = config->rules.items;
	int first = 0;

	for (size_t i = 0; i < config->rules.nr; i++) {
		struct policy policy;
		int err;

		err = policy_open(&policy, rule[i].policy);
		if (!err)
			err = policy_set(&policy, &rule[i].set, NULL);
		if (!err)
			err = take_fingerprint(&rule[i]);
		policy_close(&policy);
		if (!err)
			continue;
		say_error(-EUSAGE, "%s:%u: rule %s: its policy %s cannot be used", path,
			  rule[i].line, rule[i].name, rule[i].policy);
		first = -EUSAGE;
	}
	return first;
}

void config_free(struct config *config)
{
	struct rule *rule = config->rules.items;

	for (size_t i = 0; i < config->rules.nr; i++, rule++) {
		char **set = rule->set.items;

		for (size_t j = 0; j < rule->set.nr; j++)
			free(set[j]);
		vec_free(&rule->set);
		free(rule->name);
		free(rule->cgroup);
		free(rule->command);
		free(rule->policy);
		goal_free(&rule->goal);
	}
	vec_free(&config->rules);
}

static void dump_keys(const char *section, const struct key *keys)
{
	out_text("Section **[%s]**:\n\n", section);
	for (; keys->name; keys++)
		out_text("**%s** = ``%s``\n\t%s.\n\n", keys->name, keys->example, keys->help);
}

void config_dump_keys(void)
{
	out_text("CONFIGURATION FILE\n==================\n\n"
		 "Keys of each section, each with an example. Lines that begin with # or ; "
		 "are comments.\n\n");
	dump_keys("daemon", daemon_keys);
	dump_keys("rule NAME", rule_keys);
}

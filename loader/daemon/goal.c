// SPDX-License-Identifier: GPL-2.0
#include "daemon/goal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "lib/util.h"

#define SECOND_NS	1000000000.0

/* A positive number, with @unit behind it and nothing else. */
static int take_number(const char *text, const char *unit, double *number)
{
	char *end;

	/* strtod() takes names of numbers, and hexadecimal ones. */
	if (!strspn(text, "0123456789.") || strcspn(text, "xX") != strlen(text))
		return -EINVAL;
	errno = 0;
	*number = strtod(text, &end);
	if (strcmp(end, unit))
		return -EINVAL;
	return errno || !isfinite(*number) || *number <= 0 ? -ERANGE : 0;
}

static int take_percent(const char *text, double *number)
{
	int err = take_number(text, "%", number);

	return err ? err : *number <= 100 ? 0 : -ERANGE;
}

static int take_bytes(const char *text, double *number)
{
	uint64_t bytes;
	int err = parse_size(text, &bytes);

	*number = (double)bytes;
	return err ? err : bytes ? 0 : -ERANGE;
}

static int take_psi(char *const *words, struct goal *goal)
{
	return strcmp(words[0], "some") ? -EINVAL : take_percent(words[1], &goal->number);
}

static int take_refaults(char *const *words, struct goal *goal)
{
	return take_number(words[0], "/s", &goal->number);
}

static int take_memory(char *const *words, struct goal *goal)
{
	return take_bytes(words[0], &goal->number);
}

static int take_free(char *const *words, struct goal *goal)
{
	goal->of_all_memory = strchr(words[0], '%');
	return goal->of_all_memory ? take_percent(words[0], &goal->number) :
				     take_bytes(words[0], &goal->number);
}

static int take_file(char *const *words, struct goal *goal)
{
	if (*words[0] != '/')
		return -EINVAL;
	goal->path = strdup(words[0]);
	return goal->path ? take_number(words[1], "", &goal->number) : -ENOMEM;
}

static const struct goal_kind_def {
	const char *name;
	int words;		/* behind the name */
	int (*take)(char *const *words, struct goal *goal);
} kinds[] = {
	[GOAL_PSI] = { "psi", 2, take_psi },
	[GOAL_REFAULTS] = { "refaults", 1, take_refaults },
	[GOAL_MEMORY] = { "memory", 1, take_memory },
	[GOAL_FREE] = { "free", 1, take_free },
	[GOAL_FILE] = { "file", 2, take_file },
};

static int parse_words(char *text, struct goal *goal)
{
	char *words[4], *rest = text;
	int nr = 0;

	while (nr < 4 && (words[nr] = strtok_r(nr ? NULL : text, " \t", &rest)))
		nr++;
	for (size_t i = GOAL_PSI; nr && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(words[0], kinds[i].name) || nr != kinds[i].words + 1)
			continue;
		goal->kind = (enum goal_kind)i;
		return kinds[i].take(words + 1, goal);
	}
	return -EINVAL;
}

int goal_parse(const char *text, struct goal *goal)
{
	char *copy = strdup(text);
	int err;

	memset(goal, 0, sizeof(*goal));
	goal->text = strdup(text);
	err = copy && goal->text ? parse_words(copy, goal) : -ENOMEM;
	free(copy);
	if (err)
		goal_free(goal);
	return err;
}

void goal_resolve(struct goal *goal, uint64_t total_bytes)
{
	if (goal->of_all_memory)
		goal->number *= (double)total_bytes / 100;
	goal->of_all_memory = false;
}

void goal_free(struct goal *goal)
{
	free(goal->path);
	free(goal->text);
	memset(goal, 0, sizeof(*goal));
}

static bool is_counter(enum goal_kind kind)
{
	return kind == GOAL_PSI || kind == GOAL_REFAULTS;
}

/* Counters of removed cgroups are missing in the sum, so it may fall. */
static double per_second(double before, double now, uint64_t passed_ns)
{
	return now > before ? (now - before) * SECOND_NS / (double)passed_ns : 0;
}

static uint64_t clamp_rate(double rate, uint64_t max)
{
	uint64_t least = max < GOAL_MIN_RATE ? max : GOAL_MIN_RATE;

	if (rate >= (double)max)
		return max;
	return rate > (double)least ? (uint64_t)rate : least;
}

/* @used: bytes a second that were advised. */
static void judge_pressure(struct goal_control *control, double number, uint64_t max,
			   double used)
{
	double rate = (double)control->rate;

	if (control->value > number) {
		control->state = GOAL_REACHED;
		rate /= 2;
	} else if (control->value <= number * 4 / 5) {
		/* How much more would be harmless shows only if this much was tried. */
		if (control->state == GOAL_RECLAIMS && used * 2 >= rate)
			rate += rate / 4;
		control->state = GOAL_RECLAIMS;
	} else if (control->state == GOAL_UNKNOWN) {
		control->state = GOAL_RECLAIMS;
	}
	control->rate = clamp_rate(rate, max);
}

static void judge_amount(struct goal_control *control, double number, double missing,
			 uint64_t max)
{
	if (missing <= 0)
		control->state = GOAL_REACHED;
	else if (control->state != GOAL_REACHED || missing > number / 32)
		control->state = GOAL_RECLAIMS;
	control->rate = clamp_rate(missing / GOAL_DISTANCE_S, max);
}

static void judge(struct goal_control *control, const struct goal *goal, uint64_t max,
		  const struct goal_reading *reading)
{
	uint64_t passed = reading->now_ns - control->begin.now_ns;

	control->value = reading->number;
	if (is_counter(goal->kind))
		control->value = per_second(control->begin.number, reading->number, passed);
	if (goal->kind == GOAL_PSI)
		control->value *= 100 / SECOND_NS;

	if (goal->kind == GOAL_MEMORY)
		judge_amount(control, goal->number, control->value - goal->number, max);
	else if (goal->kind == GOAL_FREE)
		judge_amount(control, goal->number, goal->number - control->value, max);
	else
		judge_pressure(control, goal->number, max,
			       per_second((double)control->begin.advised,
					  (double)reading->advised, passed));
}

bool goal_step(struct goal_control *control, const struct goal *goal, uint64_t max_rate,
	       const struct goal_reading *reading)
{
	bool begins = !control->begun;

	if (!reading->known) {
		control->state = GOAL_UNKNOWN;
		control->begun = false;
		return true;
	}
	if (!begins && reading->now_ns - control->begin.now_ns < GOAL_PERIOD_NS)
		return false;
	/* The first reading of a counter says nothing yet. */
	if (!begins || !is_counter(goal->kind))
		judge(control, goal, max_rate ? max_rate : GOAL_MAX_RATE, reading);
	control->begun = true;
	control->begin = *reading;
	return true;
}

const char *goal_state_text(enum goal_state state)
{
	static const char *const names[] = {
		[GOAL_UNKNOWN] = "unknown",
		[GOAL_RECLAIMS] = "reclaims",
		[GOAL_REACHED] = "reached",
	};

	return names[state];
}

const char *goal_value_text(enum goal_kind kind, double value, char buf[GOAL_VALUE_LEN])
{
	static const char *const units[] = { [GOAL_PSI] = " %", [GOAL_REFAULTS] = "/s",
					     [GOAL_FILE] = "" };
	char bytes[HUMAN_LEN];

	if (kind == GOAL_MEMORY || kind == GOAL_FREE)
		snprintf(buf, GOAL_VALUE_LEN, "%s", human_bytes(round_u64(value), bytes));
	else
		snprintf(buf, GOAL_VALUE_LEN, "%.4g%s", value, units[kind]);
	return buf;
}

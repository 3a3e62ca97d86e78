// SPDX-License-Identifier: GPL-2.0
#include "daemon/goal_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/reconcile.h"
#include "lib/json.h"
#include "lib/text.h"

#define GOALS_DIR	"/run/pmadv"
#define TEMPORARY	GOALS_PATH ".new"

static const enum goal_state states[] = { GOAL_UNKNOWN, GOAL_RECLAIMS, GOAL_REACHED };

struct json_object *shown_goal_json(const struct shown_goal *shown)
{
	struct json_object *line = json_line("goal");

	json_text(line, "rule", shown->rule);
	json_text(line, "goal", shown->goal);
	json_text(line, "state", goal_state_text(shown->state));
	json_add(line, "value", shown->state == GOAL_UNKNOWN ?
				NULL : json_object_new_double(shown->value));
	json_number(line, "rate", shown->rate);
	return line;
}

const char *shown_goal_text(const struct shown_goal *shown, char buf[SHOWN_GOAL_LEN])
{
	char value[GOAL_VALUE_LEN], rate[HUMAN_LEN], now[128];
	struct goal goal;

	if (shown->state == GOAL_UNKNOWN || goal_parse(shown->goal, &goal)) {
		snprintf(now, sizeof(now), "not known, nothing is reclaimed");
	} else {
		goal_value_text(goal.kind, shown->value, value);
		goal_free(&goal);
		snprintf(now, sizeof(now), "%s, %s%s%s", value,
			 shown->state == GOAL_REACHED ? "reached" : "reclaims up to ",
			 shown->state == GOAL_REACHED ? "" : human_bytes(shown->rate, rate),
			 shown->state == GOAL_REACHED ? "" : " a second");
	}
	snprintf(buf, SHOWN_GOAL_LEN, "rule %s: goal %s: %s", shown->rule, shown->goal, now);
	return buf;
}

static int write_lines(FILE *to, const struct vec *goals)
{
	const struct shown_goal *goal = goals->items;

	for (size_t i = 0; i < goals->nr; i++) {
		struct json_object *line = shown_goal_json(&goal[i]);

		if (!line)
			return -ENOMEM;
		fprintf(to, "%s\n", json_object_to_json_string_ext(line, JSON_STYLE));
		json_object_put(line);
	}
	/* It is for everybody to read, as sysfs is. */
	return fflush(to) || fchmod(fileno(to), 0644) ? -errno : 0;
}

int goals_write(const struct vec *goals)
{
	FILE *to;
	int err;

	if (mkdir(GOALS_DIR, 0755) && errno != EEXIST)
		return -errno;
	to = fopen(TEMPORARY, "we");
	if (!to)
		return -errno;
	err = write_lines(to, goals);
	fclose(to);
	if (!err && rename(TEMPORARY, GOALS_PATH))
		err = -errno;
	if (err)
		unlink(TEMPORARY);
	return err;
}

void goals_remove(void)
{
	unlink(GOALS_PATH);
}

static enum goal_state state_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (text && !strcmp(text, goal_state_text(states[i])))
			return states[i];
	return GOAL_UNKNOWN;
}

static int add_line(struct vec *goals, struct json_object *line)
{
	struct shown_goal *shown = vec_add(goals, sizeof(*shown));
	const char *rule, *goal;

	if (!shown)
		return -ENOMEM;
	rule = json_object_get_string(json_object_object_get(line, "rule"));
	goal = json_object_get_string(json_object_object_get(line, "goal"));
	snprintf(shown->rule, sizeof(shown->rule), "%s", rule ? rule : "");
	snprintf(shown->goal, sizeof(shown->goal), "%s", goal ? goal : "");
	clean_text(shown->rule);
	clean_text(shown->goal);
	shown->state =
		state_of(json_object_get_string(json_object_object_get(line, "state")));
	shown->value = json_object_get_double(json_object_object_get(line, "value"));
	shown->rate = json_object_get_uint64(json_object_object_get(line, "rate"));
	return 0;
}

int goals_read(struct vec *goals)
{
	char text[1024];
	FILE *from;
	int err = 0;

	/* What a daemon that was killed left there says nothing. */
	from = scopes_owner() ? fopen(GOALS_PATH, "re") : NULL;
	if (!from)
		return 0;
	while (!err && fgets(text, sizeof(text), from)) {
		struct json_object *line = json_tokener_parse(text);

		if (json_object_is_type(line, json_type_object))
			err = add_line(goals, line);
		json_object_put(line);
	}
	fclose(from);
	if (err)
		vec_free(goals);
	return err;
}

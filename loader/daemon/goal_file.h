/* SPDX-License-Identifier: GPL-2.0 */
/* How the daemon's goals stand, for other verbs: a file with a JSON line for each. */
#ifndef PMADV_GOAL_FILE_H
#define PMADV_GOAL_FILE_H

#include <json-c/json.h>

#include "daemon/goal.h"
#include "lib/util.h"

#define GOALS_PATH	"/run/pmadv/goals.json"

struct shown_goal {
	char rule[64];
	char goal[256];
	enum goal_state state;
	double value;		/* in the unit of the goal, unless its state is unknown */
	uint64_t rate;		/* bytes a second */
};

/* A JSON line of type "goal". */
struct json_object *shown_goal_json(const struct shown_goal *shown);

/* "rule apps: goal psi some 0.1%: 0.03 %, reclaims up to 12M a second"; returns @buf. */
#define SHOWN_GOAL_LEN	512
const char *shown_goal_text(const struct shown_goal *shown, char buf[SHOWN_GOAL_LEN]);

/* Replace the file at once by what is in @goals, of struct shown_goal. 0 or -errno. */
int goals_write(const struct vec *goals);
void goals_remove(void);

/*
 * The goals of the daemon that runs: none if no daemon does, or if this process may not
 * know. Returns 0 or -ENOMEM.
 */
int goals_read(struct vec *goals);

#endif /* PMADV_GOAL_FILE_H */

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/goal_file.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/hook.h"
#include "policy/links.h"
#include "policy/sysfs.h"

static const struct option_def options[] = {
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv list", "the policies in force, and what they did so far" },
	{ "pmadv list --json | jq -r .policy", "their names" },
	{ }
};

static const char *const columns[] = {
	"POLICY", "SCOPE", "STATE", ">LINK", ">CALLS", ">SEEN", ">ADVISED", ">SKIPPED",
	">REFUSED", ">FAILED", ">BYTES", ">RECLAIMED", ">TIME", "PIN", NULL
};

static int print_json(const struct policy_link *link, const struct sysfs_policy *counts,
		      const char *scope, const char *state)
{
	struct json_object *line = json_line("policy");

	json_text(line, "policy", link->name);
	json_text(line, "scope", scope);
	json_number(line, "cgroup_id", link->cgroup_id);
	json_text(line, "state", state);
	json_number(line, "link_id", link->link_id);
	json_number(line, "map_id", link->map_id);
	json_text(line, "pin", link->pin);
	if (counts) {
		const struct pmadv_result *sum = &counts->counts;
		char refused[ADVICES_TEXT_LEN];

		json_text(line, "inner_refused",
			  advices_text(counts->inner_refused, refused));
		json_number(line, "calls", counts->calls);
		json_ranges(line, sum);
		json_number(line, "errors", counts->errors);
		json_number(line, "invalid_verdicts", counts->invalid_verdicts);
		json_number(line, "bytes_advised", sum->bytes_advised);
		json_stats(line, &sum->stats);
	}
	return json_print(line);
}

static int print_row(struct libscols_table *table, const struct policy_link *link,
		     const struct sysfs_policy *counts, const char *scope,
		     const char *state)
{
	char id[HUMAN_LEN], calls[HUMAN_LEN], seen[HUMAN_LEN], advised[HUMAN_LEN],
	     skipped[HUMAN_LEN], refused[HUMAN_LEN], failed[HUMAN_LEN],
	     bytes[HUMAN_LEN], reclaimed[HUMAN_LEN], time[HUMAN_LEN];
	char bounded[ADVICES_TEXT_LEN + 32], never[ADVICES_TEXT_LEN];
	const char *pin = link->pin ? link->pin : "-";

	snprintf(id, sizeof(id), "%u", link->link_id);
	if (!counts)
		return table_row(table, link->name, scope, state, id, "-", "-", "-", "-",
				 "-", "-", "-", "-", "-", pin);

	if (counts->inner_refused) {
		snprintf(bounded, sizeof(bounded), "%s, inside no %s", state,
			 advices_text(counts->inner_refused, never));
		state = bounded;
	}
	return table_row(table, link->name, scope, state, id,
			 human_count(counts->calls, calls),
			 human_count(counts->counts.ranges_seen, seen),
			 human_count(counts->counts.ranges_advised, advised),
			 human_count(counts->counts.ranges_skipped, skipped),
			 human_count(counts->counts.ranges_refused, refused),
			 human_count(counts->counts.ranges_failed, failed),
			 human_bytes(counts->counts.bytes_advised, bytes),
			 human_bytes(counts->counts.stats.reclaimed * page_size(),
				     reclaimed),
			 human_time(counts->counts.stats.time_ns, time), pin);
}

static int print_link(struct libscols_table *table, const struct policy_link *link,
		      const struct sysfs_policy *counts)
{
	const char *state = link->map_id ? "in force" : "gone, still pinned";
	char *scope = link->map_id ? scope_text(link->cgroup_id) : strdup("-");
	int err;

	if (!scope)
		return say_no_memory();
	if (out_json())
		err = print_json(link, counts, scope, state);
	else
		err = print_row(table, link, counts, scope, state);
	free(scope);
	return err;
}

/* Without the right to look at BPF links, show the contents of sysfs. */
static int links_from_sysfs(const struct vec *policies, struct vec *links)
{
	const struct sysfs_policy *policy = policies->items;

	for (size_t i = 0; i < policies->nr; i++) {
		struct policy_link *link = vec_add(links, sizeof(*link));

		if (!link)
			return say_no_memory();
		memcpy(link->name, policy[i].name, sizeof(link->name));
		link->cgroup_id = policy[i].cgroup_id;
		link->link_id = (uint32_t)policy[i].link_id;
		/*
		 * The map is not known, but must not be 0, because the policy
		 * is in force.
		 */
		link->map_id = UINT32_MAX;
	}
	return 0;
}

static int print_ejections(void)
{
	char last[PMADV_NAME_LEN + PMADV_EXIT_MSG_LEN + 64] = "";
	uint64_t count = 0;

	if (sysfs_ejected(&count) || !count || sysfs_last_ejection(last, sizeof(last)))
		return 0;

	if (out_json()) {
		struct json_object *line = json_line("ejections");

		json_number(line, "count", count);
		json_text(line, "last", last);
		return json_print(line);
	}
	out_text("%" PRIu64 " ejected since boot, the last: %s\n", count, last);
	return out_flush();
}

static int print_goals(void)
{
	struct vec goals = { };
	const struct shown_goal *goal;
	char text[SHOWN_GOAL_LEN];
	int err = 0;

	if (goals_read(&goals))
		return say_no_memory();
	goal = goals.items;
	for (size_t i = 0; i < goals.nr && !err; i++) {
		if (out_json())
			err = json_print(shown_goal_json(&goal[i]));
		else
			out_text("%s\n", shown_goal_text(&goal[i], text));
	}
	vec_free(&goals);
	return err ? err : out_flush();
}

static int list_run(const struct args *args)
{
	struct vec policies = { }, links = { };
	struct libscols_table *table = NULL;
	const struct policy_link *link;
	int err;

	(void)args;
	err = hook_check();
	if (err)
		return err;
	err = sysfs_policies(&policies);
	if (err && err != -ELACKS)
		return say_error(err, SYSFS_DIR ": %s", error_text(err));

	err = policy_links(&policies, &links);
	if (err == -EPERM) {
		say_warning("no permission to look at BPF links (this needs CAP_SYS_ADMIN): showing what sysfs has, without pins");
		err = links_from_sysfs(&policies, &links);
	} else if (err) {
		say_error(err, "cannot look at BPF links: %s", error_text(err));
	}
	if (err)
		goto out;

	table = table_new(columns);
	if (!table) {
		err = say_no_memory();
		goto out;
	}
	link = links.items;
	for (size_t i = 0; i < links.nr && !err; i++)
		err = print_link(table, &link[i],
				 link[i].map_id ?
				 sysfs_policy_of_link(&policies, link[i].link_id) : NULL);
	if (!err && !out_json() && links.nr)
		err = table_print(table);
	if (!err && !links.nr)
		say_note("no policy is attached");
	if (!err)
		err = print_ejections();
	if (!err)
		err = print_goals();
out:
	scols_unref_table(table);
	policy_links_free(&links);
	vec_free(&policies);
	return err;
}

const struct verb verb_list = {
	.name = "list",
	.operands = "",
	.min_operands = 0,
	.max_operands = 0,
	.summary = "Show the policies in force, their scopes and counters, as the kernel has them.",
	.options = options,
	.examples = examples,
	.run = list_run,
};

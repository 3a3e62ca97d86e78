// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/goal_file.h"
#include "lib/error.h"
#include "lib/output.h"
#include "lib/privileges.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/engines.h"
#include "policy/hook.h"
#include "policy/metrics.h"

static const struct option_def options[] = {
	{ "output", 'o', OPTION_TEXT, offsetof(struct args, output), "FILE",
	  "replace FILE at once, so that no reader sees a part; default: standard output" },
	{ "interval", 'i', OPTION_SECONDS, offsetof(struct args, interval), "TIME",
	  "with --output: again every TIME, like 15 or 1m, until Ctrl-C" },
	OPTIONS_COMMON
};

static double value_of(const struct shown_goal *goal)
{
	return goal->state == GOAL_UNKNOWN ? NAN : goal->value;
}

static double is_reached(const struct shown_goal *goal)
{
	return goal->state == GOAL_REACHED;
}

static double rate_of(const struct shown_goal *goal)
{
	return goal->state == GOAL_RECLAIMS ? (double)goal->rate : 0;
}

static const struct {
	const char *name;
	double (*value)(const struct shown_goal *goal);
	const char *help;
} goal_metrics[] = {
	{ "pmadv_goal_value", value_of,
	  "What the goal of a rule of the daemon is about, in the goal's unit." },
	{ "pmadv_goal_reached", is_reached, "1 if it is reached." },
	{ "pmadv_goal_rate_bytes", rate_of,
	  "How much the rule may reclaim in a second for its goal." },
};

static const struct example examples[] = {
	{ "pmadv metrics", "print them once" },
	{ "pmadv metrics -i 15 -o /var/lib/prometheus/node-exporter/pmadv.prom",
	  "every 15 seconds, for the textfile collector of node_exporter" },
	{ }
};

/* Of the daemon that runs, if one does and has some. */
static int put_goals(FILE *to)
{
	struct vec goals = { };
	const struct shown_goal *goal;

	if (goals_read(&goals))
		return say_no_memory();
	goal = goals.items;
	for (size_t i = 0; i < ARRAY_SIZE(goal_metrics) && goals.nr; i++) {
		metrics_put_head(to, goal_metrics[i].name, "gauge", goal_metrics[i].help);
		for (size_t j = 0; j < goals.nr; j++) {
			fprintf(to, "%s{rule=\"", goal_metrics[i].name);
			metrics_put_label(to, goal[j].rule);
			fputs("\",goal=\"", to);
			metrics_put_label(to, goal[j].goal);
			fprintf(to, "\"} %.10g\n", goal_metrics[i].value(&goal[j]));
		}
	}
	vec_free(&goals);
	return 0;
}

static int put_metrics(FILE *to)
{
	struct vec policies = { };
	int err;

	err = policies_at_work(&policies);
	if (err)
		return policies_say_error(err);
	err = metrics_write(to, &policies, hook_present());
	vec_free(&policies);
	return err ? err : put_goals(to);
}

static int write_temporary(int fd)
{
	FILE *to = fdopen(fd, "w");
	int err;

	if (!to) {
		err = -errno;
		close(fd);
		return err;
	}
	err = put_metrics(to);
	/* node_exporter runs as another user. */
	if (!err && (fflush(to) || fchmod(fd, 0644)))
		err = say_error(-errno, "cannot write the metrics: %s", strerror(errno));
	fclose(to);
	return err;
}

/* Beside @path, with a suffix that readers of the folder ignore. */
static int write_file(const char *path)
{
	char *temporary = format_string("%s.XXXXXX", path);
	int err, fd;

	fd = temporary ? mkostemp(temporary, O_CLOEXEC) : -1;
	if (fd < 0) {
		err = say_error(-errno, "cannot create a file beside %s: %s", path,
				strerror(errno));
		free(temporary);
		return err;
	}
	err = write_temporary(fd);
	if (!err && rename(temporary, path))
		err = say_error(-errno, "cannot replace %s: %s", path, strerror(errno));
	if (err)
		unlink(temporary);
	free(temporary);
	return err;
}

static int print_metrics(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int err;

	if (!to)
		return say_no_memory();
	err = put_metrics(to);
	fclose(to);
	if (!err) {
		out_text("%s", text);
		err = out_flush();
	}
	free(text);
	return err;
}

static int metrics_run(const struct args *args)
{
	int err;

	if (args->json)
		return say_error(-EUSAGE, "metrics have a format of their own: 'pmadv list --json' has the same counts");
	if (args->interval && !args->output)
		return say_error(-EUSAGE, "--interval takes --output: a file that is replaced each time");
	if (!args->output)
		return print_metrics();

	if (args->interval)
		privileges_drop(hook_present() ? PRIVILEGES_WRITE :
						 PRIVILEGES_WRITE_ABOUT_BPF);
	err = write_file(args->output);
	while (!err && args->interval && !stop_asked) {
		wait_fds(NULL, 0, (int64_t)args->interval);
		if (!stop_asked)
			err = write_file(args->output);
	}
	return err;
}

const struct verb verb_metrics = {
	.name = "metrics",
	.operands = "",
	.min_operands = 0,
	.max_operands = 0,
	.summary = "Print or write the counters of policies for Prometheus.",
	.options = options,
	.examples = examples,
	.run = metrics_run,
};

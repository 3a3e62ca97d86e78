// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pmadv/process_madvise.h>
#include <pmadv/recording.h>

#include "daemon/config.h"
#include "daemon/goal.h"
#include "daemon/goal_file.h"
#include "daemon/idle.h"
#include "daemon/match.h"
#include "daemon/pacer.h"
#include "daemon/past.h"
#include "daemon/pressure.h"
#include "daemon/reconcile.h"
#include "daemon/rule_cgroups.h"
#include "daemon/thaw.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/notify.h"
#include "lib/output.h"
#include "lib/privileges.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/hook.h"
#include "walk/decider.h"
#include "walk/target.h"
#include "walk/walk.h"

#define TICK_NS		1000000000LL
/* If only time is limited: how many pages to do between looks at the clock. */
#define SLICE_PAGES	1024
/* And if a service manager waits for a sign of life: 256 MB, of small pages. */
#define WATCHED_PAGES	65536

static const struct option_def options[] = {
	{ "config", 'c', OPTION_TEXT, offsetof(struct args, config), "FILE",
	  "the rules; default: " CONFIG_DEFAULT },
	{ "check-config", 'C', OPTION_FLAG, offsetof(struct args, check_config), NULL,
	  "say what is wrong with it, line by line, and end" },
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv daemon --check-config",
	  "is the file right? If not, each line that is wrong is named" },
	{ "pmadv daemon --config my.conf", "do what it says, until Ctrl-C" },
	{ "pmadv daemon --config my.conf --json | jq 'select(.type==\"state\")'",
	  "when the rules back off" },
	{ }
};

/* The state of a rule. */
struct worker {
	const struct rule *rule;
	struct pacer_config pace;	/* the rule's, with the rate of its goal */
	struct pacer pacer;
	struct goal_control goal;
	uint64_t advised;	/* bytes, since it began */
	int pressure_fd;	/* -1: it has no trigger */
	bool pressed;
	struct vec idles;	/* of struct idle */
	struct vec pasts;	/* of struct past */
	uint64_t look_ns;	/* when to look at them again */
	uint64_t count_ns;	/* when to read counters and the goal's again */
	/* The round under way, if there are targets. */
	struct vec targets;
	size_t at;
	uint64_t cursor;
	uint64_t began_ns;
	struct pmadv_result sum;
	uint64_t rounds;
	/* On a kernel without the hook. */
	struct decider decider;
	bool ejected;		/* and not tried again until the rules are read again */
};

struct daemon {
	const char *path;
	struct config config;
	struct scopes scopes;
	struct vec workers;	/* of struct worker, one for each rule */
	struct vec fds;		/* of struct pollfd: their triggers */
	struct thaw thaw;
	bool goals_changed;	/* they are not what was written to GOALS_PATH last */
	bool goals_failed;	/* that was reported */
};

static void end_round(struct worker *worker)
{
	targets_free(&worker->targets);
	memset(&worker->sum, 0, sizeof(worker->sum));
	worker->at = 0;
	worker->cursor = 0;
}

static void workers_free(struct daemon *daemon)
{
	struct worker *worker = daemon->workers.items;

	for (size_t i = 0; i < daemon->workers.nr; i++) {
		end_round(&worker[i]);
		vec_free(&worker[i].idles);
		vec_free(&worker[i].pasts);
		if (worker[i].pressure_fd >= 0)
			close(worker[i].pressure_fd);
		decider_close(&worker[i].decider);
	}
	vec_free(&daemon->workers);
	vec_free(&daemon->fds);
}

static int add_worker(struct daemon *daemon, struct rule *rule)
{
	struct worker *worker = vec_add(&daemon->workers, sizeof(*worker));
	struct pollfd *fd = vec_add(&daemon->fds, sizeof(*fd));
	uint64_t available, total;
	int err;

	if (!worker || !fd)
		return say_no_memory();
	worker->rule = rule;
	worker->pressure_fd = -1;
	fd->fd = -1;
	fd->events = POLLPRI;

	worker->pace = rule->pace;
	worker->pace.free_under = rule->free_under;
	memory_available(&available, &total);
	if (rule->free_under_percent && total != PMADV_UNKNOWN)
		worker->pace.free_under = total / 100 * rule->free_under_percent;
	if (total != PMADV_UNKNOWN)
		goal_resolve(&rule->goal, total);
	/* Its targets are chosen by the rule: the policy needs no scope of its own. */
	if (!hook_present()) {
		err = decider_open(&worker->decider, rule->policy, &rule->set, NULL);
		if (err)
			return err;
	}
	if (!worker->pace.on_pressure)
		return 0;
	err = pressure_open(&rule->pressure);
	if (err < 0)
		return say_error(err == -ENOENT || err == -EOPNOTSUPP ? -ELACKS : err,
				 "rule %s: no trigger for pressure: %s; it takes CONFIG_PSI=y and, for windows other than multiples of 2 seconds, CAP_SYS_RESOURCE",
				 rule->name, error_text(err));
	worker->pressure_fd = err;
	fd->fd = err;
	return 0;
}

static int make_workers(struct daemon *daemon)
{
	struct rule *rule = daemon->config.rules.items;
	int err = 0;

	for (size_t i = 0; i < daemon->config.rules.nr && !err; i++)
		err = add_worker(daemon, &rule[i]);
	return err;
}

static bool wants_counters(const struct rule *rule)
{
	return rule->pace.max_refaults || rule->pace.max_stall_percent ||
	       rule->goal.kind == GOAL_PSI || rule->goal.kind == GOAL_REFAULTS;
}

static struct shown_goal show(const struct worker *worker)
{
	struct shown_goal shown = {
		.state = worker->goal.state,
		.value = worker->goal.value,
		.rate = worker->goal.rate,
	};

	snprintf(shown.rule, sizeof(shown.rule), "%s", worker->rule->name);
	snprintf(shown.goal, sizeof(shown.goal), "%s", worker->rule->goal.text);
	return shown;
}

/* How much may be reclaimed now for the goal of the rule, if it has one? */
static int follow_goal(struct daemon *daemon, struct worker *worker,
		       const struct pacer_sample *sample)
{
	struct goal_reading reading = { .now_ns = sample->now_ns, .advised = worker->advised };
	const struct rule *rule = worker->rule;
	enum goal_state before = worker->goal.state;
	struct shown_goal shown;

	if (!rule->goal.kind)
		return 0;
	goal_read(rule, sample, &reading);
	if (!goal_step(&worker->goal, &rule->goal,
		       rule->pace.pages_per_second * page_size(), &reading))
		return 0;
	worker->pace.pages_per_second = worker->goal.rate / page_size() ?: 1;
	daemon->goals_changed = true;
	if (worker->goal.state == before || !out_json())
		return 0;
	shown = show(worker);
	return json_print(shown_goal_json(&shown));
}

static int take_sample(struct daemon *daemon, struct worker *worker,
		       struct pacer_sample *sample)
{
	uint64_t began = cpu_ns();
	int err = 0;

	sample->now_ns = now_ns();
	sample->pressed = worker->pressed;
	worker->pressed = false;
	if (sample->now_ns >= worker->count_ns) {
		if (wants_counters(worker->rule))
			pressure_count(worker->rule, sample);
		err = follow_goal(daemon, worker, sample);
		worker->count_ns = sample->now_ns + pause_after(cpu_ns() - began);
	}
	sample->satisfied = worker->rule->goal.kind && worker->goal.state != GOAL_RECLAIMS;
	return err;
}

/* Other verbs show them. The rules go on if that fails. */
static void write_goals(struct daemon *daemon, const struct vec *goals)
{
	int err = 0;

	if (goals->nr)
		err = goals_write(goals);
	else
		goals_remove();
	if (err && !daemon->goals_failed)
		say_warning(GOALS_PATH " cannot be written: %s: other verbs do not show the goals",
			    error_text(err));
	daemon->goals_failed |= err;
}

static int publish_goals(struct daemon *daemon)
{
	const struct worker *worker = daemon->workers.items;
	struct vec goals = { };
	int err = 0;

	if (!daemon->goals_changed)
		return 0;
	daemon->goals_changed = false;
	for (size_t i = 0; i < daemon->workers.nr && !err; i++) {
		struct shown_goal *shown;

		if (!worker[i].rule->goal.kind)
			continue;
		shown = vec_add(&goals, sizeof(*shown));
		if (shown)
			*shown = show(&worker[i]);
		else
			err = say_no_memory();
	}
	if (!err)
		write_goals(daemon, &goals);
	vec_free(&goals);
	return err;
}

struct search {
	const struct daemon *daemon;
	struct worker *worker;
};

/* The first rule that matches gets the process. */
static bool is_ours(const struct search *search, pid_t pid)
{
	const struct rule *rule = search->daemon->config.rules.items;

	for (; rule < search->worker->rule; rule++)
		if (match_cgroup(rule, pid) && match_process(rule, pid))
			return false;
	return match_process(rule, pid);
}

static bool wants(pid_t pid, void *data)
{
	struct search *search = data;
	const uint64_t idle_ns = search->worker->rule->idle_ns;
	const struct idle *idle;

	if (!is_ours(search, pid) ||
	    !past_allows(&search->worker->pasts, search->worker->rule, pid, now_ns()))
		return false;
	if (!idle_ns)
		return true;
	idle = idle_find(&search->worker->idles, pid);
	if (!idle || idle->walked || now_ns() - idle->since_ns < idle_ns)
		return false;
	/* The last look may be long ago: is it idle still? */
	idle_look(&search->worker->idles, pid, now_ns());
	return now_ns() - idle->since_ns >= idle_ns;
}

static bool watches(pid_t pid, void *data)
{
	struct search *search = data;

	if (is_ours(search, pid))
		idle_look(&search->worker->idles, pid, now_ns());
	/* This only watches processes; it collects no targets. */
	return false;
}

static int search_all(struct search *search, bool (*wanted)(pid_t, void *),
		      struct vec *targets)
{
	const struct target_filter filter = { wanted, search };
	struct rule_cgroups cgroups;
	int err;

	if (!search->worker->rule->cgroup)
		return targets_filter(NULL, &filter, targets);
	err = rule_cgroups(search->worker->rule, &cgroups);
	for (size_t i = 0; i < cgroups.nr && !err; i++)
		err = targets_filter(cgroups.paths[i], &filter, targets);
	rule_cgroups_free(&cgroups);
	return err;
}

/* Look often enough to notice the end of an idle time. */
static void look_at_idle(const struct daemon *daemon, struct worker *worker)
{
	struct search search = { daemon, worker };
	uint64_t began = cpu_ns(), pause;
	struct vec none = { };

	if (!worker->rule->idle_ns || now_ns() < worker->look_ns)
		return;
	search_all(&search, watches, &none);
	idle_end_look(&worker->idles);
	pause = pause_after(cpu_ns() - began);
	if (pause < worker->rule->idle_ns / 4)
		pause = worker->rule->idle_ns / 4;
	worker->look_ns = now_ns() + pause;
}

static int begin_round(struct daemon *daemon, struct worker *worker)
{
	struct search search = { daemon, worker };
	int err = 0;

	past_forget_gone(&worker->pasts);
	/* cgroups come and go. */
	if (hook_present())
		err = scopes_apply(&daemon->scopes, &daemon->config, false);
	if (!err)
		err = search_all(&search, wants, &worker->targets);
	worker->began_ns = now_ns();
	worker->rounds++;
	return err;
}

static int show_round(const struct worker *worker)
{
	const struct pmadv_result *sum = &worker->sum;
	char bytes[HUMAN_LEN], reclaimed[HUMAN_LEN], time[HUMAN_LEN];

	if (out_json()) {
		struct json_object *line = json_line("round");

		json_text(line, "engine", engine_in_use());
		json_text(line, "rule", worker->rule->name);
		json_number(line, "round", worker->rounds);
		json_number(line, "processes", worker->targets.nr);
		json_ranges(line, sum);
		json_number(line, "bytes_advised", sum->bytes_advised);
		json_stats(line, &sum->stats);
		json_number(line, "elapsed_ns", now_ns() - worker->began_ns);
		return json_print(line);
	}
	if (!worker->targets.nr)
		return 0;
	out_text("rule %s: %zu processes walked in %s: %llu of %llu ranges advised (%s), %s reclaimed\n",
		 worker->rule->name, worker->targets.nr,
		 human_time(now_ns() - worker->began_ns, time), sum->ranges_advised,
		 sum->ranges_seen, human_bytes(sum->bytes_advised, bytes),
		 human_bytes(sum->stats.reclaimed * page_size(), reclaimed));
	return out_flush();
}

/* WILLNEED and COLLAPSE count no pages, so charge their address space. */
static uint64_t pages_of(const struct walk *walk)
{
	const struct pmadv_stats *stats = &walk->result.stats;

	if (walk->pages)
		return walk->pages;
	if (stats->scanned || stats->swapped)
		return stats->deactivated + stats->isolated;
	return walk->result.bytes_advised / page_size();
}

static int show_walk(const struct worker *worker, const struct walk *walk,
		     const struct request *request)
{
	struct json_object *line;

	if (!out_json())
		return 0;
	line = walk_json(walk, request, worker->rounds);
	json_text(line, "rule", worker->rule->name);
	return json_print(line);
}

/*
 * A failure for one target is reported, and the next one is tried. A target
 * that exited, or has no policy in force, is not reported.
 */
static void say_walk_error(const struct walk *walk, const struct request *request)
{
	if (walk->err != -ESRCH && walk->err != -ENOENT && walk->err != -ECANCELED)
		walk_say_error(walk, request);
}

/* Does the rule match a process that is to be walked, as it did when the round began? */
static bool still_matches(const struct daemon *daemon, struct worker *worker, pid_t pid)
{
	const struct search search = { daemon, worker };

	return match_cgroup(worker->rule, pid) && is_ours(&search, pid);
}

static int leave_target(struct worker *worker, const struct target *target)
{
	struct json_object *line;

	worker->cursor = 0;
	worker->at++;
	if (!out_json()) {
		say_note("rule %s: does not match %s (%d) any longer: left alone",
			 worker->rule->name, target->name, target->pid);
		return 0;
	}
	line = json_line("left");
	json_text(line, "rule", worker->rule->name);
	json_signed(line, "pid", target->pid);
	json_text(line, "comm", target->name);
	return json_print(line);
}

/* The walk of the target at hand is complete. */
static void end_target(struct worker *worker, pid_t pid)
{
	const struct rule *rule = worker->rule;
	struct idle *idle = idle_find(&worker->idles, pid);

	if (idle)
		idle->walked = true;
	if (rule->rss_grew || rule->min_interval_ns)
		past_note(&worker->pasts, pid, now_ns());
	worker->cursor = 0;
	worker->at++;
}

/* Walk as much of the next target as the budget allows. */
static int walk_some(struct daemon *daemon, struct worker *worker, uint64_t pages)
{
	const struct target *target = worker->targets.items;
	const struct pacer_config *pace = &worker->pace;
	struct request request = {
		.advice = worker->rule->advice,
		.flags = PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE,
		.cursor = worker->cursor,
		.max_pages = pages == UINT64_MAX ? 0 : pages,
		.decider = &worker->decider,
	};
	uint64_t began = cpu_ns();
	struct walk walk;
	int err;

	target += worker->at;
	if (pace->cpu_percent && pages > SLICE_PAGES)
		request.max_pages = SLICE_PAGES;
	else if (notify_watched() && pages > WATCHED_PAGES)
		request.max_pages = WATCHED_PAGES;
	/* First, so that nothing that changes after the look is missed. */
	if (worker->rule->frozen)
		thaw_watch(&daemon->thaw, target->pid);
	if (!still_matches(daemon, worker, target->pid)) {
		thaw_unwatch(&daemon->thaw);
		return leave_target(worker, target);
	}
	walk_run(target, &request, &walk);
	thaw_unwatch(&daemon->thaw);
	/* It may still match: the next time tells. */
	stop_forget(SIGUSR1);
	worker->ejected = worker->decider.engine && walk.err == -EEJECTED;
	pacer_charge(&worker->pacer, pace, pages_of(&walk), cpu_ns() - began);
	say_walk_error(&walk, &request);
	pmadv_result_add(&worker->sum, &walk.result);
	worker->advised += pages_of(&walk) * page_size();
	err = walk.result.ranges_seen ? show_walk(worker, &walk, &request) : 0;

	if (walk.result.stopped == PMADV_STOPPED_BUDGET ||
	    walk.result.stopped == PMADV_STOPPED_SIGNAL) {
		worker->cursor = walk.result.cursor;
		return err;
	}
	end_target(worker, target->pid);
	return err;
}

static int walk(struct daemon *daemon, struct worker *worker)
{
	const struct pacer_config *pace = &worker->pace;
	uint64_t began = cpu_ns();
	int err = 0;

	if (!worker->targets.nr) {
		err = begin_round(daemon, worker);
		pacer_charge(&worker->pacer, pace, 0, cpu_ns() - began);
	}
	while (!err && !stop_asked && worker->at < worker->targets.nr) {
		uint64_t pages = pacer_pages(&worker->pacer, pace);

		if (!pages)
			return 0;
		notify_alive();
		err = walk_some(daemon, worker, pages);
	}
	if (err || worker->at < worker->targets.nr)
		return err;

	err = show_round(worker);
	end_round(worker);
	pacer_done(&worker->pacer, pace, now_ns());
	return err;
}

static int show_back_off(const struct worker *worker, enum pacer_state before,
			 uint64_t now)
{
	const struct pacer *pacer = &worker->pacer;
	char time[HUMAN_LEN];

	if (out_json()) {
		struct json_object *line = json_line("state");

		json_text(line, "rule", worker->rule->name);
		json_text(line, "state", pacer_state_text(pacer->state));
		json_text(line, "before", pacer_state_text(before));
		if (pacer->state == PACER_BACK_OFF)
			json_number(line, "hold_ns", pacer->until_ns - now);
		return json_print(line);
	}
	if (pacer->state == PACER_BACK_OFF)
		say_note("rule %s: backs off for %s: too many refaults or stalls",
			 worker->rule->name,
			 human_time(pacer->until_ns - now, time));
	else
		say_note("rule %s: goes on", worker->rule->name);
	return 0;
}

static int work(struct daemon *daemon, struct worker *worker, uint64_t available)
{
	struct pacer_sample sample = { .available = available };
	enum pacer_state before = worker->pacer.state;
	uint64_t until = worker->pacer.until_ns;
	int err = take_sample(daemon, worker, &sample);

	if (err || worker->ejected)
		return err;
	look_at_idle(daemon, worker);
	pacer_step(&worker->pacer, &worker->pace, &sample);
	if (worker->pacer.until_ns != until ||
	    (before == PACER_BACK_OFF && worker->pacer.state != before))
		err = show_back_off(worker, before, sample.now_ns);
	if (!err && worker->pacer.state == PACER_WALK)
		err = walk(daemon, worker);
	return err;
}

static int wait_for_work(struct daemon *daemon)
{
	struct worker *worker = daemon->workers.items;
	struct pollfd *fd = daemon->fds.items;
	int ret = wait_fds(fd, (unsigned int)daemon->fds.nr, TICK_NS);

	if (ret < 0 && ret != -EINTR)
		return say_error(ret, "waiting: %s", error_text(ret));
	for (size_t i = 0; ret > 0 && i < daemon->fds.nr; i++)
		worker[i].pressed |= fd[i].revents & POLLPRI;
	return 0;
}

static void say_ready(const struct daemon *daemon, const char *remark)
{
	notify_manager("READY=1\nSTATUS=At work with %zu rules of %s%s",
		       daemon->config.rules.nr, daemon->path, remark);
}

/* A file with mistakes changes nothing. */
static int read_again(struct daemon *daemon, const char **remark)
{
	struct config config;

	if (config_read(daemon->path, &config) ||
	    config_check_policies(daemon->path, &config)) {
		config_free(&config);
		say_warning("%s is not used: the rules stay as they are", daemon->path);
		*remark = ", as it was before there were mistakes in it";
		return 0;
	}
	workers_free(daemon);
	config_free(&daemon->config);
	daemon->config = config;
	/* Rules without goals leave nothing to show. */
	daemon->goals_changed = true;
	say_note("%s read again: %zu rules", daemon->path, config.rules.nr);
	return make_workers(daemon);
}

/* Policies that are not in force as demanded are tried again, whatever is in the file. */
static int reload(struct daemon *daemon)
{
	const char *remark = "";
	int err;

	notify_manager("RELOADING=1");
	err = read_again(daemon, &remark);
	if (!err && hook_present())
		err = scopes_apply(&daemon->scopes, &daemon->config, true);
	if (!err)
		say_ready(daemon, remark);
	return err;
}

static int work_until_stopped(struct daemon *daemon)
{
	uint64_t available, total;
	int err = 0;

	while (!err) {
		struct worker *worker = daemon->workers.items;

		stop_forget(SIGUSR1);
		notify_alive();
		if (stop_forget(SIGHUP)) {
			err = reload(daemon);
			continue;
		}
		if (stop_asked)
			return 0;

		memory_available(&available, &total);
		for (size_t i = 0; i < daemon->workers.nr && !err && !stop_asked; i++)
			err = work(daemon, &worker[i], available);
		if (!err)
			err = publish_goals(daemon);
		if (!err)
			err = wait_for_work(daemon);
	}
	return err;
}

static int begin_with_hook(struct daemon *daemon)
{
	int err;

	privileges_drop(PRIVILEGES_DAEMON);
	err = scopes_open(&daemon->scopes);
	if (!err)
		err = scopes_apply(&daemon->scopes, &daemon->config, true);
	return err ? err : make_workers(daemon);
}

/*
 * Nothing is in force then. How to read page tables is found out with a right that
 * is given up afterwards.
 */
static int begin_with_engine(struct daemon *daemon)
{
	int err = scopes_open(&daemon->scopes);

	if (!err)
		err = make_workers(daemon);
	privileges_drop(PRIVILEGES_DAEMON);
	if (!err)
		say_note("this kernel has no hook: the engine asks the policies, for the targets of the rules only");
	return err;
}

static int daemon_run(const struct args *args)
{
	struct daemon daemon = { .path = args->config ? args->config : CONFIG_DEFAULT,
				 .thaw = { .fd = -1, .watch = -1 },
				 /* What a daemon that was killed left is none of ours. */
				 .goals_changed = true };
	int err;

	err = config_read(daemon.path, &daemon.config);
	if (!err)
		err = config_check_policies(daemon.path, &daemon.config);
	if (!err && args->check_config)
		say_note("%s: nothing wrong with its %zu rules", daemon.path,
			 daemon.config.rules.nr);
	if (err || args->check_config)
		goto out_config;

	err = policy_permitted();
	if (err)
		goto out_config;
	err = signals_take_usr1();
	if (!err)
		err = thaw_open(&daemon.thaw);
	if (err) {
		say_error(err, "watching for processes that are thawed: %s", error_text(err));
		goto out_config;
	}
	err = hook_present() ? begin_with_hook(&daemon) : begin_with_engine(&daemon);
	if (err)
		goto out;

	say_note("at work with %zu rules of %s; SIGHUP reads them again", daemon.config.rules.nr,
		 daemon.path);
	say_ready(&daemon, "");
	err = work_until_stopped(&daemon);
	notify_manager("STOPPING=1");
	goals_remove();
	if (!err && daemon.config.detach && hook_present())
		scopes_detach(&daemon.scopes);
	if (!err)
		say_note("ends; its policies %s",
			 daemon.config.detach || !hook_present() ? "are detached" : "stay in force");
out:
	workers_free(&daemon);
	scopes_close(&daemon.scopes);
out_config:
	thaw_close(&daemon.thaw);
	config_free(&daemon.config);
	return err;
}

const struct verb verb_daemon = {
	.name = "daemon",
	.operands = "",
	.min_operands = 0,
	.max_operands = 0,
	.summary = "Put policies in force and walk processes with them, by the rules of a file.",
	.options = options,
	.examples = examples,
	.run = daemon_run,
	.dump_man = config_dump_keys,
};

// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/goal_file.h"
#include "lib/error.h"
#include "lib/names.h"
#include "lib/privileges.h"
#include "lib/screen.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/cost.h"
#include "policy/engines.h"
#include "policy/links.h"
#include "policy/hook.h"
#include "policy/sysfs.h"
#include "proc/sample.h"
#include "recording/live_ages.h"
#include "walk/decider.h"
#include "walk/monitor.h"

#define DEFAULT_INTERVAL_NS	1000000000ULL
#define DEFAULT_IDLE_NS		60000000000ULL
/* A target that is gone is shown for so long. */
#define GONE_NS			5000000000ULL
/* From so many columns on there is room for ages, and for whole names of commands. */
#define WIDE_COLUMNS		96
#define BAR_WIDTH		10
#define MAX_POLICY_LINES	6
#define MAX_GOAL_LINES		3
#define VERDICT_LINES		6
#define NR_VERDICTS		128
#define KEY_ESCAPE		27

static const struct option_def options[] = {
	{ "interval", 'i', OPTION_SECONDS, offsetof(struct args, interval), "TIME",
	  "look again every TIME, like 5, 0.5 or 200ms; default: 1 second" },
	{ "idle", 'I', OPTION_SECONDS, offsetof(struct args, idle), "TIME",
	  "memory is idle if it was not accessed for TIME, like 30 or 5m; default: 1 "
	  "minute" },
	OPTION_WATCHED_PID,
	OPTION_BUFFER,
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv top", "what is advised, by which policies, and what comes of it" },
	{ "pmadv top --interval 5 --pid 4711", "one process, every five seconds" },
	{ "pmadv top --idle 10m", "how much nobody has used for ten minutes" },
	{ }
};

/* @tgid is the key. */
struct shown_target {
	int32_t tgid;
	char comm[PMADV_COMM_LEN];
	uint64_t calls;
	uint64_t reclaimed;		/* bytes */
	uint64_t first_faults;
	bool sampled;
	uint64_t gone_ns;		/* since when; 0: it is there */
	uint64_t faults;		/* since it was first seen */
	uint64_t resident;
	uint64_t swapped;
	char cgroup[48];
	struct live_ages ages;
	struct live_sum sum;		/* of them */
};

struct shown_policy {
	struct sysfs_policy sums;
	struct cost cost;
	bool costed;
	char scope[48];
};

enum sort_key {
	SORT_RECLAIMED,
	SORT_REFAULTS,
	SORT_RESIDENT,
	SORT_SWAPPED,
	SORT_IDLE,
	NR_SORT_KEYS
};

static const char *const sort_names[NR_SORT_KEYS] = {
	[SORT_RECLAIMED] = "reclaimed",
	[SORT_REFAULTS] = "refaulted",
	[SORT_RESIDENT] = "resident",
	[SORT_SWAPPED] = "swapped",
	[SORT_IDLE] = "idle",
};

struct top {
	struct monitor *records;
	struct costs *costs;		/* NULL: no permission */
	struct vec targets;		/* of struct shown_target */
	size_t last;			/* target of the last record: most have the same */
	struct vec policies;		/* of struct shown_policy */
	struct vec goals;		/* of struct shown_goal: the daemon's */
	struct pmadv_range_record verdicts[NR_VERDICTS];
	uint64_t ranges;		/* the last one is verdicts[ranges - 1] */
	uint64_t calls;
	uint64_t reclaimed;
	uint64_t ejected;
	uint64_t idle_ns;		/* how long is idle */
	enum sort_key sort;
	bool paused;
	bool asking;			/* for a filter, which is being typed */
	bool quit;
	char filter[PMADV_COMM_LEN];
};

static struct shown_target *find_target(struct top *top, const struct pmadv_record *head)
{
	struct shown_target *target = vec_of_key(&top->targets, sizeof(*target), head->tgid,
						 &top->last);

	if (target)
		memcpy(target->comm, head->comm, sizeof(target->comm));
	return target;
}

static int on_range(void *data, const struct pmadv_range_record *record)
{
	struct top *top = data;
	uint64_t reclaimed = record->stats.reclaimed * page_size();
	struct shown_target *target = find_target(top, &record->head);

	if (!target)
		return say_no_memory();
	if (live_ages_range(&target->ages, record))
		return say_no_memory();
	target->reclaimed += reclaimed;
	target->gone_ns = 0;
	top->reclaimed += reclaimed;
	top->verdicts[top->ranges++ % NR_VERDICTS] = *record;
	return 0;
}

static int on_call(void *data, const struct pmadv_call_record *record)
{
	struct top *top = data;
	struct shown_target *target = find_target(top, &record->head);

	if (!target)
		return say_no_memory();
	live_ages_call(&target->ages, record);
	target->calls++;
	top->calls++;
	return 0;
}

static void sample(const struct top *top, struct shown_target *target)
{
	struct target_sample now;

	live_ages_sum(&target->ages, top->idle_ns, &target->sum);
	if (sample_target(target->tgid, &now)) {
		target->gone_ns = now_ns();
		return;
	}
	if (!target->sampled)
		target->first_faults = now.major_faults;
	target->sampled = true;
	target->faults = now.major_faults - target->first_faults;
	target->resident = now.resident;
	target->swapped = now.swapped;
	snprintf(target->cgroup, sizeof(target->cgroup), "%.*s",
		 (int)sizeof(target->cgroup) - 1, now.cgroup);
}

/* Somebody is to see that they are gone, before they make room. */
static void forget_gone(struct top *top)
{
	struct shown_target *target = top->targets.items;
	uint64_t now = now_ns();
	size_t kept = 0;

	for (size_t i = 0; i < top->targets.nr; i++) {
		if (target[i].gone_ns && now - target[i].gone_ns >= GONE_NS)
			live_ages_free(&target[i].ages);
		else
			target[kept++] = target[i];
	}
	top->targets.nr = kept;
}

/* Finding a cgroup means looking at all of them, so do it once. */
static char *scope_of(const struct vec *known, const struct sysfs_policy *sums)
{
	const struct shown_policy *policy = known->items;

	for (size_t i = 0; i < known->nr; i++)
		if (policy[i].sums.link_id == sums->link_id)
			return strdup(policy[i].scope);
	return scope_text(sums->cgroup_id);
}

static int add_policy(struct top *top, const struct vec *known,
		      const struct sysfs_policy *sums)
{
	struct shown_policy *policy = vec_add(&top->policies, sizeof(*policy));
	char *scope = scope_of(known, sums);

	if (policy && scope) {
		policy->sums = *sums;
		policy->costed = top->costs && !costs_read(top->costs,
							   (uint32_t)sums->link_id,
							   &policy->cost);
		snprintf(policy->scope, sizeof(policy->scope), "%s", scope);
	}
	free(scope);
	return policy && scope ? 0 : say_no_memory();
}

/* Read from the kernel the state of everything that is shown. */
static int look(struct top *top)
{
	struct shown_target *target = top->targets.items;
	const struct sysfs_policy *sums;
	struct vec policies = { }, known;
	int err;

	forget_gone(top);
	for (size_t i = 0; i < top->targets.nr; i++)
		if (!target[i].gone_ns)
			sample(top, &target[i]);

	err = policies_at_work(&policies);
	if (err)
		return policies_say_error(err);
	known = top->policies;
	memset(&top->policies, 0, sizeof(top->policies));
	sums = policies.items;
	for (size_t i = 0; i < policies.nr && !err; i++)
		err = add_policy(top, &known, &sums[i]);
	vec_free(&known);
	if (!err)
		policies_ejected(&policies, &top->ejected);
	vec_free(&policies);
	vec_free(&top->goals);
	return err || !goals_read(&top->goals) ? err : say_no_memory();
}

static uint64_t sort_value(const struct shown_target *target, enum sort_key key)
{
	switch (key) {
	case SORT_REFAULTS:
		return target->faults;
	case SORT_RESIDENT:
		return target->gone_ns ? 0 : target->resident;
	case SORT_SWAPPED:
		return target->gone_ns ? 0 : target->swapped;
	case SORT_IDLE:
		return target->gone_ns ? 0 : round_u64(target->sum.idle);
	default:
		return target->reclaimed;
	}
}

static int compare_targets(const void *left, const void *right, void *data)
{
	const struct shown_target *a = left, *b = right;
	const struct top *top = data;
	uint64_t x = sort_value(a, top->sort), y = sort_value(b, top->sort);

	if (x != y)
		return x > y ? -1 : 1;
	return (a->tgid > b->tgid) - (a->tgid < b->tgid);
}

static bool filtered_out(const struct top *top, int32_t tgid, const char *comm)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", tgid);
	return *top->filter && !strstr(comm, top->filter) && strcmp(number, top->filter);
}

static int draw_summary(const struct top *top, int y)
{
	time_t now = time(NULL);
	char clock[16] = "", bytes[HUMAN_LEN];
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	screen_line(y++, A_BOLD | screen_colour(SCREEN_TITLE),
		    "pmadv top  %s  %s  targets %zu  policies %zu  ejected %" PRIu64 "%s%s%s",
		    clock, engine_in_use(), top->targets.nr, top->policies.nr, top->ejected,
		    *top->filter ? "  only " : "", top->filter,
		    top->paused ? "  PAUSED" : "");
	screen_line(y++, A_NORMAL, "calls %" PRIu64 "  ranges %" PRIu64
		    "  reclaimed %s  records lost %" PRIu64,
		    top->calls, top->ranges, human_bytes(top->reclaimed, bytes),
		    monitor_lost(top->records));
	return y;
}

static int draw_goals(const struct top *top, int y)
{
	const struct shown_goal *goal = top->goals.items;
	char text[SHOWN_GOAL_LEN];

	for (size_t i = 0; i < top->goals.nr && i < MAX_GOAL_LINES; i++)
		screen_line(y++, A_NORMAL, "%s", shown_goal_text(&goal[i], text));
	return y;
}

/* "*" marks the column that the table is sorted by. */
static char mark(const struct top *top, enum sort_key key)
{
	return top->sort == key ? '*' : ' ';
}

static bool is_wide(void)
{
	int columns = COLS;

	return columns >= WIDE_COLUMNS;
}

static int command_width(void)
{
	return is_wide() ? PMADV_COMM_LEN - 1 : 12;
}

/* With the blank behind it. */
static int bar_width(void)
{
	return is_wide() ? BAR_WIDTH + 1 : 0;
}

static void draw_target(const struct shown_target *target, int y)
{
	char reclaimed[HUMAN_LEN], faults[HUMAN_LEN] = "-", resident[HUMAN_LEN] = "-",
	     swapped[HUMAN_LEN] = "-", idle[HUMAN_LEN] = "-", bar[BAR_WIDTH + 1] = "";

	if (target->sampled)
		human_count(target->faults, faults);
	if (target->sampled && !target->gone_ns) {
		human_bytes(target->resident, resident);
		human_bytes(target->swapped, swapped);
	}
	if (target->sum.held > 0 && !target->gone_ns) {
		human_bytes(round_u64(target->sum.idle), idle);
		live_bar(&target->sum, BAR_WIDTH, bar);
	}
	screen_line(y, target->gone_ns ? A_DIM : A_NORMAL,
		    "%7d %-*.*s %5" PRIu64 " %10s %10s %9s %8s %5s %*.*s%s", target->tgid,
		    command_width(), command_width(), target->comm, target->calls,
		    human_bytes(target->reclaimed, reclaimed), faults, resident, swapped,
		    idle, -bar_width(), bar_width(), bar,
		    target->gone_ns ? "(gone)" : target->cgroup);
}

static int draw_targets(struct top *top, int y, int end)
{
	const struct shown_target *target = top->targets.items;

	screen_line(y++, A_REVERSE,
		    "%7s %-*s %5s %cRECLAIMED %cREFAULTED %cRESIDENT %cSWAPPED %cIDLE %*.*s%s",
		    "PID", command_width(), "COMMAND", "CALLS", mark(top, SORT_RECLAIMED),
		    mark(top, SORT_REFAULTS), mark(top, SORT_RESIDENT),
		    mark(top, SORT_SWAPPED), mark(top, SORT_IDLE), -bar_width(), bar_width(),
		    "AGES", "CGROUP");
	if (top->targets.nr)
		qsort_r(top->targets.items, top->targets.nr, sizeof(*target),
			compare_targets, top);
	for (size_t i = 0; i < top->targets.nr && y < end; i++)
		if (!filtered_out(top, target[i].tgid, target[i].comm))
			draw_target(&target[i], y++);
	return end;
}

static void draw_policy(const struct shown_policy *policy, int y)
{
	char calls[HUMAN_LEN], reclaimed[HUMAN_LEN], time[HUMAN_LEN],
	     runs[HUMAN_LEN] = "-", cost[HUMAN_LEN] = "-", each[HUMAN_LEN] = "-";

	if (policy->costed) {
		human_count(policy->cost.runs, runs);
		human_time(policy->cost.time_ns, cost);
	}
	if (policy->costed && policy->cost.runs)
		human_time(policy->cost.time_ns / policy->cost.runs, each);
	screen_line(y, A_NORMAL, "%-15s %6s %9s %9s %7s %9s %9s %s", policy->sums.name,
		    human_count(policy->sums.calls, calls),
		    human_bytes(policy->sums.counts.stats.reclaimed * page_size(),
				reclaimed),
		    human_time(policy->sums.counts.stats.time_ns, time), runs, cost, each,
		    policy->scope);
}

static int draw_policies(const struct top *top, int y, int end)
{
	const struct shown_policy *policy = top->policies.items;

	screen_line(y++, A_REVERSE, "%-15s %6s %9s %9s %7s %9s %9s %s", "POLICY", "CALLS",
		    "RECLAIMED", "WALKING", "RUNS", "ITS TIME", "PER RUN", "SCOPE");
	for (size_t i = 0; i < top->policies.nr && y < end; i++)
		draw_policy(&policy[i], y++);
	return end;
}

static void draw_verdict(const struct pmadv_range_record *record, int y)
{
	char who[40], verdict[VERDICT_TEXT_LEN], vma[VMA_TEXT_LEN], bytes[HUMAN_LEN],
	     reclaimed[HUMAN_LEN];
	attr_t colour = A_NORMAL;

	if (record->outcome == PMADV_ADVISED && record->stats.reclaimed)
		colour = screen_colour(SCREEN_GOOD);
	else if (record->outcome == PMADV_REFUSED || record->outcome == PMADV_FAILED)
		colour = screen_colour(SCREEN_BAD);
	snprintf(who, sizeof(who), "%s/%d", record->head.comm, record->head.tgid);
	screen_line(y, colour, "%-17.17s %12llx %6s %-15.15s %-7.7s %-8s %9s", who,
		    record->start, human_bytes(record->end - record->start, bytes),
		    vma_flags_text(record->vma_flags, vma),
		    verdict_text(record->verdict, verdict),
		    record->error ? strerrorname_np((int)record->error) :
				    outcome_text(record->outcome),
		    human_bytes(record->stats.reclaimed * page_size(), reclaimed));
}

static void draw_verdicts(const struct top *top, int y, int end)
{
	uint64_t oldest = top->ranges > NR_VERDICTS ? top->ranges - NR_VERDICTS : 0;

	screen_line(y++, A_REVERSE, "%-17s %12s %6s %-15s %-7s %-8s %9s", "LAST VERDICTS",
		    "START", "SIZE", "MAPPING", "VERDICT", "OUTCOME", "RECLAIMED");
	for (uint64_t i = top->ranges; i > oldest && y < end; i--) {
		const struct pmadv_range_record *record =
			&top->verdicts[(i - 1) % NR_VERDICTS];

		if (!filtered_out(top, record->head.tgid, record->head.comm))
			draw_verdict(record, y++);
	}
}

static void draw_footer(const struct top *top)
{
	if (top->asking)
		screen_line(LINES - 1, A_BOLD, "only commands with, or the process: %s_   (Enter; Esc: all)",
			    top->filter);
	else
		screen_line(LINES - 1, A_BOLD, "s sort: %s   f filter%s%s   space %s   q quit",
			    sort_names[top->sort], *top->filter ? ": " : "", top->filter,
			    top->paused ? "go on" : "pause");
}

/*
 * Policies and verdicts get the lines they need, up to a limit; targets get the
 * rest.
 */
static void draw(struct top *top)
{
	int policies = (int)top->policies.nr;
	int verdicts = LINES >= 20 ? VERDICT_LINES : 2;
	int y, end;

	erase();
	policies = policies > MAX_POLICY_LINES ? MAX_POLICY_LINES : policies;
	y = draw_goals(top, draw_summary(top, 0));
	end = LINES - 1 - (1 + verdicts) - (1 + policies);
	y = draw_targets(top, y, end);
	y = draw_policies(top, y, y + 1 + policies);
	draw_verdicts(top, y, LINES - 1);
	draw_footer(top);
	refresh();
}

static void on_filter_key(struct top *top, int key)
{
	size_t length = strlen(top->filter);

	if (key == KEY_ESCAPE)
		top->filter[0] = '\0';
	if (key == KEY_ESCAPE || key == '\n' || key == KEY_ENTER)
		top->asking = false;
	else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && length)
		top->filter[length - 1] = '\0';
	else if (key > ' ' && key < 127 && length < sizeof(top->filter) - 1)
		top->filter[length] = (char)key;
}

static void on_key(struct top *top, int key)
{
	if (top->asking) {
		on_filter_key(top, key);
		return;
	}
	switch (key) {
	case 'q':
		top->quit = true;
		break;
	case 's':
		top->sort = (top->sort + 1) % NR_SORT_KEYS;
		break;
	case 'f':
	case '/':
		top->asking = true;
		memset(top->filter, 0, sizeof(top->filter));
		break;
	case ' ':
		top->paused = !top->paused;
		break;
	}
}

/* Handle keys. Returns whether there were any; a change of the window's size counts. */
static bool read_keys(struct top *top)
{
	bool any = false;
	int key;

	while ((key = getch()) != ERR) {
		on_key(top, key);
		any = true;
	}
	return any;
}

/* Wait for keys, and for records unless some came just now and more are to gather. */
static int wait_for_more(struct top *top, uint64_t due, bool gather)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = monitor_fd(top->records), .events = POLLIN },
	};
	uint64_t now = now_ns();
	int64_t left = due > now ? (int64_t)(due - now) : 0;
	int ret;

	if (gather && left > monitor_nap(top->records))
		left = monitor_nap(top->records);
	ret = wait_fds(fds, gather ? 1 : 2, left);
	if (ret < 0)
		return ret == -EINTR ? 0 : say_error(ret, "waiting: %s", error_text(ret));
	/* The terminal is gone. */
	if (fds[0].revents & (POLLHUP | POLLERR))
		top->quit = true;
	return 0;
}

static int watch(struct top *top, uint64_t interval)
{
	uint64_t due = now_ns();
	int err = 0;

	while (!err && !top->quit && !stop_asked) {
		bool redraw = read_keys(top);
		int nr = monitor_read(top->records);

		if (nr < 0)
			return nr;
		if (now_ns() >= due) {
			due = now_ns() + interval;
			if (!top->paused)
				err = look(top);
			redraw = true;
		}
		if (redraw && !err)
			draw(top);
		if (!err)
			err = wait_for_more(top, due, nr > 0);
	}
	return err;
}

static void free_targets(struct top *top)
{
	struct shown_target *target = top->targets.items;

	for (size_t i = 0; i < top->targets.nr; i++)
		live_ages_free(&target[i].ages);
	vec_free(&top->targets);
}

static int check_usage(const struct args *args)
{
	if (args->json)
		return say_error(-EUSAGE, "top is for people: 'pmadv monitor --interval 1 --json' prints sums for programs");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return say_error(-EUSAGE, "top needs a terminal; for a file or a pipe use 'pmadv monitor', with --interval for sums");
	return 0;
}

static int top_run(const struct args *args)
{
	struct top top = { .idle_ns = args->idle ? args->idle : DEFAULT_IDLE_NS };
	const struct monitor_filter filter = {
		.target = args->pid,
		.ranges = true,
		.calls = true,
	};
	const struct monitor_handler handler = {
		.range = on_range,
		.call = on_call,
		.data = &top,
	};
	int err;

	err = check_usage(args);
	if (err)
		return err;
	top.records = monitor_open(&filter, args->buffer, &handler, &err);
	if (!top.records)
		return err;
	/* An engine's programs are not the policy's alone. */
	if (hook_present())
		err = costs_open(&top.costs);
	if (err)
		say_warning("the costs of policies are not shown: %s", error_text(err));
	privileges_drop(PRIVILEGES_LOOK_AT_BPF);

	err = screen_begin();
	if (!err)
		err = watch(&top, args->interval ? args->interval : DEFAULT_INTERVAL_NS);
	screen_end();

	costs_close(top.costs);
	monitor_close(top.records);
	free_targets(&top);
	vec_free(&top.policies);
	vec_free(&top.goals);
	return err;
}

const struct verb verb_top = {
	.name = "top",
	.operands = "",
	.min_operands = 0,
	.max_operands = 0,
	.summary = "Show live which processes are advised, by which policies at what cost, and with what result.",
	.options = options,
	.examples = examples,
	.run = top_run,
};

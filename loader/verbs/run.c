// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pmadv/process_madvise.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/privileges.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "proc/process.h"
#include "walk/decider.h"
#include "walk/monitor.h"
#include "walk/range_text.h"
#include "walk/target.h"
#include "walk/walk.h"

#define DEFAULT_EVERY_NS	10000000000ULL
#define RECORDS_BUFFER		(8 << 20)
#define SECOND_NS		1000000000LL

static const struct option_def options[] = {
	{ "every", 'e', OPTION_SECONDS, offsetof(struct args, every), "TIME",
	  "walk the targets every TIME, like 10, 0.5 or 2m; default: 10 seconds" },
	{ "count", 'n', OPTION_COUNT, offsetof(struct args, count), "N",
	  "end after N rounds" },
	{ "advice", 'a', OPTION_ADVICE, offsetof(struct args, advice), "ADVICE",
	  "what is proposed to the policy: cold, pageout, willneed or collapse" },
	{ "ranges", 'r', OPTION_FLAG, offsetof(struct args, records), NULL,
	  "print every range, too, as 'pmadv monitor' does" },
	OPTION_SET,
	OPTION_SCOPE,
	OPTIONS_EXACT,
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv run background_app redis-server",
	  "put a policy in force and walk redis every ten seconds, until Ctrl-C" },
	{ "pmadv run cold_pages /sys/fs/cgroup/web --every 2m --set max_young_pct=10",
	  "reclaim what the processes of a cgroup have not used for two minutes" },
	{ "pmadv run by_name 4711 --count 1 --ranges --set 'rules+=*.so=cold'",
	  "once, showing every range" },
	{ }
};

struct runner {
	const struct args *args;
	struct request request;
	struct decider decider;
	struct monitor *records;	/* with --ranges, through the hook */
	uint64_t rounds;
	uint64_t walks;
	uint64_t lines;
	struct pmadv_result sum;
	struct pmadv_exactness exact;
};

static int on_range(void *data, const struct pmadv_range_record *record)
{
	struct runner *runner = data;

	if (out_json())
		return json_print(range_json(record));
	/* Lines of two kinds alternate: print the headings again after each change. */
	return show_range(record, !runner->lines++);
}

static int show_ranges(struct runner *runner)
{
	int ret = 0;

	if (!runner->records)
		return 0;
	runner->lines = 0;
	do {
		ret = monitor_read(runner->records);
	} while (ret > 0);
	monitor_warn_lost(runner->records);
	return ret;
}

static int show_walk(struct runner *runner, const struct walk *walk)
{
	const struct pmadv_result *result = &walk->result;
	char who[PROCESS_NAME_LEN + 16], bytes[HUMAN_LEN], reclaimed[HUMAN_LEN], swap[HUMAN_LEN],
	     resident[HUMAN_LEN], time[HUMAN_LEN];
	const char *why = stopped_text(result->stopped);

	if (out_json())
		return json_print(walk_json(walk, &runner->request, runner->rounds));

	if (runner->records || runner->walks % 20 == 0)
		out_text("%5s  %-22s %6s %7s %7s %7s %6s %8s %9s %8s %8s %9s\n", "ROUND",
			 "PROCESS", "SEEN", "ADVISED", "SKIPPED", "REFUSED", "FAILED",
			 "BYTES", "RECLAIMED", "RESIDENT", "IN-SWAP", "TOOK");
	snprintf(who, sizeof(who), "%s/%d", walk->target->name, walk->target->pid);
	out_text("%5" PRIu64 "  %-22s %6llu %7llu %7llu %7llu %6llu %8s %9s %8s %8s %9s\n",
		 runner->rounds, who, result->ranges_seen,
		 result->ranges_advised, result->ranges_skipped,
		 result->ranges_refused, result->ranges_failed,
		 human_bytes(result->bytes_advised, bytes),
		 human_bytes(result->stats.reclaimed * page_size(), reclaimed),
		 human_bytes(walk->resident_after, resident),
		 human_bytes(walk->swapped_after, swap),
		 human_time(walk->elapsed_ns, time));
	if (why)
		out_text("       stopped at %llx: %s\n", result->cursor,
			 why);
	return out_flush();
}

static bool walk_suspects_policy(const struct walk *walk)
{
	return walk->err == -ENOENT || walk->result.stopped == PMADV_STOPPED_EJECTED ||
	       walk->result.stopped == PMADV_STOPPED_DETACHED;
}

static int walk_one(struct runner *runner, const struct target *target)
{
	struct walk walk;
	int err;

	walk_run(target, &runner->request, &walk);
	err = show_ranges(runner);
	if (!err && (!walk.err || walk.result.ranges_seen))
		err = show_walk(runner, &walk);
	runner->walks++;
	pmadv_result_add(&runner->sum, &walk.result);
	exact_add(&runner->exact, &walk.exact);
	if (err)
		return err;

	/* Its link may come a moment after a walk noticed. */
	if (decider_left(&runner->decider, walk_suspects_policy(&walk) ? SECOND_NS : 0))
		return decider_say_left(&runner->decider);
	/* If a target exited or is out of scope, walk the others. */
	err = walk_say_error(&walk, &runner->request);
	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

static int run_round(struct runner *runner)
{
	const struct args *args = runner->args;
	struct vec targets = { };
	const struct target *target;
	int err;

	err = targets_find(args->operands + 1, args->nr_operands - 1,
			   runner->rounds > 0, &targets);
	if (err)
		return err;

	runner->rounds++;
	if (!targets.nr)
		say_note("round %" PRIu64 ": no such targets any more, or not yet",
			 runner->rounds);
	target = targets.items;
	for (size_t i = 0; i < targets.nr && !err && !stop_asked; i++)
		err = walk_one(runner, &target[i]);

	targets_free(&targets);
	return err;
}

/*
 * Wait until the next round is due. Returns 0, -EINTR if we are to end, or an
 * error if the policy is no longer in force.
 */
static int pause_until(const struct runner *runner, uint64_t due)
{
	while (!stop_asked) {
		uint64_t now = now_ns();

		if (decider_left(&runner->decider, now < due ? (int64_t)(due - now) : 0))
			return decider_say_left(&runner->decider);
		if (now_ns() >= due)
			return 0;
	}
	return -EINTR;
}

static int run_rounds(struct runner *runner)
{
	const struct args *args = runner->args;
	uint64_t every = args->every ? args->every : DEFAULT_EVERY_NS;
	uint64_t due = now_ns();
	int err = 0;

	while (!err && !stop_asked) {
		err = run_round(runner);
		if (err || (args->count && runner->rounds >= args->count))
			break;
		due += every;
		/* A round that took too long is not caught up. */
		if (due < now_ns())
			due = now_ns();
		err = pause_until(runner, due);
	}
	return err == -EINTR ? 0 : err;
}

static int show_total(const struct runner *runner)
{
	const struct pmadv_result *sum = &runner->sum;
	char bytes[HUMAN_LEN], reclaimed[HUMAN_LEN], time[HUMAN_LEN], exact[EXACT_TEXT_LEN];

	if (out_json()) {
		struct json_object *line = json_line("total");

		json_text(line, "policy", decider_name(&runner->decider));
		json_text(line, "engine", engine_in_use());
		if (runner->decider.engine)
			json_exact(line, &runner->exact);
		json_number(line, "rounds", runner->rounds);
		json_number(line, "walks", runner->walks);
		json_ranges(line, sum);
		json_number(line, "bytes_advised", sum->bytes_advised);
		json_number(line, "reclaimed", sum->stats.reclaimed * page_size());
		json_number(line, "time_ns", sum->stats.time_ns);
		if (runner->records)
			json_number(line, "lost", monitor_lost(runner->records));
		return json_print(line);
	}

	out_text("%s: %" PRIu64 " round%s, %" PRIu64 " walk%s: %llu of %llu ranges advised (%s), %s reclaimed, in %s\n",
		 decider_name(&runner->decider), runner->rounds,
		 runner->rounds == 1 ? "" : "s", runner->walks,
		 runner->walks == 1 ? "" : "s",
		 sum->ranges_advised, sum->ranges_seen,
		 human_bytes(sum->bytes_advised, bytes),
		 human_bytes(sum->stats.reclaimed * page_size(), reclaimed),
		 human_time(sum->stats.time_ns, time));
	if (runner->decider.engine)
		out_text("engine for kernels without the hook: %s\n",
			 exact_text(&runner->exact, exact));
	return out_flush();
}

static void say_in_use(const struct runner *runner)
{
	const char *name = decider_name(&runner->decider);

	if (runner->decider.engine)
		say_note("policy %s is asked by the engine, as this kernel has no hook: for these targets only, not for other callers; Ctrl-C ends",
			 name);
	else
		say_note("policy %s is in force; Ctrl-C ends and detaches it", name);
}

static int run_run(const struct args *args)
{
	const struct monitor_filter filter = { .caller = getpid(), .ranges = true };
	struct runner runner = {
		.args = args,
		.request = {
			.advice = args->advice,
			.flags = PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE,
			.decider = &runner.decider,
			.proven_only = args->proven_only,
			.freeze = args->freeze,
			.data = &runner,
		},
	};
	const struct monitor_handler handler = { .range = on_range, .data = &runner };
	int err, total_err;

	err = decider_open(&runner.decider, args->operands[0], &args->set, args->cgroup);
	if (!err && args->records && runner.decider.engine)
		runner.request.on_range = on_range;
	else if (!err && args->records)
		runner.records = monitor_open(&filter, RECORDS_BUFFER, &handler, &err);
	if (err)
		goto out;

	privileges_drop(runner.decider.engine ? PRIVILEGES_ENGINE : PRIVILEGES_ADVISE);
	say_in_use(&runner);
	err = run_rounds(&runner);
	if (runner.walks && err != -EPIPE) {
		total_err = show_total(&runner);
		err = err ? err : total_err;
	}
out:
	monitor_close(runner.records);
	decider_close(&runner.decider);
	return err;
}

const struct verb verb_run = {
	.name = "run",
	.operands = "POLICY TARGET...",
	.min_operands = 2,
	.max_operands = -1,
	.summary = "Put a policy in force and walk the targets with it again and again; detach it at the end.",
	.options = options,
	.examples = examples,
	.run = run_run,
};

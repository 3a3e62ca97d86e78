// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/process_madvise.h>
#include <pmadv/monitor.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/output.h"
#include "lib/results.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "lib/util.h"
#include "options.h"
#include "policy/hook.h"
#include "policy/links.h"
#include "policy/sysfs.h"
#include "proc/maps.h"
#include "recording/watch_ages.h"
#include "walk/target.h"
#include "walk/walk.h"

#define DEFAULT_ADVICE	MADV_PAGEOUT

static const struct option_def options[] = {
	{ "advice", 'a', OPTION_ADVICE, offsetof(struct args, advice), "ADVICE",
	  "what is proposed to the policy and, where none is in force, what is "
	  "looked at instead: cold, pageout, willneed or collapse; default there: "
	  "pageout" },
	{ "policy", 'p', OPTION_TEXT, offsetof(struct args, policy), "POLICY",
	  "on a kernel without the hook: the policy that is asked; default: what is "
	  "proposed is looked at" },
	OPTION_SET,
	{ "ages", 'A', OPTION_SECONDS, offsetof(struct args, ages), "TIME",
	  "then watch for TIME, like 60 or 5m, what walks by others find out, and show how "
	  "much was idle for how long" },
	OPTIONS_COMMON
};

static const struct example examples[] = {
	{ "pmadv explain redis-server",
	  "what each of its mappings holds, and what its policy would do with it" },
	{ "pmadv explain 4711 --advice collapse",
	  "with a proposal; without a policy: which ranges would take that advice" },
	{ "pmadv explain 4711 --json | jq 'select(.outcome==\"refused\")'",
	  "what would be refused, and why" },
	{ "pmadv explain redis-server --ages 5m",
	  "and how much of it was idle for how long, while somebody walks it" },
	{ }
};

static const char *const range_columns[] = {
	"RANGE", ">SIZE", ">RESIDENT", ">SWAPPED", ">ACCESSED", "MAPPING", "VERDICT",
	"OUTCOME", "WHY", "NAME", NULL
};

static const char *const sum_columns[] = {
	"VERDICT", "OUTCOME", ">RANGES", ">SIZE", ">RESIDENT", ">SWAPPED", NULL
};

/* The sum of all ranges with the same verdict and outcome. */
struct sum {
	int32_t verdict;
	uint32_t outcome;
	uint64_t ranges;
	uint64_t bytes;
	uint64_t resident;
	uint64_t swapped;
};

struct explanation {
	const struct target *target;
	const struct request *request;
	const char *policy;	/* asked by the engine; NULL: none, or the hook's */
	struct walk walk;
	struct vec ranges;	/* struct pmadv_range_record */
	struct vec maps;	/* struct map_name */
	struct vec sums;	/* struct sum */
	struct libscols_table *table;
};

/* A refusal in words: the kernel's errno, and the fact that causes it. */
static const char *why_text(const struct pmadv_range_record *record)
{
	switch (record->error) {
	case 0:
		return "";
	case EPERM:
		return "EPERM: sealed";
	case EACCES:
		return "EACCES: a file that the caller may not write";
	case EOPNOTSUPP:
		return "EOPNOTSUPP: SKIP_YOUNG: page tables cannot be read here";
	case EINVAL:
		break;
	default:
		return strerrorname_np((int)record->error);
	}

	if (!advice_name(record->verdict) && record->verdict != PMADV_CALLER)
		return "EINVAL: no such verdict";
	if (record->modifiers & ~(uint32_t)PMADV_SKIP_YOUNG)
		return "EINVAL: no such modifier";
	if (record->vma_flags & PMADV_VMA_HUGETLB)
		return "EINVAL: hugetlb";
	if (record->vma_flags & PMADV_VMA_SPECIAL)
		return "EINVAL: no ordinary memory";
	if (record->vma_flags & PMADV_VMA_LOCKED)
		return "EINVAL: locked";
	return "EINVAL: cannot have huge pages";
}

static int add_sum(struct explanation *exp, const struct pmadv_range_record *record,
		   uint64_t resident, uint64_t swapped)
{
	struct sum *sum = exp->sums.items;
	size_t i;

	for (i = 0; i < exp->sums.nr; i++)
		if (sum[i].verdict == record->verdict && sum[i].outcome == record->outcome)
			break;
	if (i == exp->sums.nr && !vec_add(&exp->sums, sizeof(*sum)))
		return -ENOMEM;

	sum = exp->sums.items;
	sum[i].verdict = record->verdict;
	sum[i].outcome = record->outcome;
	sum[i].ranges++;
	sum[i].bytes += record->end - record->start;
	sum[i].resident += resident;
	sum[i].swapped += swapped;
	return 0;
}

/* Print a mapping, with its decision if there is only one for all of it. */
static int show_map(struct explanation *exp, const struct map_name *map,
		    const struct pmadv_range_record *record, size_t nr)
{
	char range[40], size[HUMAN_LEN], resident[HUMAN_LEN], swapped[HUMAN_LEN],
	     accessed[HUMAN_LEN], vma[VMA_TEXT_LEN], verdict[VERDICT_TEXT_LEN],
	     pieces[32] = "";

	if (out_json()) {
		struct json_object *line = json_line("mapping");

		json_signed(line, "pid", exp->target->pid);
		json_address(line, "start", map->start);
		json_address(line, "end", map->end);
		json_number(line, "bytes", map->end - map->start);
		json_text(line, "vma", nr ? vma_flags_text(record->vma_flags, vma) :
					    map->perms);
		json_text(line, "name", map->name);
		json_number(line, "resident", map->resident);
		json_number(line, "swapped", map->swapped);
		json_number(line, "accessed", map->accessed);
		json_number(line, "ranges", nr);
		return json_print(line);
	}

	snprintf(range, sizeof(range), "%" PRIx64 "-%" PRIx64, map->start, map->end);
	if (nr > 1)
		snprintf(pieces, sizeof(pieces), "in %zu ranges:", nr);
	return table_row(exp->table, range, human_bytes(map->end - map->start, size),
			 human_bytes(map->resident, resident),
			 human_bytes(map->swapped, swapped),
			 human_bytes(map->accessed, accessed),
			 nr ? vma_flags_text(record->vma_flags, vma) : map->perms,
			 nr == 1 ? verdict_text(record->verdict, verdict) : pieces,
			 nr == 1 ? outcome_text(record->outcome) : nr ? "" : "not asked",
			 nr == 1 ? why_text(record) : "", map->name);
}

/* Print a range that is part of a mapping: a policy may decide about pieces. */
static int show_piece(struct explanation *exp, const struct pmadv_range_record *record,
		      uint64_t resident, uint64_t swapped)
{
	char range[40], size[HUMAN_LEN], in[HUMAN_LEN], out[HUMAN_LEN],
	     vma[VMA_TEXT_LEN], verdict[VERDICT_TEXT_LEN];

	snprintf(range, sizeof(range), "  %llx-%llx", record->start, record->end);
	return table_row(exp->table, range, human_bytes(record->end - record->start, size),
			 human_bytes(resident, in), human_bytes(swapped, out), "",
			 vma_flags_text(record->vma_flags, vma),
			 verdict_text(record->verdict, verdict),
			 outcome_text(record->outcome), why_text(record), "");
}

static int show_range_json(struct explanation *exp,
			   const struct pmadv_range_record *record, uint64_t resident,
			   uint64_t swapped)
{
	struct json_object *line = json_line("range");
	char verdict[VERDICT_TEXT_LEN], vma[VMA_TEXT_LEN];

	json_signed(line, "pid", exp->target->pid);
	json_address(line, "start", record->start);
	json_address(line, "end", record->end);
	json_number(line, "bytes", record->end - record->start);
	json_text(line, "vma", vma_flags_text(record->vma_flags, vma));
	json_text(line, "name", maps_name(&exp->maps, record->start));
	json_number(line, "resident", resident);
	json_number(line, "swapped", swapped);
	json_text(line, "verdict", verdict_text(record->verdict, verdict));
	json_flag(line, "skip_young", record->modifiers & PMADV_SKIP_YOUNG);
	json_text(line, "outcome", outcome_text(record->outcome));
	json_text(line, "error",
		  record->error ? strerrorname_np((int)record->error) : NULL);
	json_text(line, "why", record->error ? why_text(record) : NULL);
	return json_print(line);
}

/* @whole: the line of the mapping already shows it. */
static int explain_range(struct explanation *exp, const struct pmadv_range_record *record,
			 bool whole)
{
	uint64_t resident, swapped;
	int err;

	/* A process that has exited has no memory. */
	range_usage(exp->target->pid, record->start, record->end, &resident, &swapped);
	err = add_sum(exp, record, resident, swapped);
	if (err)
		return say_no_memory();
	if (out_json())
		return show_range_json(exp, record, resident, swapped);
	return whole ? 0 : show_piece(exp, record, resident, swapped);
}

/* Mappings and ranges are both in order of their addresses. */
static int explain_maps(struct explanation *exp)
{
	const struct pmadv_range_record *record = exp->ranges.items;
	const struct pmadv_range_record *last = record + exp->ranges.nr;
	const struct map_name *map = exp->maps.items;
	int err = 0;

	for (size_t i = 0; i < exp->maps.nr && !err; i++, map++) {
		size_t nr = 0;

		/* The mapping is gone since the decision. */
		for (; record < last && record->start < map->start && !err; record++)
			err = explain_range(exp, record, false);
		while (record + nr < last && record[nr].start < map->end)
			nr++;
		if (!err)
			err = show_map(exp, map, record, nr);
		for (size_t j = 0; j < nr && !err; j++)
			err = explain_range(exp, &record[j], nr == 1);
		record += nr;
	}
	return err;
}

/* On a kernel without the hook nothing is in force: a policy was named, or none. */
static int show_engine_head(struct explanation *exp)
{
	const struct target *target = exp->target;
	const char *advice = advice_name(exp->request->advice);
	struct json_object *line;

	if (out_json()) {
		line = json_line("process");
		json_signed(line, "pid", target->pid);
		json_text(line, "comm", target->name);
		json_text(line, "engine", engine_in_use());
		json_flag(line, "decides", exp->policy);
		json_text(line, "policy", exp->policy);
		json_text(line, "scope", NULL);
		json_text(line, "advice", advice);
		return json_print(line);
	}
	if (exp->policy)
		out_text("%s (%d): policy %s, asked by the engine as this kernel has no hook%s%s\n",
			 target->name, target->pid, exp->policy,
			 advice ? ", proposed: " : "", advice ? advice : "");
	else
		out_text("%s (%d): this is what --advice %s would do\n"
			 "this kernel has no hook: --policy POLICY shows what a policy would do\n",
			 target->name, target->pid, advice);
	return out_flush();
}

static int show_head(struct explanation *exp)
{
	const struct target *target = exp->target;
	const char *advice = advice_name(exp->request->advice);
	const struct sysfs_policy *policy = NULL;
	struct vec policies = { };
	char *scope = NULL;

	if (exp->request->decider)
		return show_engine_head(exp);
	if (exp->request->flags & PMADV_POLICY && !sysfs_policies(&policies))
		policy = sysfs_policy_of_process(&policies, target->pid);
	if (policy)
		scope = scope_text(policy->cgroup_id);

	if (out_json()) {
		struct json_object *line = json_line("process");

		json_signed(line, "pid", target->pid);
		json_text(line, "comm", target->name);
		json_text(line, "engine", engine_in_use());
		json_flag(line, "decides", exp->request->flags & PMADV_POLICY);
		json_text(line, "policy", policy ? policy->name : NULL);
		json_text(line, "scope", scope);
		json_text(line, "advice", advice);
		json_print(line);
	} else if (exp->request->flags & PMADV_POLICY) {
		out_text("%s (%d): policy %s decides (scope %s)%s%s\n", target->name,
			 target->pid, policy ? policy->name : "?", scope ? scope : "?",
			 advice ? ", proposed: " : "", advice ? advice : "");
	} else {
		out_text("%s (%d): no policy is in force for it; this is what --advice %s would do\n"
			 "'pmadv attach POLICY' puts one in force, with --cgroup only for some\n",
			 target->name, target->pid, advice);
	}
	free(scope);
	vec_free(&policies);
	return out_flush();
}

static int show_sums(struct explanation *exp)
{
	struct libscols_table *table = table_new(sum_columns);
	const struct sum *sum = exp->sums.items;
	int err = 0;

	if (!table)
		return say_no_memory();

	for (size_t i = 0; i < exp->sums.nr && !err; i++, sum++) {
		char verdict[VERDICT_TEXT_LEN], ranges[HUMAN_LEN], bytes[HUMAN_LEN],
		     resident[HUMAN_LEN], swapped[HUMAN_LEN];

		err = table_row(table, verdict_text(sum->verdict, verdict),
				outcome_text(sum->outcome),
				human_count(sum->ranges, ranges),
				human_bytes(sum->bytes, bytes),
				human_bytes(sum->resident, resident),
				human_bytes(sum->swapped, swapped));
	}
	if (!err)
		err = table_print(table);
	scols_unref_table(table);
	return err;
}

static int show(struct explanation *exp)
{
	const struct pmadv_result *result = &exp->walk.result;
	const char *why = stopped_text(result->stopped);
	int err;

	err = show_head(exp);
	if (!err)
		err = explain_maps(exp);
	if (err || out_json())
		return err;

	out_text("\n");
	err = table_print(exp->table);
	out_text("\n");
	if (!err && exp->sums.nr)
		err = show_sums(exp);
	if (why)
		out_text("stopped at %llx: %s\n", result->cursor, why);
	return err;
}

static int read_maps(struct explanation *exp)
{
	const struct target *target = exp->target;
	int err = maps_read_usage(target->pid, &exp->maps);

	if (err == -EACCES || err == -EPERM)
		return say_error(err, "%s (%d): no permission to access it: this needs the same user, or CAP_SYS_PTRACE",
				 target->name, target->pid);
	if (err)
		return say_error(err, "%s (%d): its mappings: %s", target->name,
				 target->pid, error_text(err));
	return 0;
}

static int explain_one(const struct target *target, const struct args *args,
		       const struct decider *decider)
{
	struct request request = {
		.advice = args->advice,
		.flags = PMADV_POLICY | PMADV_ENTIRE_ADDRESS_SPACE | PMADV_DRY_RUN,
		.decider = decider->engine ? decider : NULL,
	};
	struct explanation exp = {
		.target = target,
		.request = &request,
		.policy = args->policy,
	};
	int err, walk_err = 0;

	err = read_maps(&exp);
	if (err)
		goto out;
	exp.table = table_new(range_columns);
	if (!exp.table) {
		err = say_no_memory();
		goto out;
	}

	if (decider->engine && !args->policy && !request.advice)
		request.advice = DEFAULT_ADVICE;
	err = walk_recorded(target, &request, &exp.walk, &exp.ranges);
	if (!err && exp.walk.err == -ENOENT) {
		request.flags &= ~(unsigned int)PMADV_POLICY;
		if (!request.advice)
			request.advice = DEFAULT_ADVICE;
		err = walk_recorded(target, &request, &exp.walk, &exp.ranges);
	}
	if (err)
		goto out;

	/* Show the decisions made before the policy was ejected. */
	walk_err = walk_say_error(&exp.walk, &request);
	if (!walk_err || exp.ranges.nr)
		err = show(&exp);
	err = walk_err ? walk_err : err;
out:
	scols_unref_table(exp.table);
	vec_free(&exp.sums);
	vec_free(&exp.ranges);
	maps_free(&exp.maps);
	return err;
}

static int explain_all(const struct args *args, const struct decider *decider)
{
	const struct target *target;
	struct vec targets = { };
	int err;

	err = targets_find(args->operands, args->nr_operands, false, &targets);
	if (err)
		return err;

	target = targets.items;
	for (size_t i = 0; i < targets.nr && !err && !stop_asked; i++) {
		if (i && !out_json())
			out_text("\n");
		err = explain_one(&target[i], args, decider);
		/*
		 * With several targets, one that exited is reported but is not
		 * a failure.
		 */
		if (err == -ESRCH && targets.nr > 1)
			err = 0;
	}
	if (!err && args->ages)
		err = watch_ages(&targets, args->ages);
	targets_free(&targets);
	return err;
}

static int explain_run(const struct args *args)
{
	struct decider decider = { };
	int err = 0;

	if (hook_present() && (args->policy || args->set.nr))
		return say_error(-EUSAGE, "--policy and --set are for kernels without the hook: here 'pmadv attach POLICY' puts one in force, and explain shows what it would do");
	if (!hook_present())
		err = decider_open(&decider, args->policy ? args->policy : "caller",
				   &args->set, NULL);
	if (!err)
		err = explain_all(args, &decider);
	decider_close(&decider);
	return err;
}

const struct verb verb_explain = {
	.name = "explain",
	.operands = "TARGET...",
	.min_operands = 1,
	.max_operands = -1,
	.summary = "Show the mappings of a process, what its policy would do with each, and why not.",
	.options = options,
	.examples = examples,
	.run = explain_run,
};

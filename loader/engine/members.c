// SPDX-License-Identifier: GPL-2.0
/* The members of a policy besides advise(), and its ejection. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/internal.h"
#include "lib/error.h"

/* The error of a policy goes to the caller: see pmadv_errno() in the kernel. */
static int as_errno(int ret)
{
	return ret > 0 || ret <= -512 ? -EINVAL : ret;
}

int member_begin(struct engine *engine, pid_t tid)
{
	struct pmadv_engine *state = engine->state;
	int err;

	memset(engine->walk, 0, sizeof(*engine->walk));
	engine->walk->flags = state->walk_flags;
	engine->walk->advice = state->advice;
	engine->walk->result.size = sizeof(engine->walk->result);
	engine->walk->result.call_id = state->call_id;
	if (engine->programs[PROGRAM_BEGIN] < 0)
		return 0;
	state->begun = 0;
	if (engine->simulates)
		err = program_call(engine, PROGRAM_BEGIN);
	else
		err = program_run_over(engine, PROGRAM_BEGIN, tid);
	if (err)
		return err;
	return state->begun ? as_errno(state->begin_ret) : -ESRCH;
}

void member_end(struct engine *engine, const struct pmadv_result *result)
{
	if (engine->programs[PROGRAM_END] < 0 || *engine->ejection)
		return;
	engine->walk->result = *result;
	*engine->stats = result->stats;
	program_call(engine, PROGRAM_END);
}

void member_advised(struct engine *engine, const struct pmadv_range_record *record,
		    const struct pmadv_answer *answer)
{
	if (engine->programs[PROGRAM_ADVISED] < 0 || *engine->ejection)
		return;
	*engine->range = (struct bpf_range) {
		.start = record->start,
		.end = record->end,
		.vma_start = answer->vma_start,
		.vma_end = answer->vma_end,
		.max_pages = answer->max_pages,
		.vma_flags = answer->vma_flags,
		.modifiers = answer->modifiers,
		.advice = record->advice,
		.walk_flags = record->walk_flags,
		.call_id = record->head.call_id,
	};
	*engine->stats = record->stats;
	program_call(engine, PROGRAM_ADVISED);
}

static const char *kind_text(uint32_t kind)
{
	switch (kind) {
	case PMADV_EXIT_INVALID:
		return "invalid verdicts";
	case PMADV_EXIT_NO_PROGRESS:
		return "no progress";
	case PMADV_EXIT_ERROR:
		return "error";
	default:
		return "too slow";
	}
}

int engine_eject(struct engine *engine, uint32_t kind, int64_t code, const char *msg)
{
	snprintf(engine->ejection, sizeof(engine->ejection), "%s: %s: %s (%lld)",
		 engine->policy.name, kind_text(kind), msg, (long long)code);
	engine->exit_info->kind = kind;
	engine->exit_info->code = code;
	snprintf(engine->exit_info->msg, sizeof(engine->exit_info->msg), "%s", msg);
	engine->sums->ejected = 1;
	if (engine->programs[PROGRAM_EXIT] >= 0)
		program_call(engine, PROGRAM_EXIT);
	return -EEJECTED;
}

int engine_check_ejection(struct engine *engine)
{
	const struct pmadv_engine *state = engine->state;

	switch (state->stop) {
	case PMADV_ENGINE_INVALID:
		return engine_eject(engine, PMADV_EXIT_INVALID, 0,
				    "too many invalid verdicts in one call");
	case PMADV_ENGINE_NO_PROGRESS:
		return engine_eject(engine, PMADV_EXIT_NO_PROGRESS, 0,
				    "narrowed a range to nothing or widened it");
	case PMADV_ENGINE_ERROR:
		return engine_eject(engine, PMADV_EXIT_ERROR, state->error_code,
				    state->error_msg);
	case PMADV_ENGINE_SLOW:
		return engine_eject(engine, PMADV_EXIT_SLOW, 0,
				    "took more than 10 ms for one answer after the other");
	default:
		return 0;
	}
}

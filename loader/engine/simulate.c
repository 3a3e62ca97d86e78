// SPDX-License-Identifier: GPL-2.0
/* A walk over mappings that were recorded: the policy is asked, nothing is done. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/giving.h"
#include "engine/internal.h"
#include "lib/error.h"
#include "lib/signals.h"

static void set_mapping(struct engine *engine, const struct engine_mapping *mapping)
{
	struct pmadv_simulation *to = engine->simulation;

	*to = (struct pmadv_simulation) {
		.active = 1,
		.vma_flags = mapping->vma_flags,
		.start = mapping->start,
		.end = mapping->end,
		.present = mapping->present,
		.young = mapping->young,
		.swapped = mapping->swapped,
	};
	snprintf(to->name, sizeof(to->name), "%s", mapping->name);
	engine->state->cursor = mapping->start;
}

/* The policy may leave a part of the mapping for another question. */
static int ask_mapping(struct engine *engine, const struct engine_mapping *mapping,
		       struct giving *giving)
{
	struct pmadv_engine *state = engine->state;
	int err = 0;

	set_mapping(engine, mapping);
	while (!err && state->cursor < mapping->end && !giving->walk->result.stopped) {
		engine_begin_batch(engine);
		err = program_call(engine, PROGRAM_SIMULATE);
		if (err)
			return err < 0 ? err : -EPROTO;
		giving_begin_batch(giving);
		while (giving_more(giving) && !err)
			err = giving_some(giving);
		if (!err)
			err = engine_check_ejection(engine);
		if (stop_asked)
			giving->walk->result.stopped = PMADV_STOPPED_SIGNAL;
	}
	return err;
}

static void begin_walk(struct engine *engine, struct engine_walk *walk)
{
	struct pmadv_engine *state = engine->state;

	walk->flags |= PMADV_DRY_RUN | PMADV_POLICY;
	engine_begin_walk(engine, walk);
	state->want_all = 1;
	state->slow_ns = 0;
	state->end = UINT64_MAX;
	state->capacity = PMADV_ENGINE_BATCH;
	state->most_bytes = UINT64_MAX;
}

int engine_simulate(struct engine *engine, struct engine_walk *walk,
		    const struct engine_mapping *mapping, size_t nr)
{
	struct giving giving = { .engine = engine, .walk = walk, .pages_left = UINT64_MAX };
	int err;

	if (*engine->ejection)
		return -EEJECTED;
	begin_walk(engine, walk);
	err = member_begin(engine, 0);
	for (size_t i = 0; i < nr && !err && !walk->result.stopped; i++)
		err = ask_mapping(engine, &mapping[i], &giving);
	engine->simulation->active = 0;
	if (err != -EEJECTED)
		member_end(engine, &walk->result);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
#include "daemon/pacer.h"

#include <stddef.h>

#define SECOND_NS	1000000000ULL
/* Rates over a shorter time are noise. */
#define LOOK_NS		(SECOND_NS / 2)

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Counters of removed cgroups are missing in the sum, so it may fall. */
static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void look(struct pacer *pacer, const struct pacer_config *config,
		 const struct pacer_sample *sample)
{
	uint64_t passed = since(sample->now_ns, pacer->looked.now_ns);
	double refaults = (double)since(sample->refaults, pacer->looked.refaults);
	double stalled = (double)since(sample->stalled_ns, pacer->looked.stalled_ns);

	if (!sample->counted || passed < LOOK_NS)
		return;
	if (pacer->looked.counted)
		pacer->above = (config->max_refaults && refaults * SECOND_NS >
				(double)config->max_refaults * passed) ||
			       (config->max_stall_percent && stalled * 100 >
				(double)config->max_stall_percent * passed);
	pacer->looked = *sample;
}

static void refill(struct pacer *pacer, uint64_t now_ns)
{
	int64_t passed = (int64_t)min_u64(since(now_ns, pacer->refilled_ns), INT64_MAX / 2);

	pacer->refilled_ns = now_ns;
	pacer->pages_credit_ns += passed;
	if (pacer->pages_credit_ns > (int64_t)SECOND_NS)
		pacer->pages_credit_ns = SECOND_NS;
	pacer->cpu_credit_ns += passed;
	if (pacer->cpu_credit_ns > (int64_t)SECOND_NS)
		pacer->cpu_credit_ns = SECOND_NS;
}

static bool wanted(const struct pacer *pacer, const struct pacer_config *config,
		   const struct pacer_sample *sample)
{
	if (sample->now_ns < pacer->due_ns || sample->satisfied)
		return false;
	if (config->on_pressure && !pacer->pressed)
		return false;
	return !config->free_under || sample->available < config->free_under;
}

static void back_off(struct pacer *pacer, const struct pacer_config *config,
		     uint64_t now_ns)
{
	pacer->state = PACER_BACK_OFF;
	pacer->until_ns = now_ns + pacer->hold_ns;
	pacer->hold_ns = min_u64(pacer->hold_ns * 2, config->hold_max_ns);
}

static void start(struct pacer *pacer, const struct pacer_config *config,
		  const struct pacer_sample *sample)
{
	pacer->started = true;
	pacer->looked = *sample;
	pacer->refilled_ns = sample->now_ns;
	pacer->pages_credit_ns = SECOND_NS;
	pacer->cpu_credit_ns = SECOND_NS;
	pacer->hold_ns = config->hold_min_ns;
}

enum pacer_state pacer_step(struct pacer *pacer, const struct pacer_config *config,
			    const struct pacer_sample *sample)
{
	uint64_t now = sample->now_ns;

	if (!pacer->started)
		start(pacer, config, sample);
	look(pacer, config, sample);
	refill(pacer, now);
	if (sample->pressed)
		pacer->pressed = true;
	pacer->satisfied = sample->satisfied;

	if (pacer->state == PACER_BACK_OFF && now < pacer->until_ns)
		return pacer->state;
	if (pacer->above) {
		back_off(pacer, config, now);
		return pacer->state;
	}
	if (pacer->state == PACER_BACK_OFF)
		pacer->state = PACER_WAIT;
	if (pacer->state == PACER_WAIT && wanted(pacer, config, sample)) {
		pacer->state = PACER_WALK;
		pacer->due_ns = now + config->every_ns;
		pacer->pressed = false;
	}
	return pacer->state;
}

uint64_t pacer_pages(const struct pacer *pacer, const struct pacer_config *config)
{
	if (pacer->state != PACER_WALK || pacer->satisfied)
		return 0;
	if (config->cpu_percent && pacer->cpu_credit_ns <= 0)
		return 0;
	if (!config->pages_per_second)
		return UINT64_MAX;
	if (pacer->pages_credit_ns <= 0)
		return 0;
	return (uint64_t)((double)pacer->pages_credit_ns *
			  (double)config->pages_per_second / SECOND_NS);
}

void pacer_charge(struct pacer *pacer, const struct pacer_config *config,
		  uint64_t pages, uint64_t cpu_ns)
{
	if (config->pages_per_second)
		pacer->pages_credit_ns -= (int64_t)((double)pages * SECOND_NS /
						    (double)config->pages_per_second);
	if (config->cpu_percent)
		pacer->cpu_credit_ns -= (int64_t)(cpu_ns * 100 / config->cpu_percent);
}

void pacer_done(struct pacer *pacer, const struct pacer_config *config,
		uint64_t now_ns)
{
	pacer->state = PACER_WAIT;
	/* A round that took too long is not caught up. */
	if (pacer->due_ns < now_ns)
		pacer->due_ns = now_ns;
	/* The round was completed, so the next back-off may be shorter. */
	pacer->hold_ns /= 2;
	if (pacer->hold_ns < config->hold_min_ns)
		pacer->hold_ns = config->hold_min_ns;
}

const char *pacer_state_text(enum pacer_state state)
{
	static const char *const names[] = {
		[PACER_WAIT] = "wait",
		[PACER_WALK] = "walk",
		[PACER_BACK_OFF] = "back off",
	};

	return names[state];
}

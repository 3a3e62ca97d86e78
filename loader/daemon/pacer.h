/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a rule of the daemon walks, and how much. A clock and samples go in, what
 * to do comes out: nothing is read and nobody waits here, so what was recorded
 * can be replayed. The man page of pmadv-daemon has the picture:
 *
 *	WAIT      due and wanted -> WALK; too many refaults or stalls -> BACK_OFF
 *	WALK      pacer_done()   -> WAIT; too many refaults or stalls -> BACK_OFF
 *	BACK_OFF  when held long enough -> WAIT, or for twice as long if it is
 *		  still too many
 */
#ifndef PMADV_PACER_H
#define PMADV_PACER_H

#include <stdbool.h>
#include <stdint.h>

enum pacer_state {
	PACER_WAIT,
	PACER_WALK,
	PACER_BACK_OFF,
};

struct pacer_config {
	uint64_t every_ns;		/* least time between the starts of two rounds */
	bool on_pressure;		/* only if the trigger fired since the last round */
	uint64_t free_under;		/* only if fewer bytes are available; 0: always */
	uint64_t pages_per_second;	/* 0: no limit */
	uint64_t cpu_percent;		/* of one CPU; 0: no limit */
	uint64_t max_refaults;		/* pages a second; 0: any */
	uint64_t max_stall_percent;	/* of the time; 0: any */
	uint64_t hold_min_ns;		/* how long to back off, at first and at most */
	uint64_t hold_max_ns;
};

/* Counters of a rule's processes, or of the system, at one time. */
struct pacer_sample {
	uint64_t now_ns;
	uint64_t refaults;		/* pages, counted from any start */
	uint64_t stalled_ns;		/* time spent waiting for memory, from any start */
	uint64_t available;		/* bytes */
	bool pressed;			/* the trigger fired since the last sample */
	bool satisfied;			/* there is a goal, and nothing to do for it */
	bool counted;			/* else refaults and stalled_ns were not read */
	bool no_stalls;			/* this kernel does not count them */
};

struct pacer {
	enum pacer_state state;
	uint64_t due_ns;
	uint64_t until_ns;
	uint64_t hold_ns;
	bool started;
	bool pressed;
	bool satisfied;			/* at the last step */
	bool above;			/* too many refaults or stalls, at the last look */
	struct pacer_sample looked;
	/*
	 * Budgets are kept as time: it accrues as time passes, and each walk is
	 * charged the time it should have taken. At most one second is saved
	 * up; debts are paid off.
	 */
	uint64_t refilled_ns;
	int64_t pages_credit_ns;
	int64_t cpu_credit_ns;
};

/* Take a sample. The new state is also returned. */
enum pacer_state pacer_step(struct pacer *pacer, const struct pacer_config *config,
			    const struct pacer_sample *sample);

/* How many pages may be advised now: 0 for none, UINT64_MAX for no limit. */
uint64_t pacer_pages(const struct pacer *pacer, const struct pacer_config *config);

/* Charge a walk: the pages that were advised, and the CPU time it took. */
void pacer_charge(struct pacer *pacer, const struct pacer_config *config,
		  uint64_t pages, uint64_t cpu_ns);

/* The round is complete. */
void pacer_done(struct pacer *pacer, const struct pacer_config *config,
		uint64_t now_ns);

const char *pacer_state_text(enum pacer_state state);

#endif /* PMADV_PACER_H */

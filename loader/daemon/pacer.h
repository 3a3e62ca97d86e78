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
	uint64_t every_ns;		/* rounds do not begin more often */
	bool on_pressure;		/* nor unless the trigger fired since the last */
	uint64_t free_under;		/* nor unless less is available, bytes; 0: do */
	uint64_t pages_per_second;	/* 0: no limit */
	uint64_t cpu_percent;		/* of one CPU; 0: no limit */
	uint64_t max_refaults;		/* pages a second; 0: any */
	uint64_t max_stall_percent;	/* of the time; 0: any */
	uint64_t hold_min_ns;		/* how long to back off: at first, and at most */
	uint64_t hold_max_ns;
};

/* What a rule's processes, or the system, are like at a point in time. */
struct pacer_sample {
	uint64_t now_ns;
	uint64_t refaults;		/* pages, since whenever */
	uint64_t stalled_ns;		/* waiting for memory, since whenever */
	uint64_t available;		/* bytes */
	bool pressed;			/* the trigger fired since the last sample */
};

struct pacer {
	enum pacer_state state;
	uint64_t due_ns;
	uint64_t until_ns;
	uint64_t hold_ns;
	bool started;
	bool pressed;
	bool above;			/* too many refaults or stalls, at the last look */
	struct pacer_sample looked;
	/*
	 * Budgets as time: it passes, what was done is charged as the time it
	 * should have taken. At most a second is saved up; debts are paid off.
	 */
	uint64_t refilled_ns;
	int64_t pages_credit_ns;
	int64_t cpu_credit_ns;
};

/* Take a sample; the state that follows is also returned. */
enum pacer_state pacer_step(struct pacer *pacer, const struct pacer_config *config,
			    const struct pacer_sample *sample);

/* How many pages may be dealt with now: 0 for none, UINT64_MAX for no limit. */
uint64_t pacer_pages(const struct pacer *pacer, const struct pacer_config *config);

/* So many were, and it took so much time of a CPU. */
void pacer_charge(struct pacer *pacer, const struct pacer_config *config,
		  uint64_t pages, uint64_t cpu_ns);

/* The round is complete. */
void pacer_done(struct pacer *pacer, const struct pacer_config *config,
		uint64_t now_ns);

const char *pacer_state_text(enum pacer_state state);

#endif /* PMADV_PACER_H */

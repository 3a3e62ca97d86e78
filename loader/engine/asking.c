// SPDX-License-Identifier: GPL-2.0
/* A walk: ask about a batch of ranges, give the advice, see whether it was exact. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pmadv/process_madvise.h>

#include "engine/freezer.h"
#include "engine/giving.h"
#include "engine/internal.h"
#include "engine/watched.h"
#include "lib/error.h"
#include "lib/signals.h"
#include "lib/util.h"

/*
 * The first batch is small, so that a policy that takes too long is found out
 * before it was asked often, and grows from there.
 */
#define FIRST_BATCH		64
/* An answer may take so long, as with the hook. */
#define ANSWER_NS		10000000ULL
/* Further advice than this is not asked for at once: the target goes on. */
#define BATCH_BYTES		(32ULL << 20)
/* Answers are asked for again so many times in a walk, or give up one batch. */
#define REASKS_WALK		64
#define REASKS_BATCH		8
/* Before acting on a target that did not hold still, see whether it does so long. */
#define CALM_NS			100000

struct asking {
	struct engine *engine;
	struct engine_walk *walk;
	struct giving giving;
	struct freezer freezer;
	pid_t tid;
	bool looked;		/* for a thread other than the leader */
	int fd;			/* of the iterator, -1: not open */
	uint32_t capacity;
	unsigned int reasks;	/* of the walk */
	unsigned int tries;	/* of the batch */
	bool restless;		/* the target has changed in this walk */
};

static void close_iterator(struct asking *asking)
{
	if (asking->fd >= 0)
		close(asking->fd);
	asking->fd = -1;
}

void engine_begin_batch(struct engine *engine)
{
	struct pmadv_engine *state = engine->state;

	state->stop = PMADV_ENGINE_GOES_ON;
	state->nr = 0;
	state->skipped = 0;
	state->bytes = 0;
}

static void prepare_batch(struct asking *asking)
{
	struct pmadv_engine *state = asking->engine->state;

	state->capacity = asking->capacity;
	state->most_bytes = BATCH_BYTES;
	engine_begin_batch(asking->engine);
	state->moved = 0;
	state->slow_ns = asking->engine->slow ? ANSWER_NS : 0;
	state->want_all = asking->walk->on_range || watched() ||
			  asking->engine->members & ENGINE_ADVISED;
	memset(&state->asked, 0, sizeof(state->asked));
}

/* A policy that seems slow is measured answer by answer from now on. */
static void look_at_time(struct asking *asking, uint64_t took)
{
	const struct pmadv_engine *state = asking->engine->state;

	if (took > ANSWER_NS && took / (state->nr + state->skipped + 1) > ANSWER_NS / 16)
		asking->engine->slow = true;
}

/*
 * The task of a thread group leader that has exited has no address space, those of
 * other threads have. Was nothing seen because of that?
 */
static bool found_thread(struct asking *asking)
{
	struct pmadv_engine *state = asking->engine->state;
	pid_t tid;

	if (state->asked.mm || state->stop != PMADV_ENGINE_OVER || asking->looked)
		return false;
	asking->looked = true;
	tid = live_thread(asking->walk->pid);
	if (tid == asking->tid)
		return false;
	close_iterator(asking);
	asking->tid = tid;
	asking->giving.tid = tid;
	return true;
}

/* Fill a batch. The iterator says EAGAIN whenever a program wants to come back. */
static int ask_batch(struct asking *asking)
{
	struct pmadv_engine *state = asking->engine->state;
	uint64_t began = now_ns();
	char none[64];
	ssize_t ret;

	prepare_batch(asking);
	if (asking->fd < 0)
		asking->fd = program_iterate(asking->engine, PROGRAM_ASK, asking->tid);
	if (asking->fd < 0)
		return asking->fd;
	do {
		ret = read(asking->fd, none, sizeof(none));
	} while (ret < 0 && (errno == EAGAIN || errno == EINTR) && !state->stop &&
		 !stop_asked);
	look_at_time(asking, now_ns() - began);
	if (!ret && !state->stop)
		state->stop = PMADV_ENGINE_OVER;
	if (ret < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	return found_thread(asking) ? ask_batch(asking) : 0;
}

/* May answers be asked for again, from @address on? Each time costs a new walk there. */
static bool may_ask_again(struct asking *asking)
{
	if (asking->walk->proven_only)
		return asking->tries < REASKS_BATCH;
	return asking->reasks < REASKS_WALK && asking->tries < 2;
}

static void ask_again(struct asking *asking, uint64_t from, uint64_t answers)
{
	close_iterator(asking);
	asking->engine->state->cursor = from;
	asking->walk->exact.reasked += answers;
	asking->reasks++;
}

/* Smaller batches for a target that changes much; larger ones for one that does not. */
static void adapt(struct asking *asking, bool exact)
{
	uint32_t least = asking->walk->proven_only ? 1 : 16;

	asking->restless = asking->restless || !exact;
	if (exact && asking->capacity < PMADV_ENGINE_BATCH)
		asking->capacity *= 2;
	else if (!exact && asking->capacity > least)
		asking->capacity /= 2;
}

/*
 * May the batch be acted on? Of a target that changes all the time every check tells
 * the truth, and every act comes too late.
 */
static bool holds_still(struct asking *asking)
{
	const struct timespec calm = { .tv_nsec = CALM_NS };
	struct giving *giving = &asking->giving;

	if (asking->walk->flags & PMADV_DRY_RUN)
		return true;
	if (!giving_check(giving))
		return false;
	if (!asking->walk->proven_only || !asking->restless)
		return true;
	nanosleep(&calm, NULL);
	return giving_check(giving);
}

/*
 * Give what the batch wants. Where the target has changed meanwhile, what is left
 * is asked again, looked up again, or given up.
 */
static int give_batch(struct asking *asking, uint64_t from)
{
	struct giving *giving = &asking->giving;
	struct pmadv_engine *state = asking->engine->state;
	bool all_exact = true, exact;
	uint64_t answers;
	int err;

	if (!state->nr) {
		asking->tries = 0;
		return 0;
	}
	giving_begin_batch(giving);
	if (asking->walk->proven_only && state->asked.mm && !giving_can_tell(giving))
		return -ELACKS;
	exact = holds_still(asking);
	if (!exact && giving_can_tell(giving)) {
		adapt(asking, false);
		if (may_ask_again(asking)) {
			asking->tries++;
			ask_again(asking, from, state->nr + state->skipped);
			return 0;
		}
		if (asking->walk->proven_only) {
			giving_drop(giving);
			return 0;
		}
	}
	if (!exact)
		giving_recheck(giving);
	asking->tries = 0;

	while (giving_more(giving)) {
		err = giving_some(giving);
		if (err)
			return err;
		exact = giving_exact(giving);
		all_exact = all_exact && exact;
		if (exact || !giving_more(giving) || !giving_can_tell(giving))
			continue;
		if (may_ask_again(asking)) {
			from = giving_cut(giving, &answers);
			ask_again(asking, from, answers);
			state->stop = PMADV_ENGINE_FULL;
			break;
		}
		if (asking->walk->proven_only) {
			giving_drop(giving);
			break;
		}
		giving_recheck(giving);
	}
	/* Stopped in the middle of a batch: that is where to go on. */
	if (giving->at < state->nr)
		state->cursor = giving_cut(giving, &answers);
	adapt(asking, all_exact || !giving_can_tell(giving));
	return 0;
}

static int walk_range(struct asking *asking, uint64_t start, uint64_t end)
{
	struct pmadv_engine *state = asking->engine->state;
	struct pmadv_result *result = &asking->walk->result;
	uint64_t from;
	int err = 0;

	close_iterator(asking);
	state->cursor = start;
	state->end = end;
	while (!err && !result->stopped) {
		if (stop_asked) {
			result->stopped = PMADV_STOPPED_SIGNAL;
			break;
		}
		from = state->cursor;
		freezer_freeze(&asking->freezer);
		err = ask_batch(asking);
		if (!err) {
			giving_skipped(&asking->giving, state->skipped);
			err = give_batch(asking, from);
		}
		freezer_thaw(&asking->freezer);
		if (!err)
			err = engine_check_ejection(asking->engine);
		if (state->stop == PMADV_ENGINE_OVER || state->stop == PMADV_ENGINE_POLICY_STOP)
			break;
	}
	if (err == -EEJECTED)
		result->stopped = PMADV_STOPPED_EJECTED;
	return err;
}

void engine_begin_walk(struct engine *engine, struct engine_walk *walk)
{
	struct pmadv_engine *state = engine->state;

	state->walk_flags = walk->flags | PMADV_SKIP_ERRORS;
	state->advice = walk->advice;
	state->call_id = ++engine->last_call_id;
	state->invalid = 0;
	state->nr_slow = 0;
	walk->result.call_id = state->call_id;
}

static void begin_walk(struct asking *asking)
{
	struct engine *engine = asking->engine;
	struct pmadv_engine *state = engine->state;

	engine_begin_walk(engine, asking->walk);
	state->tgid = engine->filter ? 0 : (uint32_t)asking->walk->pid;
	state->pid = asking->tid;
}

static int walk_ranges(struct asking *asking)
{
	const struct iovec whole = { NULL, (size_t)1 << 63 };
	struct engine_walk *walk = asking->walk;
	const struct iovec *ranges = walk->nr_ranges ? walk->ranges : &whole;
	size_t nr = walk->nr_ranges ? walk->nr_ranges : 1;
	uint64_t cursor = walk->result.cursor;
	size_t i = walk->result.cursor_index;
	int err = 0;

	walk->result.cursor = 0;
	walk->result.cursor_index = 0;
	for (; i < nr && !err && !walk->result.stopped; i++, cursor = 0) {
		uint64_t start = (uintptr_t)ranges[i].iov_base;
		uint64_t end = start + ranges[i].iov_len;

		err = walk_range(asking, cursor ? cursor : start, end);
		if (walk->result.stopped) {
			walk->result.cursor = asking->engine->state->cursor;
			walk->result.cursor_index = (uint32_t)i;
		}
	}
	return err;
}

void exact_add(struct pmadv_exactness *sum, const struct pmadv_exactness *one)
{
	sum->proven += one->proven;
	sum->unproven += one->unproven;
	sum->reasked += one->reasked;
	sum->dropped += one->dropped;
}

static void add_up(const struct engine *engine, const struct engine_walk *walk)
{
	struct pmadv_engine_sums *sums = engine->sums;

	sums->calls++;
	sums->invalid_verdicts += engine->state->invalid;
	pmadv_result_add(&sums->result, &walk->result);
	exact_add(&sums->exact, &walk->exact);
}

static void show_call(const struct engine *engine, const struct engine_walk *walk, int err)
{
	struct pmadv_call_record record = {
		.ret = err ? err : (int64_t)walk->result.bytes_advised,
		.walk_flags = engine->state->walk_flags,
		.advice = walk->advice,
		.result = walk->result,
	};

	fill_record_head(&record.head, walk, PMADV_RECORD_CALL, sizeof(record));
	watched_record(&record.head);
}

int engine_walk(struct engine *engine, struct engine_walk *walk)
{
	struct asking asking = {
		.engine = engine,
		.walk = walk,
		.giving = { .engine = engine, .walk = walk },
		.freezer = { .freeze = -1, .events = -1, .pipe = -1 },
		.fd = -1,
		.capacity = FIRST_BATCH,
	};
	uint64_t began = now_ns();
	int err;

	if (*engine->ejection)
		return -EEJECTED;
	asking.tid = walk->pid;
	asking.giving.tid = walk->pid;
	asking.giving.pages_left = walk->result.max_pages ? walk->result.max_pages : UINT64_MAX;
	begin_walk(&asking);
	if (walk->freeze && !(walk->flags & PMADV_DRY_RUN)) {
		err = freezer_open(&asking.freezer, walk->pid);
		if (err)
			return err == -EBUSY || err == -EOPNOTSUPP ? -ENOTSUP : err;
	}
	err = member_begin(engine, asking.tid);
	if (err) {
		freezer_close(&asking.freezer);
		return err;
	}
	err = walk_ranges(&asking);
	freezer_close(&asking.freezer);
	close_iterator(&asking);
	if (walk->result.max_pages)
		walk->pages = walk->result.max_pages - asking.giving.pages_left;
	walk->result.stats.time_ns = now_ns() - began;
	member_end(engine, &walk->result);
	if (!err && !engine->state->asked.mm && !walk->result.ranges_seen &&
	    !walk->result.stopped)
		err = -ESRCH;
	add_up(engine, walk);
	show_call(engine, walk, err);
	return err;
}

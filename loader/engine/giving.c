// SPDX-License-Identifier: GPL-2.0
#include "engine/giving.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <pmadv/process_madvise.h>

#include "engine/internal.h"
#include "engine/watched.h"
#include "lib/error.h"
#include "lib/signals.h"
#include "lib/tally.h"
#include "lib/util.h"

#define PAGE		4096ULL
/*
 * Nobody can interrupt a process_madvise(2) or get the target's lock for writing
 * before it is through with a range: one call is kept to this much, and to what a
 * scan of page tables can look at.
 */
#define PAGEOUT_PIECE	(4ULL << 20)
#define OTHER_PIECE	(16ULL << 20)

/* Ranges of one call, and what became of each. */
struct vector {
	struct iovec ranges[PMADV_ENGINE_BATCH];
	int errors[PMADV_ENGINE_BATCH];
	unsigned int nr;
	int advice;
};

/* ---- is the target still what it was? ---------------------------------- */

void giving_begin_batch(struct giving *giving)
{
	giving->at = 0;
	giving->done = 0;
	giving->base = giving->engine->state->asked;
	giving->exact = false;
	giving->rechecked = false;
	giving->began_ns = giving->engine->state->want_all ? now_ns() : 0;
}

bool giving_can_tell(const struct giving *giving)
{
	return giving->engine->state->seq_kind != PMADV_SEQ_NONE &&
	       giving->engine->programs[PROGRAM_CHECK] >= 0;
}

static bool run_check(struct giving *giving, bool recheck)
{
	struct engine *engine = giving->engine;
	struct pmadv_engine *state = engine->state;

	if (engine->programs[PROGRAM_CHECK] < 0)
		return false;
	memset(&state->now, 0, sizeof(state->now));
	state->recheck = recheck;
	if (engine->by_pid)
		return !program_call(engine, PROGRAM_CHECK);
	return !program_run_over(engine, PROGRAM_CHECK, giving->tid);
}

static bool same(const struct pmadv_engine *state, const struct pmadv_identity *a)
{
	const struct pmadv_identity *b = &state->now;

	if (state->seq_kind == PMADV_SEQ_COUNT && b->seq & 1)
		return false;
	return b->mm && a->mm == b->mm && a->exec_id == b->exec_id && a->seq == b->seq;
}

bool giving_check(struct giving *giving)
{
	const struct pmadv_engine *state = giving->engine->state;

	giving->exact = run_check(giving, false) && giving_can_tell(giving) &&
			!state->moved && same(state, &giving->base);
	return giving->exact;
}

bool giving_exact(const struct giving *giving)
{
	return giving->exact || giving->walk->flags & PMADV_DRY_RUN;
}

void giving_recheck(struct giving *giving)
{
	struct pmadv_engine *state = giving->engine->state;

	giving->rechecked = true;
	if (!run_check(giving, true))
		return;
	giving->base = state->now;
	state->moved = 0;
}

/* ---- outcomes ---------------------------------------------------------- */

static bool stopped(const struct giving *giving)
{
	return giving->walk->result.stopped || stop_asked;
}

bool giving_more(const struct giving *giving)
{
	return giving->at < giving->engine->state->nr && !stopped(giving);
}

static struct pmadv_answer *answer_at(const struct giving *giving)
{
	return &giving->engine->state->answers[giving->at];
}

static void next_answer(struct giving *giving)
{
	giving->at++;
	giving->done = 0;
	giving->pages = 0;
	giving->error = 0;
	giving->began_ns = giving->engine->state->want_all ? now_ns() : 0;
	memset(&giving->stats, 0, sizeof(giving->stats));
}

/* The decision from the policy's verdict: advice, PMADV_SKIP or -EINVAL. */
static int advice_of(const struct giving *giving, const struct pmadv_answer *answer)
{
	if (answer->modifiers & ~PMADV_SKIP_YOUNG || answer->bad_selection)
		return -EINVAL;
	switch (answer->verdict) {
	case PMADV_SKIP:
	case PMADV_STOP:
		return PMADV_SKIP;
	case PMADV_CALLER:
		return giving->walk->advice;
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_WILLNEED:
	case MADV_COLLAPSE:
		return answer->verdict;
	default:
		return -EINVAL;
	}
}

static bool kernel_refuses(int error)
{
	return error == EINVAL || error == EACCES || error == EPERM || error == EOPNOTSUPP;
}

void fill_record_head(struct pmadv_record *head, const struct engine_walk *walk,
		      uint16_t type, uint32_t size)
{
	*head = (struct pmadv_record) {
		.version = PMADV_RECORD_VERSION,
		.type = type,
		.size = size,
		.time_ns = now_ns(),
		.call_id = walk->result.call_id,
		.tgid = walk->pid,
		.caller = getpid(),
	};
	snprintf(head->comm, sizeof(head->comm), "%.*s", (int)sizeof(head->comm) - 1,
		 walk->comm ? walk->comm : "");
}

static int report(struct giving *giving, const struct pmadv_answer *answer, uint64_t start,
		  uint64_t end, uint32_t outcome, int error)
{
	struct engine_walk *walk = giving->walk;
	struct pmadv_range_record record = {
		.start = start,
		.end = end,
		.vma_flags = answer->vma_flags,
		.modifiers = answer->modifiers,
		.verdict = answer->verdict,
		.advice = walk->advice,
		.outcome = outcome,
		.error = (uint32_t)error,
		.walk_flags = giving->engine->state->walk_flags,
		.stats = giving->stats,
	};

	fill_record_head(&record.head, walk, PMADV_RECORD_RANGE, sizeof(record));
	member_advised(giving->engine, &record, answer);
	if (!walk->on_range && !watched())
		return 0;
	watched_record(&record.head);
	return walk->on_range ? walk->on_range(walk->data, &record) : 0;
}

static bool is_selected(const struct pmadv_answer *answer, uint64_t address)
{
	uint64_t page = (address - answer->start) / PAGE;

	return !answer->masked || answer->selected[page / 64 % PMADV_TABLE_WORDS] >> page % 64 & 1;
}

/* How much of it, up to @end, is advised. */
static uint64_t bytes_of(const struct pmadv_answer *answer, uint64_t end)
{
	uint64_t bytes = 0;

	if (!answer->masked)
		return end - answer->start;
	for (uint64_t address = answer->start; address < end; address += PAGE)
		bytes += is_selected(answer, address) ? PAGE : 0;
	return bytes;
}

/* The range in hand ends at @end: count and report it. */
static int finish(struct giving *giving, uint64_t end, int advice)
{
	struct pmadv_result *result = &giving->walk->result;
	const struct pmadv_answer *answer = answer_at(giving);
	uint32_t outcome = advice ? PMADV_ADVISED : PMADV_SKIPPED;
	bool given = !(giving->walk->flags & PMADV_DRY_RUN);

	if (giving->error) {
		outcome = kernel_refuses(giving->error) ? PMADV_REFUSED : PMADV_FAILED;
		if (!result->error) {
			result->error = (uint32_t)giving->error;
			result->error_addr = answer->start;
		}
	} else if (advice && given) {
		if (giving->range_exact)
			giving->walk->exact.proven++;
		else
			giving->walk->exact.unproven++;
	}
	result_count(result, outcome, bytes_of(answer, end));
	if (giving->began_ns)
		giving->stats.time_ns = now_ns() - giving->began_ns;
	pmadv_stats_add(&result->stats, &giving->stats);
	/* A record for each of many ranges costs as much as their advice. */
	if (!giving->engine->state->want_all)
		return 0;
	return report(giving, answer, answer->start, end, outcome, giving->error);
}

void giving_skipped(struct giving *giving, uint64_t nr)
{
	giving->walk->result.ranges_seen += nr;
	giving->walk->result.ranges_skipped += nr;
}

uint64_t giving_cut(struct giving *giving, uint64_t *answers)
{
	const struct pmadv_engine *state = giving->engine->state;
	uint64_t from = giving->done ? giving->done : answer_at(giving)->start;

	*answers = state->nr - giving->at;
	if (giving->done)
		finish(giving, giving->done, 1);
	giving->engine->state->nr = giving->at;
	return from;
}

void giving_drop(struct giving *giving)
{
	struct pmadv_engine *state = giving->engine->state;

	if (giving->done) {
		finish(giving, giving->done, 1);
		next_answer(giving);
	}
	for (; giving->at < state->nr; next_answer(giving)) {
		if (advice_of(giving, answer_at(giving)) > 0)
			giving->walk->exact.dropped++;
		else
			finish(giving, answer_at(giving)->end, 0);
	}
}

/* ---- process_madvise(2) ------------------------------------------------ */

/* Errors that are about the call, not about one of its ranges. */
static bool call_failed(int error)
{
	return error == ESRCH || error == EPERM || error == EACCES || error == ENOSYS ||
	       error == EBADF || error == EINTR || error == EFAULT;
}

/* The call ends at the first range that cannot take it: go on behind that one. */
static int give(struct giving *giving, struct vector *vector)
{
	unsigned int at = 0;

	while (at < vector->nr) {
		ssize_t ret = syscall(SYS_process_madvise, giving->walk->pidfd,
				      &vector->ranges[at], (size_t)(vector->nr - at),
				      vector->advice, 0U);
		int error = ret < 0 ? errno : ENOMEM;

		if (ret < 0 && call_failed(error))
			return -error;
		for (; at < vector->nr && ret >= (ssize_t)vector->ranges[at].iov_len; at++) {
			vector->errors[at] = 0;
			ret -= (ssize_t)vector->ranges[at].iov_len;
		}
		if (at == vector->nr)
			break;
		/*
		 * Why the one after those that were done failed only a call that
		 * begins with it says.
		 */
		if (ret < 0)
			vector->errors[at++] = error;
	}
	return 0;
}

static void add_range(struct vector *vector, uint64_t start, uint64_t end)
{
	vector->ranges[vector->nr].iov_base = (void *)(uintptr_t)start;
	vector->ranges[vector->nr].iov_len = end - start;
	vector->errors[vector->nr++] = 0;
}

static int first_error(const struct vector *vector)
{
	for (unsigned int i = 0; i < vector->nr; i++)
		if (vector->errors[i])
			return vector->errors[i];
	return 0;
}

/* The target is gone, or we may not: what was done before counts. */
static int end_walk(struct giving *giving, int err)
{
	struct pmadv_result *result = &giving->walk->result;

	if (err == -EINTR) {
		result->stopped = PMADV_STOPPED_SIGNAL;
		return 0;
	}
	if (err == -ESRCH) {
		result->stopped = PMADV_STOPPED_EXITED;
		return result->bytes_advised ? 0 : err;
	}
	return err;
}

/* ---- whole ranges ------------------------------------------------------- */

static uint64_t piece_of(int advice)
{
	return advice == MADV_PAGEOUT ? PAGEOUT_PIECE : OTHER_PIECE;
}

static bool looks_at_pages(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT;
}

static bool spares_young(const struct pmadv_answer *answer, int advice)
{
	return answer->modifiers & PMADV_SKIP_YOUNG && advice == MADV_PAGEOUT;
}

/* Must pages be told apart, or counted? */
static bool by_page(const struct giving *giving, const struct pmadv_answer *answer, int advice)
{
	return answer->max_pages || giving->pages_left != UINT64_MAX || answer->masked ||
	       answer->clear_young || spares_young(answer, advice);
}

static void add_seen(struct giving *giving, uint64_t start, uint64_t end,
		     struct pmadv_stats *stats)
{
	const struct engine *engine = giving->engine;

	stats->scanned += scan_count(engine, engine->scan->present, start, end);
	stats->young += scan_count(engine, engine->scan->young, start, end);
	stats->swapped += scan_count(engine, engine->scan->swapped, start, end);
}

static uint64_t present_in(const struct giving *giving, const struct vector *vector)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < vector->nr; i++) {
		uint64_t start = (uintptr_t)vector->ranges[i].iov_base;

		nr += scan_count(giving->engine, giving->engine->scan->present, start,
				 start + vector->ranges[i].iov_len);
	}
	return nr;
}

/*
 * Give a vector and, of pages that page tables show, count what was there and
 * what is gone. @start and @end are its outer bounds.
 */
static int give_counted(struct giving *giving, struct vector *vector, uint64_t start,
			uint64_t end, bool scanned)
{
	uint64_t before = 0, after;
	int err;

	if (scanned)
		before = present_in(giving, vector);
	err = give(giving, vector);
	if (err)
		return err;
	giving_check(giving);
	if (scanned && vector->advice == MADV_PAGEOUT &&
	    scan_range(giving->engine, giving->tid, start, end)) {
		after = present_in(giving, vector);
		giving->stats.reclaimed += before > after ? before - after : 0;
	}
	return 0;
}

/*
 * Take as many answers that want the same as fit into one call; up to what address?
 * Whoever wants all proven loses one range, not all of the call, to a change.
 */
static uint64_t gather(struct giving *giving, struct vector *vector)
{
	const struct pmadv_engine *state = giving->engine->state;
	const struct pmadv_answer *answer = answer_at(giving);
	uint64_t start = giving->done ? giving->done : answer->start;
	uint64_t left = piece_of(vector->advice), end = start;

	for (uint32_t i = giving->at; i < state->nr; i++) {
		answer = &state->answers[i];
		if (i > giving->at) {
			start = answer->start;
			if (answer->changed || state->want_all || giving->walk->proven_only ||
			    advice_of(giving, answer) != vector->advice ||
			    by_page(giving, answer, vector->advice) ||
			    answer->end - start > left)
				break;
		}
		end = answer->end - start > left ? start + left : answer->end;
		add_range(vector, start, end);
		left -= end - start;
		if (!left || end != answer->end)
			break;
	}
	return end;
}

/* The answers that a vector was made of are done, but perhaps the last. */
static int finish_vector(struct giving *giving, const struct vector *vector, uint64_t end)
{
	const struct pmadv_stats stats = giving->stats;
	bool proven = giving->exact && !giving->rechecked;
	int err = 0;

	for (unsigned int i = 0; i < vector->nr && !err; i++) {
		const struct pmadv_answer *answer = answer_at(giving);

		if (!giving->done)
			giving->range_exact = true;
		giving->range_exact = giving->range_exact && proven;
		if (!giving->error)
			giving->error = vector->errors[i];
		/* Counts for all of them together are kept with the first. */
		giving->stats = stats;
		if (i)
			memset(&giving->stats, 0, sizeof(giving->stats));
		if (i == vector->nr - 1 && end != answer->end && !giving->error) {
			giving->done = end;
			return 0;
		}
		err = finish(giving, answer->end, vector->advice);
		next_answer(giving);
	}
	return err;
}

static int give_vector(struct giving *giving, int advice)
{
	uint64_t start = giving->done ? giving->done : answer_at(giving)->start, end;
	struct vector vector;
	bool scanned = false;
	int err;

	vector.nr = 0;
	vector.advice = advice;
	end = gather(giving, &vector);
	if (looks_at_pages(advice) && scan_range(giving->engine, giving->tid, start, end)) {
		scanned = true;
		for (unsigned int i = 0; i < vector.nr; i++) {
			uint64_t from = (uintptr_t)vector.ranges[i].iov_base;

			add_seen(giving, from, from + vector.ranges[i].iov_len, &giving->stats);
		}
	}
	err = give_counted(giving, &vector, start, end, scanned);
	if (err)
		return end_walk(giving, err);
	return finish_vector(giving, &vector, end);
}

/* ---- page by page -------------------------------------------------------- */

/* Pages that may still be dealt with. */
static uint64_t pages_allowed(const struct giving *giving, const struct pmadv_answer *answer)
{
	uint64_t cap = answer->max_pages ? answer->max_pages - giving->pages : UINT64_MAX;

	return cap < giving->pages_left ? cap : giving->pages_left;
}

static void add_page(struct vector *vector, uint64_t address)
{
	struct iovec *last = vector->nr ? &vector->ranges[vector->nr - 1] : NULL;

	if (last && (uintptr_t)last->iov_base + last->iov_len == address)
		last->iov_len += PAGE;
	else
		add_range(vector, address, address + PAGE);
}

/*
 * Sort the pages of [start, *end) that are in memory: those to be given the advice,
 * at most @allowed, after which the rest is left alone; and young ones to be marked
 * as seen.
 */
static uint64_t sort_pages(const struct giving *giving, uint64_t start, uint64_t *end,
			   uint64_t allowed, struct vector *old, struct vector *young)
{
	const struct pmadv_answer *answer = answer_at(giving);
	const struct engine *engine = giving->engine;
	bool spare_young = spares_young(answer, old->advice);
	uint64_t used = 0;

	for (uint64_t address = start; address < *end; address += PAGE) {
		bool wanted = old->advice != PMADV_SKIP && is_selected(answer, address);

		if (!scan_bit(engine, engine->scan->present, address))
			continue;
		if (wanted ? spare_young : answer->clear_young) {
			if (scan_bit(engine, engine->scan->young, address)) {
				add_page(young, address);
				continue;
			}
		}
		if (!wanted)
			continue;
		if (used == allowed) {
			*end = address;
			break;
		}
		add_page(old, address);
		used++;
	}
	return used;
}

static int give_both(struct giving *giving, struct vector *old, struct vector *young,
		     uint64_t start, uint64_t end)
{
	int err = 0;

	/* COLD marks them as seen, which is what the next walk goes by. */
	if (young->nr)
		err = give(giving, young);
	if (!err && old->nr)
		err = give_counted(giving, old, start, end, true);
	else if (!err)
		giving_check(giving);
	if (!giving->error)
		giving->error = first_error(old);
	return err;
}

/* Without page tables: every page of the addresses counts. */
static int give_addresses(struct giving *giving, int advice, uint64_t start, uint64_t *end,
			  uint64_t allowed, uint64_t *used)
{
	struct vector vector;
	int err;

	if ((*end - start) / PAGE > allowed)
		*end = start + allowed * PAGE;
	vector.nr = 0;
	vector.advice = advice;
	add_range(&vector, start, *end);
	*used = (*end - start) / PAGE;
	err = give_counted(giving, &vector, start, *end, false);
	if (!err && !giving->error)
		giving->error = vector.errors[0];
	return err;
}

/* Can only page tables tell for which pages the answer is? */
static bool tells_pages_apart(const struct pmadv_answer *answer, int advice)
{
	return answer->masked || advice == PMADV_SKIP || spares_young(answer, advice);
}

static int give_some_pages(struct giving *giving, const struct pmadv_answer *answer,
			   int advice, uint64_t start, uint64_t *end, uint64_t *used)
{
	uint64_t allowed = pages_allowed(giving, answer), from = start;
	bool apart = tells_pages_apart(answer, advice);
	struct vector old, young;

	if ((!apart && !looks_at_pages(advice)) ||
	    !scan_range(giving->engine, giving->tid, start, *end)) {
		if (!apart)
			return give_addresses(giving, advice, start, end, allowed, used);
		giving->error = EOPNOTSUPP;
		*end = answer->end;
		return 0;
	}
	old.nr = 0;
	young.nr = 0;
	old.advice = advice;
	young.advice = MADV_COLD;
	*used = sort_pages(giving, start, end, allowed, &old, &young);
	if (answer->masked)
		giving->stats.scanned += *used;
	else if (advice != PMADV_SKIP)
		add_seen(giving, from, *end, &giving->stats);
	return give_both(giving, &old, &young, start, *end);
}

/* One piece of the range in hand. */
static int give_pages(struct giving *giving, int advice)
{
	const struct pmadv_answer *answer = answer_at(giving);
	uint64_t start = giving->done ? giving->done : answer->start;
	uint64_t end = answer->end - start > PAGEOUT_PIECE ? start + PAGEOUT_PIECE :
							      answer->end;
	uint64_t used = 0;
	int err;

	if (!giving->done)
		giving->range_exact = true;
	err = give_some_pages(giving, answer, advice, start, &end, &used);
	if (err)
		return end_walk(giving, err);

	giving->range_exact = giving->range_exact && giving->exact && !giving->rechecked;
	giving->pages += used;
	giving->done = end;
	if (giving->pages_left != UINT64_MAX)
		giving->pages_left -= used;
	if (!giving->pages_left)
		giving->walk->result.stopped = PMADV_STOPPED_BUDGET;
	if (!giving->error && end < answer->end &&
	    !(answer->max_pages && giving->pages >= answer->max_pages))
		return 0;
	err = finish(giving, end, advice);
	next_answer(giving);
	return err;
}

/* ---- one answer ---------------------------------------------------------- */

/* The error that the kernel would give, found without asking it. */
static int would_refuse(const struct giving *giving, const struct pmadv_answer *answer,
			int advice)
{
	switch (advice) {
	case MADV_PAGEOUT:
		if (answer->modifiers & PMADV_SKIP_YOUNG &&
		    !giving->engine->state->page_offset)
			return -EOPNOTSUPP;
		/* fall through */
	case MADV_COLD:
		return answer->vma_flags & (PMADV_VMA_LOCKED | PMADV_VMA_HUGETLB |
					    PMADV_VMA_SPECIAL) ? -EINVAL : 0;
	case MADV_COLLAPSE:
		return answer->vma_flags & (PMADV_VMA_HUGETLB | PMADV_VMA_SPECIAL) ?
			       -EINVAL : 0;
	default:
		return 0;
	}
}

static int give_nothing(struct giving *giving, int advice)
{
	const struct pmadv_answer *answer = answer_at(giving);
	int err;

	giving->error = advice < 0 ? -advice : 0;
	if (advice > 0)
		giving->error = -would_refuse(giving, answer, advice);
	err = finish(giving, answer->end, advice > 0 ? advice : 0);
	if (answer->verdict == PMADV_STOP) {
		giving->walk->result.stopped = PMADV_STOPPED_POLICY;
		giving->engine->state->cursor = answer->start;
	}
	next_answer(giving);
	return err;
}

/* The policy is not trusted, nor is the memory that it may have written to. */
static bool is_sane(const struct pmadv_answer *answer)
{
	return answer->start < answer->end && !((answer->start | answer->end) & (PAGE - 1));
}

int giving_some(struct giving *giving)
{
	const struct pmadv_answer *answer = answer_at(giving);
	int advice = advice_of(giving, answer);

	if (!is_sane(answer))
		return -EPROTO;
	if (answer->changed) {
		giving->walk->exact.dropped++;
		next_answer(giving);
		return 0;
	}
	if (advice < 0 || giving->walk->flags & PMADV_DRY_RUN ||
	    (!advice && (!answer->clear_young || answer->verdict == PMADV_STOP)))
		return give_nothing(giving, advice);
	if (by_page(giving, answer, advice))
		return give_pages(giving, advice);
	return give_vector(giving, advice);
}

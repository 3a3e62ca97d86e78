// SPDX-License-Identifier: GPL-2.0
/*
 * page_age: reclaim pages that will stay away, and back off from those that return.
 *
 * For a program that is running and should not notice, like cold_pages, where one
 * does not know beforehand how long its memory may idle. Walk it every few seconds.
 * Of each page this remembers two things, in a byte: for how many walks it has not
 * been used, and after how many it usually is used again. Of each program it counts
 * how often pages for which both are the same were used in the next walk. From that
 * follows how long a page that leaves now would stay away, and it leaves if that is
 * long enough. What is swapped out is counted like what is present, so a page that
 * returns is both remembered itself, and a lesson about its like: where all pages
 * return soon, none leaves. It takes several walks until there is a lesson.
 *
 * The same counts say how many of the pages that are out will return in a walk. No
 * more leave once these are as many as the program may be burdened with; which do
 * is then chosen more strictly from walk to walk.
 *
 * The memory for this is bounded: 512 bytes and the map's own overhead for each
 * page table (2 MiB) that is looked at, about 300 KiB for each GiB, for at most
 * 16 GiB over all programs, and 2.5 KiB for each of at most 512 programs. Beyond
 * that, what was not looked at for longest is forgotten.
 *
 * Foreseen from streams of keys (doc/evaluation.md): it leaves alone what uses all
 * pages alike or in turns, which MGLRU pages out again and again, and saves what that
 * saves where a part is hot. It loses to MGLRU where all pages are used once within
 * stay_away walks, in one sweep, and nobody minds that the sweep takes longer.
 *
 * Shows: looking at each page, answering for some of them, learning from walk to
 * walk. Production ready; takes Linux 5.17 without the hook.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* A page leaves if it is expected to stay away for so many walks; 1 to 192. */
const volatile __u32 stay_away = 12;

/* As many pages of a program as may return in a second; 0 is no limit. */
const volatile __u32 max_returns = 20;

/* Program text stays, and what others may use. */
#define LEFT_ALONE (PMADV_VMA_OFF_LIMITS | PMADV_VMA_SHARED | PMADV_VMA_EXEC)

#define DRY_RUN		(1U << 3)	/* enum pmadv_flag */
#define WORDS		(PMADV_MAX_PAGES / 64)

/*
 * How long ago, in levels: 0 to 3 are so many walks, then two levels each double it:
 * 4, 6, 8, 12 and so on; 15 is 192 walks or more. Level n is left after 2^shift walks.
 */
#define LEVELS		16
#define LAST_LEVEL	(LEVELS - 1)

/*
 * What is known of a page: the level of its idleness now, and above that the one at
 * which it usually ends, at least 1, so that 0 is a page of which nothing is known.
 * One that was not used since it was first seen is treated as if that were long ago.
 */
#define STATES		(LEVELS * LEVELS)
#define NOT_SEEN	0
#define FIRST_SEEN	(LAST_LEVEL * LEVELS)

/* Numbers below 1 are in units of 1 / ONE. */
#define ONE_SHIFT	16
#define ONE		(1ULL << ONE_SHIFT)

/* After so many walks, what was counted before counts half. */
#define MEMORY		64

#define MAX_INTERVAL_MS	60000
#define MOST_RARE	4096

struct table_key {
	u64 mm;
	u64 address;
};

struct history {
	u8 state[PMADV_MAX_PAGES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct table_key);
	__type(value, struct history);
} histories SEC(".maps");

/* How many pages were in a state, and how many of these were used in the next walk. */
struct lesson {
	u32 pages;
	u32 used;
};

struct program {
	u64 call_id;
	u64 began_ns;	/* the walk */
	u64 limit;	/* returns in a walk that are allowed, in 1 / ONE pages */
	u64 expected;	/* of what is out or leaves, so far as known, and then */
	u64 counted;	/* anew, of what is found to be out in this walk */
	u32 walks;
	u32 rare;	/* at most one page in so many may be used in the next walk */
	bool held;	/* the limit kept pages from leaving */
	struct lesson lessons[STATES];
	bool leaves[STATES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, u64);
	__type(value, struct program);
} programs SEC(".maps");

/* A page table while it is decided about. */
struct scratch {
	u64 busy;
	struct pmadv_pages pages;
	u64 leave[WORDS];
	u64 nr_leave;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static const struct history no_history;
static const struct program no_program;

static __always_inline u32 shift_of(u32 level)
{
	return level < 4 ? 0 : level / 2 - 1;
}

/* For the verifier, where the compiler sees that it needs no check. */
static __always_inline u32 bounded(u32 state)
{
	barrier_var(state);
	return state & (STATES - 1);
}

/* After how many walks a page gets to @level. */
static __always_inline u32 walks_to(u32 level)
{
	return level < 4 ? level : (2 + level % 2) << (level / 2 - 1);
}

/*
 * That a page in this state is used in the next walk, in 1 / ONE. @doubt: so many
 * pages that are used at once weigh against what was counted.
 */
static __always_inline u64 chance_of(const struct lesson *lesson, u32 doubt)
{
	return ((u64)lesson->used + doubt) * ONE / ((u64)lesson->pages + doubt);
}

/* --- the program: once in a walk ------------------------------------------- */

struct learning {
	struct program *program;
	u64 away;	/* expected of the level after this one, in 1 / ONE walks */
};

/*
 * State @i, of each usual level the longest idleness first: how long will its pages
 * stay away? At each walk they are used with the chance that was counted; if not until
 * they get to the next level, that goes on as known.
 */
static long learn_state(u32 i, void *data)
{
	struct learning *learning = data;
	struct program *program = learning->program;
	u32 level = LAST_LEVEL - (i & LAST_LEVEL);
	u32 state = bounded((i & ~LAST_LEVEL) | level);
	struct lesson *lesson = &program->lessons[state];
	u64 chance = chance_of(lesson, 4) ?: 1;
	u64 idle;
	u32 n;

	if (level == LAST_LEVEL) {
		learning->away = ONE * ONE / chance;
	} else {
		idle = ONE - chance;
		for (n = 0; n < 6; n++)
			if (n < shift_of(level))
				idle = idle * idle >> ONE_SHIFT;
		learning->away = (ONE - idle) * ONE / chance +
				 (idle * learning->away >> ONE_SHIFT);
	}
	/*
	 * Or what was idle for as long already is taken to stay so. In any case it should
	 * not be used soon: where some pages are, and others for long not, wait for these.
	 */
	program->leaves[state] = (learning->away >= stay_away * ONE ||
				  walks_to(level) >= stay_away) &&
				 lesson->pages &&
				 (u64)lesson->used * program->rare <= lesson->pages;
	if (!(program->walks % MEMORY)) {
		lesson->pages /= 2;
		lesson->used /= 2;
	}
	return 0;
}

/* A walk begins: what follows from the ones before? */
static __always_inline void begin_walk(struct program *program)
{
	struct learning learning = { .program = program };
	u64 now = bpf_ktime_get_ns();
	u64 ms = (now - program->began_ns) / 1000000;

	/* However long nobody walked. */
	if (ms > MAX_INTERVAL_MS)
		ms = MAX_INTERVAL_MS;
	program->limit = max_returns ? max_returns * ms * ONE / 1000 : -1ULL;
	program->began_ns = now;
	program->expected = program->counted;
	program->counted = 0;
	program->walks++;
	/* Where not all may leave, those that will return latest. */
	if (program->held)
		program->rare += program->rare / 4 + 1;
	else
		program->rare -= program->rare / 16;
	if (program->rare < stay_away)
		program->rare = stay_away;
	if (program->rare > MOST_RARE)
		program->rare = MOST_RARE;
	program->held = false;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		bpf_loop(STATES, learn_state, &learning, 0);
}

/* What is known of the program, brought up to date when a walk begins. */
static __always_inline struct program *find_program(struct pmadv_range *range,
						    struct vm_area_struct *vma)
{
	u64 mm = (u64)vma->vm_mm;
	struct program *program = bpf_map_lookup_elem(&programs, &mm);

	if (!program) {
		bpf_map_update_elem(&programs, &mm, &no_program, BPF_NOEXIST);
		program = bpf_map_lookup_elem(&programs, &mm);
		if (!program)
			return NULL;
	}
	if (program->call_id == range->call_id || range->walk_flags & DRY_RUN)
		return program;
	program->call_id = range->call_id;
	begin_walk(program);
	return program;
}

/* --- its pages --------------------------------------------------------------- */

struct aging {
	struct program *program;
	struct history *history;
	struct scratch *scratch;
	u32 first;
	u32 nr;
	bool dry_run;
};

/* The state after a walk in which the page was @used, or not. */
static __always_inline u32 next_state(u32 state, bool used, u32 walks)
{
	u32 level = state & LAST_LEVEL;
	u32 usual = state / LEVELS;

	if (!used) {
		if (level < LAST_LEVEL && !(walks & ((1U << shift_of(level)) - 1)))
			state++;
		return state;
	}
	/* One step, so that what happens once, as a scan does, changes little. */
	if (level > usual)
		usual++;
	else if (level < usual && usual > 1)
		usual--;
	return usual * LEVELS;
}

/* Page @i of the range: one walk older. */
static long age_page(u32 i, void *data)
{
	struct aging *aging = data;
	struct scratch *scratch = aging->scratch;
	struct program *program = aging->program;
	u32 word = i / 64 & (WORDS - 1);
	u64 bit = 1ULL << (i & 63);
	bool present, used;
	u32 at, state;
	u64 chance;
	u8 *known;

	if (i >= aging->nr)
		return 1;
	at = aging->first + i;
	barrier_var(at);
	at &= PMADV_MAX_PAGES - 1;
	known = &aging->history->state[at];
	state = *known;
	present = scratch->pages.present[word] & bit;
	used = scratch->pages.young[word] & bit;

	if (!aging->dry_run) {
		if (!present && !(scratch->pages.swapped[word] & bit)) {
			*known = NOT_SEEN;
			return 0;
		}
		if (state == NOT_SEEN) {
			*known = FIRST_SEEN;
			return 0;
		}
		program->lessons[state].pages++;
		program->lessons[state].used += used;
		state = bounded(next_state(state, used, program->walks));
		*known = state;
	}
	chance = chance_of(&program->lessons[state], 1);
	if (!present) {
		program->counted += chance;
	} else if (!used && state != NOT_SEEN && program->leaves[state]) {
		if (program->expected + chance > program->limit) {
			program->held = true;
			return 0;
		}
		program->expected += chance;
		scratch->leave[word] |= bit;
		scratch->nr_leave++;
	}
	return 0;
}

/* What is remembered of the page table; made up if nothing is. */
static __always_inline struct history *find_history(struct pmadv_range *range,
						    struct vm_area_struct *vma)
{
	struct table_key key = {
		.mm = (u64)vma->vm_mm,
		.address = range->start & ~(PMADV_MAX_PAGES * 4096ULL - 1),
	};
	struct history *history = bpf_map_lookup_elem(&histories, &key);

	if (history)
		return history;
	bpf_map_update_elem(&histories, &key, &no_history, BPF_NOEXIST);
	return bpf_map_lookup_elem(&histories, &key);
}

static __always_inline s32 decide(struct pmadv_range *range, struct vm_area_struct *vma,
				  struct scratch *scratch)
{
	struct aging aging = { .scratch = scratch };

	pmadv_one_table(range);
	aging.program = find_program(range, vma);
	aging.history = find_history(range, vma);
	if (!aging.program || !aging.history ||
	    bpf_pmadv_pages(range, &scratch->pages, PMADV_CLEAR_YOUNG))
		return PMADV_SKIP;

	__builtin_memset(scratch->leave, 0, sizeof(scratch->leave));
	scratch->nr_leave = 0;
	aging.first = range->start / 4096 & (PMADV_MAX_PAGES - 1);
	aging.nr = (range->end - range->start) / 4096;
	aging.dry_run = range->walk_flags & DRY_RUN;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		bpf_loop(PMADV_MAX_PAGES, age_page, &aging, 0);
	if (!scratch->nr_leave ||
	    bpf_pmadv_select(range, scratch->leave, sizeof(scratch->leave)))
		return PMADV_SKIP;
	/* What was used since we looked stays. */
	range->modifiers = PMADV_SKIP_YOUNG;
	return MADV_PAGEOUT;
}

SEC("struct_ops/page_age_advise")
s32 BPF_PROG(page_age_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	struct scratch *scratch;
	u32 zero = 0;
	s32 verdict;

	if (range->vma_flags & LEFT_ALONE)
		return PMADV_SKIP;
	scratch = bpf_map_lookup_elem(&scratches, &zero);
	/* Another walk may be in here that lost the processor to this one. */
	if (!scratch || __sync_val_compare_and_swap(&scratch->busy, 0, 1))
		return PMADV_SKIP;
	verdict = decide(range, vma, scratch);
	scratch->busy = 0;
	return verdict;
}

PMADV_POLICY(page_age, advise(page_age_advise));

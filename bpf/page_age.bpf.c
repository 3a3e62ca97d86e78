// SPDX-License-Identifier: GPL-2.0
/*
 * page_age: reclaim pages by how often they were used, and when last.
 *
 * For a program that is running and should not notice, like cold_pages, where
 * what was used last is no good sign of what will be: full scans (a backup, a
 * collector), which touch everything once, or pages that are in use and by chance
 * were not touched for a while. Walk it every now and then; of each page this
 * remembers, in a byte, in which of the last eight walks it was found to be used.
 * A page used in one of them only leaves soon; one used in several may be idle for
 * longer. What is swapped out is remembered, too: if it comes back, it is known.
 *
 * The memory for this is bounded: 512 bytes and the map's own overhead for each
 * page table (2 MiB) that is looked at, about 300 KiB for each GiB, for at most
 * 16 GiB over all programs. Beyond that, what was not looked at for longest is
 * forgotten, and only marked when it is seen again. Nothing leaves in the first
 * walk.
 *
 * Measured (doc/evaluation.md): it has fewer refaults than MGLRU where scans mislead
 * recency, and gains nothing where keys follow Zipf's law. It loses to memory.reclaim
 * with PSI where programs take turns, and slows down what uses all pages alike.
 *
 * Shows: looking at each page, answering for some of them, keeping state between
 * walks. Production ready; takes Linux 5.17 without the hook.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* A page used in one of the last eight walks leaves when idle in so many; 1 to 8. */
const volatile __u32 once_walks = 1;

/* One used in more of them leaves when idle in so many; 1 to 8. */
const volatile __u32 often_walks = 5;

/* Program text stays, and what others may use. */
#define LEFT_ALONE (PMADV_VMA_OFF_LIMITS | PMADV_VMA_SHARED | PMADV_VMA_EXEC)

#define WALKS		8
#define NOW		(1U << (WALKS - 1))
#define WORDS		(PMADV_MAX_PAGES / 64)

struct table_key {
	u64 mm;
	u64 address;
};

/* Of each page, a bit for each walk: the highest is the latest. */
struct history {
	u8 used[PMADV_MAX_PAGES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct table_key);
	__type(value, struct history);
} histories SEC(".maps");

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

struct aging {
	struct history *history;
	struct scratch *scratch;
	u32 first;
	u32 nr;
};

/* In how many walks was it not used since it was last? */
static __always_inline u32 idle_walks(u32 used)
{
	u32 idle = 0;

	if (!(used & 0xf0)) {
		idle = 4;
		used <<= 4;
	}
	if (!(used & 0xc0)) {
		idle += 2;
		used <<= 2;
	}
	return idle + !(used & 0x80) + !(used & 0xc0);
}

static __always_inline bool leaves(u32 used)
{
	bool often = used & (used - 1);

	return idle_walks(used) >= (often ? often_walks : once_walks);
}

/* Page @i of the range: one walk older. */
static long age_page(u32 i, void *data)
{
	struct aging *aging = data;
	struct scratch *scratch = aging->scratch;
	u32 word = i / 64 & (WORDS - 1);
	u64 bit = 1ULL << (i & 63);
	u32 at, used;

	if (i >= aging->nr)
		return 1;
	at = aging->first + i;
	barrier_var(at);
	at &= PMADV_MAX_PAGES - 1;
	used = aging->history->used[at] >> 1;
	if (scratch->pages.young[word] & bit)
		used |= NOW;
	aging->history->used[at] = used;
	if (scratch->pages.present[word] & bit && leaves(used)) {
		scratch->leave[word] |= bit;
		scratch->nr_leave++;
	}
	return 0;
}

/* What is remembered of the page table; made up, with @known false, if nothing is. */
static __always_inline struct history *find_history(struct pmadv_range *range,
						    struct vm_area_struct *vma,
						    bool *known)
{
	struct table_key key = {
		.mm = (u64)vma->vm_mm,
		.address = range->start & ~(PMADV_MAX_PAGES * 4096ULL - 1),
	};
	struct history *history = bpf_map_lookup_elem(&histories, &key);

	*known = history;
	if (history)
		return history;
	bpf_map_update_elem(&histories, &key, &no_history, BPF_NOEXIST);
	return bpf_map_lookup_elem(&histories, &key);
}

static __always_inline s32 decide(struct pmadv_range *range, struct vm_area_struct *vma,
				  struct scratch *scratch)
{
	struct aging aging = { .scratch = scratch };
	bool known;

	pmadv_one_table(range);
	aging.history = find_history(range, vma, &known);
	if (!aging.history ||
	    bpf_pmadv_pages(range, &scratch->pages, PMADV_CLEAR_YOUNG))
		return PMADV_SKIP;

	__builtin_memset(scratch->leave, 0, sizeof(scratch->leave));
	scratch->nr_leave = 0;
	aging.first = range->start / 4096 & (PMADV_MAX_PAGES - 1);
	aging.nr = (range->end - range->start) / 4096;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		bpf_loop(PMADV_MAX_PAGES, age_page, &aging, 0);
	if (!known || !scratch->nr_leave ||
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

// SPDX-License-Identifier: GPL-2.0
/*
 * hook_policy: answers what a test tells it to, and writes down what it is
 * asked. For tests only.
 */
#include <pmadv/policy.bpf.h>

#include "../policy.h"

char _license[] SEC("license") = "GPL";

/* Set by the test. */
struct hook_rule rules[HOOK_RULES] = {};
__u32 nr_rules = 0;
__s32 otherwise = 0;
__s32 begin_ret = 0;
__s32 init_ret = 0;
__u64 caller_text = 0;
bool text_at_end = false;
__u32 name_size = HOOK_NAME_LEN;
volatile __u32 hold = 0;
/* The mask for the range that begins in a page table, from that of the first rule. */
__u64 masks[HOOK_TABLES + 1][HOOK_WORDS] = {};
__u32 mask_size = sizeof(masks[0]);
__u32 pages_flags = 0;

/* Where it stays at the moment. */
volatile __u32 held = 0;

/* Recorded by the policy. Not exact if walks run concurrently. */
struct hook_seen seen[HOOK_SEEN] = {};
__u64 nr_seen = 0;
__u64 nr_advised = 0;
__u64 other_seen = 0;
__u64 begins = 0;
__u64 ends = 0;
__u64 inits = 0;
__u64 exits = 0;
__u32 begin_flags = 0;
__s32 begin_advice = 0;
__s32 begin_tgid = 0;
__s32 text_ret = 0;
char text[8] = {};
__u64 end_call_id = 0;
__u64 end_seen = 0;
__u64 end_bytes = 0;
__u64 end_reclaimed = 0;
/* Of the latest range that asked. */
struct {
	__u64 present[HOOK_WORDS];
	__u64 young[HOOK_WORDS];
	__u64 dirty[HOOK_WORDS];
	__u64 swapped[HOOK_WORDS];
} pages = {};
__s32 pages_ret = 0;
__s32 select_ret = 0;
__s32 late_pages_ret = 0;
__s32 late_select_ret = 0;
__u32 exit_kind = 0;
__s64 exit_code = 0;
char exit_msg[PMADV_EXIT_MSG_LEN] = {};

extern int bpf_copy_from_user_str(void *dst, u32 dst__sz,
				  const void *unsafe_ptr__ign,
				  u64 flags) __ksym __weak;

struct stay {
	u64 until;
	u32 where;
};

static long stay_on(u64 i, struct stay *stay)
{
	return !(hold & stay->where);
}

static long stay_longer(u64 i, struct stay *stay)
{
	bpf_loop(1 << 16, stay_on, stay, 0);
	return !(hold & stay->where) || bpf_ktime_get_ns() > stay->until;
}

/* Not for ever: ten seconds if the test does not come to let it go. */
static void stay(u32 where)
{
	struct stay stay = {
		.until = bpf_ktime_get_ns() + 10000000000ULL,
		.where = where,
	};

	if (!(hold & where))
		return;
	__sync_fetch_and_or(&held, where);
	bpf_loop(1 << 23, stay_longer, &stay, 0);
	__sync_fetch_and_and(&held, ~where);
}

/*
 * Global, so that the verifier looks at it once: else it would look at all that follows
 * the call for each way out of the loop.
 */
__weak int find_rule(u64 addr)
{
	u32 i;

	for (i = 0; i < HOOK_RULES && i < nr_rules; i++)
		if (addr >= rules[i].start && addr < rules[i].end)
			return i;
	return -1;
}

static void note(struct pmadv_range *range, struct task_struct *task, u64 at)
{
	struct hook_seen *s;

	if (at >= HOOK_SEEN)
		return;
	s = &seen[at];
	s->start = range->start;
	s->end = range->end;
	s->vma_start = range->vma_start;
	s->vma_end = range->vma_end;
	s->max_pages = range->max_pages;
	s->call_id = range->call_id;
	s->vma_flags = range->vma_flags;
	s->modifiers = range->modifiers;
	s->advice = range->advice;
	s->walk_flags = range->walk_flags;
	s->tgid = task->tgid;
	s->advised = 0;
}

static void ask_name(struct pmadv_range *range, u64 at)
{
	char name[HOOK_NAME_LEN] = {};
	u32 size = name_size;
	int ret;

	if (at >= HOOK_SEEN || size > sizeof(name))
		return;
	ret = bpf_pmadv_vma_name(range, name, size);
	seen[at].name_ret = ret;
	__builtin_memcpy(seen[at].name, name, sizeof(name));
}

static void ask_sample(struct pmadv_range *range, u64 at, u32 nr)
{
	struct pmadv_sample sample = {};
	int ret;

	if (at >= HOOK_SEEN)
		return;
	ret = bpf_pmadv_sample(range, &sample, nr);
	seen[at].sample_ret = ret;
	seen[at].looked_at = sample.looked_at;
	seen[at].present = sample.present;
	seen[at].young = sample.young;
	seen[at].dirty = sample.dirty;
	seen[at].swapped = sample.swapped;
}

static int select_pages(struct pmadv_range *range)
{
	u32 table = ((range->start >> 21) - (rules[0].start >> 21)) & (HOOK_TABLES - 1);
	u32 size = mask_size;

	/* More than a mask may have, and no more than there is. */
	if (size > 2 * sizeof(masks[0]))
		return 0;
	return bpf_pmadv_select(range, masks[table], size);
}

static void ask_pages(struct pmadv_range *range, const struct hook_rule *rule)
{
	if (rule->todo & HOOK_DO_PAGES)
		pages_ret = bpf_pmadv_pages(range, (struct pmadv_pages *)&pages,
					    pages_flags);
	if (rule->todo & HOOK_DO_SELECT)
		select_ret = select_pages(range);
}

static void ask_pages_late(struct pmadv_range *range, u32 todo)
{
	struct pmadv_pages none = {};

	if (todo & HOOK_DO_PAGES)
		late_pages_ret = bpf_pmadv_pages(range, &none, 0);
	if (todo & HOOK_DO_SELECT)
		late_select_ret = bpf_pmadv_select(range, masks[0],
						   sizeof(masks[0]));
}

SEC("struct_ops/hook_advise")
s32 BPF_PROG(hook_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	u64 at = __sync_fetch_and_add(&nr_seen, 1);
	int i = find_rule(range->start);
	struct hook_rule *rule;

	stay(HOOK_HOLD_ADVISE);
	note(range, task, at);
	if (i < 0 || i >= HOOK_RULES)
		return otherwise;
	rule = &rules[i];

	if (range->end > rule->end)
		range->end = rule->end;
	if (rule->step && range->end - range->start > rule->step)
		range->end = range->start + rule->step;
	if (rule->todo & HOOK_DO_ONE_TABLE)
		pmadv_one_table(range);
	if (rule->todo & HOOK_DO_SET_END)
		range->end = rule->set_end;
	range->max_pages = range->max_pages && rule->rest_pages ?
		rule->rest_pages : rule->max_pages;
	range->modifiers = rule->modifiers;

	if (rule->todo & HOOK_DO_NAME)
		ask_name(range, at);
	if (rule->todo & HOOK_DO_SAMPLE)
		ask_sample(range, at, rule->sample_nr);
	ask_pages(range, rule);
	if (rule->todo & HOOK_DO_ERROR) {
		bpf_pmadv_error(range, -61, "the first error");
		bpf_pmadv_error(range, -62, "the second error");
	}

	return rule->verdict;
}

SEC("struct_ops/hook_advised")
void BPF_PROG(hook_advised, struct pmadv_range *range,
	      struct pmadv_stats *stats)
{
	int i = find_rule(range->start);
	struct pmadv_sample sample = {};
	char name[HOOK_NAME_LEN] = {};
	u64 at = nr_seen - 1;

	__sync_fetch_and_add(&nr_advised, 1);
	if (at >= HOOK_SEEN)
		return;
	seen[at].advised++;
	seen[at].advised_end = range->end;
	seen[at].scanned = stats->scanned;
	seen[at].reclaimed = stats->reclaimed;
	seen[at].deactivated = stats->deactivated;

	if (i < 0 || i >= HOOK_RULES)
		return;
	if (rules[i].todo & HOOK_DO_NAME)
		seen[at].late_name_ret =
			bpf_pmadv_vma_name(range, name, sizeof(name));
	if (rules[i].todo & HOOK_DO_SAMPLE)
		seen[at].late_sample_ret = bpf_pmadv_sample(range, &sample, 1);
	ask_pages_late(range, rules[i].todo);
	if (rules[i].todo & HOOK_DO_ERROR_LATE)
		bpf_pmadv_error(range, 7, "too late");
}

/* Read from the caller's memory, to show that this may sleep. */
static void read_text(void)
{
	if (caller_text)
		text_ret = bpf_copy_from_user_str(text, sizeof(text),
						  (void *)caller_text, 0);
}

SEC("struct_ops.s/hook_begin")
s32 BPF_PROG(hook_begin, struct pmadv_walk *walk, struct task_struct *task)
{
	__sync_fetch_and_add(&begins, 1);
	begin_flags = walk->flags;
	begin_advice = walk->advice;
	begin_tgid = task->tgid;
	stay(HOOK_HOLD_BEGIN);
	if (!text_at_end)
		read_text();
	return begin_ret;
}

SEC("struct_ops.s/hook_end")
void BPF_PROG(hook_end, struct pmadv_walk *walk, struct pmadv_stats *stats)
{
	end_call_id = walk->result.call_id;
	end_seen = walk->result.ranges_seen;
	end_bytes = walk->result.bytes_advised;
	end_reclaimed = stats->reclaimed;
	__sync_fetch_and_add(&ends, 1);
	if (text_at_end)
		read_text();
}

SEC("struct_ops.s/hook_init")
s32 BPF_PROG(hook_init)
{
	__sync_fetch_and_add(&inits, 1);
	stay(HOOK_HOLD_INIT);
	return init_ret;
}

SEC("struct_ops.s/hook_exit")
void BPF_PROG(hook_exit, struct pmadv_exit_info *info)
{
	exit_kind = info->kind;
	exit_code = info->code;
	bpf_probe_read_kernel(exit_msg, sizeof(exit_msg), info->msg);
	stay(HOOK_HOLD_EXIT);
	__sync_fetch_and_add(&exits, 1);
}

/* The policy under test. */
SEC(".struct_ops.link")
struct process_madvise_ops hook = {
	.advise		= (void *)hook_advise,
	.advised	= (void *)hook_advised,
	.begin		= (void *)hook_begin,
	.end		= (void *)hook_end,
	.init		= (void *)hook_init,
	.exit		= (void *)hook_exit,
	.name		= "hook",
};

SEC("struct_ops/other_advise")
s32 BPF_PROG(other_advise, struct pmadv_range *range, struct task_struct *task,
	     struct vm_area_struct *vma)
{
	__sync_fetch_and_add(&other_seen, 1);
	return MADV_COLD;
}

/* A second policy, to update to or to attach in another scope. */
SEC(".struct_ops.link")
struct process_madvise_ops other = {
	.advise	= (void *)other_advise,
	.name	= "other",
};

/* Nobody to ask. */
SEC(".struct_ops.link")
struct process_madvise_ops bare = {
	.name	= "bare",
};

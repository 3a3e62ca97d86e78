// SPDX-License-Identifier: GPL-2.0
/*
 * by_name: a table of name patterns says which advice a mapping gets.
 *
 * For whoever knows the program: runtimes name their heaps with
 * PR_SET_VMA_ANON_NAME, and files have names anyway. Page out the named heap of
 * an idle Java program, but never its code:
 *
 *	"*.oat"			skip
 *	"dalvik-main space"	pageout
 *
 * The first rule that matches decides; what has no name, or matches no rule, is
 * skipped. Shows: names, a table filled by the loader, a loop the verifier
 * accepts. Production ready.
 */
#include <pmadv/policy.bpf.h>
#include <pmadv/by_name.h>

char _license[] SEC("license") = "GPL";

/* The table. Fill it before loading; see <pmadv/by_name.h>. */
const volatile struct pmadv_name_rule rules[PMADV_NAME_RULES];
const volatile __u32 nr_rules;

/* As long as a file's name gets, with its NUL. */
#define VMA_NAME_LEN	256

/* What matching takes at most: every '*' tried at every place. */
#define MAX_STEPS	(VMA_NAME_LEN * PMADV_PATTERN_LEN)

struct vma_name {
	char s[VMA_NAME_LEN];
};

/*
 * Always 0, which the verifier must not know: it would follow the indexes that
 * start from here through every step of the loop, and give up.
 */
static volatile __u32 zero;

/*
 * Does the pattern of a rule match the whole name? On a mismatch the last '*'
 * seen takes one more character; going back to an earlier one never helps.
 * Not static, so that the verifier looks at it once and not once for each rule.
 */
__noinline bool matches(u32 rule, const struct vma_name *name __arg_nonnull)
{
	u32 p = zero, n = zero;		/* where we are in pattern and name */
	u32 after_star = 0, taken = 0;	/* where to resume, and from where */
	char want, have;
	int i;

	if (rule >= PMADV_NAME_RULES)
		return false;

	bpf_for(i, 0, MAX_STEPS) {
		if (p >= PMADV_PATTERN_LEN || n >= VMA_NAME_LEN)
			return false;
		want = rules[rule].pattern[p];
		have = name->s[n];

		if (want == '*') {
			after_star = ++p;
			taken = n;
		} else if (have && (want == '?' || want == have)) {
			p++;
			n++;
		} else if (!have && !want) {
			return true;
		} else if (have && after_star) {
			p = after_star;
			n = ++taken;
		} else {
			return false;
		}
	}

	return false;
}

SEC("struct_ops/by_name_advise")
s32 BPF_PROG(by_name_advise, struct pmadv_range *range,
	     struct task_struct *task, struct vm_area_struct *vma)
{
	struct vma_name name = {};
	u32 i;

	if (bpf_pmadv_vma_name(range, name.s, sizeof(name.s)) < 0)
		return PMADV_SKIP;

	for (i = 0; i < PMADV_NAME_RULES && i < nr_rules; i++) {
		if ((range->vma_flags & rules[i].kind) != rules[i].kind)
			continue;
		if (matches(i, &name))
			return rules[i].advice;
	}

	return PMADV_SKIP;
}

SEC(".struct_ops.link")
struct process_madvise_ops by_name = {
	.advise	= (void *)by_name_advise,
	.name	= "by_name",
};

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

/* How far the matching of a rule has come. */
struct matching {
	const struct vma_name *name;
	u32 rule;
	u32 p, n;			/* where we are in pattern and name */
	u32 after_star, taken;		/* where to resume, and from where */
	bool result;
};

/*
 * One step; true ends the matching. On a mismatch the last '*' seen takes one
 * more character; going back to an earlier one never helps.
 */
static long match_step(u32 i, void *data)
{
	struct matching *m = data;
	char want, have;

	if (m->rule >= PMADV_NAME_RULES || m->p >= PMADV_PATTERN_LEN ||
	    m->n >= VMA_NAME_LEN)
		return 1;
	want = rules[m->rule].pattern[m->p];
	have = m->name->s[m->n];

	if (want == '*') {
		m->after_star = ++m->p;
		m->taken = m->n;
	} else if (have && (want == '?' || want == have)) {
		m->p++;
		m->n++;
	} else if (!have && !want) {
		m->result = true;
		return 1;
	} else if (have && m->after_star) {
		m->p = m->after_star;
		m->n = ++m->taken;
	} else {
		return 1;
	}
	return 0;
}

/*
 * Does the pattern of a rule match the whole name? Not static, so that the
 * verifier looks at it once and not once for each rule.
 */
__noinline bool matches(u32 rule, const struct vma_name *name)
{
	struct matching m = { .name = name, .rule = rule };

	if (!name)
		return false;
	/* Not bpf_for(), which kernels before 6.4 do not have. */
	bpf_loop(MAX_STEPS, match_step, &m, 0);
	return m.result;
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

PMADV_POLICY(by_name, advise(by_name_advise));

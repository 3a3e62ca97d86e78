// SPDX-License-Identifier: GPL-2.0
/*
 * BPF policies for process_madvise(2): struct process_madvise_ops.
 *
 * A policy lives from the creation of its link to its detachment, which may be
 * asked for by whoever holds the link or the right to detach it, by an update
 * to another policy, by the removal of its cgroup, through sysfs, or by the
 * kernel because the policy misbehaves. The first cause wins and is final: it
 * closes the gate (&pmadv_policy.exit_kind) that every call into the policy
 * passes. When the last call that got through has come out, a worker runs its
 * exit() and lets go of its programs. Nobody waits for that: a begin() or end()
 * may sleep for as long as whoever called process_madvise(2) likes, and the
 * struct_ops core detaches with a mutex held that is everybody's. No walk is
 * waited for, either, only the one BPF call that is under way in it.
 */
#define pr_fmt(fmt) "process_madvise: " fmt

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/dcache.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/page_idle.h>
#include <linux/pagewalk.h>
#include <linux/rculist.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/swapops.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "process_madvise.h"

/**
 * struct pmadv_policy - a policy that is attached
 * @kobj: Its place in sysfs, and its reference count.
 * @rcu: To free it after lookups.
 * @node: In @pmadv_policies while it is in force.
 * @life: In @pmadv_lives from before its init() until after its exit().
 * @ops: Its functions. To be called only through the gate. Held, and with them
 *	the map and its programs, until the end of its life.
 * @users: Who is in begin() or end(), and one until it is out of force.
 * @link: What attached it; NULL once detachment began. @pmadv_mutex.
 * @detach_work: Detaches @link when the kernel wants the policy to leave.
 * @end_work: Ends its life, when @users are gone.
 * @id: Names it in sysfs; never used again.
 * @cgroup: Its scope, held; NULL for the system.
 * @cgroup_id: The same as a number, 0 for the system.
 * @inner_refused: Advice that policies of scopes inside can't give.
 * @name: Of the policy, which outlives @ops here.
 * @exit_kind: The gate: enum pmadv_exit_kind, PMADV_EXIT_NONE while open.
 * @exit_info: Why; stable a grace period after the gate was closed.
 * @total_lock: Protects the counts below.
 * @calls: Calls it was asked in.
 * @errors: Of these, ended by what it did wrong.
 * @invalid_verdicts: Answers that were none.
 * @total: What these calls did.
 */
struct pmadv_policy {
	struct kobject kobj;
	struct rcu_head rcu;
	struct list_head node;
	struct list_head life;
	struct process_madvise_ops *ops;
	refcount_t users;
	struct bpf_link *link;
	struct work_struct detach_work;
	struct work_struct end_work;
	u64 id;
	struct cgroup *cgroup;
	u64 cgroup_id;
	u64 inner_refused;
	char name[PMADV_NAME_LEN];
	atomic_t exit_kind;
	struct pmadv_exit_info exit_info;
	spinlock_t total_lock;	/* the counts below */
	u64 calls;
	u64 errors;
	u64 invalid_verdicts;
	struct pmadv_result total;
};

/* What a policy may answer. */
#define PMADV_ADVICE	(BIT_ULL(MADV_WILLNEED) | BIT_ULL(MADV_COLD) |	\
			 BIT_ULL(MADV_PAGEOUT) | BIT_ULL(MADV_COLLAPSE))

/* Policies in force. Changed under pmadv_mutex, read under RCU. */
static LIST_HEAD(pmadv_policies);
/* All policies, in force, being attached or leaving, under pmadv_mutex. */
static LIST_HEAD(pmadv_lives);
static DEFINE_MUTEX(pmadv_mutex);

static struct kset *pmadv_policies_kset;
static struct kobject *pmadv_kobj;
static u64 pmadv_last_policy_id;

/* The last ejection, for sysfs. Protected by pmadv_eject_lock. */
static DEFINE_SPINLOCK(pmadv_eject_lock);
static u64 pmadv_nr_ejected;
static char pmadv_last_ejection[PMADV_NAME_LEN + PMADV_EXIT_MSG_LEN + 32];

static struct bpf_struct_ops bpf_process_madvise_ops;
static const struct btf_type *pmadv_range_type;
static u32 pmadv_ops_type_id;

static struct pmadv_policy *to_policy(struct kobject *kobj)
{
	return container_of(kobj, struct pmadv_policy, kobj);
}

/* NULL means the whole system, and needs no reference. */
static void pmadv_scope_put(struct cgroup *cgrp)
{
	if (cgrp)
		cgroup_put(cgrp);
}

static const char *pmadv_exit_kind_name(u32 kind)
{
	switch (kind) {
	case PMADV_EXIT_INVALID:
		return "invalid verdicts";
	case PMADV_EXIT_NO_PROGRESS:
		return "no progress";
	case PMADV_EXIT_ERROR:
		return "error";
	case PMADV_EXIT_SLOW:
		return "too slow";
	default:
		return "detached";
	}
}

/* ---- The gate --------------------------------------------------------- */

u32 pmadv_policy_exit_kind(struct pmadv_policy *policy)
{
	return atomic_read_acquire(&policy->exit_kind);
}

static bool pmadv_gate_open(struct pmadv_policy *policy)
{
	return pmadv_policy_exit_kind(policy) == PMADV_EXIT_NONE;
}

/* Close the gate. Returns true for the one caller that closed it. */
static bool pmadv_close_gate(struct pmadv_policy *policy, u32 kind, s64 code,
			     const char *msg)
{
	if (atomic_cmpxchg(&policy->exit_kind, PMADV_EXIT_NONE, kind) !=
	    PMADV_EXIT_NONE)
		return false;
	policy->exit_info.kind = kind;
	policy->exit_info.code = code;
	strscpy(policy->exit_info.msg, msg);
	return true;
}

static void pmadv_count_ejection(struct pmadv_policy *policy, u32 kind,
				 s64 code, const char *msg)
{
	unsigned long flags;

	spin_lock_irqsave(&pmadv_eject_lock, flags);
	pmadv_nr_ejected++;
	snprintf(pmadv_last_ejection, sizeof(pmadv_last_ejection),
		 "%s: %s: %s (%lld)", policy->name, pmadv_exit_kind_name(kind),
		 msg, code);
	spin_unlock_irqrestore(&pmadv_eject_lock, flags);
}

/*
 * Eject @policy. Any lock may be held, so a worker detaches it.
 * pmadv_end_work() waits for the RCU read section here, to see all of
 * exit_info.
 */
static bool pmadv_expel(struct pmadv_policy *policy, u32 kind, s64 code,
			const char *msg)
{
	bool first;

	rcu_read_lock();
	first = pmadv_close_gate(policy, kind, code, msg);
	if (first) {
		/* Whoever sees the link go looks there for the reason. */
		if (kind >= PMADV_EXIT_INVALID)
			pmadv_count_ejection(policy, kind, code, msg);
		kobject_get(&policy->kobj);
		queue_work(system_unbound_wq, &policy->detach_work);
	}
	rcu_read_unlock();
	return first;
}

static void pmadv_eject(struct pmadv_policy *policy, u32 kind, s64 code,
			const char *msg)
{
	if (pmadv_expel(policy, kind, code, msg))
		pr_warn("policy %s ejected: %s: %s (%lld)\n", policy->name,
			pmadv_exit_kind_name(kind), msg, code);
}

/*
 * The policy did something wrong, which ends the call. The layout of the
 * target's memory may have brought it about: only if that is nobody's attempt
 * to get rid of the policy does everybody else lose it, too.
 */
void pmadv_policy_error(struct pmadv_decision *decision, u32 kind, s64 code,
			const char *msg)
{
	struct pmadv_policy *policy = decision->policy;

	if (decision->erred)
		return;
	decision->erred = true;

	spin_lock(&policy->total_lock);
	policy->errors++;
	spin_unlock(&policy->total_lock);

	if (decision->trusted)
		pmadv_eject(policy, kind, code, msg);
	else
		pr_warn_ratelimited("policy %s erred: %s: %s (%lld)\n",
				    policy->name, pmadv_exit_kind_name(kind),
				    msg, code);
}

static void pmadv_detach_work(struct work_struct *work)
{
	struct pmadv_policy *policy =
		container_of(work, struct pmadv_policy, detach_work);
	struct bpf_link *link = NULL;

	mutex_lock(&pmadv_mutex);
	if (policy->link)
		link = bpf_link_inc_not_zero(policy->link);
	mutex_unlock(&pmadv_mutex);

	if (!IS_ERR_OR_NULL(link)) {
		link->ops->detach(link);
		bpf_link_put(link);
	}
	pmadv_policy_put(policy);
}

/* Enter and leave begin() and end() of a policy, which may sleep. */
static bool pmadv_policy_enter(struct pmadv_policy *policy)
{
	return pmadv_gate_open(policy) && refcount_inc_not_zero(&policy->users);
}

static void pmadv_policy_leave(struct pmadv_policy *policy)
{
	if (refcount_dec_and_test(&policy->users))
		queue_work(system_unbound_wq, &policy->end_work);
}

/* After this the programs may be freed, or attached again as another policy. */
static void pmadv_end_life(struct pmadv_policy *policy)
{
	mutex_lock(&pmadv_mutex);
	list_del(&policy->life);
	mutex_unlock(&pmadv_mutex);

	bpf_struct_ops_put(policy->ops);
	pmadv_policy_put(policy);
}

/* No sleeping caller is left: wait for the others, then run exit(). */
static void pmadv_end_work(struct work_struct *work)
{
	struct pmadv_policy *policy =
		container_of(work, struct pmadv_policy, end_work);

	synchronize_rcu();
	if (policy->ops->exit)
		policy->ops->exit(&policy->exit_info);
	pmadv_end_life(policy);
}

/* Take @policy, which lookups can no longer find, out of force. */
static void pmadv_retire(struct pmadv_policy *policy, u32 kind, const char *msg)
{
	pmadv_close_gate(policy, kind, 0, msg);
	kobject_del(&policy->kobj);
	pmadv_policy_leave(policy);
}

void pmadv_cgroup_offline(struct cgroup *cgrp)
{
	struct pmadv_policy *policy;

	/* Pairs with pmadv_check_alive(): at least one sees the other. */
	smp_mb();
	rcu_read_lock();
	list_for_each_entry_rcu(policy, &pmadv_policies, node)
		if (policy->cgroup == cgrp)
			pmadv_expel(policy, PMADV_EXIT_CGROUP, 0,
				    "its cgroup was removed");
	rcu_read_unlock();
}

/* ---- What process_madvise(2) calls ------------------------------------ */

/*
 * Find the policy of a cgroup, or of the system if @cgrp is NULL. A policy
 * whose gate is closed has left, even if its link is yet to be detached.
 */
static struct pmadv_policy *pmadv_find_policy(const struct cgroup *cgrp)
{
	struct pmadv_policy *policy;

	list_for_each_entry_rcu(policy, &pmadv_policies, node,
				lockdep_is_held(&pmadv_mutex))
		if (policy->cgroup == cgrp && pmadv_gate_open(policy))
			return policy;
	return NULL;
}

/*
 * The policy of @cgrp or its nearest ancestor that has one, else the system's,
 * or NULL.
 */
static struct pmadv_policy *pmadv_policy_from(struct cgroup *cgrp)
{
	struct pmadv_policy *policy;

	for (; cgrp; cgrp = cgroup_parent(cgrp)) {
		policy = pmadv_find_policy(cgrp);
		if (policy)
			return policy;
	}
	return pmadv_find_policy(NULL);
}

static struct pmadv_policy *pmadv_policy_outer(const struct pmadv_policy *policy)
{
	if (!policy->cgroup)
		return NULL;
	return pmadv_policy_from(cgroup_parent(policy->cgroup));
}

/*
 * Get the policy in force for @task, with a reference, or NULL. *@refused is the
 * advice that those of the scopes around refuse it.
 */
struct pmadv_policy *pmadv_policy_get(struct task_struct *task, u64 *refused)
{
	struct pmadv_policy *policy, *outer;

	*refused = 0;
	/* The policy keeps a reference for one more grace period. */
	rcu_read_lock();
	policy = pmadv_policy_from(task_dfl_cgroup(task));
	if (policy) {
		kobject_get(&policy->kobj);
		for (outer = pmadv_policy_outer(policy); outer;
		     outer = pmadv_policy_outer(outer))
			*refused |= outer->inner_refused;
	}
	rcu_read_unlock();

	return policy;
}

void pmadv_policy_put(struct pmadv_policy *policy)
{
	kobject_put(&policy->kobj);
}

bool pmadv_policy_wants_stats(struct pmadv_policy *policy)
{
	bool wants;

	rcu_read_lock();
	wants = pmadv_gate_open(policy) && policy->ops->advised;
	rcu_read_unlock();
	return wants;
}

/* User space gets the error of a policy: no success, no internal errno. */
static int pmadv_errno(int ret)
{
	return ret > 0 || ret <= -ERESTARTSYS ? -EINVAL : ret;
}

/* Returns 0, a negative errno, or 1 if @policy left before it was asked. */
int pmadv_policy_begin(struct pmadv_policy *policy, struct pmadv_walk *walk,
		       struct task_struct *task)
{
	int ret = 0;

	if (!pmadv_policy_enter(policy))
		return 1;
	if (policy->ops->begin)
		ret = pmadv_errno(policy->ops->begin(walk, task));
	pmadv_policy_leave(policy);

	return ret;
}

static void pmadv_add_total(struct pmadv_policy *policy,
			    const struct pmadv_result *result, u64 nr_invalid)
{
	struct pmadv_result *total = &policy->total;

	spin_lock(&policy->total_lock);
	policy->calls++;
	policy->invalid_verdicts += nr_invalid;
	total->ranges_seen += result->ranges_seen;
	total->ranges_advised += result->ranges_advised;
	total->ranges_skipped += result->ranges_skipped;
	total->ranges_refused += result->ranges_refused;
	total->ranges_failed += result->ranges_failed;
	total->bytes_advised += result->bytes_advised;
	pmadv_add_stats(&total->stats, &result->stats);
	spin_unlock(&policy->total_lock);
}

void pmadv_policy_end(struct pmadv_policy *policy, struct pmadv_walk *walk,
		      u64 nr_invalid)
{
	pmadv_add_total(policy, &walk->result, nr_invalid);

	if (!pmadv_policy_enter(policy))
		return;
	if (policy->ops->end)
		policy->ops->end(walk, &walk->result.stats);
	pmadv_policy_leave(policy);
}

/**
 * struct pmadv_watch - how long the policy takes
 * @clock: When it was asked.
 * @ran: What this thread had run until then, as of the latest tick or switch.
 * @switches: How often it had lost the processor.
 */
struct pmadv_watch {
	u64 clock;
	u64 ran;
	unsigned long switches;
};

static void pmadv_watch_start(struct pmadv_watch *watch)
{
	watch->clock = local_clock();
	watch->ran = current->se.sum_exec_runtime;
	watch->switches = current->nvcsw + current->nivcsw;
}

/* Who else had the processor meanwhile is not the policy's fault. */
static u64 pmadv_watch_stop(const struct pmadv_watch *watch)
{
	if (watch->switches != current->nvcsw + current->nivcsw)
		return current->se.sum_exec_runtime - watch->ran;
	return local_clock() - watch->clock;
}

/*
 * The lock of the target is held meanwhile. A hypervisor may have had the
 * processor, which nobody tells us: one slow answer proves nothing, unless it
 * was very slow, but not one after the other.
 */
static void pmadv_check_time(struct pmadv_decision *decision, u64 took)
{
	if (took <= PMADV_MAX_ADVISE_NS)
		decision->nr_slow = 0;
	else if (++decision->nr_slow == PMADV_MAX_SLOW ||
		 took > 100ULL * PMADV_MAX_ADVISE_NS)
		pmadv_policy_error(decision, PMADV_EXIT_SLOW, took,
				   "took too long, in ns");
}

/* False if the policy left before it answered, or erred. */
bool pmadv_policy_advise(struct pmadv_decision *decision,
			 struct task_struct *task, int *verdict)
{
	struct pmadv_policy *policy = decision->policy;
	struct pmadv_watch watch;
	bool open;

	*verdict = PMADV_SKIP;
	rcu_read_lock();
	open = pmadv_gate_open(policy) && !decision->erred;
	if (open && policy->ops->advise) {
		pmadv_watch_start(&watch);
		*verdict = policy->ops->advise(&decision->range, task,
					       decision->vma);
		pmadv_check_time(decision, pmadv_watch_stop(&watch));
		open = pmadv_gate_open(policy) && !decision->erred;
	}
	rcu_read_unlock();
	return open;
}

void pmadv_policy_advised(struct pmadv_decision *decision,
			  struct pmadv_stats *stats)
{
	struct pmadv_policy *policy = decision->policy;

	rcu_read_lock();
	if (pmadv_gate_open(policy))
		policy->ops->advised(&decision->range, stats);
	rcu_read_unlock();
}

/* ---- sysfs ------------------------------------------------------------ */

struct pmadv_attr {
	struct attribute attr;
	size_t offset;
};

static struct attribute pmadv_attr_name = { .name = "name", .mode = 0444 };
static struct attribute pmadv_attr_link_id = { .name = "link_id", .mode = 0444 };

static ssize_t pmadv_link_id_show(struct pmadv_policy *policy, char *buf)
{
	u32 id = 0;

	mutex_lock(&pmadv_mutex);
	if (policy->link)
		id = policy->link->id;
	mutex_unlock(&pmadv_mutex);
	return sysfs_emit(buf, "%u\n", id);
}

static ssize_t pmadv_policy_show(struct kobject *kobj, struct attribute *attr,
				 char *buf)
{
	struct pmadv_policy *policy = to_policy(kobj);
	size_t offset;
	u64 value;

	if (attr == &pmadv_attr_name)
		return sysfs_emit(buf, "%s\n", policy->name);
	if (attr == &pmadv_attr_link_id)
		return pmadv_link_id_show(policy, buf);

	offset = container_of(attr, struct pmadv_attr, attr)->offset;
	spin_lock(&policy->total_lock);
	value = *(u64 *)((char *)policy + offset);
	spin_unlock(&policy->total_lock);
	return sysfs_emit(buf, "%llu\n", value);
}

#define PMADV_ATTR_AT(_name, _member)					\
	static struct pmadv_attr pmadv_attr_##_name = {			\
		.attr = { .name = #_name, .mode = 0444 },		\
		.offset = offsetof(struct pmadv_policy, _member),	\
	}
#define PMADV_ATTR(_name)	PMADV_ATTR_AT(_name, _name)
#define PMADV_TOTAL(_name)	PMADV_ATTR_AT(_name, total._name)
#define PMADV_STAT(_name)	PMADV_ATTR_AT(_name, total.stats._name)

PMADV_ATTR(cgroup_id);
PMADV_ATTR(inner_refused);
PMADV_ATTR(calls);
PMADV_ATTR(errors);
PMADV_ATTR(invalid_verdicts);
PMADV_TOTAL(ranges_seen);
PMADV_TOTAL(ranges_advised);
PMADV_TOTAL(ranges_skipped);
PMADV_TOTAL(ranges_refused);
PMADV_TOTAL(ranges_failed);
PMADV_TOTAL(bytes_advised);
PMADV_STAT(scanned);
PMADV_STAT(young);
PMADV_STAT(shared);
PMADV_STAT(deactivated);
PMADV_STAT(isolated);
PMADV_STAT(reclaimed);
PMADV_STAT(written_back);
PMADV_STAT(activated);
PMADV_STAT(swapped);
PMADV_STAT(time_ns);

static struct attribute *pmadv_policy_attrs[] = {
	&pmadv_attr_name,
	&pmadv_attr_link_id,
	&pmadv_attr_cgroup_id.attr,
	&pmadv_attr_inner_refused.attr,
	&pmadv_attr_calls.attr,
	&pmadv_attr_errors.attr,
	&pmadv_attr_invalid_verdicts.attr,
	&pmadv_attr_ranges_seen.attr,
	&pmadv_attr_ranges_advised.attr,
	&pmadv_attr_ranges_skipped.attr,
	&pmadv_attr_ranges_refused.attr,
	&pmadv_attr_ranges_failed.attr,
	&pmadv_attr_bytes_advised.attr,
	&pmadv_attr_scanned.attr,
	&pmadv_attr_young.attr,
	&pmadv_attr_shared.attr,
	&pmadv_attr_deactivated.attr,
	&pmadv_attr_isolated.attr,
	&pmadv_attr_reclaimed.attr,
	&pmadv_attr_written_back.attr,
	&pmadv_attr_activated.attr,
	&pmadv_attr_swapped.attr,
	&pmadv_attr_time_ns.attr,
	NULL,
};
ATTRIBUTE_GROUPS(pmadv_policy);

static void pmadv_policy_release(struct kobject *kobj)
{
	struct pmadv_policy *policy = to_policy(kobj);

	pmadv_scope_put(policy->cgroup);
	kfree_rcu(policy, rcu);
}

static const struct sysfs_ops pmadv_policy_sysfs_ops = {
	.show = pmadv_policy_show,
};

static const struct kobj_type pmadv_policy_ktype = {
	.release = pmadv_policy_release,
	.sysfs_ops = &pmadv_policy_sysfs_ops,
	.default_groups = pmadv_policy_groups,
};

static ssize_t ejected_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(pmadv_nr_ejected));
}

static struct kobj_attribute ejected_attr = __ATTR_RO(ejected);

static ssize_t last_ejection_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	ssize_t len;

	spin_lock_irq(&pmadv_eject_lock);
	len = sysfs_emit(buf, "%s\n", pmadv_last_ejection);
	spin_unlock_irq(&pmadv_eject_lock);
	return len;
}

static struct kobj_attribute last_ejection_attr = __ATTR_RO(last_ejection);

static ssize_t detach_all_store(struct kobject *kobj,
				struct kobj_attribute *attr, const char *buf,
				size_t count)
{
	struct pmadv_policy *policy;
	bool yes;

	if (kstrtobool(buf, &yes) || !yes)
		return -EINVAL;

	rcu_read_lock();
	list_for_each_entry_rcu(policy, &pmadv_policies, node)
		pmadv_expel(policy, PMADV_EXIT_ADMIN, 0,
			    "all policies were detached through sysfs");
	rcu_read_unlock();
	return count;
}

static struct kobj_attribute detach_all_attr = __ATTR_WO(detach_all);

static struct attribute *pmadv_attrs[] = {
	&ejected_attr.attr,
	&last_ejection_attr.attr,
	&detach_all_attr.attr,
	NULL,
};

static const struct attribute_group pmadv_attr_group = {
	.attrs = pmadv_attrs,
};

/* ---- kfuncs: what a policy may ask about the range -------------------- */

__bpf_kfunc_start_defs();

/**
 * bpf_pmadv_vma_name - name of the mapping a range is in
 * @range: The range, in advise().
 * @buf: Where to put the name; NUL-terminated, cut off if it is longer.
 * @buf__sz: Size of @buf in bytes, at least 1.
 *
 * The name that PR_SET_VMA_ANON_NAME gave anonymous memory, else the last
 * component of the mapped file's path.
 *
 * Return: length of what is in @buf, without the NUL; -ENOENT if the mapping
 * has no name or advice was carried out already; -EINVAL if @buf is empty.
 */
__bpf_kfunc int bpf_pmadv_vma_name(struct pmadv_range *range, char *buf,
				   u32 buf__sz)
{
	struct vm_area_struct *vma =
		container_of(range, struct pmadv_decision, range)->vma;
	struct anon_vma_name *anon_name;
	struct name_snapshot name;
	ssize_t len;

	if (!buf__sz)
		return -EINVAL;
	buf[0] = '\0';
	if (!vma)
		return -ENOENT;

	anon_name = anon_vma_name(vma);
	if (anon_name) {
		len = strscpy(buf, anon_name->name, buf__sz);
	} else if (vma->vm_file) {
		take_dentry_name_snapshot(&name, vma->vm_file->f_path.dentry);
		len = strscpy(buf, name.name.name, buf__sz);
		release_dentry_name_snapshot(&name);
	} else {
		return -ENOENT;
	}
	return len < 0 ? buf__sz - 1 : len;
}

/**
 * struct pmadv_look - looking at pages, one after the other
 * @pages: What they show.
 * @nr: The page to look at next, as a bit of @pages.
 * @clear: Clear accessed bits.
 * @cleared: Some were cleared in the page table, without a flush.
 */
struct pmadv_look {
	struct pmadv_pages *pages;
	unsigned int nr;
	bool clear;
	bool cleared;
};

static void pmadv_look_set(u64 *bits, unsigned int nr, bool set)
{
	bits[nr / 64] |= (u64)set << nr % 64;
}

static void pmadv_look_present(struct pmadv_look *look, bool young, bool dirty)
{
	pmadv_look_set(look->pages->present, look->nr, true);
	pmadv_look_set(look->pages->young, look->nr, young);
	pmadv_look_set(look->pages->dirty, look->nr, dirty);
}

/* Only of pages that nobody else maps is the accessed bit ours to take. */
static bool pmadv_look_clears(struct pmadv_look *look, struct folio *folio)
{
	return look->clear && folio && !folio_likely_mapped_shared(folio);
}

/*
 * Was this page accessed: as its page table has it (@young), through another
 * MMU (that of a virtual machine), or before somebody else took the accessed
 * bit and left a note?
 */
static bool pmadv_test_young(struct vm_area_struct *vma, unsigned long addr,
			     struct folio *folio, bool young)
{
	return young || (folio && folio_test_young(folio)) ||
	       mmu_notifier_test_young(vma->vm_mm, addr);
}

static void pmadv_look_pte(struct pmadv_look *look, struct vm_area_struct *vma,
			   unsigned long addr, pte_t *pte)
{
	pte_t ptent = ptep_get(pte);
	struct folio *folio;
	bool young;

	if (!pte_present(ptent)) {
		pmadv_look_set(look->pages->swapped, look->nr,
			       is_swap_pte(ptent) &&
			       !non_swap_entry(pte_to_swp_entry(ptent)));
		return;
	}

	folio = vm_normal_folio(vma, addr, ptent);
	if (!pmadv_look_clears(look, folio)) {
		young = pmadv_test_young(vma, addr, folio, pte_young(ptent));
	} else {
		look->cleared |= ptep_test_and_clear_young(vma, addr, pte);
		young = madvise_test_clear_young(vma, addr, 1, folio,
						 pte_young(ptent));
		if (young)
			madvise_spare_young(folio);
	}
	pmadv_look_present(look, young, pte_dirty(ptent));
}

static void pmadv_look_ptes(struct pmadv_look *look, struct vm_area_struct *vma,
			    unsigned long addr, unsigned long end, pte_t *pte)
{
	for (; addr < end; pte++, addr += PAGE_SIZE, look->nr++)
		pmadv_look_pte(look, vma, addr, pte);
}

/* One accessed bit for all of it, which is cleared for all of it. */
static void pmadv_look_huge(struct pmadv_look *look, struct vm_area_struct *vma,
			    unsigned long addr, unsigned long end, pmd_t *pmd)
{
	struct folio *folio = vm_normal_folio_pmd(vma, addr, *pmd);
	unsigned long start = addr & HPAGE_PMD_MASK;
	bool young = pmd_young(*pmd), dirty = pmd_dirty(*pmd);
	bool clears = pmadv_look_clears(look, folio);

	if (clears) {
		if (young)
			pmdp_clear_flush_young(vma, start, pmd);
		young = madvise_test_clear_young(vma, start, HPAGE_PMD_NR,
						 folio, young);
		if (young)
			madvise_spare_young(folio);
	}
	for (; addr < end; addr += PAGE_SIZE, look->nr++) {
		bool used = young;

		if (!clears)
			used = pmadv_test_young(vma, addr, folio, young);
		pmadv_look_present(look, used, dirty);
	}
}

static int pmadv_look_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
			  struct mm_walk *walk)
{
	struct pmadv_look *look = walk->private;
	spinlock_t *ptl;
	pte_t *pte;

	ptl = pmd_trans_huge_lock(pmd, walk->vma);
	if (ptl) {
		if (pmd_present(*pmd))
			pmadv_look_huge(look, walk->vma, addr, end, pmd);
		spin_unlock(ptl);
		return 0;
	}

	pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	pmadv_look_ptes(look, walk->vma, addr, end, pte);
	pte_unmap_unlock(pte, ptl);
	return 0;
}

static const struct mm_walk_ops pmadv_look_ops = {
	.pmd_entry = pmadv_look_pmd,
	.walk_lock = PGWALK_RDLOCK,
};

/* The mapping of @range, if its pages can be looked at, else an ERR_PTR(). */
static struct vm_area_struct *pmadv_look_vma(struct pmadv_range *range)
{
	struct vm_area_struct *vma =
		container_of(range, struct pmadv_decision, range)->vma;

	if (!vma || range->end <= range->start || range->end > vma->vm_end)
		return ERR_PTR(-EINVAL);
	if (range->vma_flags & (PMADV_VMA_HUGETLB | PMADV_VMA_SPECIAL) ||
	    vma_is_dax(vma))
		return ERR_PTR(-EOPNOTSUPP);
	return vma;
}

/**
 * bpf_pmadv_sample - look at some pages of a range
 * @range: The range, in advise(); a lowered end counts.
 * @sample: What was seen.
 * @nr: How many pages to look at, 1 to PMADV_MAX_SAMPLE.
 *
 * Looks at page table entries and changes nothing. If the range has more pages
 * than @nr, they are evenly spaced.
 *
 * Return: 0; -EINVAL if @nr is out of its bounds, the range empty or advice
 * was carried out already; -EOPNOTSUPP for hugetlb, DAX and mappings without
 * ordinary pages.
 */
__bpf_kfunc int bpf_pmadv_sample(struct pmadv_range *range,
				 struct pmadv_sample *sample, u32 nr)
{
	struct vm_area_struct *vma = pmadv_look_vma(range);
	struct pmadv_pages seen = {};
	struct pmadv_look look = { .pages = &seen };
	u64 pages;

	memset(sample, 0, sizeof(*sample));
	if (!nr || nr > PMADV_MAX_SAMPLE)
		return -EINVAL;
	if (IS_ERR(vma))
		return PTR_ERR(vma);

	pages = (range->end - range->start) >> PAGE_SHIFT;
	nr = min_t(u64, nr, pages);
	for (u32 i = 0; i < nr; i++) {
		unsigned long addr = range->start +
				     (div_u64(i * pages, nr) << PAGE_SHIFT);

		look.nr = i;
		walk_page_range_vma(vma, addr, addr + PAGE_SIZE,
				    &pmadv_look_ops, &look);
	}
	sample->looked_at = nr;
	sample->present = hweight64(seen.present[0]);
	sample->young = hweight64(seen.young[0]);
	sample->dirty = hweight64(seen.dirty[0]);
	sample->swapped = hweight64(seen.swapped[0]);
	return 0;
}

/**
 * bpf_pmadv_pages - look at each page of a range
 * @range: The range, in advise(); a lowered end counts.
 * @pages: What was seen.
 * @flags: enum pmadv_pages_flag.
 *
 * The range must have no more pages than PMADV_MAX_PAGES, in one page table: it
 * ends where the next one begins, at a multiple of PMADV_MAX_PAGES pages. A huge
 * page has one accessed bit, which stands, and is cleared, for all of it.
 *
 * With PMADV_CLEAR_YOUNG, what is accessed from now on is young to the next
 * look; reclaim, trackers of idle pages and advice with PMADV_SKIP_YOUNG take
 * what was accessed until now for used, or the latter no more. Pages that others
 * map, too, and that advice leaves alone, are only looked at.
 *
 * Return: 0; -EINVAL for an unknown flag, if the range is empty or not within
 * one page table, or if advice was carried out already; -EOPNOTSUPP for hugetlb,
 * DAX and mappings without ordinary pages.
 */
__bpf_kfunc int bpf_pmadv_pages(struct pmadv_range *range,
				struct pmadv_pages *pages, u32 flags)
{
	struct vm_area_struct *vma = pmadv_look_vma(range);
	struct pmadv_look look = {
		.pages = pages,
		.clear = flags & PMADV_CLEAR_YOUNG &&
			 !(range->walk_flags & PMADV_DRY_RUN),
	};

	memset(pages, 0, sizeof(*pages));
	if (flags & ~PMADV_CLEAR_YOUNG || !pmadv_in_one_table(range))
		return -EINVAL;
	if (IS_ERR(vma))
		return PTR_ERR(vma);

	walk_page_range_vma(vma, range->start, range->end, &pmadv_look_ops,
			    &look);
	/* A processor sets the bit again only if it has to look for the page. */
	if (look.cleared)
		flush_tlb_range(vma, range->start, range->end);
	return 0;
}

/**
 * bpf_pmadv_select - answer for some pages of a range only
 * @range: The range, in advise().
 * @mask: The pages: page i of the range is bit i % 64 of element i / 64.
 * @mask__sz: Size of @mask in bytes: a multiple of 8, at most
 *	PMADV_MAX_PAGES / 8.
 *
 * The answer has to be MADV_COLD or MADV_PAGEOUT, or PMADV_CALLER where the
 * caller proposes one of these. It reaches the pages of the mask and no others;
 * a large folio of which some pages are selected is split, as one that reaches
 * out of a range is. What is answered with anything else, for a range that is
 * not within one page table (see bpf_pmadv_pages()), for one that has more pages
 * than @mask has bits, or after this has failed, is an invalid verdict. The mask
 * is copied, and forgotten when the range was dealt with; called again, this
 * replaces it.
 *
 * Return: 0; -EINVAL for a wrong size, or if advice was carried out already.
 */
__bpf_kfunc int bpf_pmadv_select(struct pmadv_range *range, const u64 *mask,
				 u32 mask__sz)
{
	struct pmadv_decision *decision =
		container_of(range, struct pmadv_decision, range);

	if (!decision->vma)
		return -EINVAL;
	decision->masked = true;
	decision->nr_selected = 0;
	if (!mask__sz || mask__sz % sizeof(u64) ||
	    mask__sz > PMADV_MAX_PAGES / BITS_PER_BYTE)
		return -EINVAL;
	decision->nr_selected = mask__sz * BITS_PER_BYTE;
	bitmap_from_arr64(decision->selected, mask, decision->nr_selected);
	return 0;
}

/**
 * bpf_pmadv_error - give up
 * @range: The range, in advise() or advised().
 * @code: For the policy's exit() and the kernel log.
 * @msg__str: One line for a person, a constant string.
 *
 * Nothing is done with the range, nor with the rest of the walk. The policy is
 * ejected, unless the target may have brought it about.
 */
__bpf_kfunc void bpf_pmadv_error(struct pmadv_range *range, s64 code,
				 const char *msg__str)
{
	struct pmadv_decision *decision =
		container_of(range, struct pmadv_decision, range);

	pmadv_policy_error(decision, PMADV_EXIT_ERROR, code, msg__str);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(pmadv_kfunc_ids)
BTF_ID_FLAGS(func, bpf_pmadv_vma_name, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_pmadv_sample, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_pmadv_pages, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_pmadv_select, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_pmadv_error, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(pmadv_kfunc_ids)

/* Our kfuncs are for programs of our struct_ops only; ignore other kfuncs. */
static int pmadv_kfunc_filter(const struct bpf_prog *prog, u32 kfunc_id)
{
	if (!btf_id_set8_contains(&pmadv_kfunc_ids, kfunc_id))
		return 0;
	return prog->aux->attach_btf_id == pmadv_ops_type_id ? 0 : -EACCES;
}

static const struct btf_kfunc_id_set pmadv_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &pmadv_kfunc_ids,
	.filter = pmadv_kfunc_filter,
};

/* ---- struct_ops ------------------------------------------------------- */

/* Takes over the reference to @cgrp, if that is not NULL. */
static struct pmadv_policy *pmadv_policy_alloc(struct process_madvise_ops *ops,
					       struct cgroup *cgrp,
					       struct bpf_link *link)
{
	struct pmadv_policy *policy = kzalloc(sizeof(*policy), GFP_KERNEL);

	if (!policy) {
		pmadv_scope_put(cgrp);
		return NULL;
	}
	INIT_WORK(&policy->detach_work, pmadv_detach_work);
	INIT_WORK(&policy->end_work, pmadv_end_work);
	refcount_set(&policy->users, 1);
	spin_lock_init(&policy->total_lock);
	policy->ops = ops;
	policy->link = link;
	policy->cgroup = cgrp;
	policy->cgroup_id = ops->cgroup_id;
	policy->inner_refused = ops->inner_refused;
	policy->id = ++pmadv_last_policy_id;
	strscpy(policy->name, ops->name);
	return policy;
}

/*
 * Make a policy of @ops and run its init(). The struct_ops core serialises
 * this, as all of reg and update, and its reference to @ops lets us take
 * another.
 */
static struct pmadv_policy *pmadv_policy_create(struct process_madvise_ops *ops,
						struct cgroup *cgrp,
						struct bpf_link *link)
{
	struct pmadv_policy *policy = pmadv_policy_alloc(ops, cgrp, link);
	int err;

	if (!policy)
		return ERR_PTR(-ENOMEM);

	bpf_struct_ops_get(ops);
	mutex_lock(&pmadv_mutex);
	list_add(&policy->life, &pmadv_lives);
	mutex_unlock(&pmadv_mutex);

	policy->kobj.kset = pmadv_policies_kset;
	err = kobject_init_and_add(&policy->kobj, &pmadv_policy_ktype, NULL,
				   "%llu", policy->id);
	if (!err && ops->init)
		err = pmadv_errno(ops->init());
	if (err) {
		pmadv_end_life(policy);
		return ERR_PTR(err);
	}
	return policy;
}

/* Find the policy that was made of @ops, unless it has ended. */
static struct pmadv_policy *pmadv_policy_of(struct process_madvise_ops *ops)
{
	struct pmadv_policy *policy;

	list_for_each_entry(policy, &pmadv_lives, life)
		if (policy->ops == ops)
			return policy;
	return NULL;
}

/* A cgroup removed before @policy was in force is noticed only here. */
static void pmadv_check_alive(struct pmadv_policy *policy)
{
	smp_mb();	/* pairs with the one of pmadv_cgroup_offline() */
	if (policy->cgroup &&
	    !(READ_ONCE(policy->cgroup->self.flags) & CSS_ONLINE))
		pmadv_expel(policy, PMADV_EXIT_CGROUP, 0,
			    "its cgroup was removed");
}

static int bpf_pmadv_reg(void *kdata, struct bpf_link *link)
{
	struct process_madvise_ops *ops = kdata;
	struct pmadv_policy *policy;
	struct cgroup *cgrp = NULL;
	int err = 0;

	/* Without a link, nobody could be notified of an ejection. */
	if (!link)
		return -EOPNOTSUPP;
	/*
	 * A BPF token grants these in a user namespace; a policy concerns all
	 * of them.
	 */
	if (!bpf_capable() || !perfmon_capable())
		return -EPERM;
	/* The scope must be a cgroup that the attaching process can see. */
	if (ops->cgroup_id) {
		cgrp = cgroup_get_from_id(ops->cgroup_id);
		if (IS_ERR(cgrp))
			return PTR_ERR(cgrp);
	}

	mutex_lock(&pmadv_mutex);
	if (pmadv_policy_of(ops) || pmadv_find_policy(cgrp))
		err = -EBUSY;
	mutex_unlock(&pmadv_mutex);
	if (err) {
		pmadv_scope_put(cgrp);
		return err;
	}

	policy = pmadv_policy_create(ops, cgrp, link);
	if (IS_ERR(policy))
		return PTR_ERR(policy);

	mutex_lock(&pmadv_mutex);
	list_add_tail_rcu(&policy->node, &pmadv_policies);
	mutex_unlock(&pmadv_mutex);

	pmadv_check_alive(policy);
	return 0;
}

static void bpf_pmadv_unreg(void *kdata, struct bpf_link *link)
{
	struct pmadv_policy *policy;

	mutex_lock(&pmadv_mutex);
	policy = pmadv_policy_of(kdata);
	policy->link = NULL;
	list_del_rcu(&policy->node);
	mutex_unlock(&pmadv_mutex);

	pmadv_retire(policy, PMADV_EXIT_DETACHED, "detached");
}

static int bpf_pmadv_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	struct process_madvise_ops *ops = kdata, *old_ops = old_kdata;
	struct pmadv_policy *policy, *old;
	struct cgroup *cgrp;
	int err = 0;

	if (ops->cgroup_id != old_ops->cgroup_id)
		return -EINVAL;
	if (!bpf_capable() || !perfmon_capable())
		return -EPERM;

	/* The scope stays, whether or not the updating process can see it. */
	mutex_lock(&pmadv_mutex);
	if (pmadv_policy_of(ops))
		err = -EBUSY;
	cgrp = pmadv_policy_of(old_ops)->cgroup;
	if (!err && cgrp)
		cgroup_get(cgrp);
	mutex_unlock(&pmadv_mutex);
	if (err)
		return err;

	policy = pmadv_policy_create(ops, cgrp, link);
	if (IS_ERR(policy))
		return PTR_ERR(policy);

	mutex_lock(&pmadv_mutex);
	old = pmadv_policy_of(old_ops);
	/*
	 * If somebody else closed the gate, @link is about to be detached. A
	 * lookup that finds the gate closed by us goes on to find the new
	 * policy.
	 */
	if (pmadv_gate_open(old)) {
		old->link = NULL;
		list_add_rcu(&policy->node, &old->node);
		pmadv_close_gate(old, PMADV_EXIT_REPLACED, 0, "replaced");
		list_del_rcu(&old->node);
	} else {
		err = -ENOLINK;
	}
	mutex_unlock(&pmadv_mutex);
	if (err) {
		pmadv_retire(policy, PMADV_EXIT_DETACHED, "detached");
		return err;
	}

	pmadv_retire(old, PMADV_EXIT_REPLACED, "replaced");
	pmadv_check_alive(policy);
	return 0;
}

static int bpf_pmadv_init_member(const struct btf_type *t,
				 const struct btf_member *member, void *kdata,
				 const void *udata)
{
	const struct process_madvise_ops *uops = udata;
	struct process_madvise_ops *ops = kdata;

	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct process_madvise_ops, cgroup_id):
		ops->cgroup_id = uops->cgroup_id;
		return 1;
	case offsetof(struct process_madvise_ops, flags):
		return uops->flags ? -EINVAL : 1;
	case offsetof(struct process_madvise_ops, inner_refused):
		if (uops->inner_refused & ~PMADV_ADVICE)
			return -EINVAL;
		ops->inner_refused = uops->inner_refused;
		return 1;
	case offsetof(struct process_madvise_ops, name):
		if (bpf_obj_name_cpy(ops->name, uops->name,
				     sizeof(ops->name)) <= 0)
			return -EINVAL;
		return 1;
	}
	return 0;
}

/* Members that are called under mmap_lock must not sleep. */
static int bpf_pmadv_check_member(const struct btf_type *t,
				  const struct btf_member *member,
				  const struct bpf_prog *prog)
{
	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct process_madvise_ops, advise):
	case offsetof(struct process_madvise_ops, advised):
		return prog->sleepable ? -EINVAL : 0;
	}
	return 0;
}

static const struct bpf_func_proto *
bpf_pmadv_get_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)
{
	switch (func_id) {
	case BPF_FUNC_task_storage_get:
		return &bpf_task_storage_get_proto;
	case BPF_FUNC_task_storage_delete:
		return &bpf_task_storage_delete_proto;
	/* The caller's signals, stack and mappings are not a policy's. */
	case BPF_FUNC_send_signal:
	case BPF_FUNC_send_signal_thread:
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_find_vma:
		return NULL;
	default:
		return bpf_base_func_proto(func_id, prog);
	}
}

static bool bpf_pmadv_is_valid_access(int off, int size,
				      enum bpf_access_type type,
				      const struct bpf_prog *prog,
				      struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

/* A policy may write only these members of struct pmadv_range. */
static int bpf_pmadv_btf_struct_access(struct bpf_verifier_log *log,
				       const struct bpf_reg_state *reg,
				       int off, int size)
{
	if (btf_type_by_id(reg->btf, reg->btf_id) == pmadv_range_type) {
		if (off == offsetof(struct pmadv_range, end) &&
		    size == sizeof_field(struct pmadv_range, end))
			return 0;
		if (off == offsetof(struct pmadv_range, max_pages) &&
		    size == sizeof_field(struct pmadv_range, max_pages))
			return 0;
		if (off == offsetof(struct pmadv_range, modifiers) &&
		    size == sizeof_field(struct pmadv_range, modifiers))
			return 0;
	}
	bpf_log(log, "a policy can write end, max_pages, modifiers of pmadv_range only\n");
	return -EACCES;
}

static const struct bpf_verifier_ops bpf_pmadv_verifier_ops = {
	.get_func_proto = bpf_pmadv_get_func_proto,
	.is_valid_access = bpf_pmadv_is_valid_access,
	.btf_struct_access = bpf_pmadv_btf_struct_access,
};

static int bpf_pmadv_init(struct btf *btf)
{
	s32 id;

	id = btf_find_by_name_kind(btf, "pmadv_range", BTF_KIND_STRUCT);
	if (id < 0)
		return -EINVAL;
	pmadv_range_type = btf_type_by_id(btf, id);

	id = btf_find_by_name_kind(btf, "process_madvise_ops", BTF_KIND_STRUCT);
	if (id < 0)
		return -EINVAL;
	pmadv_ops_type_id = id;
	return 0;
}

static s32 pmadv_stub_advise(struct pmadv_range *range,
			     struct task_struct *task,
			     struct vm_area_struct *vma)
{
	return PMADV_SKIP;
}

static void pmadv_stub_advised(struct pmadv_range *range,
			       struct pmadv_stats *stats)
{
}

static s32 pmadv_stub_begin(struct pmadv_walk *walk, struct task_struct *task)
{
	return 0;
}

static void pmadv_stub_end(struct pmadv_walk *walk, struct pmadv_stats *stats)
{
}

static s32 pmadv_stub_init(void)
{
	return 0;
}

static void pmadv_stub_exit(struct pmadv_exit_info *info)
{
}

static struct process_madvise_ops pmadv_stub_ops = {
	.advise = pmadv_stub_advise,
	.advised = pmadv_stub_advised,
	.begin = pmadv_stub_begin,
	.end = pmadv_stub_end,
	.init = pmadv_stub_init,
	.exit = pmadv_stub_exit,
};

static struct bpf_struct_ops bpf_process_madvise_ops = {
	.verifier_ops = &bpf_pmadv_verifier_ops,
	.init = bpf_pmadv_init,
	.init_member = bpf_pmadv_init_member,
	.check_member = bpf_pmadv_check_member,
	.reg = bpf_pmadv_reg,
	.unreg = bpf_pmadv_unreg,
	.update = bpf_pmadv_update,
	.cfi_stubs = &pmadv_stub_ops,
	.name = "process_madvise_ops",
	.owner = THIS_MODULE,
};

static int __init pmadv_sysfs_init(void)
{
	int err;

	pmadv_kobj = kobject_create_and_add("process_madvise", mm_kobj);
	if (!pmadv_kobj)
		return -ENOMEM;
	err = sysfs_create_group(pmadv_kobj, &pmadv_attr_group);
	if (err)
		goto put_kobj;
	pmadv_policies_kset = kset_create_and_add("policies", NULL, pmadv_kobj);
	if (!pmadv_policies_kset) {
		err = -ENOMEM;
		goto put_kobj;
	}
	return 0;

put_kobj:
	kobject_put(pmadv_kobj);
	return err;
}

static int __init pmadv_bpf_init(void)
{
	int err;

	/* Emit BTF for these enums: their names are found nowhere else. */
	BTF_TYPE_EMIT(enum pmadv_flag);
	BTF_TYPE_EMIT(enum pmadv_stopped);
	BTF_TYPE_EMIT(enum pmadv_verdict);
	BTF_TYPE_EMIT(enum pmadv_modifier);
	BTF_TYPE_EMIT(enum pmadv_pages_flag);
	BTF_TYPE_EMIT(enum pmadv_vma_flag);
	BTF_TYPE_EMIT(enum pmadv_outcome);
	BTF_TYPE_EMIT(enum pmadv_exit_kind);
	BTF_TYPE_EMIT(enum pmadv_limit);

	err = pmadv_sysfs_init();
	if (err)
		return err;
	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS,
					&pmadv_kfunc_set);
	return err ?: register_bpf_struct_ops(&bpf_process_madvise_ops,
					      process_madvise_ops);
}
late_initcall(pmadv_bpf_init);

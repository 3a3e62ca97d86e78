// SPDX-License-Identifier: GPL-2.0
/*
 * The engine: asks a policy about each mapping of a process, on kernels without
 * the hook.
 *
 * Not a program of its own: the loader links it with a policy's object, whose
 * PMADV_POLICY() left a function for each of its members. It asks from a BPF
 * iterator over the mappings of the target, with its mmap_lock held, and keeps
 * the answers in memory that the loader maps; the loader gives the advice with
 * process_madvise(2). In between the lock is let go, so the engine also tells
 * whether anything has changed; see struct pmadv_identity.
 *
 * Never loaded where the kernel has the hook. All globals have the prefix
 * pmadv_engine, as the policy may have any other name; there is no license
 * section, as the policy has one.
 */
#define PMADV_ENGINE
#include <pmadv/policy.bpf.h>
#include <pmadv/engine_state.h>

#define PAGE_SHIFT	12

#define VM_READ		0x00000001
#define VM_WRITE	0x00000002
#define VM_EXEC		0x00000004
#define VM_MAYSHARE	0x00000080
#define VM_GROWSDOWN	0x00000100
#define VM_PFNMAP	0x00000400
#define VM_LOCKED	0x00002000
#define VM_IO		0x00004000
#define VM_DONTEXPAND	0x00040000
#define VM_HUGETLB	0x00400000
#define VM_MIXEDMAP	0x10000000
#define VM_HUGEPAGE	0x20000000
#define VM_SPECIAL	(VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)

/* No answer takes that long for want of a processor. */
#define STUCK_NS	1000000000ULL

#define DRY_RUN		(1U << 3)	/* enum pmadv_flag */

#define TMPFS_MAGIC	0x01021994
#define S_DAX		(1 << 13)

#define EINVAL		22
#define ESRCH		3
#define ENOENT		2
#define EBUSY		16
#define EOPNOTSUPP	95

/* Members that not all kernels have, or not as the same type. */
struct anon_vma_name___engine {
	char name[0];
} __attribute__((preserve_access_index));

struct vm_userfaultfd_ctx___engine {
	void *ctx;
} __attribute__((preserve_access_index));

struct seqcount___engine {
	unsigned int sequence;
} __attribute__((preserve_access_index));

/*
 * What is used of the two, in one structure each: libbpf looks through all of the
 * kernel's types for each structure that the programs name, which is a good part of
 * the time that loading takes.
 */
struct mm_struct___engine {
	struct seqcount___engine mm_lock_seq;
	unsigned long start_stack;
	unsigned long start_brk;
	unsigned long brk;
	pgd_t *pgd;
	struct maple_tree mm_mt;
} __attribute__((preserve_access_index));

struct vm_area_struct___engine {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct___engine *vm_mm;
	unsigned long vm_flags;
	struct {
		unsigned long rb_subtree_last;
	} shared;
	struct anon_vma *anon_vma;
	const struct vm_operations_struct *vm_ops;
	unsigned long vm_pgoff;
	struct file *vm_file;
	struct anon_vma_name___engine *anon_name;
	struct vm_userfaultfd_ctx___engine vm_userfaultfd_ctx;
} __attribute__((preserve_access_index));

#define mm_struct      mm_struct___engine
#define vm_area_struct vm_area_struct___engine

struct mm_struct___plain {
	int mm_lock_seq;
} __attribute__((preserve_access_index));

/* What iterators give to their programs, at places that are the same on all kernels. */
struct task_context {
	void *meta;
	struct task_struct *task;
};

struct task_vma_context {
	void *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

/* The policy's, each of which it may have or not. */
#define POLICY_MEMBER(member)						\
	__weak __hidden s32 pmadv_policy_##member(unsigned long long *ctx) \
	{								\
		return 0;						\
	}
POLICY_MEMBER(advise)
POLICY_MEMBER(advised)
POLICY_MEMBER(begin)
POLICY_MEMBER(end)
POLICY_MEMBER(init)
POLICY_MEMBER(exit)

/*
 * What a policy gets pointers to, each in a map of its own: through them it
 * reaches nothing else.
 */
struct pmadv_range pmadv_engine_range SEC(".data.pmadv_range");
struct pmadv_walk pmadv_engine_walk SEC(".data.pmadv_walk");
struct pmadv_stats pmadv_engine_stats SEC(".data.pmadv_stats");
struct pmadv_exit_info pmadv_engine_exit_info SEC(".data.pmadv_exit");

struct pmadv_engine_sums pmadv_engine_sums SEC(PMADV_ENGINE_SUMS);
struct pmadv_simulation pmadv_engine_simulation SEC(".data.pmadv_simulation");
struct pmadv_scan pmadv_engine_scan SEC(".data.pmadv_scan");
struct pmadv_engine pmadv_engine SEC(".data.pmadv_engine") = {
	.version = PMADV_ENGINE_VERSION,
};

#define engine	pmadv_engine
#define scan	pmadv_engine_scan
#define range	pmadv_engine_range
#define simulation pmadv_engine_simulation

/*
 * An address as a run-time value: in a constant initialiser it would become a
 * relocation of .rodata, which libbpf does not do.
 */
#define ADDRESS(what) ({ void *__p = &(what); barrier_var(__p); (u64)__p; })

/* ---- facts ------------------------------------------------------------ */

static __always_inline u32 if_set(u64 flags, u64 flag, u32 ours)
{
	return flags & flag ? ours : 0;
}

static __always_inline bool has_anon_name(struct vm_area_struct *vma)
{
	return bpf_core_field_exists(vma->anon_name) && !vma->vm_file && vma->anon_name;
}

static __always_inline u32 vma_kind(struct vm_area_struct *vma, u64 vm_flags)
{
	if (vm_flags & VM_HUGETLB)
		return PMADV_VMA_HUGETLB;
	if (vm_flags & VM_SPECIAL)
		return PMADV_VMA_SPECIAL;
	if (!vma->vm_ops)
		return PMADV_VMA_ANON;
	if (!vma->vm_file)
		return 0;
	return vma->vm_file->f_inode->i_sb->s_magic == TMPFS_MAGIC ?
		       PMADV_VMA_SHMEM : PMADV_VMA_FILE;
}

/* As the kernel with the hook has them, but for PMADV_VMA_SEALED. */
static __always_inline u32 vma_facts(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	u64 vm_flags = vma->vm_flags;
	u64 start = vma->vm_start, end = vma->vm_end;
	u32 facts = vma_kind(vma, vm_flags);

	facts |= if_set(vm_flags, VM_READ, PMADV_VMA_READ);
	facts |= if_set(vm_flags, VM_WRITE, PMADV_VMA_WRITE);
	facts |= if_set(vm_flags, VM_EXEC, PMADV_VMA_EXEC);
	facts |= if_set(vm_flags, VM_MAYSHARE, PMADV_VMA_SHARED);
	facts |= if_set(vm_flags, VM_LOCKED, PMADV_VMA_LOCKED);
	facts |= if_set(vm_flags, VM_GROWSDOWN, PMADV_VMA_STACK);
	facts |= if_set(vm_flags, VM_HUGEPAGE, PMADV_VMA_HUGEPAGE);
	if (mm) {
		if (start <= mm->start_stack && end >= mm->start_stack)
			facts |= PMADV_VMA_STACK;
		if (start < mm->brk && end > mm->start_brk)
			facts |= PMADV_VMA_HEAP;
	}
	if (has_anon_name(vma))
		facts |= PMADV_VMA_NAMED;
	if (bpf_core_field_exists(vma->vm_userfaultfd_ctx.ctx) &&
	    vma->vm_userfaultfd_ctx.ctx)
		facts |= PMADV_VMA_UFFD;
	return facts;
}

/* A pointer says what is mapped; nothing is computed with it here. */
static __always_inline u64 vma_object(struct vm_area_struct *vma)
{
	if (vma->vm_file)
		return (u64)vma->vm_file->f_inode;
	return (u64)vma->anon_vma;
}

static __always_inline u64 vma_origin(struct vm_area_struct *vma)
{
	return vma->vm_pgoff - (vma->vm_start >> PAGE_SHIFT);
}

/* ---- identity --------------------------------------------------------- */

static __always_inline u64 mm_lock_seq(struct mm_struct *mm)
{
	struct mm_struct___plain *plain = (void *)mm;

	if (bpf_core_field_exists(mm->mm_lock_seq.sequence)) {
		engine.seq_kind = PMADV_SEQ_COUNT;
		return mm->mm_lock_seq.sequence;
	}
	if (bpf_core_field_exists(plain->mm_lock_seq)) {
		engine.seq_kind = PMADV_SEQ_PLAIN;
		return (u32)plain->mm_lock_seq;
	}
	return 0;
}

static __always_inline void note_asked(struct task_struct *task, struct mm_struct *mm)
{
	engine.asked.mm = (u64)mm;
	engine.asked.exec_id = task->self_exec_id;
	engine.asked.seq = mm_lock_seq(mm);
	engine.pgd = (u64)mm->pgd;
	engine.pid = task->pid;
}

/* ---- asking ----------------------------------------------------------- */

static __always_inline bool is_advice(s32 verdict)
{
	return verdict == MADV_COLD || verdict == MADV_PAGEOUT ||
	       verdict == MADV_WILLNEED || verdict == MADV_COLLAPSE;
}

static __always_inline bool is_verdict(s32 verdict)
{
	return is_advice(verdict) || verdict == PMADV_SKIP || verdict == PMADV_CALLER ||
	       verdict == PMADV_STOP;
}

/* Pages of the range, if they are of one page table, else 0. */
static __always_inline u64 table_pages(const struct pmadv_range *of)
{
	u64 start = of->start, end = of->end;

	if (end <= start || start >> 21 != (end - 1) >> 21)
		return 0;
	return (end - start) >> PAGE_SHIFT;
}

/* Pages are selected for COLD and PAGEOUT, and in one page table. */
static __always_inline bool bad_selection(s32 verdict)
{
	s32 advice = verdict == PMADV_CALLER ? engine.advice : verdict;
	u64 pages = table_pages(&range);

	if (!engine.masked || !is_advice(advice))
		return false;
	return (advice != MADV_COLD && advice != MADV_PAGEOUT) || !pages ||
	       pages > engine.nr_selected;
}

/* Of a mapping, what an answer keeps to find out later whether it is still the same. */
struct mapping {
	u64 object;
	u64 origin;
	u64 start;
	u64 end;
};

static __always_inline void keep(const struct mapping *of, u64 start, u64 end, u32 facts,
				 s32 verdict)
{
	struct pmadv_answer *answer;
	u32 nr = engine.nr;

	if (nr >= PMADV_ENGINE_BATCH)
		return;
	answer = &engine.answers[nr];
	answer->start = start;
	answer->end = end;
	answer->max_pages = range.max_pages;
	answer->verdict = verdict;
	answer->modifiers = range.modifiers;
	answer->vma_flags = facts;
	answer->changed = 0;
	answer->object = of->object;
	answer->origin = of->origin;
	answer->vma_start = of->start;
	answer->vma_end = of->end;
	answer->masked = engine.masked;
	answer->bad_selection = bad_selection(verdict);
	answer->clear_young = engine.clear_young;
	__builtin_memcpy(answer->selected, engine.selected, sizeof(answer->selected));
	engine.nr = nr + 1;
	if (verdict != PMADV_SKIP)
		engine.bytes += end - start;
	if (engine.nr >= engine.capacity || engine.bytes >= engine.most_bytes)
		engine.stop = PMADV_ENGINE_FULL;
}

/* The same rules as in the kernel: see pmadv_decide() there. */
static __always_inline void take_answer(const struct mapping *of, u64 start, u64 end,
					u32 facts, s32 verdict)
{
	u64 cut = range.end;
	bool invalid;

	if (cut <= start || cut > end || cut & ((1 << PAGE_SHIFT) - 1)) {
		engine.stop = PMADV_ENGINE_NO_PROGRESS;
		return;
	}
	invalid = !is_verdict(verdict) || range.modifiers & ~PMADV_SKIP_YOUNG ||
		  bad_selection(verdict);
	if (verdict == PMADV_STOP && !invalid) {
		keep(of, start, cut, facts, verdict);
		engine.stop = PMADV_ENGINE_POLICY_STOP;
		return;
	}
	engine.cursor = cut;
	if (verdict == PMADV_SKIP && !invalid && !engine.want_all && !engine.clear_young)
		engine.skipped++;
	else
		keep(of, start, cut, facts, verdict);
	if (invalid && ++engine.invalid >= PMADV_MAX_INVALID)
		engine.stop = PMADV_ENGINE_INVALID;
}

/* One slow answer proves nothing: somebody else may have had the processor. */
static __always_inline bool too_slow(u64 took)
{
	if (took <= engine.slow_ns) {
		engine.nr_slow = 0;
		return false;
	}
	return ++engine.nr_slow >= PMADV_MAX_SLOW || took > STUCK_NS;
}

/* Ask about what of @vma begins at the cursor; is there more of it to ask? */
static __always_inline bool ask(struct task_struct *task, struct vm_area_struct *vma)
{
	u64 start = vma->vm_start, end = vma->vm_end, began = 0;
	unsigned long long args[3];
	struct inode *inode;
	struct mapping of;
	u32 facts;
	s32 verdict;

	if (start < engine.cursor)
		start = engine.cursor;
	if (end > engine.end)
		end = engine.end;
	if (start >= end)
		return false;

	facts = vma_facts(vma);
	__builtin_memset(&range, 0, sizeof(range));
	range.start = start;
	range.end = end;
	range.vma_start = vma->vm_start;
	range.vma_end = vma->vm_end;
	range.vma_flags = facts;
	range.advice = engine.advice;
	range.walk_flags = engine.walk_flags;
	range.call_id = engine.call_id;
	engine.vma = (u64)vma;
	engine.masked = 0;
	engine.clear_young = 0;
	engine.no_sample = facts & (PMADV_VMA_HUGETLB | PMADV_VMA_SPECIAL);
	if (facts & PMADV_VMA_FILE) {
		inode = vma->vm_file->f_inode;
		engine.no_sample |= inode->i_flags & S_DAX;
	}

	args[0] = ADDRESS(range);
	args[1] = (u64)task;
	args[2] = (u64)vma;
	if (engine.slow_ns)
		began = bpf_ktime_get_ns();
	verdict = pmadv_policy_advise(args);
	engine.vma = 0;
	if (engine.stop)
		return false;
	if (engine.slow_ns && too_slow(bpf_ktime_get_ns() - began)) {
		engine.stop = PMADV_ENGINE_SLOW;
		return false;
	}
	of.object = vma_object(vma);
	of.origin = vma_origin(vma);
	of.start = vma->vm_start;
	of.end = vma->vm_end;
	take_answer(&of, start, end, facts, verdict);
	return !engine.stop && engine.cursor < end;
}

static __always_inline bool is_target(const struct task_struct *task)
{
	return task && (!engine.tgid || (u32)task->tgid == engine.tgid);
}

static __always_inline void note_identity(struct task_struct *task, struct mm_struct *mm)
{
	if (!engine.asked.mm)
		note_asked(task, mm);
	else if (engine.asked.seq != mm_lock_seq(mm))
		engine.moved = 1;
}

/*
 * A step of the iterator costs more than a question. But while it holds mmap_lock at
 * the first mapping, the tree of all of them stands still: they are looked up there,
 * many in one run of the program. Where that cannot be, the iterator steps, and each
 * mapping is the only one in the tree.
 */
#define tree	      engine.tree
#define TREE_DEPTH    8
/* Entries in one run, and how long it may keep the lock from others. */
#define RUN_ENTRIES   512
#define RUN_NS	      1000000ULL
/* The time is looked at once in so many. */
#define TIMED	      16
/* What is less is a mark, not a pointer. */
#define LEAST_POINTER 4096

struct looking {
	struct task_struct *task;
	struct vm_area_struct *vma; /* the iterator's */
	u64 began;
};

/*
 * A node is its parent, a pivot less than slots, and the slots: @slots of them. Slot i
 * goes up to pivot i, the last one to where the node ends.
 */
#define SLOTS	     16
#define SLOTS_ARANGE 10
#define META	     31
#define META_ARANGE  30

static __always_inline u64 node_word(u64 i)
{
	return tree.node[i & (PMADV_TREE_WORDS - 1)];
}

static __always_inline u64 node_slot(u64 slots, u64 i)
{
	return node_word(slots + i);
}

static __always_inline u64 node_pivot(u64 i)
{
	return node_word(1 + i);
}

/* The last slot that is in use, of a node that goes up to @last. */
static __always_inline u64 node_end(u64 slots, u64 last)
{
	if (slots == SLOTS_ARANGE)
		return tree.node[META_ARANGE] & 15;
	if (!node_pivot(SLOTS - 2))
		return tree.node[META] & 15;
	return node_pivot(SLOTS - 2) == last ? SLOTS - 2 : SLOTS - 1;
}

/*
 * 1 or 0, of numbers with bit 63 clear, and no branch, each of which the verifier would
 * follow.
 */
static __always_inline u64 less(u64 a, u64 b)
{
	u64 difference = a - b;

	barrier_var(difference);
	return difference >> 63;
}

/* In which slot @addr is. */
static __always_inline u64 node_find(u64 end, u64 addr)
{
	u64 i, slot = 0;

#pragma unroll
	for (i = 0; i < SLOTS - 1; i++)
		slot += less(node_pivot(i) >> 1, addr >> 1) & less(i, end);
	return slot;
}

/*
 * Have what is asked about next fetched from memory at once, not one mapping after the
 * other. Of what is no pointer nothing is read.
 */
static __always_inline void fetch_mappings(void)
{
	struct vm_area_struct *vma;
	u64 i;

	if (!bpf_ksym_exists(bpf_rdonly_cast))
		return;
#pragma unroll
	for (i = 0; i < SLOTS; i++) {
		vma = bpf_core_cast((void *)node_slot(SLOTS, i), struct vm_area_struct);
		asm volatile(""
			     :
			     : "r"(vma->vm_start), "r"(vma->vm_ops),
			       "r"(vma->shared.rb_subtree_last));
	}
}

/* Go to the entry for @addr; false if this is no tree as we know it. */
static __noinline bool tree_find(u64 addr)
{
	u64 slot, slots, type, entry = tree.root, start = 0, last = ~0ULL;
	u32 depth;

	for (depth = 0; depth < TREE_DEPTH; depth++) {
		if (bpf_probe_read_kernel(tree.node, sizeof(tree.node),
					  (void *)(entry & ~255ULL)))
			return false;
		type = entry >> 3 & 15;
		slots = type == maple_arange_64 ? SLOTS_ARANGE : SLOTS;
		tree.end = node_end(slots, last);
		slot = node_find(tree.end, addr);
		if (slot)
			start = node_pivot(slot - 1) + 1;
		if (type == maple_leaf_64) {
			tree.slot = slot;
			tree.start = start;
			tree.last = last;
			fetch_mappings();
			return true;
		}
		if (slot < tree.end)
			last = node_pivot(slot);
		entry = node_slot(slots, slot);
	}
	return false;
}

static __always_inline bool in_leaf(void)
{
	return tree.slot <= tree.end;
}

/* Begin at the cursor, or with the iterator's mapping alone. */
static __always_inline void tree_begin(struct mm_struct *mm, struct vm_area_struct *vma)
{
	tree.root = 0;
	if (bpf_core_field_exists(mm->mm_mt) && bpf_ksym_exists(bpf_rdonly_cast))
		tree.root = (u64)mm->mm_mt.ma_root;
	tree.by_step = !tree_find(vma->vm_start) ||
		       node_slot(SLOTS, tree.slot) != (u64)vma;
	tree.end = 0;
	tree.slot = !tree.by_step;
	tree.start = engine.cursor;
	if (tree.by_step) {
		tree.start = vma->vm_start;
		tree.last = vma->vm_end - 1;
		tree.node[SLOTS] = (u64)vma;
	}
}

/* The mapping of the entry in hand, if it has one. */
static __always_inline struct vm_area_struct *tree_vma(const struct looking *looking)
{
	u64 entry = node_slot(SLOTS, tree.slot);

	if (!bpf_ksym_exists(bpf_rdonly_cast))
		return looking->vma;
	if (entry < LEAST_POINTER)
		return NULL;
	return bpf_core_cast((void *)entry, struct vm_area_struct);
}

static __always_inline void tree_next(void)
{
	u64 last = tree.slot < tree.end ? node_pivot(tree.slot) : tree.last;

	tree.slot++;
	tree.start = last == ~0ULL ? last : last + 1;
}

/* Ask about an entry, or about what the policy has left of it. */
static long ask_entry(u32 turn, void *data)
{
	struct looking *looking = data;
	struct vm_area_struct *vma;

	if (tree.start >= engine.end) {
		engine.stop = PMADV_ENGINE_OVER;
		return 1;
	}
	if (!in_leaf() && (tree.by_step || !tree_find(tree.start)))
		return 1;
	vma = tree_vma(looking);
	if (!vma || !ask(looking->task, vma))
		tree_next();
	return engine.stop ||
	       (!(turn % TIMED) && bpf_ktime_get_ns() - looking->began > RUN_NS);
}

/* 0: on to the next mapping; 1: end read(2), and come back to this one. */
SEC("?iter/task_vma")
int pmadv_engine_ask(struct task_vma_context *ctx)
{
	struct looking looking = { .task = ctx->task, .vma = ctx->vma };
	struct mm_struct *mm;

	if (!looking.vma || !is_target(looking.task))
		return 0;
	mm = looking.vma->vm_mm;
	if (!mm)
		return 0;
	note_identity(looking.task, mm);
	tree_begin(mm, looking.vma);
	looking.began = bpf_ktime_get_ns();
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		bpf_loop(RUN_ENTRIES, ask_entry, &looking, 0);
	else
		ask_entry(0, &looking);
	return engine.stop || in_leaf() || !tree.by_step;
}

/* ---- asking about what was recorded ------------------------------------ */

/*
 * There is no task and no mapping. The array that the policy's function reads its
 * arguments from ends behind the first, at the top of the stack: the verifier refuses a
 * policy that reads another.
 */
static __noinline s32 advise_alone(void)
{
	unsigned long long args[1] = { ADDRESS(range) };

	return pmadv_policy_advise(args);
}

static __noinline s32 begin_alone(void)
{
	unsigned long long args[1] = { ADDRESS(pmadv_engine_walk) };

	return pmadv_policy_begin(args);
}

/* Ask about what of the mapping begins at the cursor. */
SEC("?syscall")
int pmadv_engine_simulate(void *unused)
{
	u64 start = engine.cursor, end = simulation.end;
	struct mapping of = { .start = simulation.start, .end = end };
	u32 facts = simulation.vma_flags;
	s32 verdict;

	if (start < simulation.start || start >= end)
		return -EINVAL;
	__builtin_memset(&range, 0, sizeof(range));
	range.start = start;
	range.end = end;
	range.vma_start = simulation.start;
	range.vma_end = end;
	range.vma_flags = facts;
	range.advice = engine.advice;
	range.walk_flags = engine.walk_flags;
	range.call_id = engine.call_id;
	verdict = advise_alone();
	if (!engine.stop)
		take_answer(&of, start, end, facts, verdict);
	return 0;
}

SEC("?syscall")
int pmadv_engine_begin_simulated(void *unused)
{
	engine.begin_ret = begin_alone();
	engine.begun = 1;
	return 0;
}

/* ---- what the kernel with the hook has kfuncs for --------------------- */

static __always_inline const void *vma_name(struct vm_area_struct *vma)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);
	const void *name = NULL;

	if (file)
		return BPF_CORE_READ(file, f_path.dentry, d_name.name);
	if (bpf_core_field_exists(vma->anon_name))
		name = BPF_CORE_READ(vma, anon_name);
	if (name)
		name += bpf_core_field_offset(struct anon_vma_name___engine, name);
	return name;
}

#undef range

__hidden int pmadv_engine_vma_name(struct pmadv_range *range, char *buf, u32 buf__sz)
{
	const void *name;
	long len;

	if (!buf__sz)
		return -EINVAL;
	if (simulation.active)
		name = simulation.name[0] ? simulation.name : NULL;
	else
		name = engine.vma ? vma_name((void *)engine.vma) : NULL;
	if (!name)
		return -ENOENT;
	len = bpf_probe_read_kernel_str(buf, buf__sz, name);
	return len > 0 ? len - 1 : -ENOENT;
}

__hidden int pmadv_engine_error(struct pmadv_range *range, s64 code, const char *msg__str)
{
	if (engine.stop == PMADV_ENGINE_ERROR)
		return 0;
	engine.error_code = code;
	bpf_probe_read_kernel_str(engine.error_msg, sizeof(engine.error_msg), msg__str);
	engine.stop = PMADV_ENGINE_ERROR;
	return 0;
}

/* ---- page tables of x86-64, read without a lock: a look, not a promise -- */

#define ENTRY_PRESENT	(1ULL << 0)
#define ENTRY_ACCESSED	(1ULL << 5)
#define ENTRY_DIRTY	(1ULL << 6)
#define ENTRY_LEAF	(1ULL << 7)
#define ENTRY_PROTNONE	(1ULL << 8)
#define ENTRY_SAVED_DIRTY (1ULL << 58)	/* of a write-protected page */
#define ENTRY_SWAP_TYPE	59
#define SWAP_TYPES	23		/* above: migration entries and the like */
#define OLD_SAMPLE	8

static __always_inline u64 entry_at(u64 table, u64 addr, u32 shift)
{
	u64 entry = 0;

	bpf_probe_read_kernel(&entry, sizeof(entry),
			      (void *)(table + ((addr >> shift) & 511) * 8));
	return entry;
}

static __always_inline u64 table_of(u64 entry)
{
	return engine.page_offset + (entry & engine.phys_mask);
}

static __always_inline bool is_table(u64 entry)
{
	return entry & ENTRY_PRESENT && !(entry & ENTRY_LEAF);
}

/* The entry for 2 MiB, or a leaf of 1 GiB above it; 0 if there is none. */
static __noinline u64 pmd_entry(u64 pgd, u64 addr)
{
	u64 table = pgd, entry;

	if (engine.levels == 5) {
		entry = entry_at(table, addr, 48);
		if (!is_table(entry))
			return 0;
		table = table_of(entry);
	}
	entry = entry_at(table, addr, 39);
	if (!is_table(entry))
		return 0;
	entry = entry_at(table_of(entry), addr, 30);
	if (!is_table(entry))
		return entry & ENTRY_PRESENT ? entry : 0;
	return entry_at(table_of(entry), addr, 21);
}

static __noinline u64 page_entry(u64 pgd, u64 addr)
{
	u64 entry = pmd_entry(pgd, addr);

	if (!is_table(entry))
		return entry;
	return entry_at(table_of(entry), addr, PAGE_SHIFT);
}

static __always_inline bool entry_in_memory(u64 entry)
{
	return entry & (ENTRY_PRESENT | ENTRY_PROTNONE);
}

static __always_inline bool entry_swapped(u64 entry)
{
	return entry && entry >> ENTRY_SWAP_TYPE < SWAP_TYPES;
}

/*
 * The counts are in a map: on the stack the verifier would tell apart as many
 * states as they have values.
 */
static __noinline long sample_page(u32 i, void *unused)
{
	u64 entry, nr = engine.sample_nr;

	if (!nr)
		return 1;
	entry = page_entry(engine.pgd, engine.sample_start +
			   (i * engine.sample_pages / nr << PAGE_SHIFT));
	if (entry_in_memory(entry)) {
		engine.present++;
		engine.young += !!(entry & ENTRY_ACCESSED);
		engine.dirty += !!(entry & (ENTRY_DIRTY | ENTRY_SAVED_DIRTY));
	} else if (entry_swapped(entry)) {
		engine.swapped++;
	}
	return 0;
}

/* How many of @nr pages of the mapping, if @of all of them were so. */
static __always_inline u32 simulated_share(u64 of, u32 nr)
{
	u64 pages = (simulation.end - simulation.start) >> PAGE_SHIFT;

	if (!pages || of > pages)
		return pages ? nr : 0;
	return (of * nr + pages / 2) / pages;
}

/* As many as there were in the whole mapping, in proportion. */
static __always_inline int simulate_sample(struct pmadv_range *range,
					   struct pmadv_sample *sample, u32 nr)
{
	u64 pages = (range->end - range->start) >> PAGE_SHIFT;

	if (simulation.vma_flags & (PMADV_VMA_HUGETLB | PMADV_VMA_SPECIAL))
		return -EOPNOTSUPP;
	if (nr > pages)
		nr = pages;
	sample->looked_at = nr;
	sample->present = simulated_share(simulation.present, nr);
	sample->young = simulated_share(simulation.young, nr);
	sample->swapped = simulated_share(simulation.swapped, nr);
	return 0;
}

__hidden int pmadv_engine_sample(struct pmadv_range *range, struct pmadv_sample *sample,
				 u32 nr)
{
	u64 pages;
	u32 i;

	__builtin_memset(sample, 0, sizeof(*sample));
	if (!nr || nr > PMADV_MAX_SAMPLE || range->end <= range->start ||
	    range->end > range->vma_end)
		return -EINVAL;
	if (simulation.active)
		return simulate_sample(range, sample, nr);
	if (!engine.vma)
		return -EINVAL;
	if (engine.no_sample || !engine.page_offset)
		return -EOPNOTSUPP;
	pages = (range->end - range->start) >> PAGE_SHIFT;
	if (nr > pages)
		nr = pages;

	engine.present = 0;
	engine.young = 0;
	engine.dirty = 0;
	engine.swapped = 0;
	engine.sample_start = range->start;
	engine.sample_pages = pages;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		engine.sample_nr = nr;
		bpf_loop(nr, sample_page, NULL, 0);
	} else {
		/* Before 5.17 the verifier follows each turn: few of them. */
		if (nr > OLD_SAMPLE)
			nr = OLD_SAMPLE;
		engine.sample_nr = nr;
		for (i = 0; i < OLD_SAMPLE && i < nr; i++)
			sample_page(i, NULL);
	}
	sample->looked_at = nr;
	sample->present = engine.present;
	sample->young = engine.young;
	sample->dirty = engine.dirty;
	sample->swapped = engine.swapped;
	return 0;
}

static __always_inline u64 bit_if(bool set, u32 i)
{
	return (u64)set << (i & 63);
}

/*
 * A mask on the sum itself: the compiler likes to mask its parts and to put them
 * together with an "or", about which the verifier of 6.1 knows nothing.
 */
static __always_inline u32 scan_word(u32 word)
{
	barrier_var(word);
	return word & (PMADV_SCAN_WORDS - 1);
}

static long scan_entry(u32 i, void *unused)
{
	u64 entry;
	u32 word;

	if (i >= 512)
		return 1;
	entry = scan.entries[i];
	word = scan_word(scan.table * 8 + (i >> 6));
	if (entry_in_memory(entry)) {
		scan.present[word] |= bit_if(true, i);
		scan.young[word] |= bit_if(entry & ENTRY_ACCESSED, i);
		scan.dirty[word] |= bit_if(entry & (ENTRY_DIRTY | ENTRY_SAVED_DIRTY), i);
	} else {
		scan.swapped[word] |= bit_if(entry_swapped(entry), i);
	}
	return 0;
}

static __always_inline void scan_huge(u32 table, u64 entry)
{
	u32 i, word;

	for (i = 0; i < 8; i++) {
		word = scan_word(table * 8 + i);
		scan.present[word] = ~0ULL;
		scan.young[word] = entry & ENTRY_ACCESSED ? ~0ULL : 0;
		scan.dirty[word] = entry & ENTRY_DIRTY ? ~0ULL : 0;
	}
}

static long scan_table(u32 i, void *unused)
{
	u64 addr = (scan.start & ~0x1fffffULL) + ((u64)i << 21), entry;

	if (i >= PMADV_SCAN_TABLES || addr >= scan.end)
		return 1;
	entry = pmd_entry(engine.pgd, addr);
	scan.table = i;
	if (is_table(entry)) {
		if (!bpf_probe_read_kernel(scan.entries, sizeof(scan.entries),
					   (void *)table_of(entry)))
			bpf_loop(512, scan_entry, NULL, 0);
	} else if (entry & ENTRY_PRESENT) {
		scan_huge(i, entry);
	}
	return 0;
}

/* ---- pages told apart -------------------------------------------------- */

/* Word @w of the bits of a range of @pages that begins with page @first of a table. */
static __always_inline u64 page_word(const u64 *bits, u32 w, u64 first, u64 pages)
{
	u32 at = w + first / 64, shift = first % 64;
	u64 word = bits[scan_word(at)] >> shift;

	if (shift)
		word |= bits[scan_word(at + 1)] << (64 - shift);
	if (pages <= w * 64)
		return 0;
	return pages - w * 64 < 64 ? word & ((1ULL << (pages - w * 64)) - 1) : word;
}

static __always_inline void scan_one_table(u64 start, u64 end)
{
	u32 i;

	/* One table, and what a shift moves in from behind it. */
	for (i = 0; i <= 2 * PMADV_TABLE_WORDS; i++) {
		scan.present[i] = 0;
		scan.young[i] = 0;
		scan.dirty[i] = 0;
		scan.swapped[i] = 0;
	}
	scan.start = start;
	scan.end = end;
	scan_table(0, NULL);
}

/* What copy_page_word() is about: its stack has no room for it. */
static struct {
	u64 first;
	u64 nr;
	struct pmadv_pages pages;
} copied;

/* In a function of its own, or Linux 6.1 verifies each word for what those before had. */
static long copy_page_word(u32 w, void *unused)
{
	u64 first = copied.first, nr = copied.nr;

	if (w >= PMADV_TABLE_WORDS)
		return 1;
	copied.pages.present[w] = page_word(scan.present, w, first, nr);
	copied.pages.young[w] = page_word(scan.young, w, first, nr);
	copied.pages.dirty[w] = page_word(scan.dirty, w, first, nr);
	copied.pages.swapped[w] = page_word(scan.swapped, w, first, nr);
	return 0;
}

__hidden int pmadv_engine_pages(struct pmadv_range *range, struct pmadv_pages *pages,
				u32 flags)
{
	u64 nr = table_pages(range);

	__builtin_memset(pages, 0, sizeof(*pages));
	/* A record says how many there were, not which. */
	if (simulation.active)
		return -EOPNOTSUPP;
	if (!engine.vma || flags & ~PMADV_CLEAR_YOUNG || !nr ||
	    range->end > range->vma_end)
		return -EINVAL;
	if (engine.no_sample || !engine.page_offset ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		return -EOPNOTSUPP;

	scan_one_table(range->start, range->end);
	copied.first = range->start >> PAGE_SHIFT & (PMADV_MAX_PAGES - 1);
	copied.nr = nr;
	bpf_loop(PMADV_TABLE_WORDS, copy_page_word, NULL, 0);
	__builtin_memcpy(pages, &copied.pages, sizeof(*pages));
	/* Who gives the advice does that, with advice. */
	engine.clear_young = flags & PMADV_CLEAR_YOUNG && !(engine.walk_flags & DRY_RUN);
	return 0;
}

__hidden int pmadv_engine_select(struct pmadv_range *range, const u64 *mask, u32 mask__sz)
{
	if (!engine.vma)
		return -EINVAL;
	engine.masked = 1;
	engine.nr_selected = 0;
	if (!mask__sz || mask__sz % sizeof(u64) || mask__sz > sizeof(engine.selected))
		return -EINVAL;
	__builtin_memset(engine.selected, 0, sizeof(engine.selected));
	if (bpf_probe_read_kernel(engine.selected, mask__sz, mask))
		return -EINVAL;
	engine.nr_selected = mask__sz * 8;
	return 0;
}

/* ---- programs that are given the target's task, in two ways ------------ */

extern struct task_struct *bpf_task_from_pid(s32 pid) __weak __ksym;
extern void bpf_task_release(struct task_struct *p) __weak __ksym;

static long compare(struct task_struct *task, struct vm_area_struct *vma, void *data)
{
	u32 i = *(u32 *)data;
	struct pmadv_answer *answer;

	if (i >= PMADV_ENGINE_BATCH)
		return 0;
	answer = &engine.answers[i];
	answer->changed = vma->vm_start > answer->start || vma->vm_end < answer->end ||
			  vma_facts(vma) != answer->vma_flags ||
			  vma_object(vma) != answer->object ||
			  vma_origin(vma) != answer->origin;
	return 0;
}

struct rechecking {
	struct task_struct *task;
};

static long recheck_one(u32 i, void *data)
{
	struct rechecking *rechecking = data;
	u32 index = i;

	if (i >= PMADV_ENGINE_BATCH)
		return 1;
	/* What cannot be looked up, as the lock is taken, is not known. */
	engine.answers[i].changed = 1;
	bpf_find_vma(rechecking->task, engine.answers[i].start, compare, &index, 0);
	return 0;
}

static __always_inline void note_now(struct task_struct *task, struct mm_struct *mm)
{
	engine.now.mm = (u64)mm;
	engine.now.exec_id = task->self_exec_id;
	engine.now.seq = mm ? mm_lock_seq(mm) : 0;
}

/* What is the target's identity now? With @recheck: what of the batch still holds? */
static __always_inline void check(struct task_struct *task)
{
	struct rechecking rechecking = { .task = task };
	struct mm_struct *mm = (void *)task->mm;

	note_now(task, mm);
	if (!mm || !engine.recheck)
		return;
	bpf_loop(engine.nr, recheck_one, &rechecking, 0);
	engine.rechecked = engine.nr;
	/* Whoever changes mappings while we look them up is seen by the next check. */
}

static __always_inline void scan_pages(struct task_struct *task)
{
	struct mm_struct *mm = (void *)task->mm;

	if (!mm || !engine.page_offset)
		return;
	engine.pgd = (u64)mm->pgd;
	bpf_loop(PMADV_SCAN_TABLES, scan_table, NULL, 0);
}

/* From 6.2 on: a system call and no file. */
#define BY_PID(name)							\
	SEC("?syscall")							\
	int pmadv_engine_##name##_by_pid(void *unused)			\
	{								\
		struct task_struct *task = bpf_task_from_pid(engine.pid); \
									\
		if (!task)						\
			return -ESRCH;					\
		name(task);						\
		bpf_task_release(task);					\
		return 0;						\
	}
#define BY_ITER(name)							\
	SEC("?iter/task")						\
	int pmadv_engine_##name(struct task_context *ctx)		\
	{								\
		struct task_struct *task = ctx->task;			\
									\
		if (task && task->pid == engine.pid)			\
			name(task);					\
		return 0;						\
	}
BY_PID(check)
BY_ITER(check)
BY_PID(scan_pages)
BY_ITER(scan_pages)

/* Does reading page tables work here? The loader knows what it should find. */
SEC("?iter/task")
int pmadv_engine_probe(struct task_context *ctx)
{
	struct task_struct *task = ctx->task;
	struct mm_struct *mm;

	if (!task || (engine.tgid && (u32)task->tgid != engine.tgid))
		return 0;
	mm = (void *)task->mm;
	if (!mm)
		return 0;
	engine.pgd = (u64)mm->pgd;
	engine.probe_entry = engine.page_offset ?
				     page_entry(engine.pgd, engine.probe_addr) : 0;
	return 0;
}

/* ---- the other members: may sleep, as with the hook -------------------- */

SEC("?syscall")
int pmadv_engine_init(void *unused)
{
	unsigned long long args[1] = {};

	return pmadv_policy_init(args);
}

SEC("?syscall")
int pmadv_engine_exit(void *unused)
{
	unsigned long long args[1] = { ADDRESS(pmadv_engine_exit_info) };

	return pmadv_policy_exit(args);
}

SEC("?syscall")
int pmadv_engine_advised(void *unused)
{
	unsigned long long args[2] = { ADDRESS(pmadv_engine_range),
				       ADDRESS(pmadv_engine_stats) };

	return pmadv_policy_advised(args);
}

SEC("?syscall")
int pmadv_engine_end(void *unused)
{
	unsigned long long args[2] = { ADDRESS(pmadv_engine_walk),
				       ADDRESS(pmadv_engine_stats) };

	return pmadv_policy_end(args);
}

static __always_inline int begin(struct task_context *ctx)
{
	struct task_struct *task = ctx->task;
	unsigned long long args[2] = { ADDRESS(pmadv_engine_walk), (u64)task };

	if (!task || (engine.tgid && (u32)task->tgid != engine.tgid) || engine.begun)
		return 0;
	engine.begun = 1;
	engine.begin_ret = pmadv_policy_begin(args);
	return 0;
}

SEC("?iter.s/task")
int pmadv_engine_begin(struct task_context *ctx)
{
	return begin(ctx);
}

/* Before 5.18 no iterator sleeps. */
SEC("?iter/task")
int pmadv_engine_begin_atomic(struct task_context *ctx)
{
	return begin(ctx);
}

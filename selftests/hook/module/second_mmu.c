// SPDX-License-Identifier: GPL-2.0
/*
 * Another MMU that maps a process's memory, as that of a virtual machine does.
 * For tests: it notes accesses to pages whose accessed bit in the page table
 * stays clear, and has them to tell to whoever asks through an mmu_notifier.
 *
 * Parameters: pid, start and pages say which memory. Every page of it counts as
 * accessed through this MMU until somebody clears that.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

static int pid;
module_param(pid, int, 0444);
static unsigned long start;
module_param(start, ulong, 0444);
static unsigned int pages;
module_param(pages, uint, 0444);

static unsigned long *accessed;

/* What the callbacks return: int, and bool on newer kernels. */
typedef typeof(((struct mmu_notifier_ops *)NULL)->test_young(NULL, NULL, 0)) young_t;

static young_t second_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
				 unsigned long addr)
{
	unsigned long page = (addr - start) >> PAGE_SHIFT;

	return addr >= start && page < pages && test_bit(page, accessed);
}

static young_t second_clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
				  unsigned long addr, unsigned long end)
{
	bool young = false;

	for (; addr < end; addr += PAGE_SIZE) {
		if (!second_test_young(mn, mm, addr))
			continue;
		young |= test_and_clear_bit((addr - start) >> PAGE_SHIFT,
					    accessed);
	}
	return young;
}

static const struct mmu_notifier_ops second_ops = {
	.clear_flush_young	= second_clear_young,
	.clear_young		= second_clear_young,
	.test_young		= second_test_young,
};

static struct mmu_notifier second_mmu = { .ops = &second_ops };

static struct mm_struct *second_mm(void)
{
	struct pid *target = find_get_pid(pid);
	struct task_struct *task = get_pid_task(target, PIDTYPE_PID);
	struct mm_struct *mm = NULL;

	put_pid(target);
	if (task) {
		mm = get_task_mm(task);
		put_task_struct(task);
	}
	return mm;
}

static int __init second_init(void)
{
	struct mm_struct *mm;
	int err;

	accessed = bitmap_alloc(pages, GFP_KERNEL);
	if (!accessed)
		return -ENOMEM;
	bitmap_fill(accessed, pages);

	mm = second_mm();
	if (!mm) {
		err = -ESRCH;
		goto free;
	}
	err = mmu_notifier_register(&second_mmu, mm);
	mmput(mm);
	if (!err)
		return 0;
free:
	bitmap_free(accessed);
	return err;
}

static void __exit second_exit(void)
{
	mmu_notifier_unregister(&second_mmu, second_mmu.mm);
	bitmap_free(accessed);
}

module_init(second_init);
module_exit(second_exit);
MODULE_DESCRIPTION("Another MMU, for tests of process_madvise(2)");
MODULE_LICENSE("GPL");

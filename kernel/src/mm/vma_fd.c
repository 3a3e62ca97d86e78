// SPDX-License-Identifier: GPL-2.0
/*
 * A file descriptor for exactly the mapping that was at an address.
 *
 * Through it, process_madvise(2) reaches that mapping or nothing: once any part
 * of it was unmapped, mapped over or moved, or its process executed another
 * program or died, calls give ESTALE and poll(2) gives EPOLLHUP.
 *
 * One MMU notifier for each address space tells. Everything that takes a
 * mapping away invalidates with MMU_NOTIFY_UNMAP before it lets go of mmap_lock,
 * so whoever holds the lock for reading, sees the mapping whole and the mark not
 * set has the mapping that the descriptor was opened for. Faults, reclaim,
 * mprotect(2), splits and merges of VMAs leave the mark alone: the object stays
 * the same. An address space that never had such a descriptor has no notifier,
 * and vm_area_struct is as it was.
 *
 * How many there are costs nobody anything: all other invalidations, reclaim's
 * among them, return at once, and one that takes mappings away finds just those
 * that go, each of them once in its life.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/interval_tree.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vma_fd.h>

/**
 * struct vma_fd_mm - an address space with VMA fds
 * @notifier: Watches it, and keeps the mm_struct (not the memory) around. Each
 *	VMA fd has a reference, and @kept is one that lasts until the memory goes.
 * @kept: So that opening and closing in a loop does not register each time,
 *	which takes all locks of the address space. Under mmap_lock.
 * @lock: For @fds.
 * @fds: Those that are not stale.
 */
struct vma_fd_mm {
	struct mmu_notifier notifier;
	bool kept;
	spinlock_t lock;	/* the tree below */
	struct rb_root_cached fds;
};

/**
 * struct vma_fd - a mapping
 * @range: Its addresses. In &vma_fd_mm.fds until it is stale.
 * @in: The address space it is in.
 * @pid: The process it is a mapping of.
 * @stale: It is gone. Set once, never cleared.
 * @wait: Who polls.
 */
struct vma_fd {
	struct interval_tree_node range;
	struct vma_fd_mm *in;
	struct pid *pid;
	bool stale;
	wait_queue_head_t wait;
};

/* Mappings are removed, completely or in part. */
static void vma_fd_mark_stale(struct vma_fd_mm *in, unsigned long start,
			      unsigned long last, bool may_sleep)
{
	struct interval_tree_node *node;
	struct vma_fd *vfd;

	spin_lock(&in->lock);
	while ((node = interval_tree_iter_first(&in->fds, start, last))) {
		vfd = container_of(node, struct vma_fd, range);
		interval_tree_remove(node, &in->fds);
		WRITE_ONCE(vfd->stale, true);
		wake_up_poll(&vfd->wait, EPOLLHUP);
		if (may_sleep)
			cond_resched_lock(&in->lock);
	}
	spin_unlock(&in->lock);
}

static int vma_fd_mm_invalidate(struct mmu_notifier *notifier,
				const struct mmu_notifier_range *range)
{
	if (range->event == MMU_NOTIFY_UNMAP)
		vma_fd_mark_stale(container_of(notifier, struct vma_fd_mm,
					       notifier),
				  range->start, range->end - 1,
				  mmu_notifier_range_blockable(range));
	return 0;
}

/* The whole address space is going away. */
static void vma_fd_mm_release(struct mmu_notifier *notifier,
			      struct mm_struct *mm)
{
	vma_fd_mark_stale(container_of(notifier, struct vma_fd_mm, notifier), 0,
			  ULONG_MAX, true);
	mmu_notifier_put(notifier);
}

static struct mmu_notifier *vma_fd_mm_alloc(struct mm_struct *mm)
{
	struct vma_fd_mm *in = kzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);

	if (!in)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&in->lock);
	in->fds = RB_ROOT_CACHED;
	return &in->notifier;
}

static void vma_fd_mm_free(struct mmu_notifier *notifier)
{
	kfree(container_of(notifier, struct vma_fd_mm, notifier));
}

static const struct mmu_notifier_ops vma_fd_mm_ops = {
	.invalidate_range_start	= vma_fd_mm_invalidate,
	.release		= vma_fd_mm_release,
	.alloc_notifier		= vma_fd_mm_alloc,
	.free_notifier		= vma_fd_mm_free,
};

/* Get the notifier of @mm, with a reference. mmap_lock is held for writing. */
static struct vma_fd_mm *vma_fd_mm_get(struct mm_struct *mm)
{
	struct mmu_notifier *notifier;
	struct vma_fd_mm *in;

	notifier = mmu_notifier_get_locked(&vma_fd_mm_ops, mm);
	if (IS_ERR(notifier))
		return ERR_CAST(notifier);
	in = container_of(notifier, struct vma_fd_mm, notifier);
	if (!in->kept) {
		mmu_notifier_get_locked(&vma_fd_mm_ops, mm);
		in->kept = true;
	}
	return in;
}

/*
 * Find a thread of the process that still has its memory, and return it with
 * task_lock() held, or NULL. The main thread may exit before the others.
 */
static struct task_struct *vma_fd_find_lock_thread(struct pid *pid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		task = find_lock_task_mm(task);
	rcu_read_unlock();
	return task;
}

/* The same, with a reference instead of the lock. */
static struct task_struct *vma_fd_get_thread(struct pid *pid)
{
	struct task_struct *task = vma_fd_find_lock_thread(pid);

	if (!task)
		return ERR_PTR(-ESRCH);
	get_task_struct(task);
	task_unlock(task);
	return task;
}

/*
 * Get the address space that the process has now, if the caller may access it.
 * @task is one of its threads; if it exits meanwhile, another one is used.
 */
static struct mm_struct *vma_fd_thread_mm(struct pid *pid,
					  struct task_struct **task)
{
	struct task_struct *other;
	struct mm_struct *mm;

	for (;;) {
		mm = mm_access(*task, PTRACE_MODE_READ_FSCREDS);
		if (mm != ERR_PTR(-ESRCH))
			return mm;
		other = vma_fd_get_thread(pid);
		if (IS_ERR(other))
			return mm;
		put_task_struct(*task);
		*task = other;
	}
}

/* Has the process left the address space of the mapping? */
static bool vma_fd_process_left(struct vma_fd *vfd)
{
	struct task_struct *task = vma_fd_find_lock_thread(vfd->pid);
	bool left = !task || task->mm != vfd->in->notifier.mm;

	if (task)
		task_unlock(task);
	return left;
}

static __poll_t vma_fd_poll(struct file *file, struct poll_table_struct *pts)
{
	struct vma_fd *vfd = file->private_data;

	poll_wait(file, &vfd->wait, pts);
	/* The process may exit while others still use its address space. */
	poll_wait(file, &vfd->pid->wait_pidfd, pts);
	return vma_fd_stale(vfd) || vma_fd_process_left(vfd) ? EPOLLHUP : 0;
}

static void vma_fd_free(struct vma_fd *vfd)
{
	spin_lock(&vfd->in->lock);
	if (!vfd->stale)
		interval_tree_remove(&vfd->range, &vfd->in->fds);
	spin_unlock(&vfd->in->lock);
	mmu_notifier_put(&vfd->in->notifier);
	put_pid(vfd->pid);
	kfree(vfd);
}

static int vma_fd_release(struct inode *inode, struct file *file)
{
	vma_fd_free(file->private_data);
	return 0;
}

/* The PID in the namespace of this procfs; -1 once the process is gone. */
static pid_t vma_fd_pid_nr(struct vma_fd *vfd, struct seq_file *seq)
{
	if (!pid_has_task(vfd->pid, PIDTYPE_TGID))
		return -1;
	return pid_nr_ns(vfd->pid, proc_pid_ns(file_inode(seq->file)->i_sb));
}

static bool vma_fd_may_show(struct vma_fd *vfd)
{
	struct task_struct *task = vma_fd_get_task(vfd);
	struct mm_struct *mm;

	if (IS_ERR(task))
		return false;
	mm = vma_fd_mm_access(vfd, &task);
	if (!IS_ERR(mm))
		mmput(mm);
	put_task_struct(task);
	return !IS_ERR(mm);
}

/*
 * Addresses are shown only to readers that may access the process, because the
 * descriptor may have been passed on. The PID is shown as pidfds show it.
 */
static void vma_fd_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct vma_fd *vfd = file->private_data;

	seq_printf(seq, "Pid:\t%d\n", vma_fd_pid_nr(vfd, seq));
	if (vma_fd_may_show(vfd))
		seq_printf(seq, "Range:\t%lx-%lx\n", vfd->range.start,
			   vfd->range.last + 1);
	seq_printf(seq, "Stale:\t%d\n",
		   vma_fd_stale(vfd) || vma_fd_process_left(vfd));
}

static const struct file_operations vma_fd_fops = {
	.poll		= vma_fd_poll,
	.show_fdinfo	= vma_fd_show_fdinfo,
	.release	= vma_fd_release,
	.llseek		= noop_llseek,
};

/**
 * vma_fd_from_file - the mapping that a file stands for
 * @file: Any file.
 *
 * Return: the mapping, good as long as @file is; NULL if it is no VMA fd.
 */
struct vma_fd *vma_fd_from_file(struct file *file)
{
	return file->f_op == &vma_fd_fops ? file->private_data : NULL;
}

/**
 * vma_fd_get_task - the process whose mapping it is
 * @vfd: The mapping.
 *
 * Return: a thread of it, the main one while that lives, with a reference, or
 * ERR_PTR(-ESTALE) if it is gone.
 */
struct task_struct *vma_fd_get_task(struct vma_fd *vfd)
{
	struct task_struct *task = vma_fd_get_thread(vfd->pid);

	return IS_ERR(task) ? ERR_PTR(-ESTALE) : task;
}

/**
 * vma_fd_mm_access - the address space of the mapping
 * @vfd: The mapping.
 * @task: What vma_fd_get_task() returned. If that thread has ended, it is
 *	replaced by another one of the process; the reference goes along.
 *
 * Return: the address space, to be let go with mmput(), if the process still has
 * it and the caller may look at the process; ERR_PTR(-ESTALE) if it has not, or
 * the error of mm_access().
 */
struct mm_struct *vma_fd_mm_access(struct vma_fd *vfd,
				   struct task_struct **task)
{
	struct mm_struct *mm = vma_fd_thread_mm(vfd->pid, task);

	if (mm == ERR_PTR(-ESRCH))
		return ERR_PTR(-ESTALE);
	if (!IS_ERR(mm) && mm != vfd->in->notifier.mm) {
		mmput(mm);
		return ERR_PTR(-ESTALE);
	}
	return mm;
}

/**
 * vma_fd_stale - is the mapping gone?
 * @vfd: The mapping.
 *
 * With mmap_lock held for reading, a no holds for what is still mapped between
 * the bounds until the lock is released.
 *
 * Return: whether any part was unmapped, mapped over or moved.
 */
bool vma_fd_stale(struct vma_fd *vfd)
{
	return READ_ONCE(vfd->stale);
}

/**
 * vma_fd_contains - are all these addresses the mapping's?
 * @vfd: The mapping.
 * @start: First address.
 * @end: Address after the last.
 */
bool vma_fd_contains(struct vma_fd *vfd, unsigned long start, unsigned long end)
{
	return start >= vfd->range.start && end <= vfd->range.last + 1;
}

/* Find the mapping at @addr and watch it from one hold of mmap_lock on. */
static int vma_fd_watch(struct vma_fd *vfd, struct mm_struct *mm,
			unsigned long addr)
{
	struct vm_area_struct *vma;
	int ret = 0;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, untagged_addr_remote(mm, addr));
	if (!vma) {
		ret = -ENOMEM;
		goto unlock;
	}
	vfd->in = vma_fd_mm_get(mm);
	if (IS_ERR(vfd->in)) {
		ret = PTR_ERR(vfd->in);
		goto unlock;
	}
	vfd->range.start = vma->vm_start;
	vfd->range.last = vma->vm_end - 1;
	spin_lock(&vfd->in->lock);
	interval_tree_insert(&vfd->range, &vfd->in->fds);
	spin_unlock(&vfd->in->lock);
unlock:
	mmap_write_unlock(mm);
	return ret;
}

static struct vma_fd *vma_fd_create(struct pid *pid, struct mm_struct *mm,
				    unsigned long addr)
{
	struct vma_fd *vfd = kzalloc(sizeof(*vfd), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!vfd)
		return ERR_PTR(-ENOMEM);
	init_waitqueue_head(&vfd->wait);
	ret = vma_fd_watch(vfd, mm, addr);
	if (ret) {
		kfree(vfd);
		return ERR_PTR(ret);
	}
	vfd->pid = get_pid(pid);
	return vfd;
}

static int vma_fd_install(struct pid *pid, struct mm_struct *mm,
			  struct pidfd_vma *arg, struct pidfd_vma __user *uarg)
{
	struct vma_fd *vfd;
	struct file *file;
	int fd;

	vfd = vma_fd_create(pid, mm, arg->addr);
	if (IS_ERR(vfd))
		return PTR_ERR(vfd);
	arg->start = vfd->range.start;
	arg->end = vfd->range.last + 1;

	file = anon_inode_getfile("[vma]", &vma_fd_fops, vfd, O_RDWR);
	if (IS_ERR(file)) {
		vma_fd_free(vfd);
		return PTR_ERR(file);
	}

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto put_file;
	if (copy_to_user(uarg, arg, sizeof(*arg))) {
		put_unused_fd(fd);
		fd = -EFAULT;
		goto put_file;
	}
	fd_install(fd, file);
	return fd;

put_file:
	fput(file);
	return fd;
}

/**
 * vma_fd_open - PIDFD_GET_VMA
 * @pid: The process.
 * @uarg: Where, and what was there.
 *
 * Takes the rights that using the descriptor takes: it makes the process pay,
 * if little, for being watched.
 *
 * Return: a file descriptor, or an errno; see struct pidfd_vma.
 */
long vma_fd_open(struct pid *pid, struct pidfd_vma __user *uarg)
{
	struct task_struct *task;
	struct pidfd_vma arg;
	struct mm_struct *mm;
	long ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.flags)
		return -EINVAL;

	task = vma_fd_get_thread(pid);
	if (IS_ERR(task))
		return PTR_ERR(task);
	mm = vma_fd_thread_mm(pid, &task);
	if (IS_ERR(mm)) {
		ret = PTR_ERR(mm);
		goto put_task;
	}

	ret = -EPERM;
	if (mm == current->mm || capable(CAP_SYS_NICE))
		ret = vma_fd_install(pid, mm, &arg, uarg);

	mmput(mm);
put_task:
	put_task_struct(task);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A file descriptor for exactly the mapping that was at an address.
 *
 * Through it, process_madvise(2) reaches that mapping or nothing: once any part
 * of it was unmapped, mapped over or moved, or its process executed another
 * program or died, calls give ESTALE and poll(2) gives EPOLLHUP.
 *
 * An interval notifier tells. Everything that takes a mapping away invalidates
 * with MMU_NOTIFY_UNMAP before it lets go of mmap_lock, so whoever holds the
 * lock for reading, sees the mapping whole and the mark not set has the mapping
 * that the descriptor was opened for. Faults, reclaim, mprotect(2), splits and
 * merges of VMAs leave the mark alone: the object stays the same. A process
 * without such a descriptor has no notifier, and vm_area_struct is as it was.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vma_fd.h>

/**
 * struct vma_fd - a mapping
 * @notifier: Watches it, and keeps the mm_struct (not the memory) around.
 * @pid: The process it is a mapping of.
 * @start: First address.
 * @end: Address after it.
 * @stale: It is gone. Set once, never cleared.
 * @wait: Who polls.
 */
struct vma_fd {
	struct mmu_interval_notifier notifier;
	struct pid *pid;
	unsigned long start;
	unsigned long end;
	bool stale;
	wait_queue_head_t wait;
};

static bool vma_fd_invalidate(struct mmu_interval_notifier *notifier,
			      const struct mmu_notifier_range *range,
			      unsigned long seq)
{
	struct vma_fd *vfd = container_of(notifier, struct vma_fd, notifier);

	mmu_interval_set_seq(notifier, seq);
	if (range->event == MMU_NOTIFY_UNMAP ||
	    range->event == MMU_NOTIFY_RELEASE) {
		WRITE_ONCE(vfd->stale, true);
		wake_up_poll(&vfd->wait, EPOLLHUP);
	}
	return true;
}

static const struct mmu_interval_notifier_ops vma_fd_notifier_ops = {
	.invalidate = vma_fd_invalidate,
};

/* Has the process left the address space that the mapping is in? */
static bool vma_fd_process_left(struct vma_fd *vfd)
{
	struct task_struct *task;
	bool left;

	rcu_read_lock();
	task = pid_task(vfd->pid, PIDTYPE_PID);
	left = !task || READ_ONCE(task->mm) != vfd->notifier.mm;
	rcu_read_unlock();
	return left;
}

static __poll_t vma_fd_poll(struct file *file, struct poll_table_struct *pts)
{
	struct vma_fd *vfd = file->private_data;

	poll_wait(file, &vfd->wait, pts);
	return vma_fd_stale(vfd) || vma_fd_process_left(vfd) ? EPOLLHUP : 0;
}

static void vma_fd_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct vma_fd *vfd = file->private_data;

	seq_printf(seq, "Pid:\t%d\nRange:\t%lx-%lx\nStale:\t%d\n",
		   pid_vnr(vfd->pid), vfd->start, vfd->end,
		   vma_fd_stale(vfd) || vma_fd_process_left(vfd));
}

static int vma_fd_release(struct inode *inode, struct file *file)
{
	struct vma_fd *vfd = file->private_data;

	mmu_interval_notifier_remove(&vfd->notifier);
	put_pid(vfd->pid);
	kfree(vfd);
	return 0;
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
 * Return: the process with a reference, or ERR_PTR(-ESTALE) if it is gone.
 */
struct task_struct *vma_fd_get_task(struct vma_fd *vfd)
{
	return get_pid_task(vfd->pid, PIDTYPE_PID) ?: ERR_PTR(-ESTALE);
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
 * vma_fd_is_in - is the mapping one of this address space?
 * @vfd: The mapping.
 * @mm: The address space.
 */
bool vma_fd_is_in(struct vma_fd *vfd, struct mm_struct *mm)
{
	return vfd->notifier.mm == mm;
}

/**
 * vma_fd_contains - are all these addresses the mapping's?
 * @vfd: The mapping.
 * @start: First address.
 * @end: Address after the last.
 */
bool vma_fd_contains(struct vma_fd *vfd, unsigned long start, unsigned long end)
{
	return start >= vfd->start && end <= vfd->end;
}

/* Find the mapping at @addr and start to watch it, in one hold of mmap_lock. */
static int vma_fd_watch(struct vma_fd *vfd, struct mm_struct *mm,
			unsigned long addr)
{
	struct vm_area_struct *vma;
	int ret;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, untagged_addr_remote(mm, addr));
	if (!vma) {
		ret = -ENOMEM;
		goto unlock;
	}
	vfd->start = vma->vm_start;
	vfd->end = vma->vm_end;
	ret = mmu_interval_notifier_insert_locked(&vfd->notifier, mm,
						  vfd->start,
						  vfd->end - vfd->start,
						  &vma_fd_notifier_ops);
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
	arg->start = vfd->start;
	arg->end = vfd->end;

	file = anon_inode_getfile("[vma]", &vma_fd_fops, vfd, O_RDWR);
	if (IS_ERR(file)) {
		mmu_interval_notifier_remove(&vfd->notifier);
		put_pid(vfd->pid);
		kfree(vfd);
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

	task = get_pid_task(pid, PIDTYPE_PID);
	if (!task)
		return -ESRCH;
	mm = mm_access(task, PTRACE_MODE_READ_FSCREDS);
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

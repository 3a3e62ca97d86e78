/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_VMA_FD_H
#define _LINUX_VMA_FD_H

#include <linux/err.h>
#include <linux/types.h>
#include <uapi/linux/process_madvise.h>

struct file;
struct mm_struct;
struct pid;
struct task_struct;
struct vma_fd;

#ifdef CONFIG_VMA_FD
long vma_fd_open(struct pid *pid, struct pidfd_vma __user *uarg);
struct vma_fd *vma_fd_from_file(struct file *file);
struct task_struct *vma_fd_get_task(struct vma_fd *vfd);
struct mm_struct *vma_fd_mm_access(struct vma_fd *vfd,
				   struct task_struct **task);
bool vma_fd_stale(struct vma_fd *vfd);
bool vma_fd_contains(struct vma_fd *vfd, unsigned long start,
		     unsigned long end);
#else
static inline long vma_fd_open(struct pid *pid, struct pidfd_vma __user *uarg)
{
	return -ENOTTY;
}

static inline struct vma_fd *vma_fd_from_file(struct file *file)
{
	return NULL;
}

static inline struct task_struct *vma_fd_get_task(struct vma_fd *vfd)
{
	return ERR_PTR(-ESTALE);
}

static inline struct mm_struct *vma_fd_mm_access(struct vma_fd *vfd,
						 struct task_struct **task)
{
	return ERR_PTR(-ESTALE);
}

static inline bool vma_fd_stale(struct vma_fd *vfd)
{
	return true;
}

static inline bool vma_fd_contains(struct vma_fd *vfd, unsigned long start,
				   unsigned long end)
{
	return false;
}
#endif

#endif /* _LINUX_VMA_FD_H */

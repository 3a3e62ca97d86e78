// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that a security module forbids to one process, and a program that
 * watches. For rights.c.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

#define EPERM			1
/* _IOWR(0xFF, 0x60, struct pidfd_vma): BTF has no ioctl numbers. */
#define PIDFD_GET_VMA		0xc020ff60U

__s32 denied;

static bool is_denied(void)
{
	return bpf_get_current_pid_tgid() >> 32 == denied;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(lsm_access, struct task_struct *child, unsigned int mode)
{
	return is_denied() ? -EPERM : 0;
}

SEC("lsm/bpf")
int BPF_PROG(lsm_bpf, int cmd, union bpf_attr *attr, unsigned int size)
{
	return is_denied() ? -EPERM : 0;
}

SEC("lsm/file_ioctl")
int BPF_PROG(lsm_ioctl, struct file *file, unsigned int cmd,
	     unsigned long arg)
{
	return cmd == PIDFD_GET_VMA && is_denied() ? -EPERM : 0;
}

SEC("tp_btf/pmadv_call")
int BPF_PROG(watch, struct pmadv_walk *walk, struct task_struct *task,
	     long ret)
{
	return 0;
}

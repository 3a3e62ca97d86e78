// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that are no policies and call our kfuncs all the same. hostile.c
 * loads one at a time and expects that to fail.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* Another struct_ops. */
SEC("struct_ops/foreign_ssthresh")
u32 BPF_PROG(foreign_ssthresh, struct sock *sk)
{
	struct pmadv_sample sample;

	bpf_pmadv_sample((void *)sk, &sample, 1);
	return 0;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops foreign = {
	.ssthresh	= (void *)foreign_ssthresh,
	.name		= "foreign",
};

/* A tracing program that has a real range at hand. */
SEC("tp_btf/pmadv_range")
int BPF_PROG(foreign_trace, struct pmadv_walk *walk, struct task_struct *task,
	     struct pmadv_range *range, int verdict, int outcome, int error,
	     struct pmadv_stats *stats)
{
	bpf_pmadv_error(range, 1, "a spectator's opinion");
	return 0;
}

SEC("syscall")
int foreign_syscall(void *unused)
{
	char name[8];

	return bpf_pmadv_vma_name(unused, name, sizeof(name));
}

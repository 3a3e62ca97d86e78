// SPDX-License-Identifier: GPL-2.0
/*
 * Another user of struct_ops, a congestion control that controls nothing, to
 * see that policies do not stand in its way. For tests only.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/tcp_ssthresh")
u32 BPF_PROG(tcp_ssthresh, struct sock *sk)
{
	return 2;
}

SEC("struct_ops/tcp_undo_cwnd")
u32 BPF_PROG(tcp_undo_cwnd, struct sock *sk)
{
	return 2;
}

SEC("struct_ops/tcp_cong_avoid")
void BPF_PROG(tcp_cong_avoid, struct sock *sk, u32 ack, u32 acked)
{
}

SEC(".struct_ops.link")
struct tcp_congestion_ops hook_tcp = {
	.ssthresh	= (void *)tcp_ssthresh,
	.undo_cwnd	= (void *)tcp_undo_cwnd,
	.cong_avoid	= (void *)tcp_cong_avoid,
	.name		= "hook_tcp",
};

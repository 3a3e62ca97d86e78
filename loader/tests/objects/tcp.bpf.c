// SPDX-License-Identifier: GPL-2.0
/* A struct_ops that is no policy, and is not to be taken for one; never loaded. */
#define SEC(name)	__attribute__((section(name), used))

struct tcp_congestion_ops {
	unsigned int (*ssthresh)(void *sk);
	char name[16];
};

SEC("struct_ops/ssthresh")
unsigned int ssthresh(void *sk)
{
	return 2;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops congestion = {
	.ssthresh = ssthresh,
	.name	= "congestion",
};

char _license[] SEC("license") = "GPL";

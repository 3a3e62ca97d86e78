// SPDX-License-Identifier: GPL-2.0
/* A program that watches, as the monitor does, and no policy; never loaded. */
#define SEC(name)	__attribute__((section(name), used))

SEC("tp_btf/pmadv_range")
int on_range(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";

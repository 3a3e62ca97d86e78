// SPDX-License-Identifier: GPL-2.0
/*
 * Policies that load, since there is nothing wrong with their programs, and
 * must not attach all the same.
 */
#include <pmadv/policy.bpf.h>

char _license[] SEC("license") = "GPL";

/* There is no flag yet. */
SEC(".struct_ops.link")
struct process_madvise_ops flagged = {
	.flags	= 1,
	.name	= "flagged",
};

SEC(".struct_ops.link")
struct process_madvise_ops flagged_high = {
	.flags	= 1ULL << 63,
	.name	= "flagged_high",
};

SEC(".struct_ops.link")
struct process_madvise_ops nameless = {
};

SEC(".struct_ops.link")
struct process_madvise_ops spaced = {
	.name	= "two words",
};

/* All bytes are used, without a NUL. */
SEC(".struct_ops.link")
struct process_madvise_ops unending = {
	.name	= "sixteen_letters_",
};

/* Nobody could be told that it was ejected. */
SEC(".struct_ops")
struct process_madvise_ops linkless = {
	.name	= "linkless",
};

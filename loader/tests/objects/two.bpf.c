// SPDX-License-Identifier: GPL-2.0
/* Two policies in one object: which of them is meant? Refused before it is loaded. */
#define SEC(name)	__attribute__((section(name), used))

struct process_madvise_ops {
	int (*advise)(void *range, void *task, void *vma);
	char name[16];
};

SEC("struct_ops/two_advise")
int two_advise(void *range, void *task, void *vma)
{
	return 0;
}

SEC(".struct_ops.link")
struct process_madvise_ops one = {
	.advise	= two_advise,
	.name	= "one",
};

SEC(".struct_ops.link")
struct process_madvise_ops two = {
	.advise	= two_advise,
	.name	= "two",
};

char _license[] SEC("license") = "GPL";

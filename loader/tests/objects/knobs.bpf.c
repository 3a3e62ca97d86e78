// SPDX-License-Identifier: GPL-2.0
/* An object with knobs of all kinds, for test_knobs.c; it is never loaded. */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef signed short __s16;
typedef unsigned int __u32;
typedef signed int __s32;
typedef unsigned long long __u64;
typedef signed long long __s64;

#include <pmadv/knobs.h>

#define SEC(name)	__attribute__((section(name), used))
#define MADV_PAGEOUT	21

enum mode {
	MODE_SLOW,
	MODE_FAST = 7,
};

/* A table of names like that of by_name, in a policy that nobody here knows. */
struct foreign_rule {
	__u32 facts PMADV_KNOB_VMA_FACTS;
	__s32 advice;
	char comment[8];
	char mapping[16] PMADV_KNOB_VMA_NAME;
};

/* As by_name has it, but not described: a name alone means nothing. */
struct pmadv_name_rule {
	char pattern[16];
	__s32 advice;
	__u32 kind;
};

struct weight {
	char name[8];
	__u16 value;
};

struct point {
	__u32 x;
	__s32 y[2];
};

const volatile __u8 small = 3;
const volatile __s16 medium = -5;
const volatile __u32 max_pages = 100;
const volatile __u64 large = 1;
const volatile __s64 wide = -1;
const volatile _Bool enabled = 1;
const volatile enum mode mode = MODE_FAST;
const volatile __s32 default_advice = MADV_PAGEOUT;
const volatile char label[8] = "hello";
const volatile __u32 list[4] = { 1, 2, 3, 4 };
const volatile __u32 nr_limits = 1;
const volatile __u32 limits[3] = { 9 };
const volatile struct foreign_rule rules[2] = {};
const volatile struct pmadv_name_rule undescribed[2] = {};
const volatile __u32 nr_rules = 0;
const volatile struct weight weights[2] = {};
const volatile struct point point = { 1, { 2, 3 } };

/* No knob: it is not volatile, and not to be listed. */
const __u32 no_knob = 1;

__u64 counter = 0;

struct process_madvise_ops {
	int (*advise)(void *range, void *task, void *vma);
	__u64 cgroup_id;
	__u64 flags;
	char name[16];
};

SEC("struct_ops/advise")
int advise(void *range, void *task, void *vma)
{
	__u32 sum = small + medium + max_pages + large + wide + enabled + mode +
		    default_advice + label[0] + list[0] + nr_limits + limits[0] +
		    rules[0].advice + nr_rules + weights[0].value + point.x + no_knob;

	counter += sum;
	return 0;
}

SEC(".struct_ops.link")
struct process_madvise_ops test_policy = {
	.advise	= advise,
	.name	= "test_policy",
};

char _license[] SEC("license") = "GPL";

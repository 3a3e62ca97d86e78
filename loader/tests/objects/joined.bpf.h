/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the objects for test_join.c have of policies and of the engine: a type of
 * the hook, one of the kernel's, and a way to read members of both that leaves
 * relocations. They are never loaded.
 */
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;

#define SEC(name)	__attribute__((section(name), used))
#define __hidden	__attribute__((visibility("hidden")))
#define __weak		__attribute__((weak))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pmadv_range___pmadv {
	u64 start;
	u64 end;
#ifdef OTHER_LAYOUT
	u64 more;
#endif
};

struct task_struct {
	s32 pid;
};

#pragma clang attribute pop

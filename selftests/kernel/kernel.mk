# SPDX-License-Identifier: GPL-2.0
#
# Tests of the kernel without the hook that take more than one file, for Makefile to
# include. The policy of races is built in as a skeleton.

TEST_PROGS += bounded vma_fd vma_fd32 races

RACES_BPF := $(OUT)/bpf/races.bpf.o
RACES_SKEL := $(OUT)/races.d/races.skel.h

$(OUT)/races: kernel/races.c $(RACES_SKEL) $(DEPS) $(O)/tools/lib/libbpf.a kernel/kernel.mk
	@echo "  CC      selftests/races"
	@$(CC) $(TEST_CFLAGS) -I$(OUT)/races.d -I$(O)/tools/include -o $@ \
		$< lib/util.c $(O)/tools/lib/libbpf.a -lelf -lz

$(RACES_BPF): kernel/races.bpf.c $(O)/vmlinux.h kernel/kernel.mk
	@echo "  BPF     selftests/kernel/races.bpf.o"
	@mkdir -p $(@D)
	@clang-19 -target bpf -mcpu=v3 -g -O2 -Wall -Wextra \
		-Wno-unused-parameter -D__TARGET_ARCH_x86 -I../include -I$(O) \
		-I$(O)/tools/include -MMD -MP -c $< -o $@

$(RACES_SKEL): $(RACES_BPF)
	@mkdir -p $(@D)
	@$(O)/tools/bin/bpftool gen skeleton $< name races >$@

-include $(RACES_BPF:.o=.d)

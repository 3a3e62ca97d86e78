# SPDX-License-Identifier: GPL-2.0
#
# Tests of walks that are let in between, cancelled and raced with, and of the
# VMA fd, for Makefile to include. The policy of races is built in as a skeleton.

TEST_PROGS += bounded vma_fd vma_fd32 races

RACES_BPF := $(OUT)/bpf/races.bpf.o
RACES_SKEL := $(OUT)/races.d/races.skel.h

$(OUT)/races: races.c $(RACES_SKEL) $(DEPS) util.c util.h $(O)/tools/lib/libbpf.a bounded.mk
	@echo "  CC      selftests/races"
	@$(CC) $(TEST_CFLAGS) -I$(OUT)/races.d -I$(O)/tools/include -o $@ \
		races.c util.c $(O)/tools/lib/libbpf.a -lelf -lz

$(RACES_BPF): bpf/races.bpf.c $(O)/vmlinux.h bounded.mk
	@echo "  BPF     selftests/bpf/races.bpf.o"
	@mkdir -p $(@D)
	@clang-19 -target bpf -mcpu=v3 -g -O2 -Wall -Wextra \
		-Wno-unused-parameter -D__TARGET_ARCH_x86 -I../include -I$(O) \
		-I$(O)/tools/include -MMD -MP -c $< -o $@

$(RACES_SKEL): $(RACES_BPF)
	@mkdir -p $(@D)
	@$(O)/tools/bin/bpftool gen skeleton $< name races >$@

-include $(RACES_BPF:.o=.d)

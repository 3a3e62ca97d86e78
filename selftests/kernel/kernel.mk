# SPDX-License-Identifier: GPL-2.0
#
# Tests of the kernel without the hook that take more than one file, for Makefile to
# include. The policy of races is built in as a skeleton.

TEST_PROGS += bounded vma_fd vma_fd32 races

RACES_BPF := $(OUT)/bpf/races.bpf.o
RACES_SKEL := $(OUT)/races.d/races.skel.h

$(OUT)/races: kernel/races.c $(RACES_SKEL) $(DEPS) $(ENGINE) $(O)/tools/lib/libbpf.a kernel/kernel.mk
	@echo "  CC      selftests/races"
	@$(CC) $(TEST_CFLAGS) -I$(OUT)/races.d -I$(O)/tools/include -o $@ \
		$< lib/util.c $(ENGINE) $(ENGINE_LIBS)

$(RACES_BPF): kernel/races.bpf.c $(O)/vmlinux.h kernel/kernel.mk ../bpf/compile.mk
	$(call compile_bpf,selftests/kernel/races.bpf.o)

$(RACES_SKEL): $(RACES_BPF)
	@mkdir -p $(@D)
	@$(BPFTOOL) gen skeleton $< name races >$@

-include $(RACES_BPF:.o=.d)

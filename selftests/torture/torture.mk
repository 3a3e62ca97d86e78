# SPDX-License-Identifier: GPL-2.0
#
# The parts of the torture, for Makefile to include; torture/run runs them. Their
# policies are built in as a skeleton.

TORTURE_PROGS := $(addprefix $(OUT)/torture/,fuzz storm faults)
TORTURE_BPF := $(OUT)/bpf/torture.bpf.o
TORTURE_SKEL := $(OUT)/torture/torture.skel.h

all: $(TORTURE_PROGS)

$(TORTURE_PROGS): $(OUT)/torture/%: torture/%.c torture/torture.h $(TORTURE_SKEL) \
		$(DEPS) torture/torture.mk $(O)/tools/lib/libbpf.a
	@echo "  CC      selftests/torture/$*"
	@$(CC) $(TEST_CFLAGS) -I$(OUT)/torture -I$(O)/tools/include -o $@ $< lib/util.c \
		$(O)/tools/lib/libbpf.a -lelf -lz

$(TORTURE_BPF): torture/torture.bpf.c $(O)/vmlinux.h torture/torture.mk ../bpf/compile.mk
	$(call compile_bpf,selftests/torture/torture.bpf.o)

$(TORTURE_SKEL): $(TORTURE_BPF)
	@mkdir -p $(@D)
	@$(BPFTOOL) gen skeleton $< name torture >$@

-include $(TORTURE_BPF:.o=.d)

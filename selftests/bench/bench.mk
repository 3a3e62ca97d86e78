# SPDX-License-Identifier: GPL-2.0
#
# The part of the benchmark that runs in the guest, or natively, for ../Makefile to include:
# $(OUT)/bench, and the test of it. The policies are built in as skeletons.

HELPERS += bench
TEST_PROGS += bench_smoke

BENCH_DIR := $(OUT)/bench.d
BENCH_OBJS := $(patsubst bench/%.c,$(BENCH_DIR)/%.o, \
		$(filter-out %.bpf.c,$(wildcard bench/*.c))) $(BENCH_DIR)/util.o
BENCH_SHARED := $(filter-out %/main.o %/smoke.o,$(BENCH_OBJS))
BENCH_SKELS := $(BENCH_DIR)/bench_policy.skel.h $(BENCH_DIR)/policy_noop.skel.h
BENCH_CFLAGS := $(TEST_CFLAGS) -I$(BENCH_DIR) -I$(O)/tools/include

$(OUT)/bench: $(BENCH_DIR)/main.o
$(OUT)/bench_smoke: $(BENCH_DIR)/smoke.o
$(OUT)/bench $(OUT)/bench_smoke: $(BENCH_SHARED) $(ENGINE) $(O)/tools/lib/libbpf.a
	@echo "  LD      selftests/$(@F)"
	@$(CC) -pthread -o $@ $^ $(ENGINE_LIBS)

$(BENCH_DIR)/%.o: bench/%.c bench/bench.mk | $(BENCH_SKELS)
	@echo "  CC      selftests/bench/$*.o"
	@$(CC) $(BENCH_CFLAGS) -MMD -MP -c $< -o $@

$(BENCH_DIR)/util.o: lib/util.c $(DEPS) | $(BENCH_DIR)
	@$(CC) $(TEST_CFLAGS) -c $< -o $@

$(BENCH_DIR)/bench.bpf.o: bench/bench.bpf.c $(O)/vmlinux.h bench/bench.mk ../bpf/compile.mk
	$(call compile_bpf,selftests/bench/bench.bpf.o)

$(BENCH_DIR)/bench_policy.skel.h: $(BENCH_DIR)/bench.bpf.o
	@$(BPFTOOL) gen skeleton $< name bench_policy >$@

$(BENCH_DIR)/policy_noop.skel.h: $(O)/bpf/noop.bpf.o | $(BENCH_DIR)
	@$(BPFTOOL) gen skeleton $< name policy_noop >$@

$(BENCH_DIR):
	@mkdir -p $@

-include $(BENCH_OBJS:.o=.d) $(BENCH_DIR)/bench.bpf.d

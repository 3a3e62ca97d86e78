# SPDX-License-Identifier: GPL-2.0
#
# The tests of the hook, for Makefile to include: $(OUT)/hook. Their policies,
# and the ones of ../bpf that they test, are built in as skeletons.

TEST_PROGS += hook

HOOK_SRCS := $(wildcard hook/*.c)
HOOK_OBJS := $(HOOK_SRCS:hook/%.c=$(OUT)/hook.d/%.o)

HOOK_TEST_BPF := $(patsubst hook/bpf/%.bpf.c,hook_%,$(wildcard hook/bpf/*.bpf.c))
HOOK_POLICIES := background_app by_name cold_pages collapse foreground noop page_age
HOOK_SKELS := $(HOOK_TEST_BPF:%=$(OUT)/hook.d/%.skel.h) \
	      $(HOOK_POLICIES:%=$(OUT)/hook.d/policy_%.skel.h)

SECOND_MMU := $(patsubst $(O)/linux-%/vmlinux,$(OUT)/module/%/second_mmu.ko, \
		$(filter-out $(O)/linux-stock%, \
		$(wildcard $(O)/linux-*/vmlinux)))

HOOK_CFLAGS := $(TEST_CFLAGS) -Wno-missing-field-initializers \
	       -Wno-format-zero-length -I$(OUT)/hook.d -I$(O)/tools/include

$(OUT)/hook: $(HOOK_OBJS) lib/util.c $(O)/tools/lib/libbpf.a | $(SECOND_MMU)
	@echo "  LD      selftests/hook"
	@$(CC) $(TEST_CFLAGS) -o $@ $^ -lelf -lz

# Compiling finds out which skeleton an object needs, but only afterwards.
$(HOOK_OBJS): $(OUT)/hook.d/%.o: hook/%.c hook/hook.mk | $(HOOK_SKELS)
	@echo "  CC      selftests/hook/$*.o"
	@$(CC) $(HOOK_CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/bpf/hook_%.bpf.o: hook/bpf/%.bpf.c $(O)/vmlinux.h hook/hook.mk ../bpf/compile.mk
	$(call compile_bpf,selftests/hook/bpf/$*.bpf.o)

# A module for each of our kernels whose tree is there. Kbuild wants a folder of its
# own, and none of our variables. Without BTF, which is refused as soon as the kernel
# is another build.
$(SECOND_MMU): $(OUT)/module/%/second_mmu.ko: hook/module/second_mmu.c \
		$(O)/kernel/%/vmlinux hook/hook.mk
	@echo "  MOD     selftests/module/$*"
	@mkdir -p $(@D)/build
	@cp $< $(@D)/build
	@echo "obj-m := second_mmu.o" >$(@D)/build/Kbuild
	@env -i PATH="$$PATH" HOME="$$HOME" $(MAKE) -C $(O)/linux-$* \
		M=$(@D)/build KBUILD_MODPOST_WARN=1 modules \
		>$(@D)/log 2>&1 || { cat $(@D)/log; exit 1; }
	@objcopy -R .BTF $(@D)/build/second_mmu.ko $@

# The macros of hook.h, as a table.
$(OUT)/hook.d/constants.o: $(OUT)/hook.d/constants.inc
$(OUT)/hook.d/constants.inc: ../include/pmadv/hook.h hook/hook.mk | $(OUT)/hook.d
	@sed -n 's/^#define \(PMADV_[A-Z0-9_]*\)[ \t].*/	{ "\1", \1 },/p' $< >$@

$(OUT)/hook.d/hook_%.skel.h: $(OUT)/bpf/hook_%.bpf.o | $(OUT)/hook.d
	@$(BPFTOOL) gen skeleton $< name hook_$* >$@

$(OUT)/hook.d/policy_%.skel.h: $(O)/bpf/%.bpf.o | $(OUT)/hook.d
	@$(BPFTOOL) gen skeleton $< name policy_$* >$@

$(OUT)/hook.d:
	@mkdir -p $@

.PRECIOUS: $(OUT)/bpf/hook_%.bpf.o
.DELETE_ON_ERROR:

-include $(HOOK_OBJS:.o=.d) $(HOOK_TEST_BPF:%=$(OUT)/bpf/%.bpf.d)

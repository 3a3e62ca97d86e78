# SPDX-License-Identifier: GPL-2.0
#
# How BPF objects are compiled, for the Makefiles of a folder beside this one that
# set $(O): in the recipe of an object, $(call compile_bpf,what to call it).

CLANG	?= clang-19

BPF_CFLAGS := -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror \
	      -Wno-unused-parameter -D__TARGET_ARCH_x86 \
	      -I../include -I$(O) -I$(O)/tools/include

define compile_bpf
	@echo "  BPF     $(1)"
	@mkdir -p $(@D)
	@$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
endef

# SPDX-License-Identifier: GPL-2.0
#
# Objects that the scripts of this room attach, for ../Makefile to include.

OBJECTS := $(patsubst command/objects/%.bpf.c,$(OUT)/objects/%.bpf.o, \
		$(wildcard command/objects/*.bpf.c))

all: $(OBJECTS)

$(OUT)/objects/%.bpf.o: command/objects/%.bpf.c $(O)/vmlinux.h command/command.mk \
		../bpf/compile.mk
	$(call compile_bpf,selftests/command/objects/$*.bpf.o)

-include $(OBJECTS:.o=.d)

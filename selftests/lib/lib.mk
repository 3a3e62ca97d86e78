# SPDX-License-Identifier: GPL-2.0
#
# The loader's engine for tests in C, for ../Makefile to include: one object of which
# they see the functions of engine.h alone, as both have functions of equal names.

ENGINE	:= $(OUT)/lib/engine.o
ENGINE_LIBS := $(O)/tools/lib/libbpf.a -lelf -lz -lcap-ng -ljson-c -lsmartcols -lm

LOADER_OBJS := $(patsubst ../loader/%.c,$(O)/loader/%.o, \
		$(foreach room,engine policy proc lib,$(wildcard ../loader/$(room)/*.c)))
ENGINE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $(CFLAGS) \
		 -I../include -I../include/uapi -I$(O)/tools/include -I../loader

$(ENGINE): lib/engine.c lib/engine.h $(LOADER_OBJS) lib/lib.mk
	@echo "  LD      selftests/lib/engine.o"
	@mkdir -p $(@D)
	@rm -f $(@D)/loader.a
	@ar rcs $(@D)/loader.a $(LOADER_OBJS)
	@$(CC) $(ENGINE_CFLAGS) -c $< -o $(@D)/driver.o
	@ld -r -o $@ $(@D)/driver.o $(@D)/loader.a
	@objcopy --wildcard --keep-global-symbol='tested_engine_*' $@

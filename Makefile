# SPDX-License-Identifier: GPL-2.0
#
# make help says what there is. Everything that is built goes to build/.

O	:= $(CURDIR)/build
CLANG	?= clang-19
STRIP	?= llvm-strip-19
export CLANG

TREE	:= $(O)/linux-base
TOOLS	:= $(O)/tools
IMAGE	:= $(O)/kernel/base/vmlinux
# Whose types go to vmlinux.h; the policies compile with any kernel's.
BTF	?= $(IMAGE)

# The system call, what verdicts do, the verbs attach, explain and metrics, bpftool.
SMOKE	:= abi hook:skip hook:pageout hook:cold hook:stop hook:invalid \
	   explain.sh metrics.sh bpftool.sh

JOBS	?= $(shell nproc)
MAKEFLAGS += --no-print-directory
SUB	= $(MAKE) O=$(O)

.PHONY: help deps try demo unit smoke test test-all test-rest coverage torture bench eval check kernel stock debug mainline tools bpf \
	loader selftests build vm install install-dev uninstall deb kernel-deb policy \
	pictures doc-output clean

help:	## this text
	@echo "usage: make VERB"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
	@echo
	@echo "On a fresh machine, make try, make demo and make test do all that comes before."

deps:	## install what is missing of the Debian packages in the DEPS files
	@scripts/deps

try:	## see it work on the kernel that is running, as root; no kernel is built
	@selftests/try --check
	@scripts/deps --for try
	@$(MAKE) BTF=/sys/kernel/btf/vmlinux bpf command
	@selftests/try

demo:	## see it work: a redis server goes to the background
	@scripts/deps
	@$(MAKE) build KERNELS=base
	@kernel/vm --timeout 600 -- selftests/demo

unit:	## tests of the command that take no kernel and no guest
	@scripts/deps
	@$(MAKE) $(TOOLS)/lib/libbpf.a
	@selftests/test unit

smoke:	## after an edit: one guest with a part of the tests
	@scripts/deps
	@$(MAKE) build KERNELS=base
	@selftests/test $(SMOKE)

test:	## the tests: units here, programs on our kernel, what must equal stock
	@scripts/deps
	@$(MAKE) build KERNELS="base stock"
	@selftests/test

test-all:	## make test, then what is slow: the debug kernel, torture, packages
	@scripts/verbs test test-rest

test-rest:
	@scripts/deps
	@$(MAKE) build KERNELS="base debug"
	@scripts/deb
	@selftests/test --rest

coverage:	## what of loader/ no test reaches, as a table
	@scripts/deps
	@$(MAKE) build KERNELS=base
	@$(SUB) -C loader -j$(JOBS) coverage

torture:	## MINUTES=n SEED=n: storms, faults and fuzzing on the debug kernel
	@scripts/deps
	@$(MAKE) build KERNELS="base debug"
	@selftests/torture/run $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(SEED),--seed $(SEED))

bench:	## what it costs and what it gains, against the stock kernel
	@scripts/deps
	@$(MAKE) build KERNELS="base stock"
	@selftests/bench/run

eval:	## is it worth it: redis and others under every reclaimer Linux has, an hour
	@scripts/deps
	@$(MAKE) build KERNELS=base
	@selftests/eval/run

check:	## what checkpatch, sparse, clang-format, cppcheck and shellcheck find
	@scripts/deps
	@$(MAKE) kernel loader
	@scripts/check

kernel:	## our kernel: kernel/build base
	@kernel/build base

stock:	## the same kernel without our changes
	@kernel/build stock

debug:	## our kernel with lock, memory and leak checking
	@kernel/build debug

mainline:	## our kernel on a newer base, and that base without our changes
	@kernel/build mainline
	@kernel/build stock-mainline

tools: $(TOOLS)/bin/bpftool $(O)/vmlinux.h	## libbpf and bpftool of that kernel

bpf: tools	## the policies and the monitor
	@$(SUB) -C bpf

# The command alone, without what is for installing and testing it.
.PHONY: command
command: $(TOOLS)/lib/libbpf.a
	@$(SUB) -C loader $(O)/pmadv

loader: tools	## the pmadv command
	@$(SUB) -C loader

selftests: bpf loader	## the test programs
	@$(SUB) -C loader -j$(JOBS) sanitized
	@$(SUB) -C selftests -j$(JOBS)

# One kernel after the other: each uses all processors.
KERNELS	?= base
build:
	@for k in $(KERNELS); do kernel/build $$k || exit; done
	@$(MAKE) selftests

vm:	## a shell in a guest on our kernel
	@kernel/vm

install: loader	bpf	## pmadv, its manual and the policies, to PREFIX (/usr/local)
	@$(SUB) -C loader install
	@$(SUB) -C doc install

install-dev:	## the headers and the file for pkg-config
	@$(SUB) -C include install

deb:	## Debian packages of them, in build/deb
	@scripts/deps
	@$(MAKE) loader bpf
	@scripts/deb

kernel-deb:	## CONFIG=/boot/config-...: our kernel as Debian packages, for a real machine
	@scripts/deps
	@kernel/build deb '$(or $(CONFIG),/boot/config-$(shell uname -r))' $(BASE)

uninstall:	## take them away again
	@$(SUB) -C loader uninstall
	@$(SUB) -C doc uninstall
	@$(SUB) -C include uninstall

policy:	## NEW=name: start a policy of your own
	@$(SUB) -C bpf policy NEW='$(NEW)'

pictures: loader	## the pictures of the documents, from a run in the guest
	@scripts/deps
	@scripts/pictures

doc-output: build	## the output that the documents show: runs what doc/output/ names
	@scripts/doc-output

clean:	## remove build/
	rm -rf $(O)

$(IMAGE):
	@kernel/build base

# Static, from the tree the kernel comes from: Debian's are too old to know
# struct_ops links. kernel/source names the version.
$(TOOLS)/lib/libbpf.a: kernel/source $(wildcard kernel/patches/lts/*.patch)
	@kernel/build tree
	@echo "  MAKE    libbpf"
	@mkdir -p $(TOOLS)/obj/libbpf $(TOOLS)/lib
	@$(MAKE) -s -C $(TREE)/tools/lib/bpf O= \
		OUTPUT=$(TOOLS)/obj/libbpf/ \
		DESTDIR=$(TOOLS) prefix= $(TOOLS)/obj/libbpf/libbpf.a install_headers \
		>$(TOOLS)/libbpf.log 2>&1 || \
		{ cat $(TOOLS)/libbpf.log >&2; exit 1; }
	@cp $(TOOLS)/obj/libbpf/libbpf.a $@

# The same whatever else is installed here: no optional libraries.
$(TOOLS)/bin/bpftool: $(TOOLS)/lib/libbpf.a | $(BTF)
	@echo "  MAKE    bpftool"
	@mkdir -p $(TOOLS)/obj/bpftool $(TOOLS)/bin
	@$(MAKE) -s -C $(TREE)/tools/bpf/bpftool O= OUTPUT=$(TOOLS)/obj/bpftool/ \
		CLANG=$(CLANG) LLVM_STRIP=$(STRIP) VMLINUX_BTF=$(BTF) \
		feature-llvm=0 feature-libbfd=0 feature-libcap=0 \
		>$(TOOLS)/bpftool.log 2>&1 || \
		{ cat $(TOOLS)/bpftool.log >&2; exit 1; }
	@cp $(TOOLS)/obj/bpftool/bpftool $@

# All BPF objects depend on it, so it is a new one only when it says something
# else; the stamp remembers that this kernel was asked.
$(O)/vmlinux.h: $(O)/.vmlinux.h.stamp ;

$(O)/.vmlinux.h.stamp: $(BTF) | $(TOOLS)/bin/bpftool
	@echo "  GEN     vmlinux.h"
	@$(TOOLS)/bin/bpftool btf dump file $< format c >$(O)/vmlinux.h.new
	@if cmp -s $(O)/vmlinux.h.new $(O)/vmlinux.h; then \
		rm $(O)/vmlinux.h.new; \
	else \
		mv $(O)/vmlinux.h.new $(O)/vmlinux.h; \
	fi
	@touch $@

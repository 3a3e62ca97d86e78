# SPDX-License-Identifier: GPL-2.0
#
# The evaluation's reclaimers in user space, for ../Makefile to include.

HELPERS += by_pages

$(OUT)/by_pages: eval/by_pages.c eval/eval.mk | $(OUT)
	@echo "  CC      selftests/by_pages"
	@$(CC) $(TEST_CFLAGS) -O2 -o $@ $<

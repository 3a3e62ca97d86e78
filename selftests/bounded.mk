# SPDX-License-Identifier: GPL-2.0
#
# Tests of walks that are let in between, cancelled and raced with, and of the
# VMA fd, for Makefile to include.

TEST_PROGS += vma_fd vma_fd32

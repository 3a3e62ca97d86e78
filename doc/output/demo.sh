# SPDX-License-Identifier: GPL-2.0
# What make demo shows.
# runs: in a guest
selftests/demo

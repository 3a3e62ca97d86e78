# SPDX-License-Identifier: GPL-2.0
# As root, on a kernel without the hook.
# runs: when named
selftests/bench/run --native

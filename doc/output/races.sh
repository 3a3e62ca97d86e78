# SPDX-License-Identifier: GPL-2.0
# As root, on a kernel without the hook and with swap.
# runs: when named
SECONDS=6 build/selftests/races

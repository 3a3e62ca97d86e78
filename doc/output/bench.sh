# SPDX-License-Identifier: GPL-2.0
# The table of the benchmark: eight minutes, on a machine that does nothing else.
# runs: when named
make -s bench

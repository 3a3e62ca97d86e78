# SPDX-License-Identifier: GPL-2.0
# runs: when named
#
# After selftests/test --kernel NAME and selftests/debian, whose logs it reads.
show selftests/kernels

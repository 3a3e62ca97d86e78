# SPDX-License-Identifier: GPL-2.0
# runs: when named
#
# After selftests/test engine.sh and selftests/test --kernel NAME engine.sh, for each
# kernel without the hook: it reads their logs.
selftests/kernels --cases

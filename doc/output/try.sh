# SPDX-License-Identifier: GPL-2.0
# What make try shows, on the kernel of this machine, as root.
# runs: here
selftests/try

# SPDX-License-Identifier: GPL-2.0
# The functions of the policy that make policy NEW=big_anon writes.
# runs: here, the same
sed -n 's/@NAME@/big_anon/g; /^\/\* Asked/,$p' bpf/policy.template

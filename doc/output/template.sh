# SPDX-License-Identifier: GPL-2.0
# The policy that make policy NEW=big_anon writes, below its opening comment.
# runs: here, the same
sed -e 's/@NAME@/big_anon/g' -e '1,/^ \*\//d' bpf/policy.template

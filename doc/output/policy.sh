# SPDX-License-Identifier: GPL-2.0
# The template as a policy: built, attached, and walked with.
# runs: in a guest
sed 's/@NAME@/big_anon/g' bpf/policy.template >/tmp/big_anon.bpf.c
clang-19 -target bpf -mcpu=v3 -g -O2 -D__TARGET_ARCH_x86 -Iinclude -I"$PMADV_BUILD" \
	-I"$PMADV_BUILD/tools/include" -c /tmp/big_anon.bpf.c -o /tmp/big_anon.bpf.o || exit
export PMADV_POLICY_DIR=/tmp
perl -e '$x = "x" x 5e7; sleep 1000' &
sleep 2
show "pmadv attach big_anon --knobs"
show "pmadv attach big_anon --set min_bytes=1M --pin"
show "pmadv advise perl --policy"
show "pmadv list"
kill %1
pmadv detach --all >/dev/null

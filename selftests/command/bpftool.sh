#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A policy without the loader: bpftool alone attaches one, shows it from every
# side, and detaches it.

plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
bpftool=$build/tools/bin/bpftool
object=$build/bpf/noop.bpf.o
pins=/sys/fs/bpf/pmadv_bpftool
flag_policy=1
enoent=-2

# shellcheck disable=SC2317 # called by a trap
clean_up()
{
	rm -rf $pins "$tmp"
}
trap clean_up EXIT

# run COMMAND...: its output stays in $out, its status is returned.
run()
{
	out=$("$@" 2>&1)
}

# What a call that asks a policy gets: what "call" prints, as variables.
ask()
{
	out=$("$dir/call" $$ 0 $flag_policy) && eval "$out"
}

policies()
{
	cat $sysfs/policies/*/name 2>/dev/null
}

rm -rf $pins
mkdir -p $pins
ask
# shellcheck disable=SC2154 # they come from eval
[[ $ret == "$enoent" ]]
result $? "without a policy there is none to ask"

run "$bpftool" struct_ops register "$object" $pins
result $? "struct_ops register"
out=$(ls $pins)
[[ -n $out ]]
result $? "it is pinned in bpffs"
link=$pins/$(head -n 1 <<<"$out")
out=$(policies)
[[ $out == noop ]]
result $? "it is in force"
ask
# shellcheck disable=SC2154
[[ $ret == 0 && $seen -gt 5 && $skipped == "$seen" ]]
result $? "it is asked about every range"

run "$bpftool" struct_ops list
[[ $out =~ ^[0-9]+:\ noop\ +process_madvise_ops ]]
result $? "struct_ops list"
id=${out%%:*}
run "$bpftool" struct_ops dump id "$id"
[[ $out == *process_madvise_ops* && $out == *advise* && $out == *noop* ]]
result $? "struct_ops dump"
run "$bpftool" -j struct_ops dump id "$id"
[[ $out == *'"name":"noop"'* || $out == *'"name": "noop"'* ]]
result $? "struct_ops dump as JSON"

run "$bpftool" prog show name noop_advise
[[ $out =~ struct_ops\ +name\ noop_advise && $out == *jited* ]]
result $? "prog show"
run "$bpftool" prog dump xlated name noop_advise
[[ $out == *"exit"* ]]
result $? "prog dump"
run "$bpftool" map show id "$id"
[[ $out =~ struct_ops\ +name\ noop ]]
result $? "map show"
run "$bpftool" map dump id "$id"
[[ $out == *noop* ]]
result $? "map dump"

run "$bpftool" link show pinned "$link"
[[ $out =~ ^[0-9]+:\ struct_ops\ +map\ $id ]]
result $? "link show"
link_id=${out%%:*}
out=$(cat $sysfs/policies/*/link_id)
[[ $out == "$link_id" ]]
result $? "link show and sysfs agree"

# A second one for the whole system is refused, and the first stays.
mkdir -p $pins/2
run "$bpftool" struct_ops register "$object" $pins/2
[[ $? != 0 && $(ls $pins/2) == "" && $(policies) == noop ]]
result $? "a second policy is refused"

run "$bpftool" link detach pinned "$link"
result $? "link detach"
ask
[[ $ret == "$enoent" && $(policies) == "" ]]
result $? "it is no longer in force"

# A pin is a reference, and the last one counts.
rm -rf $pins
mkdir -p $pins
run "$bpftool" struct_ops register "$object" $pins &&
	[[ $(policies) == noop ]] && rm -rf $pins && sleep 0.5 &&
	[[ $(policies) == "" ]]
result $? "removing the pin detaches it"

# --- the types that policies are compiled with --------------------------------
# structure NAME <C: its members, however they are laid out and their arguments called.
structure()
{
	sed -n "/^struct $1 {/,/^}/p" | sed -E 's,/\*.*\*/,,; s/PMADV_EXIT_MSG_LEN/128/
		s/PMADV_NAME_LEN/16/; s/__([us])/\1/g; s/uint(32|64)_t/u\1/g
		s/int(32|64)_t/s\1/g; s/ \*[a-z]+([,)])/ *\1/g; s/^struct bpf_/struct pmadv_/' |
		tr -s ' \t\n' ' '
}

# same_types PREFIX HEADER NAME...: as the kernel has them, under that prefix?
same_types()
{
	local prefix=$1 header=$2 name kernel ours

	shift 2
	out=
	for name; do
		kernel=$(structure "$name" <"$tmp/vmlinux.h")
		ours=$(structure "${name/#pmadv_/"$prefix"}" <"$header")
		[[ $kernel && $ours == "$kernel" ]] || out+="kernel: $kernel
ours:   $ours
"
	done
	[[ -z $out ]]
}
top=$(dirname "$0")/../..
"$bpftool" btf dump file /sys/kernel/btf/vmlinux format c >"$tmp/vmlinux.h"
same_types pmadv_ "$top/include/pmadv/policy_types.bpf.h" pmadv_stats pmadv_result \
	pmadv_walk pmadv_range pmadv_sample pmadv_exit_info process_madvise_ops
result $? "policies are compiled with the kernel's types"
same_types bpf_ "$top/loader/engine/internal.h" pmadv_walk pmadv_range pmadv_exit_info
result $? "and the engine fills the same ones"
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What `make try` runs, where it can do all, with each kind of swap, where it lacks
# something, and when it is interrupted: it says which, and nothing stays behind. For a
# kernel without the hook: in one of Debian's, and as root on the machine's own:
#
#	selftests/command/try.sh

plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
try=$(readlink -f "$(dirname "$0")/../try")
# What it makes is made here.
export TMPDIR=$tmp/made
mkdir -m 755 "$TMPDIR"
: >"$tmp/out"
: >"$tmp/err"
own=
taken=

clean_up()
{
	[[ $job ]] && kill -KILL -- "-$job" 2>/dev/null
	end_own_swap
	rm -rf "$tmp"
}

# A zram device of ours, which is taken away again.
own_device()
{
	[[ -r /sys/class/zram-control/hot_add ]] &&
		own=$(cat /sys/class/zram-control/hot_add) &&
		echo "$1" >"/sys/block/zram$own/disksize"
}

end_own_swap()
{
	[[ $own ]] || return
	swapoff "/dev/zram$own" 2>/dev/null
	echo 1 >"/sys/block/zram$own/reset"
	echo "$own" >/sys/class/zram-control/hot_remove
	own=
}
trap clean_up EXIT
[[ ! -d $sysfs ]] || {
	skip "make try" "it is for a kernel without the hook"
	finish
}

# What may not stay: servers, swap, compressed memory, files.
there()
{
	pgrep -cf "redis-server unixsocket:$TMPDIR"
	tail -n +2 /proc/swaps | cut -d ' ' -f 1
	cat /sys/block/zram*/disksize 2>/dev/null
	ls "$TMPDIR"
}

# without "PATH..." COMMAND...: folders of the system are empty ones.
without()
{
	# shellcheck disable=SC2016 # the other shell's
	unshare -m sh -c 'for path in $1; do mount -t tmpfs none "$path" || exit; done
		shift && exec "$@"' sh "$@"
}

# no_swap "PATH..." COMMAND...: the same, and as if there were no swap.
no_swap()
{
	sed 's/^SwapFree:.*/SwapFree: 0 kB/' /proc/meminfo >"$tmp/meminfo"
	# shellcheck disable=SC2016 # the other shell's
	without "$1" sh -c 'mount --bind "$1" /proc/meminfo && shift && exec "$@"' \
		sh "$tmp/meminfo" "${@:2}"
}

# tries PATTERN WHAT COMMAND...: all goes well with that kind of swap, and it goes away.
tries()
{
	local what=$2 before

	before=$(there)
	expect 0 "^swap: $1" "swap: $what" "${@:3}"
	out+=$'\n'$(there)
	[[ $out == *"all went well"* && $(there) == "$before" ]]
	result $? "swap: $what: all goes well, and nothing stays behind"
}

refuses()
{
	local pattern=$1 what=$2

	shift 2
	expect 2 "$pattern" "$what" "$@"
	grep -q "make demo" <<<"$out"
	result $? "$what: 'make demo' is pointed to"
}

modprobe zram 2>/dev/null
before=$(there)
mkdir "$tmp/bin"
for tool in bash id dirname pwd; do
	ln -s "$(type -P $tool)" "$tmp/bin/$tool"
done

refuses 'takes root' "not as root" setpriv --reuid 65534 --clear-groups "$try"
refuses 'no BTF' "without BTF" without /sys/kernel/btf "$try"
refuses 'no BPF' "without BPF" without /proc/sys/kernel "$try"
refuses 'no BTF' "make try, before it installs and builds" without /sys/kernel/btf \
	make -s -C "$(dirname "$try")/.." try
refuses 'redis-server is not installed' "without redis" env PATH="$tmp/bin" "$try"

expect 0 'all went well' "all of it" "$try"
grep -q '^every value is as it was' <<<"$out"
result $? "every value is checked"
grep -qE '^(of the last walk.s ranges, [1-9]|this kernel (has the hook|cannot prove))' <<<"$out"
result $? "what is proven is said"
out=$(there)
[[ $out == "$before" ]]
result $? "nothing stays behind"

# --- kinds of swap --------------------------------------------------------------
if own_device 512M && mkswap "/dev/zram$own" >/dev/null && swapon "/dev/zram$own"; then
	tries 'what this machine has' "what is there" "$try"
else
	skip "swap: what is there" "zram has no devices to add"
fi
end_own_swap
if [[ $(cat /sys/block/zram0/disksize 2>/dev/null) == 0 ]]; then
	tries '/dev/zram0 for now' "a zram device that is free" no_swap '' "$try"
	echo 1M >/sys/block/zram0/disksize
	taken=yes
else
	skip "swap: a zram device that is free" "zram0 is in use, or there is no zram"
fi
if [[ -r /sys/class/zram-control/hot_add ]]; then
	tries '/dev/zram[1-9][0-9]* for now' "none is free, so one more" no_swap '' "$try"
else
	skip "swap: none is free, so one more" "zram has no devices to add"
fi
[[ $taken ]] && echo 1 >/sys/block/zram0/reset

zram='/sys/block /sys/class/zram-control'
can_swap()
{
	truncate -s 0 "$1" && chmod 600 "$1" && dd if=/dev/zero of="$1" bs=1M count=1 &&
		mkswap "$1" && swapon "$1" && swapoff "$1"
}
if can_swap "$tmp/swap" >/dev/null 2>&1; then
	tries 'a file for now' "a file" no_swap "$zram" "$try"
else
	skip "swap: a file" "the files here cannot be swap"
fi
tries 'there is none and none can be made' "none" no_swap "$zram $TMPDIR" "$try"

# A guest has nothing else to swap, and kernels of Debian's have zram as a module.
in_guest=$(grep -o 'PMADV_RUN=' /proc/cmdline)
size=$(cat /sys/block/zram0/disksize 2>/dev/null)
if [[ $in_guest ]] && swapoff -a && echo 1 >/sys/block/zram0/reset &&
   modprobe -r zram 2>/dev/null; then
	tries '/dev/zram0 for now' "of a module that is not loaded" "$try"
	[[ ! -d /sys/module/zram ]]
	result $? "swap: of a module that is not loaded: nor is it afterwards"
	modprobe zram
else
	skip "swap: of a module that is not loaded" "this is no guest, or it is no module"
fi
if [[ $in_guest && $size ]] && ((size)); then
	echo "$size" >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
fi

# interrupt PATTERN: as a terminal does it, once it has said that.
interrupt()
{
	env --default-signal=INT setsid "$try" >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 120 grep -q "$1" "$tmp/out"
	kill -INT -- "-$job"
	wait "$job" 2>/dev/null
	status=$?
	job=
	out="status $status: $(cat "$tmp/out" "$tmp/err")
$(there)"
	[[ $status != 0 && $(there) == "$before" ]] && ! grep -q 'all went well' "$tmp/out"
	result $? "interrupted after '$1': nothing stays behind"
}

interrupt '^swap:'
interrupt '^redis-server:'
interrupt '^. pmadv run'

finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What `make try` runs, where it can do all, where it lacks something, and when it is
# interrupted: it says which, and nothing stays behind. For a kernel without the hook:
# in one of Debian's, and as root on the machine's own:
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

clean_up()
{
	[[ $job ]] && kill -KILL -- "-$job" 2>/dev/null
	rm -rf "$tmp"
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

# without PATH COMMAND...: a folder of the system is an empty one.
without()
{
	# shellcheck disable=SC2016 # the other shell's
	unshare -m sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' sh "$@"
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
refuses 'redis-server is not installed' "without redis" env PATH="$tmp/bin" "$try"

expect 0 'all went well' "all of it" "$try"
grep -q '^every value is as it was' <<<"$out"
result $? "every value is checked"
grep -qE '^(of the last walk.s ranges, [1-9]|this kernel (has the hook|cannot prove))' <<<"$out"
result $? "what is proven is said"
out=$(there)
[[ $out == "$before" ]]
result $? "nothing stays behind"

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

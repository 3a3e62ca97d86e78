#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The example of direct use, compiled as C and as C++, on a real process.

plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/../command/tap.bash"

# shellcheck disable=SC2317 # called by a trap
clean_up()
{
	rm -rf "$tmp"
}
trap clean_up EXIT

swap_of()
{
	sed -n 's/^VmSwap:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

for standard in c11 c++17; do
	# Something with memory of its own to lose.
	bash -c 'x=$(printf "%0900000d" 7); kill -STOP $$; echo "${#x}"' &
	pid=$!
	until grep -q '^State:.T' "/proc/$pid/status"; do
		sleep 0.1
	done
	out=$("$dir/example-$standard" "$pid")
	status=$?
	result $status "$standard"
	[[ $out =~ ^([0-9]+)\ of\ ([0-9]+)\ ranges\ advised,\ ([0-9]+)\ pages\ reclaimed$ ]] &&
		((BASH_REMATCH[1] > 5 && BASH_REMATCH[2] > BASH_REMATCH[1] &&
		  BASH_REMATCH[3] > 100 && $(swap_of "$pid") > 400))
	result $? "$standard reclaims"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null

	expect 1 'No such process' "$standard fails on a process that is gone" \
		"$dir/example-$standard" "$pid"
done
finish

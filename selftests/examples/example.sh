#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The example of direct use, compiled as C and as C++, on a real process.

dir=${PMADV_SELFTESTS:?is set by run-in-guest}
number=0
failed=0

result()
{
	number=$((number + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $number $2"
	else
		failed=1
		echo "not ok $number $2"
	fi
}

swap_of()
{
	sed -n 's/^VmSwap:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

echo "TAP version 13"
echo "1..6"
for standard in c11 c++17; do
	# Something with memory of its own to lose.
	bash -c 'x=$(printf "%0900000d" 7); kill -STOP $$; echo "${#x}"' &
	pid=$!
	until grep -q '^State:.T' "/proc/$pid/status"; do
		sleep 0.1
	done
	out=$("$dir/example-$standard" "$pid")
	status=$?
	echo "# $out"
	result $status "$standard"
	[[ $out =~ ^([0-9]+)\ of\ ([0-9]+)\ ranges\ advised,\ ([0-9]+)\ pages\ reclaimed$ ]] &&
		((BASH_REMATCH[1] > 5 && BASH_REMATCH[2] > BASH_REMATCH[1] &&
		  BASH_REMATCH[3] > 100 && $(swap_of "$pid") > 400))
	result $? "$standard reclaims"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null

	err=$("$dir/example-$standard" "$pid" 2>&1)
	status=$?
	echo "# $err"
	[[ $status == 1 && $err == *"No such process"* ]]
	result $? "$standard fails on a process that is gone"
done
exit $failed

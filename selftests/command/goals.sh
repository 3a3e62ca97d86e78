#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rules of pmadv daemon with a goal: memory goes until it is reached and no further, a
# number that a program feeds in holds it up, and other verbs show how it stands. Runs in
# the guest, with the hook or without, and as root on the machine's own kernel if that has
# swap.

[[ -x $(dirname "$0")/../../build/san/pmadv ]] || plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
config=$tmp/pmadv.conf
goals=/run/pmadv/goals.json
v2=$(cgroup2_mount)
target=

clean_up()
{
	disown -a
	[[ -n $job ]] && kill -KILL "$job" 2>/dev/null
	[[ -n $target ]] && kill -KILL "$target" 2>/dev/null
	wait_for 20 rmdir "$v2/gtest"
	rmdir /sys/fs/bpf/pmadv/daemon 2>/dev/null
	rm -rf "$tmp"
}

grep -qw memory "$v2/cgroup.controllers" 2>/dev/null &&
	echo +memory >"$v2/cgroup.subtree_control" 2>/dev/null &&
	mkdir -p "$v2/gtest"
if [[ ! -e $v2/gtest/memory.current ]] || (($(wc -l </proc/swaps) < 2)); then
	[[ -z $v2 ]] || rmdir "$v2/gtest" 2>/dev/null
	skip "all of it" "takes cgroup v2 with its memory controller, and swap"
	finish
fi
trap clean_up EXIT

bash -c 'echo $$ >"$0"; exec python3 -c "
import mmap, time
held = mmap.mmap(-1, 80 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
held.madvise(mmap.MADV_NOHUGEPAGE)
for i in range(0, 80 << 20, 4096):
    held[i] = 1
print(\"taken\", flush=True)
time.sleep(100000)"' "$v2/gtest/cgroup.procs" >"$tmp/taken" &
target=$!
await_target 120 taken "$tmp/taken"

# rule LINE...: of the one rule there is.
rule()
{
	printf '%s\n' '[daemon]' 'on-exit = detach' '[rule it]' 'cgroup = /gtest' \
		'policy = background_app' 'every = 1s' "$@" >"$config"
}

start()
{
	# What the one before said is not to be taken for it.
	rm -f "$tmp/out" "$tmp/err"
	pmadv daemon --config "$config" --json >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 20 grep -q 'at work' "$tmp/err"
}

# is STATE: what the goal said last.
is()
{
	[[ $(field state goal "$tmp/out" | tail -n 1) == "$1" ]]
}

advised()
{
	field bytes_advised walk "$tmp/out" | add_up
}

current()
{
	cat "$v2/gtest/memory.current"
}

has_metric()
{
	out=$(pmadv metrics 2>&1)
	grep -qE "^$1\$" <<<"$out"
}

# --- a number that a program feeds in ------------------------------------------
fed=$tmp/fed
rule "goal = file $fed 30"
start
sleep 3
out=$(<"$tmp/out")
[[ $(advised) == 0 && -z $(field state goal "$tmp/out") ]]
result $? "file: while there is none nothing is reclaimed"
echo 100 >"$fed"
wait_for 20 is reached
verdict=$?
sleep 3
out="$(advised) bytes advised: $(<"$tmp/out")"
[[ $verdict == 0 && $(advised) == 0 ]]
result $? "file: above the goal nothing is reclaimed"
echo 7 >"$fed"
wait_for 20 is reclaims
began=$SECONDS
sleep 4
bytes=$(advised)
out="$bytes bytes advised in $((SECONDS - began)) s: $(<"$tmp/out")"
((bytes > 0 && bytes <= (SECONDS - began + 2) * 3 << 20))
result $? "file: below it is, at first slowly"
echo spam >"$fed"
wait_for 20 is unknown
result $? "file: what is no number is not known"
rm "$fed"
mkfifo "$fed"
kill -HUP "$job"
wait_for 20 grep -q 'read again' "$tmp/err"
out="$(<"$tmp/out") $(<"$tmp/err")"
result $? "file: one that nobody writes holds nothing up"
stop

# --- so much memory ----------------------------------------------------------------
rule 'goal = memory 48M'
start
wait_for 120 is reached
out="$(current) bytes: $(<"$tmp/out")"
(($(current) <= 50 << 20 && $(current) >= 40 << 20))
result $? "memory: it is reached, and no more than that goes"
before=$(advised)
sleep 4
out="$before, then $(advised) bytes advised"
[[ $before == "$(advised)" ]]
result $? "memory: then nothing is advised"

has_metric 'pmadv_goal_reached\{rule="it",goal="memory 48M"\} 1' &&
	has_metric 'pmadv_goal_rate_bytes\{rule="it",goal="memory 48M"\} 0'
result $? "metrics have the goal"
if [[ -d $sysfs ]]; then
	expect 0 '^rule it: goal memory 48M: 4[0-9.]+M, reached$' "list shows the goal" pmadv list
else
	skip "list shows the goal" "takes the hook"
fi
run pmadv daemon --config "$config"
[[ $status != 0 && -e $goals ]]
result $? "a second daemon leaves it alone"
kill -KILL "$job"
wait "$job" 2>/dev/null
job=
! has_metric 'pmadv_goal_.*' && [[ -e $goals ]]
result $? "what a killed daemon left is not shown"
rule
start
wait_for 20 [ ! -e $goals ]
result $? "nor by the next one, which has none"
stop TERM
rule 'goal = memory 48M'
start
wait_for 20 test -e $goals
verdict=$?
stop TERM
[[ $verdict == 0 && ! -e $goals ]]
result $? "one that ends takes it away"

expect 2 'rule it has no cgroup: a goal for memory is about that of cgroups' \
	"memory: of cgroups only" \
	pmadv daemon --check-config --config <(printf '[rule it]\npolicy = noop\ngoal = memory 1G\n')
finish

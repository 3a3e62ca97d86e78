#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Rules of pmadv daemon that look at each process: when it was walked before, how much it
# grew since, and that a walk ends when it is thawed or comes to the front. Runs in the
# guest, with the hook or without, and as root on the machine's own kernel.

[[ -x $(dirname "$0")/../../build/san/pmadv ]] || plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
config=$tmp/pmadv.conf
v2=$(cgroup2_mount)
target=
ended_ms=

clean_up()
{
	disown -a
	[[ -n $job ]] && kill -KILL "$job" 2>/dev/null
	echo 0 >"$v2/rtest/back/cgroup.freeze"
	[[ -n $target ]] && kill -KILL "$target" 2>/dev/null
	# It has a lot to give back first.
	wait_for 20 rmdir "$v2/rtest/back"
	rmdir "$v2/rtest"
	rmdir /sys/fs/bpf/pmadv/daemon 2>/dev/null
	rm -rf "$tmp"
}
if [[ -z $v2 ]]; then
	skip "all of it" "no cgroup v2 is mounted"
	finish
fi
mkdir -p "$v2/rtest/back"
trap clean_up EXIT

# It takes 16 MB more whenever it is told to.
python3 -c '
import mmap, signal
held = []
def take(size):
    held.append(mmap.mmap(-1, size))
    held[-1].madvise(mmap.MADV_NOHUGEPAGE)
    for i in range(0, size, 4096):
        held[-1][i] = 1
    print("taken", flush=True)
signal.signal(signal.SIGUSR1, lambda *_: take(16 << 20))
# Enough for a walk that can be caught in the middle.
take(min(int(open("/proc/meminfo").read().split()[7]) << 8, 1 << 30))
while True:
    signal.pause()' >"$tmp/taken" &
target=$!
await_target 120 taken "$tmp/taken"
echo "$target" >"$v2/rtest/back/cgroup.procs"

# rule LINE...: of the one rule there is.
rule()
{
	printf '%s\n' '[daemon]' 'on-exit = detach' '[rule it]' 'cgroup = /rtest/back' \
		'policy = caller' 'advice = cold' "$@" >"$config"
}

start()
{
	# What the one before said is not to be taken for it.
	rm -f "$tmp/out" "$tmp/err"
	pmadv daemon --config "$config" --json >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 20 grep -q 'at work' "$tmp/err"
}

walks()
{
	grep -c '"type":"walk"' "$tmp/out"
}

has_rounds()
{
	(($(grep -c '"type":"round"' "$tmp/out") >= $1))
}

# --- when it was walked, and how much it grew ---------------------------------
rule 'every = 1s'
start
wait_for 20 has_rounds 3
stop
[[ $(walks) == 3 ]]
result $? "without throttles it is walked in each round"
rule 'every = 1s' 'min-interval = 1h'
start
wait_for 20 has_rounds 3
stop
[[ $(walks) == 1 ]]
result $? "min-interval: not again before that"
rule 'every = 1s' 'min-interval = 2s'
start
wait_for 20 has_rounds 5
stop
(($(walks) == 2 || $(walks) == 3))
result $? "min-interval: but then"

rule 'every = 1s' 'rss-grew = 8M'
start
wait_for 20 has_rounds 3
before=$(walks)
kill -USR1 $target
wait_for 20 has_rounds 5
stop
out="$before walks, then $(walks); $out"
[[ $before == 1 && $(walks) == 2 ]]
result $? "rss-grew: again when it has grown"

# --- an end to a walk ------------------------------------------------------------
# Does the daemon have a pidfd of $target, as it has during a round?
in_round()
{
	local file line

	for file in "/proc/$job/fdinfo/"*; do
		while read -r line; do
			[[ $line != Pid:*[[:space:]]$target ]] || return 0
		done <"$file"
	done 2>/dev/null
	return 1
}

# step ROUNDS: let the daemon go on, a little at a time, until it is in the round after
# these, and leave it stopped. Fails if it was through that one before one could look.
step()
{
	local end=$((SECONDS + 20))

	until in_round; do
		has_rounds $(($1 + 1)) && return 1
		((SECONDS < end)) || return 1
		kill -CONT "$job"
		sleep 0.01
		kill -STOP "$job"
	done
}

# interrupted COMMAND...: which ends the walk of $target. It is run while the daemon is
# stopped in the middle of that; $ended_ms is how long the walk went on afterwards.
interrupted()
{
	local rounds=1 at line

	start
	wait_for 20 has_rounds 1 || return
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -STOP "$job"
		kill -HUP "$job"
		step $rounds && "$@"
		at=$EPOCHREALTIME
		kill -CONT "$job"
		rounds=$((rounds + 1))
		wait_for 20 has_rounds $rounds || break
		undo
		line=$(tail -n 3 "$tmp/out" | grep '"type":"left"') || continue
		# Else it had not begun.
		[[ $(tail -n 3 "$tmp/out" | grep '"type":"walk"') == *'"stopped":"signal"'* ]] ||
			continue
		ended_ms=$(awk -v at="$at" 'match($0, /"ts":[0-9.]+/) {
			printf "%d", (substr($0, RSTART + 5, RLENGTH - 5) - at) * 1000 + 0.5 }' \
			<<<"$line")
		stop
		return 0
	done
	kill -CONT "$job"
	stop
	ended_ms=never
	return 1
}

thaw()
{
	echo 0 >"$v2/rtest/back/cgroup.freeze"
}

undo()
{
	echo 1 >"$v2/rtest/back/cgroup.freeze"
	wait_for 10 grep -q 'frozen 1' "$v2/rtest/back/cgroup.events"
}

rule 'every = 1h' 'frozen = yes'
# shellcheck disable=SC2218 # this is the one above
undo
interrupted thaw
result $? "frozen: a thaw ends the walk"
echo "# ended $ended_ms ms after the thaw"
[[ $ended_ms != never && $ended_ms -lt 100 ]]
result $? "frozen: at once"
thaw

come_to_front()
{
	echo 0 >"/proc/$target/oom_score_adj"
	kill -USR1 "$job"
}

undo()
{
	echo 900 >"/proc/$target/oom_score_adj"
}

rule 'every = 1h' 'oom-score-adj = 200..1000'
undo
interrupted come_to_front
result $? "SIGUSR1: ends the walk of what came to the front"
echo "# ended $ended_ms ms after the signal"
[[ $ended_ms != never && $ended_ms -lt 100 ]]
result $? "SIGUSR1: at once"
start
wait_for 20 has_rounds 1
kill -USR1 "$job"
kill -HUP "$job"
wait_for 20 has_rounds 2 && kill -0 "$job"
result $? "SIGUSR1: changes nothing for what it matches"
stop TERM
[[ $status == 0 ]]
result $? "SIGTERM: ends it"
kill -0 $target
result $? "the target lives"
finish

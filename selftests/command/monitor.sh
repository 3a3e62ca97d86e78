#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv monitor: what it shows of the calls of others, and that no record
# disappears without being counted. Runs in the guest.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"

# start OPTION...: a monitor in the background, until it says that it watches.
start()
{
	# What the one before said is not to be taken for it.
	rm -f "$tmp/err"
	pmadv monitor "$@" >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 20 grep -q watching "$tmp/err"
}

# of NAME TYPE: of what the monitor printed; sum NAME TYPE: added up.
of()
{
	field "$1" "$2" "$tmp/out"
}

sum()
{
	of "$1" "$2" | add_up
}

walk()
{
	pmadv advise "$@" --json >"$tmp/walk"
}

# seen COUNT: of the last walk.
seen()
{
	field "$1" "" "$tmp/walk" | add_up
}

clean_up()
{
	pmadv detach --all >/dev/null 2>&1
	disown -a
	kill -KILL $target $job 2>/dev/null
	rm -rf "$tmp"
}
sleep 1000 &
target=$!
trap clean_up EXIT

# --- a line a range ----------------------------------------------------------
start --json
out=$(grep CapEff /proc/$job/status)
[[ $out =~ 0000000000000000$ ]]
result $? "watches without capabilities"
walk $target -a cold
stop
[[ $status == 0 && $(of start range | wc -l) == $(seen ranges_seen) &&
   $(seen ranges_seen) -gt 5 ]]
result $? "every range of a call is shown, until Ctrl-C"
[[ $(jq -r 'select(.type == "range" and (.schema != 1 or .pid != '$target' or
	.comm != "sleep" or .verdict != "cold")).start' "$tmp/out") == "" ]]
result $? "with process, name and verdict"
[[ $(sum scanned range) == $(seen scanned) ]]
result $? "the pages add up to what the call returned"
[[ $(of lost end) == 0 ]]
result $? "at the end the number of lost records, 0"

start
walk $target -a cold
stop
[[ $(head -n 1 "$tmp/out") == TIME*PROCESS*RANGE* &&
   $(grep -c " sleep/$target " "$tmp/out") == $(seen ranges_seen) ]]
result $? "the same as text"
grep -q '^pmadv monitor: 0 records lost' "$tmp/err"
result $? "the same for what was lost"

start --pid $target --json
walk $target $$ -a cold
stop
[[ $(of pid range | sort -u) == "$target" ]]
result $? "--pid: nothing of others"

start --count 3
walk $target -a cold
wait $job
status=$?
out="status $status: $(cat "$tmp/err" "$tmp/out")"
[[ $status == 0 && $(grep -c "sleep/$target" "$tmp/out") == 3 ]]
result $? "--count: so many lines, then it ends"

# Whoever calls, and with or without a policy.
start --json
"$dir/call" $target 20 2 >"$tmp/call" 2>&1
stop
[[ $(of pid range | sort -u) == "$target" ]]
result $? "shows calls of other programs"

pmadv attach noop --pin >/dev/null
start --json
walk $target --policy
stop
[[ $(of verdict range | sort -u)$(of outcome range | sort -u) == skipskipped ]]
result $? "shows verdicts of a policy that knows nothing of it"
pmadv detach noop >/dev/null

# --- a summary an interval ---------------------------------------------------
start --interval 0.5 --json
walk $target $$ -a cold
sleep 0.6
stop
[[ $(sum ranges_seen summary) == \
	$(seen ranges_seen) &&
   $(sum scanned summary) == $(seen scanned) &&
   $(sum calls summary) == 2 ]]
result $? "--interval: the summaries add up to what the calls returned"
start --interval 0.1 --count 2
wait $job
status=$?
out="status $status: $(cat "$tmp/err" "$tmp/out")"
[[ $status == 0 && $(grep -c '^ *CALLS' "$tmp/out") == 1 && $(wc -l <"$tmp/out") == 3 ]]
result $? "--interval --count: so many summaries below one heading"

# --- a full ring buffer ------------------------------------------------------
# It cannot read while it is stopped: one page of buffer has to overflow, and
# what was read and what was lost must be all there was.
start --buffer 4096 --json
kill -STOP $job
walk $target $$ $target $PPID -a cold
kill -CONT $job
stop
got=$(of start range | wc -l)
lost=$(of lost end)
out="read $got, lost $lost, seen $(seen ranges_seen); $out"
[[ $status == 0 ]] && ((lost > 0 && got > 0 && got + lost == $(seen ranges_seen)))
result $? "a full buffer: read and lost records are all that there were"
grep -q "warning.*$lost records lost so far" "$tmp/err"
result $? "a full buffer: and a warning says so"

start --buffer 4096
kill -STOP $job
walk $target $$ $PPID -a cold
kill -CONT $job
wait_for 10 grep -q 'records lost so far' "$tmp/err"
result $? "a full buffer: the warning comes while it watches"
walk $target -a cold
wait_for 10 test "$(tail -n 1 "$tmp/out" | wc -w)" -gt 5
result $? "a full buffer: it goes on afterwards"
stop

start --interval 60 --buffer 4096 --json
kill -STOP $job
walk $target $$ $PPID -a cold
kill -CONT $job
stop
got=$(($(sum ranges_seen summary) + $(sum calls summary)))
lost=$(of lost summary)
out="read $got, lost $lost; $out"
((got + lost == $(seen ranges_seen) + 3))
result $? "a full buffer: summaries count what was lost, too"

start --json
walk $target -a cold
stop
[[ $(of lost end) == 0 ]]
result $? "the default buffer is large enough for that"

# --- wrong input and wrong surroundings --------------------------------------
expect 2 'number of a process' "--pid: no process" pmadv monitor --pid 0
expect 2 'number of a process' "--pid: a name" pmadv monitor --pid sleep
expect 1 'there is no process 4194305' "--pid: one that is not there" pmadv monitor --pid 4194305
expect 2 'a time' "--interval: no time" pmadv monitor --interval often
expect 2 'more than 0' "--interval: never" pmadv monitor --interval 0
expect 2 'from 1' "--count: none" pmadv monitor --count 0
expect 2 'a size' "--buffer: no size" pmadv monitor --buffer huge
expect 2 'at most 1G' "--buffer: too large" pmadv monitor --buffer 4G
expect 2 'one operand too many' "an operand" pmadv monitor $target
expect 4 'no permission' "unprivileged" \
	setpriv --reuid 65534 --clear-groups pmadv monitor

mkdir "$tmp/future"
cp "$dir/objects/future.bpf.o" "$tmp/future/monitor.bpf.o"
export PMADV_POLICY_DIR=$tmp/future
start --json
walk $target -a cold
stop
newer='records of version 3, this pmadv reads version 2: install'
[[ $status == 1 && $out == *"$newer"* ]]
result $? "records of another version are refused"
expect 1 "$newer" "and by explain" pmadv explain $target
expect 1 "$newer" "and by run --ranges" \
	pmadv run noop $target --ranges
pmadv record --output "$tmp/newer.rec" >"$tmp/out" 2>"$tmp/err" &
job=$!
wait_for 20 grep -q recording "$tmp/err"
walk $target -a cold
wait $job
status=$?
out="status $status: $(cat "$tmp/err")"
[[ $status == 1 && $out == *"$newer"* ]]
result $? "and by record"
unset PMADV_POLICY_DIR

pmadv monitor 2>"$tmp/err" | true &
job=$!
wait_for 20 grep -q watching "$tmp/err"
walk $target -a cold
walk $target -a cold
wait_for 10 bash -c "! pgrep -x pmadv"
result $? "ends when its reader is gone"
out=$(cat "$tmp/err")
! grep -qi 'error\|cannot\|broken' "$tmp/err"
result $? "and says nothing about it"

finish

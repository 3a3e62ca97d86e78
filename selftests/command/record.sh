#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv record, and pmadv report of what it recorded: that it is what the calls
# returned, and what /proc said. Runs in the guest; the target is a redis-server.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
rec=$tmp/a.rec
redis=
cgroup=/sys/fs/cgroup/record_test

clean_up()
{
	disown -a
	# shellcheck disable=SC2086 # a word each
	kill -KILL $sleeper $redis $job 2>/dev/null
	rmdir $cgroup 2>/dev/null
	rm -rf "$tmp"
}
sleep 1000 &
sleeper=$!
trap clean_up EXIT

# start OPTION...: a recorder in the background, until it says that it records.
start()
{
	pmadv record --output "$rec" "$@" >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 20 grep -q recording "$tmp/err"
}

# report PART TYPE KEY: the values of it, a line each.
report()
{
	out=$(pmadv report "$rec" --show "$1" --json)
	field "$3" "$2"
}

start_redis 10
mkdir -p $cgroup
echo "$redis" >$cgroup/cgroup.procs

umask 0
start
out=$(grep CapEff /proc/$job/status)
# Only SYS_PTRACE.
[[ $out =~ 0000000000080000$ ]]
result $? "record: keeps the one capability it needs"
run pmadv advise "$redis" $sleeper -a pageout --json
walks=$out
redis-cli -s "$tmp/redis" ping >/dev/null
before=$(awk '{ print $12 }' "/proc/$redis/stat")
sleep 2.2
swapped=$(swapped "$redis")
stop
[[ $status == 0 && $out == *" 2 targets, 2 calls,"*" 0 records lost"* ]]
result $? "record: until Ctrl-C, and says what it has"
[[ $(stat -c %a "$rec") == 600 ]]
result $? "record: for its owner only, whatever the umask"

out=$walks
seen=$(field ranges_seen walk | add_up)
reclaimed=$(field reclaimed walk | add_up)
[[ $(report summary summary ranges_seen) == "$seen" && $seen -gt 20 ]]
result $? "report: all ranges that were seen"
[[ $(report summary summary reclaimed) == "$reclaimed" && $reclaimed -gt 1000000 ]]
result $? "report: all bytes that were reclaimed"
[[ $(report summary summary record) == complete ]]
result $? "report: the record is complete"
[[ $(report targets target pid | tr '\n' ' ') == "$redis $sleeper " ]]
result $? "report: the targets, most reclaimed first"
[[ $(report targets target cgroup | tr '\n' ' ') == "/record_test / " ]]
result $? "report: and their cgroups"
[[ $(report targets target swapped_last | head -n 1) == $((swapped * 1024)) ]]
result $? "report: what is swapped, as /proc has it"
faults=$(report targets target major_faults | head -n 1)
out="faults $faults, /proc/PID/stat had $before"
[[ $faults == [0-9]* ]] && ((faults <= before))
result $? "report: how often it had to wait for a page"
[[ $(report time time reclaimed | add_up) == "$reclaimed" ]]
result $? "report: savings over time add up"
[[ $(report latency latency calls | add_up) == 2 &&
   $(report latency latency ranges | add_up) == "$seen" ]]
result $? "report: so do the latencies"
[[ $(report verdicts verdict ranges | add_up) == "$seen" ]]
result $? "report: and the verdicts"
report ranges range name >"$tmp/names"
out=$(cat "$tmp/names")
grep -q '\[stack\]' "$tmp/names" && grep -q 'libc.so' "$tmp/names"
result $? "report: ranges have the names of their mappings"
expect 0 "^redis-server \\($redis\\), .* of addresses" "report: a heatmap" \
	pmadv report "$rec" --show heatmap

start --pid $sleeper --duration 6
pmadv advise "$redis" $sleeper -a cold >/dev/null
wait $job
status=$?
out="status $status: $(cat "$tmp/err" "$tmp/out")"
[[ $status == 0 && $(report targets target pid) == "$sleeper" ]]
result $? "record --pid --duration: only that, only so long, to the same file"

start
pmadv advise $sleeper -a cold >/dev/null
wait_for 10 bash -c "pmadv report '$rec' --show summary 2>/dev/null | grep -q '^calls *1$'"
result $? "report: while it is being written"
stop KILL
expect 0 '^record +not ended' "report: of a recorder that was killed" \
	pmadv report "$rec" --show summary

expect 1 'exists and is not a recording' "record: does not replace other files" \
	pmadv record --output /etc/passwd
expect 1 'No such file' "record: no such folder" pmadv record --output "$tmp/no/where"
expect 2 'more than 0' "record --duration: none" pmadv record --duration 0
expect 2 'at most 1G' "record --buffer: too large" pmadv record --buffer 4G
expect 4 'no permission' "record: unprivileged" \
	setpriv --reuid 65534 --clear-groups pmadv record --output "$tmp/b.rec"
mount -t tmpfs -o size=8k small "$(mkdir "$tmp/small" && echo "$tmp/small")"
rec=$tmp/small/a.rec
start
for _ in 1 2 3 4 5 6; do
	pmadv advise "$redis" -a cold >/dev/null
done
wait $job
status=$?
out="status $status: $(cat "$tmp/err")"
[[ $status == 1 && $out == *"No space left"* ]]
result $? "record: a full disk ends it"
expect 0 '^calls +[1-9]|^calls +0' "record: and what was written before can be read" \
	pmadv report "$rec" --show summary
umount "$tmp/small"

finish

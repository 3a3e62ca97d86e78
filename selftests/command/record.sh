#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv record, and pmadv report of what it recorded: that it is what the calls
# returned, and what /proc said. Runs in the guest; the target is a redis-server.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
rec=$tmp/a.rec
redis=
many=
parent=
daemon=
cgroup=/sys/fs/cgroup/record_test

clean_up()
{
	disown -a
	# shellcheck disable=SC2086 # a word each
	kill -KILL $sleeper $redis $job $many $parent $daemon 2>/dev/null
	rmdir $cgroup 2>/dev/null
	rm -rf "$tmp"
}
sleep 1000 &
sleeper=$!
trap clean_up EXIT

# start OPTION...: a recorder in the background, until it says that it records.
start()
{
	# What the one before said is not to be taken for it.
	rm -f "$tmp/err"
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
expect 1 'there is no process 4194305' "record --pid: one that is not there" \
	pmadv record --pid 4194305 --output "$tmp/b.rec"
[[ ! -e $tmp/b.rec ]]
result $? "and records nothing"
expect 4 'no permission' "record: unprivileged" \
	setpriv --reuid 65534 --clear-groups pmadv record --output "$tmp/b.rec"

# ---- in several files ------------------------------------------------------

expect 2 'Give --max-size or --max-time' "record --max-files: of what" \
	pmadv record --max-files 2
expect 2 'at least 1M' "record --max-size: too little" pmadv record --max-size 1023K
mkdir -m 755 "$tmp/theirs"
chown 65534 "$tmp/theirs"
run pmadv record --max-time 1 --duration 1 --output "$tmp/theirs/a.rec"
[[ $status == 4 && $out == *"no more files can be made there"* &&
   ! -e $tmp/theirs/a.rec ]]
result $? "record --max-time: where it may not make files it makes none"

# summed KEY FILE...: what is in the summaries of these, together.
summed()
{
	local key=$1 file

	shift
	for file in "$@"; do
		field "$key" summary <(pmadv report "$file" --show summary --json)
	done | add_up
}

# complete FILE...: each of them is, and can be read alone.
complete()
{
	local file

	for file in "$@"; do
		[[ $(pmadv report "$file" --show summary 2>&1) =~ record\ +complete ]] || return
	done
}

mkdir "$tmp/turn"
rec=$tmp/turn/a.rec
start --max-time 1
for _ in 1 2 3 4; do
	pmadv advise $sleeper -a cold >/dev/null
	sleep 1.1
done
stop
told=$out
files=("$rec" "$rec".2*)
out="$told; $(ls -l "$tmp/turn")"
((${#files[@]} >= 4)) && [[ $status == 0 && $told == *" in ${#files[@]} files, "* ]] &&
	complete "${files[@]}" && [[ $(summed calls "${files[@]}") == 4 ]]
result $? "record --max-time: a file after the other, all calls are in one of them"

rm "${files[@]}"
echo theirs >"$rec.2000010100000000"
start --max-time 1 --max-files 2
sleep 5
stop
files=("$rec".2*)
out="$out; $(ls -l "$tmp/turn")"
[[ ${#files[@]} == 2 && ${files[0]} == *.2000010100000000 &&
   $(<"${files[0]}") == theirs ]] && complete "${files[1]}" "$rec"
result $? "record --max-files: the oldest go, what it has not made stays"

# Tens of thousands of mappings, as no two neighbours have the same rights.
perl -e 'syscall(9, 0, 4096, $_ & 1 ? 1 : 3, 0x22, -1, 0) for 1..30000; print "\n"; sleep 1000' \
	>"$tmp/mapped" &
many=$!
wait_for 20 test -s "$tmp/mapped"
rm -f "$rec"*
start --max-size 1M --buffer 64M
seen=0
for _ in 1 2 3 4 5 6; do
	out=$(pmadv advise $many -a cold --json)
	seen=$((seen + $(field ranges_seen walk)))
	sleep 0.5
done
stop
kill -KILL $many
files=("$rec" "$rec".2*)
out="$out; $seen ranges, $(summed ranges_seen "${files[@]}") in files; $(ls -l "$tmp/turn")"
((${#files[@]} > 1)) && complete "${files[@]}" &&
	[[ $(summed ranges_seen "${files[@]}") == "$seen" ]]
result $? "record --max-size: no range is lost between two files"
wrong=0
for size in $(stat -c %s "$rec".2*); do
	((size >= 1 << 20 && size < 3 << 19)) || wrong=1
done
result $wrong "record --max-size: files have that size"

# ---- children --------------------------------------------------------------

rec=$tmp/a.rec
expect 2 'Give --pid, too' "record --children: of whom" pmadv record --children
# One that starts a process that starts another, at once and when told to.
cat >"$tmp/family" <<'END'
start() { bash -c "sleep 1000 & echo \$! >$1; wait" & }
cd "$1"
start early
trap 'start late' USR1
while :; do sleep 0.1; done
END
bash "$tmp/family" "$tmp" &
parent=$!
wait_for 20 test -s "$tmp/early"
start --pid $parent --children
kill -USR1 $parent
wait_for 20 test -s "$tmp/late"
early=$(<"$tmp/early")
late=$(<"$tmp/late")
pmadv advise $parent "$early" "$late" $sleeper -a cold >/dev/null
stop
targets=$(report targets target pid | sort -n | xargs)
out="$out; targets $targets, not $parent $early $late; stranger $sleeper"
[[ $status == 0 &&
   $targets == "$(printf '%s\n' $parent "$early" "$late" | sort -n | xargs)" ]]
result $? "record --children: grandchildren from before and of later, and no strangers"

start --pid $parent
pmadv advise $parent "$early" "$late" -a cold >/dev/null
stop
[[ $(report targets target pid) == "$parent" ]]
result $? "record --pid: without --children not those"
kill -KILL "$early" "$late" $parent

# ---- the daemon's ----------------------------------------------------------

expect 2 'one of them' "record --daemon: not of one process" \
	pmadv record --daemon --pid $sleeper
expect 1 'no pmadv daemon is running' "record --daemon: without one" \
	pmadv record --daemon
cat >"$tmp/conf" <<END
[daemon]
on-exit = detach
[rule redis]
cgroup = /record_test
policy = background_app
every = 1s
END
pmadv daemon --config "$tmp/conf" >"$tmp/rounds" 2>"$tmp/daemon_err" &
daemon=$!
wait_for 20 grep -q . "$tmp/rounds"
start --daemon
pmadv advise $sleeper -a cold >/dev/null
wait_for 20 bash -c "pmadv report '$rec' --show summary 2>/dev/null | grep -q '^calls *[1-9]'"
kill -INT $daemon
wait $daemon
wait_for 20 grep -q 'daemon has ended' "$tmp/err"
stop
out="$out; $(cat "$tmp/daemon_err"); targets $(report targets target pid | xargs)"
[[ $status == 0 && $out == *"the daemon has ended: nothing more to record"* &&
   $(report targets target pid) == "$redis" ]]
result $? "record --daemon: what it does, nothing else, until it ends"

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

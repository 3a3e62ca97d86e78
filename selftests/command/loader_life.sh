#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The life of the pmadv command: killed at each system call that changes something,
# with another one beside it, and what it keeps of its capabilities. Runs in the
# guest; the target is a redis-server.

# It starts pmadv so often that sanitizers would take minutes.
plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
bpffs=/sys/fs/bpf
cgroup=/sys/fs/cgroup/life
config=$tmp/pmadv.conf
rec=$tmp/a.rec
prom=$tmp/collector/pmadv.prom
manual=$(dirname "$0")/../../loader/man
redis=

# shellcheck disable=SC2317 # called by a trap
clean_up()
{
	local jobs

	jobs=$(jobs -p)
	disown -a
	# shellcheck disable=SC2086 # a word each
	kill -KILL $jobs $redis 2>/dev/null
	pmadv detach --all >/dev/null 2>&1
	rmdir $cgroup/inside $cgroup $bpffs/pmadv/daemon 2>/dev/null
	rm -rf "$tmp"
}
trap clean_up EXIT

# --- what the kernel says ----------------------------------------------------

# agree: does `pmadv list` show what sysfs and bpffs have, and nothing else?
agree()
{
	local policies listed pins

	policies=$(cd $sysfs/policies && for id in [0-9]*; do
		[[ -d $id ]] && echo "$(<"$id/link_id") $(<"$id/name")"
	done | sort)
	run pmadv list --json
	pins=$(field pin policy | grep -v null | sort)
	out=$(grep '"in force"' <<<"$out")
	listed=$(paste -d' ' <(field link_id) <(field policy) | grep . | sort)
	out="listed: $listed; pins $pins. There are: $policies; pins $(find $bpffs -type f)"
	[[ $status == 0 && $listed == "$policies" && $pins == "$(find $bpffs -type f | sort)" ]]
}

nothing_left()
{
	none_in_force && [[ -z $(find $bpffs -type f) ]]
}

# --- at which moment ---------------------------------------------------------
# at NUMBER SIGNAL: words to put before a command, in $at, so that it gets the signal
# before the so many-th thing that others see: see kill_point.c.
at()
{
	at=(env LD_PRELOAD="$dir/kill_point.so" KILL_POINT="$1" KILL_SIGNAL="$(kill -l "$2")")
}

# stopped JOB: by such a signal; go_on JOB: its status in $status.
stopped()
{
	wait_for 30 grep -q '^State:.*stopped' "/proc/$1/status"
}

go_on()
{
	kill -CONT "$1"
	wait "$1"
	status=$?
}

# each_moment MOMENTS CHECK LIFE: the function LIFE runs a command behind the words it
# is given. That is killed before each thing others see, of which there are at least so
# many, and CHECK must hold.
each_moment()
{
	local least=$1 check=$2 life=$3 bad="" moment

	for ((moment = 1; ; moment++)); do
		at $moment KILL
		$life "${at[@]}" >/dev/null 2>&1
		status=$?
		[[ $status == 137 ]] || break
		# What it held, the kernel may release a moment later.
		$check || wait_for 3 $check || bad+="killed at moment $moment: $out
"
	done
	out="the last of $moment ended with $status
$bad"
	[[ -z $bad && $status == 0 ]] && ((moment > least))
}

if ! command -v redis-server >/dev/null; then
	skip "all" "no redis-server: apt-get install redis-server"
	finish
fi
start_redis 8
digest=$(digest)
mkdir -p $cgroup "$tmp/collector"
echo "$redis" >$cgroup/cgroup.procs

# --- killed ------------------------------------------------------------------
# Without the help of what is tested.
clear_away()
{
	echo 1 >$sysfs/detach_all
	find $bpffs -type f -delete
}

# shellcheck disable=SC2317 # the lives and checks are called by each_moment
attach_life()
{
	clear_away
	"$@" pmadv attach noop --pin
}
each_moment 2 agree attach_life
result $? "kill -9: attach --pin: list shows what there is"

# shellcheck disable=SC2317
detach_life()
{
	pmadv attach noop --pin
	"$@" pmadv detach noop
}
each_moment 3 agree detach_life
result $? "kill -9: detach: list shows what there is, and attach goes on from there"

rules()
{
	printf '%s\n' '[daemon]' 'on-exit = detach' '[rule it]' 'cgroup = /life' \
		'policy = cold_pages' 'free-under = 1M' "set = max_young_pct=$1" >"$config"
}

# until_said PATTERN JOB: or until that has ended.
until_said()
{
	until grep -q -- "$1" "$tmp/err"; do
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
}

# At work, with other rules, and to its end; behind some words with a clean start.
# shellcheck disable=SC2120 # each_moment passes some
daemon_life()
{
	local life

	(($#)) && clear_away
	rules 1
	: >"$tmp/err"
	"$@" pmadv daemon --config "$config" >"$tmp/out" 2>"$tmp/err" &
	life=$!
	until_said 'at work' $life && rules 2 && kill -HUP $life &&
		until_said 'in place of' $life
	kill -TERM $life
	wait $life
}

# The next one takes over what there is.
# shellcheck disable=SC2317
agree_and_again()
{
	agree || return
	daemon_life
	nothing_left || out="left by the next daemon: $(pmadv list 2>&1)"
	nothing_left
}
each_moment 6 agree_and_again daemon_life
result $? "kill -9: daemon: list shows what there is, and the next one takes over"

# shellcheck disable=SC2317
record_life()
{
	"$@" pmadv record --output "$rec" --duration 0.05
}
# shellcheck disable=SC2317
readable()
{
	run pmadv report "$rec" --show summary
	[[ $status == 0 || $out == *"is empty"* || $out == *"No such file"* ]]
}
each_moment 5 readable record_life
result $? "kill -9: record: what is there can be read, and be replaced"

pmadv attach noop --pin >/dev/null
pmadv metrics --output "$prom"
# shellcheck disable=SC2317
metrics_life()
{
	"$@" pmadv metrics --output "$prom"
}
# shellcheck disable=SC2317
whole()
{
	out=$(tail -n 1 "$prom"; ls "$tmp/collector")
	[[ $(tail -n 1 "$prom") == "# EOF" && $(ls "$tmp"/collector/*.prom) == "$prom" ]]
}
each_moment 2 whole metrics_life
result $? "kill -9: metrics: the file is whole"
pmadv detach noop >/dev/null

for verb in "monitor" "run background_app $redis --every 0.01 --ranges"; do
	# shellcheck disable=SC2086 # words
	pmadv $verb >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 20 grep -q 'Ctrl-C' "$tmp/err"
	[[ $verb == run* ]] && wait_for 20 grep -q redis "$tmp/out"
	stop KILL
	wait_for 5 nothing_left && agree
	result $? "kill -9: ${verb%% *}: leaves nothing in force"
done
out=$(bpftool link show)
[[ -z $out ]]
result $? "kill -9: no link is left of all this"

# --- two at once -------------------------------------------------------------
# one_ends FIRST SECOND: its status in $status, none if both go on; $job is the other.
one_ends()
{
	local ended=$1

	wait_for 60 eval "! kill -0 $1 || ! kill -0 $2"
	kill -0 "$1" 2>/dev/null && ended=$2
	job=$(($1 + $2 - ended))
	status=none
	kill -0 "$ended" 2>/dev/null && return
	wait "$ended"
	status=$?
}

pmadv attach noop --pin >"$tmp/noop" 2>&1 &
first=$!
pmadv attach background_app --pin >"$tmp/background_app" 2>&1 &
wait $!
second=$?
wait $first
first=$?
names=(noop background_app)
winner=${names[first]} loser=${names[second]}
out="noop: $first, background_app: $second; $(cat "$tmp/noop" "$tmp/background_app")"
[[ $((first + second)) == 1 ]] && in_force "$winner" && ! in_force "$loser" &&
	grep -q "policy $winner is in force there already.*pmadv detach $winner" "$tmp/$loser"
result $? "attach and attach: one is in force, the other says which"
agree
result $? "attach and attach: list shows it"
pmadv detach --all >/dev/null

at 1 STOP
"${at[@]}" pmadv attach noop --pin >"$tmp/out" 2>&1 &
job=$!
stopped $job
in_force noop && pmadv detach noop >/dev/null
detached=$?
go_on $job
out="detach: $detached, attach: $status: $(cat "$tmp/out")"
[[ $detached == 0 && $status == 1 ]] && nothing_left &&
	grep -q 'somebody else detached policy noop' "$tmp/out"
result $? "detach between attach and its pin: attach says so, and leaves no pin"

"${at[@]}" pmadv attach noop --pin >"$tmp/out" 2>&1 &
attaching=$!
stopped $attaching
# It has looked for pins, and has the link.
"${at[@]}" pmadv detach noop >"$tmp/err" 2>&1 &
job=$!
stopped $job
go_on $attaching
attached=$status
in_force noop && [[ -e $bpffs/pmadv/noop ]]
between=$?
go_on $job
out="attach: $attached, pinned: $between, detach: $status: $(cat "$tmp/out" "$tmp/err")"
[[ $attached == 0 && $between == 0 && $status == 0 ]] && nothing_left
result $? "pinned while detach is at it: the pin is removed, too"

rules 1
pmadv daemon --config "$config" >/dev/null 2>"$tmp/first" &
first=$!
pmadv daemon --config "$config" >/dev/null 2>"$tmp/second" &
second=$!
one_ends $first $second
wait_for 20 grep -q 'at work' "$tmp/first" "$tmp/second"
out="daemons $first and $second, one ended with $status: $(cat "$tmp/first" "$tmp/second")"
[[ $status == 1 ]] && in_force cold_pages &&
	grep -hq "another pmadv daemon is running (process $job): one is enough" \
		"$tmp/first" "$tmp/second"
result $? "daemon and daemon: one works, the other says which"
expect 1 'policy cold_pages is in force there already .scope: /life.: .*detach cold_pages' \
	"daemon and attach: attach says what is there" pmadv attach noop --cgroup /life
stop TERM
[[ $status == 0 ]] && nothing_left
result $? "daemon and daemon: nothing is left at the end"

rm -f "$rec"
pmadv record --output "$rec" >/dev/null 2>"$tmp/first" &
first=$!
pmadv record --output "$rec" >/dev/null 2>"$tmp/second" &
second=$!
one_ends $first $second
wait_for 20 grep -q recording "$tmp/first" "$tmp/second"
out="records $first and $second, one ended with $status: $(cat "$tmp/first" "$tmp/second")"
[[ $status == 1 ]] &&
	grep -hqE "another pmadv( .process $job.)? is writing $rec" "$tmp/first" "$tmp/second"
result $? "record and record: to one file: one works, the other says so"
expect 1 "another pmadv .process $job. is writing $rec: end it first, or name" \
	"record and record: it names whoever has the file" pmadv record --output "$rec"

# While that is still recording.
pmadv monitor --json >"$tmp/out.1" 2>"$tmp/err.1" &
first=$!
pmadv monitor --json >"$tmp/out.2" 2>"$tmp/err.2" &
second=$!
wait_for 30 grep -q watching "$tmp/err.1" && wait_for 30 grep -q watching "$tmp/err.2"
run pmadv advise "$redis" -a pageout --json
seen=$(field ranges_seen walk)
kill -INT $first $second
wait $first $second
ranges=$(grep -c '"type":"range"' "$tmp/out.1") more=$(grep -c '"type":"range"' "$tmp/out.2")
out="seen $seen, monitors $ranges and $more"
[[ $seen -gt 5 && $ranges == "$seen" && $more == "$seen" ]]
result $? "monitor and monitor: each shows all ranges"
stop
run pmadv report "$rec" --show summary --json
[[ $(field record) == complete && $(field calls) == 1 && $(field ranges_seen) == "$seen" ]]
result $? "record and record: the one that works has all ranges, too"

# --- capabilities ------------------------------------------------------------
# keeps SET VERB...: what is said is what the kernel says; and the manual.
keeps()
{
	local want=$1 said pid prm name ok=0

	shift
	: >"$tmp/err"	# not what the verb before said
	if [[ $1 == top ]]; then
		script -qfc "exec pmadv $*" "$tmp/err" <>"$tmp/keys" >/dev/null &
	else
		setpriv --inh-caps +all --ambient-caps +all "$build/pmadv" "$@" \
			>"$tmp/out" 2>"$tmp/err" &
	fi
	job=$!
	wait_for 30 grep -q 'capabilities kept: ' "$tmp/err"
	said=$(sed -n 's/.*capabilities kept: \([a-z_, ]*\).*/\1/p' "$tmp/err")
	pid=$job
	[[ $1 == top ]] && pid=$(pgrep -x pmadv)
	prm=$(sed -n 's/^CapPrm:\t//p' "/proc/$pid/status")
	out="$said; $(grep -E '^(Cap|NoNew)' "/proc/$pid/status")"
	[[ $said == "$want" && $out == *"CapEff:	$prm"* && $out == *"NoNewPrivs:	1"* &&
	   $out =~ CapInh:.0+$'\n' && $out =~ CapAmb:.0+$'\n' ]] || ok=1
	[[ $(capsh --decode="$prm" | sed 's/.*=//; s/cap_//g; s/,/, /g') == \
		"${said/#none/}" ]] || ok=1
	for name in ${said//, / }; do
		[[ $name == none ]] || grep -qi "cap_$name" "$manual/$1.rst" || ok=1
	done
	kill -INT "$pid"
	wait $job
	result $ok "$1: keeps and says: $want"
}
mkfifo "$tmp/keys"
keeps none attach noop
keeps none monitor
keeps "dac_override" metrics --interval 100 --output "$prom"
keeps "sys_ptrace" record --output "$rec"
keeps sys_admin top
advising="dac_override, dac_read_search, fowner, sys_ptrace, sys_nice"
keeps "$advising" run noop "$redis" --every 100
keeps "${advising}, sys_resource, perfmon, bpf" daemon --config "$config"

# --- in a container, with its target outside ---------------------------------
mkdir -p $cgroup/inside
pmadv attach noop --pin >/dev/null
pmadv attach background_app --cgroup $cgroup --pin >/dev/null
cat >"$tmp/inside" <<'END'
echo $$ >/sys/fs/cgroup/life/inside/cgroup.procs
exec unshare --cgroup --mount \
	sh -c 'umount -l /sys/fs/cgroup; mount -t cgroup2 inside /sys/fs/cgroup; exec pmadv "$@"' sh "$@"
END
expect 0 "redis-server \\($redis\\): policy [?] decides" \
	"a container: explain takes no other policy for that of a cgroup outside" \
	bash "$tmp/inside" explain "$redis"
expect 0 'background_app cgroup [0-9]+ .removed, or outside of this cgroup namespace.' \
	"a container: list does not say that a cgroup outside is gone" \
	bash "$tmp/inside" list

# The host's mount is still there: paths in the namespace do not lead anywhere in it.
sed -i 's/umount -l.*inside .sys.fs.cgroup; //' "$tmp/inside"
sleep 300 &
sleeper=$!
echo $sleeper >$cgroup/inside/cgroup.procs
expect 0 "sleep \\($sleeper\\): policy [?] decides" \
	"a container with the host's mount: explain does not take its root for the host's" \
	bash "$tmp/inside" explain $sleeper
kill $sleeper
wait $sleeper 2>/dev/null
pmadv detach --all >/dev/null

nothing_left
result $? "nothing is left"
run digest
[[ -n $digest && $out == "$digest" ]]
result $? "redis: still answers with the same data"

finish

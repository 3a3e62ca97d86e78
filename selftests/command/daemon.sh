#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv daemon on a redis-server and other processes: rules, schedules, budgets,
# back-off, reload, and every way to end and start again. Runs in the guest.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
cgroups=/sys/fs/cgroup
pins=/sys/fs/bpf/pmadv/daemon
config=$tmp/pmadv.conf
unit=$build/loader/pmadv.service
redis=

clean_up()
{
	disown -a
	[[ -n $job ]] && kill -KILL "$job" 2>/dev/null
	pmadv detach --all >/dev/null 2>&1
	[[ -n $redis ]] && kill -KILL "$redis" 2>/dev/null
	kill -KILL $sleeper $spinner 2>/dev/null
	sleep 0.2
	rmdir $cgroups/dtest/* $cgroups/dtest $pins 2>/dev/null
	rm -rf "$tmp"
}
cp "$(command -v sleep)" "$tmp/dsleeper"
"$tmp/dsleeper" 1000 &
sleeper=$!
spinner=
trap clean_up EXIT

# rules TEXT: is the configuration.
rules()
{
	printf '%s\n' "$1" >"$config"
}

# page_out LINES: the rule does it to redis, with these lines.
page_out()
{
	rules "[daemon]
on-exit = detach
[rule redis]
cgroup = /dtest/a
policy = background_app
every = 1s
$1"
}

# start [WRAPPER...]: a daemon, until it is at work.
start()
{
	# What the one before said is not to be taken for it.
	rm -f "$tmp/err"
	"$@" pmadv daemon --config "$config" --json >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 20 grep -q 'at work' "$tmp/err"
}

said()
{
	out=$(cat "$tmp/err" "$tmp/out")
	grep -qE -- "$1" <<<"$out"
}

# until_said SECONDS PATTERN
until_said()
{
	wait_for "$1" grep -qE -- "$2" "$tmp/err" "$tmp/out"
	local found=$?
	out=$(tail -n 30 "$tmp/err" "$tmp/out")
	return $found
}

link_of()
{
	grep -lsx "$1" $sysfs/policies/*/name | sed 's,name$,link_id,' | xargs -r cat
}

# --- the configuration -------------------------------------------------------
rules '[rule a]
policy = nope'
expect 2 'pmadv.conf:1: rule a: its policy nope cannot be used' \
	"--check-config: no such policy" pmadv daemon -C -c "$config"
rules '[rule a]
policy = background_app
set = min_bytes=lots'
expect 2 'not a number' "--check-config: no such knob" pmadv daemon -C -c "$config"
expect 1 'No such file' "no such file" pmadv daemon --config /nowhere
sed 's/^#\([^ ]\)/\1/' "$(dirname "$0")/../../loader/contrib/pmadv.conf" >"$config"
expect 0 'nothing wrong with its 4 rules' "the example is right" pmadv daemon -C -c "$config"
chmod 755 "$tmp"
expect 4 'no permission' "unprivileged" setpriv --reuid 65534 --clear-groups \
	pmadv daemon --config "$config"
none_in_force
result $? "nothing is in force after that"

# --- rules, and what the service is allowed ----------------------------------
mkdir -p $cgroups/dtest/{a,b}
echo +memory >$cgroups/cgroup.subtree_control
echo +memory >$cgroups/dtest/cgroup.subtree_control
if ! command -v redis-server >/dev/null; then
	skip "all the rest" "no redis-server: apt-get install redis-server"
	finish
fi
# In its cgroup from the start: memory is accounted to where it was first used.
echo $$ >$cgroups/dtest/a/cgroup.procs
start_redis 24
echo $$ >$cgroups/cgroup.procs
digest=$(digest)
echo $sleeper >$cgroups/dtest/b/cgroup.procs

caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | sed 's/CAP_/+/g; s/ /,/g')
rules '[rule background]
cgroup = /dtest/a
policy = background_app
every = 1s
[rule sleepers]
cgroup = /dtest/[b-z]
command = dsl*
policy = noop
every = 1s'
start setpriv --bounding-set "-all,${caps,,}" --inh-caps "-all,${caps,,}"
in_force background_app && in_force noop
result $? "two rules: their policies are in force, with the capabilities of the unit"
until_said 10 '"type":"round".*"rule":"background"' &&
	grep -q "\"pid\":$redis.*\"rule\":\"background\"" "$tmp/out"
result $? "two rules: the one walks redis"
until_said 10 "\"pid\":$sleeper.*\"rule\":\"sleepers\""
result $? "two rules: the other walks the sleeper"
out="resident $(resident "$redis"), swapped $(swapped "$redis")"
(($(swapped "$redis") > 18000))
result $? "redis: is paged out"
out=$(grep -h CapEff "/proc/$job/status")
[[ $out == *000000c00188000e ]]
result $? "keeps the capabilities it needs, and no other"
[[ -z $(find "/proc/$job/fd" -lname 'socket:*') ]]
result $? "has no socket"
expect 1 'another pmadv daemon is running' "a second one" pmadv daemon --config "$config"

# --- reload ------------------------------------------------------------------
kept=$(link_of noop) changed=$(link_of background_app)
calls=$(cat $sysfs/policies/*/calls | add_up)
sed -i 's/^\(policy = background_app\)/\1\nset = min_bytes=128K/' "$config"
kill -HUP "$job"
until_said 10 'read again: 2 rules' && until_said 10 'in place of what was'
result $? "SIGHUP: a rule that was changed has its policy replaced"
out="$kept $changed; $(link_of noop) $(link_of background_app)"
[[ $(link_of noop) == "$kept" && $(link_of background_app) == "$changed" ]]
result $? "SIGHUP: the links are what they were"
out=$(pmadv list --json)
[[ $(field policy | sort | tr '\n' ' ') == "background_app noop " &&
   $(grep '"policy":"noop"' <<<"$out" | jq .calls) -gt 0 && $calls -gt 0 ]]
result $? "SIGHUP: one that was not keeps its counters"
rules '[rule broken'
kill -HUP "$job"
until_said 10 'is not used: the rules stay' && until_said 1 'pmadv.conf:1: the \] is missing'
result $? "SIGHUP: a file with mistakes is not used"
in_force background_app && in_force noop && kill -0 "$job"
result $? "SIGHUP: and changes nothing"
pmadv detach noop >/dev/null
until_said 10 'somebody else detached policy noop'
kill -HUP "$job"
wait_for 10 in_force noop
result $? "SIGHUP: but what was detached is in force again"
kept=$(link_of noop)

# --- killed, started again ---------------------------------------------------
rules '[daemon]
on-exit = detach
[rule background]
cgroup = /dtest/a
policy = background_app
set = min_bytes=128K
every = 1h
[rule sleepers]
cgroup = /dtest/b
policy = noop
every = 1h'
stop KILL
in_force background_app && in_force noop && [[ $(ls $pins | wc -l) == 2 ]]
result $? "kill -9: the policies stay in force"
before=$(cat $sysfs/policies/*/link_id)
start
out=$(cat "$tmp/err")
[[ $(cat $sysfs/policies/*/link_id) == "$before" && $(link_of noop) == "$kept" &&
   $(grep -c 'found policy' "$tmp/err") == 2 && $out != *"in place of"* ]]
result $? "started again: finds them, and leaves them as they are"
stop TERM
[[ $status == 0 ]] && none_in_force && [[ -z $(ls $pins) ]]
result $? "SIGTERM: detaches, as configured"
sed -i 's/detach/leave/' "$config"
start
stop TERM
[[ $status == 0 ]] && in_force background_app && in_force noop
result $? "SIGTERM: leaves them, as configured"
rules '[rule sleepers]
cgroup = /dtest/b
policy = noop
every = 1h'
start
! in_force background_app && in_force noop
result $? "started with fewer rules: takes out what none wants"
pmadv detach noop >/dev/null
pmadv attach noop --cgroup /dtest/b --pin >/dev/null
kill -HUP "$job"
until_said 10 'policy noop is in force there already'
result $? "a policy of somebody else is left alone"
stop
in_force noop
result $? "and stays when the daemon ends"
pmadv detach --all >/dev/null

# --- cgroups that come and go ------------------------------------------------
rules '[rule all]
cgroup = /dtest/*
policy = noop
every = 1s'
start
mkdir $cgroups/dtest/c
until_said 10 '/dtest/c' && [[ $(grep -lsx noop $sysfs/policies/*/name | wc -l) == 3 ]]
result $? "a cgroup that comes gets the policy"
rmdir $cgroups/dtest/c
wait_for 10 test "$(ls $pins | wc -l)" == 2 || wait_for 5 bash -c "(( \$(ls $pins | wc -l) == 2 ))"
! said 'somebody else' && kill -0 "$job"
result $? "one that goes is forgotten"
pmadv detach noop --cgroup /dtest/b >/dev/null
until_said 10 'somebody else detached policy noop'
result $? "a policy that somebody detaches: says so"
stop
pmadv detach --all >/dev/null

# --- which processes ---------------------------------------------------------
# One round of a rule with these lines; $walked is whom it walked.
walked_by()
{
	rules "[daemon]
on-exit = detach
[rule it]
policy = noop
every = 1h
$1"
	start
	until_said 10 '"type":"round"'
	stop
	walked=$(field pid walk | sort -u | tr '\n' ' ')
	out="walked $walked; redis is $redis, the sleeper $sleeper; $out"
}
echo 300 >/proc/$sleeper/oom_score_adj
walked_by "command = redis-*"
[[ $walked == "$redis " ]]
result $? "command: a pattern"
walked_by "cgroup = /dtest
oom-score-adj = 200..400"
[[ $walked == "$sleeper " ]]
result $? "oom-score-adj"
walked_by "cgroup = /dtest
rss-above = 16M"
[[ $walked == "" ]]
result $? "rss-above: nobody is so large, now"
digest >/dev/null
walked_by "cgroup = /dtest
rss-above = 16M"
[[ $walked == "$redis " ]]
result $? "rss-above: one is"
walked_by "cgroup = /dtest
uid = 1..1000"
[[ $walked == "" ]]
result $? "uid: none"
walked_by "cgroup = /dtest
uid = root"
[[ $walked == *"$redis "* && $walked == *"$sleeper "* ]]
result $? "uid: by name"
echo 1 >$cgroups/dtest/b/cgroup.freeze
walked_by "frozen = yes"
[[ $walked == "$sleeper " ]]
result $? "frozen"
echo 0 >$cgroups/dtest/b/cgroup.freeze
rules "[daemon]
on-exit = detach
[rule first]
cgroup = /dtest/b
policy = noop
[rule second]
command = dsleeper
policy = noop"
start
until_said 10 '"type":"round".*"rule":"second"'
stop
[[ $(field rule walk | sort -u) == first ]]
result $? "of two rules that match, the first has it"

bash -c 'exec -a spin bash -c "while :; do :; done"' &
spinner=$!
echo $spinner >$cgroups/dtest/b/cgroup.procs
rules "[daemon]
on-exit = detach
[rule idle]
cgroup = /dtest/b
policy = noop
idle = 2s
every = 1s"
start
until_said 15 "\"pid\":$sleeper.*\"rule\":\"idle\""
sleep 3
stop
out="$(grep -c "\"pid\":$sleeper," "$tmp/out") walks of $sleeper; $out"
[[ $(grep -c "\"pid\":$sleeper," "$tmp/out") == 1 ]]
result $? "idle: one that is idle is walked, once"
! grep -q "\"pid\":$spinner," "$tmp/out"
result $? "idle: one that is busy is not"
kill -KILL $spinner
wait $spinner 2>/dev/null

# --- when --------------------------------------------------------------------
rules "[daemon]
on-exit = detach
[rule never]
cgroup = /dtest
policy = noop
every = 1s
free-under = 1M
[rule always]
command = redis-server
policy = noop
every = 1s
free-under-percent = 100%"
sed -i '/never/,/^free/s,^cgroup = /dtest$,cgroup = /dtest/b,' "$config"
start
until_said 10 '"type":"round".*"rule":"always"'
result $? "free-under: walks when less is available"
! grep -q '"rule":"never"' "$tmp/out"
result $? "free-under: and not when there is more"
stop
rules "[daemon]
on-exit = detach
[rule pressed]
cgroup = /dtest/a
policy = noop
every = 1s
pressure = some 1ms 500ms"
start
sleep 2
! said '"type":"round"'
result $? "pressure: nothing as long as there is none"
# A limit far below what it has makes it wait for memory.
echo 8M >$cgroups/dtest/a/memory.high
digest >/dev/null &
until_said 30 '"type":"round".*"rule":"pressed"'
result $? "pressure: a round when there is"
echo max >$cgroups/dtest/a/memory.high
wait $!
stop

# --- how much ----------------------------------------------------------------
digest >/dev/null
page_out "bytes-per-second = 8M"
start
until_said 60 '"type":"round"'
stop
elapsed=$(field elapsed_ns round | head -n 1) isolated=$(grep '"type":"walk"' <<<"$out" |
	grep -oE '"(isolated|deactivated)":[0-9]+' | cut -d: -f2 | add_up)
out="$isolated bytes in $elapsed ns; $out"
((isolated > 18000000 && elapsed > (isolated / 8388608 - 2) * 1000000000 &&
  $(field cursor walk | grep -vc '"0x0"\|^0x0$') > 2))
result $? "bytes-per-second: a round takes as long as its pages are worth"
digest >/dev/null
page_out "cpu = 5%"
start
until_said 120 '"type":"round"'
stop
elapsed=$(field elapsed_ns round | head -n 1) used=$(field time_ns round | head -n 1)
out="walked $used of $elapsed ns; $out"
((used > 0 && used < elapsed / 5))
result $? "cpu: spends no more than its share"

# --- back off ----------------------------------------------------------------
page_out "back-off-refaults = 200
back-off-min = 2s
back-off-max = 4s"
start
until_said 30 '"type":"round"'
(($(swapped "$redis") > 18000))
result $? "back-off: paged out, first"
for ((i = 0; i < 3; i++)); do
	digest >/dev/null
done
until_said 20 '"state":"back off"'
result $? "back-off: backs off when all of it is read again"
until_said 20 '"before":"back off"'
result $? "back-off: and goes on when that is over"
stop
[[ $status == 0 ]]
result $? "back-off: in good order"

run digest
[[ -n $digest && $out == "$digest" ]]
result $? "redis: still answers with the same data"

finish

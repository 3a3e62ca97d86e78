#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The verbs of the pmadv command, on real processes, with every input that is
# wrong. Runs in the guest; the main target is a redis-server.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
objects=$dir/objects
pins=/sys/fs/bpf/pmadv

# Without a program to start, which takes longer than what it waits for.
wait_until_swapped()
{
	local key value

	for ((i = 0; i < 10000; i++)); do
		while read -r key value _; do
			[[ $key == VmSwap: ]] && ((value > $2)) && return
		done <"/proc/$1/status"
	done
}

clean_up()
{
	pmadv detach --all >/dev/null 2>&1
	# shellcheck disable=SC2046 # one word each
	disown -a && kill -KILL "$target" $late 2>/dev/null
	[[ -n $redis ]] && kill -KILL "$redis" 2>/dev/null
	rmdir "$cgroup"/* "$cgroup" 2>/dev/null
	rm -rf "$tmp"
}
redis=
late=
cgroup=/sys/fs/cgroup/pmadv_test
trap clean_up EXIT

# A program whose name no other process has.
cp "$(command -v sleep)" "$tmp/pmadv_target"
"$tmp/pmadv_target" 1000 &
target=$!
other=pmadv_late
cp "$(command -v sleep)" "$tmp/$other"

# --- probe -------------------------------------------------------------------
expect 0 '^hook process_madvise_ops +yes' "probe: the hook is there" pmadv probe
[[ $out != *" no "* ]]
result $? "probe: everything else is, too"
run pmadv probe --json
[[ $status == 0 && $(json 'select(.schema != 1 or .ts < 1 or
	if .type == "ability" then .hook != true or .engine != false
	else .type != "feature" or .available != true end)' 2>&1) == "" ]]
result $? "probe --json"
expect 0 '^CAP_BPF +no' "probe: without capabilities they are missing" \
	setpriv --reuid 65534 --clear-groups pmadv probe

# --- nothing attached --------------------------------------------------------
expect 0 'no policy is attached' "list: nothing" pmadv list
expect 1 'not attached, nor any other' "detach: nothing of that name" pmadv detach noop
expect 1 'no policy is attached' "detach --all: nothing" pmadv detach --all
expect 1 'no policy is in force' "advise --policy: no policy" \
	pmadv advise $target --policy

# --- attach, list, detach ----------------------------------------------------
expect 0 "noop attached: scope system, link [0-9]+, pinned at $pins/noop" \
	"attach --pin" pmadv attach noop --pin
in_force noop && [[ -e $pins/noop ]]
result $? "attach --pin: in force and pinned after the command ended"
expect 1 'policy noop is in force there already.*pmadv detach noop' \
	"attach: a second one for the system is refused, and says whose place it is" \
	pmadv attach background_app --pin
[[ ! -e $pins/background_app ]]
result $? "attach: a refused one leaves no pin"
expect 0 "^noop +system +in force .* $pins/noop" "list: a pinned policy" pmadv list
run pmadv list --json
[[ $(json 'select(.type == "policy") | .policy + " " + .scope + " " + .pin + " " + (.link_id | tostring)') == \
	"noop system $pins/noop $(cat $sysfs/policies/*/link_id)" ]]
result $? "list --json"
expect 0 'showing what sysfs has' "list: unprivileged, from sysfs" \
	setpriv --reuid 65534 --clear-groups pmadv list
expect 4 'no permission' "detach: unprivileged" \
	setpriv --reuid 65534 --clear-groups pmadv detach noop
expect 1 'policy nope is not attached; there is: noop' "detach: another name" \
	pmadv detach nope
expect 0 'noop detached: scope system' "detach" pmadv detach noop
expect 2 'one of cold, pageout' "attach --refuse: what is no advice" \
	pmadv attach noop --refuse everything
none_in_force && [[ ! -e $pins/noop ]]
result $? "detach: out of force, and no pin left"
expect 4 'no permission' "attach: unprivileged" \
	setpriv --reuid 65534 --clear-groups pmadv attach noop

expect 4 'initial user namespace' "attach: root of another user namespace" \
	unshare -Ur pmadv attach noop

for signal in INT TERM HUP; do
	pmadv attach noop <&- >"$tmp/out" 2>&1 &
	pid=$!
	wait_for 10 in_force noop
	kill -$signal $pid
	wait $pid
	status=$?
	out="status $status: $(cat "$tmp/out")"
	[[ $status == 0 ]] && wait_for 2 none_in_force && grep -q 'noop detached' "$tmp/out"
	result $? "attach: until SIG$signal, with stdin closed"
done

pmadv attach noop >"$tmp/out" 2>&1 &
pid=$!
wait_for 10 grep -q 'in force until' "$tmp/out"
out=$(grep CapEff /proc/$pid/status)
[[ $out =~ 0000000000000000$ ]]
result $? "attach: waits without capabilities"
expect 0 'noop detached' "detach: one that another command holds" pmadv detach noop
wait $pid
status=$?
out="status $status: $(cat "$tmp/out")"
[[ $status == 0 ]] && grep -q 'somebody else detached' "$tmp/out"
result $? "attach: says that somebody else detached it"

# --- objects of others, good and bad -----------------------------------------
# refuse DESCRIPTION FILE PATTERN: by attach and run alike.
refuse()
{
	expect 1 "$3" "attach: $1" pmadv attach "$2" --pin
	expect 1 "$3" "run: $1" pmadv run "$2" "$target" --count 1
}

expect 0 'bad attached' "attach: an object of somebody else" \
	pmadv attach "$objects/bad.bpf.o" --pin
pmadv detach --all >/dev/null
expect 2 'has no policy' "attach: an object without a policy" pmadv attach monitor
expect 2 'more than one policy' "attach: an object with two" \
	pmadv attach "$build/loader/tests/two.bpf.o"
expect 2 'must be in .struct_ops.link' "attach: one without a link" \
	pmadv attach "$objects/nolink.bpf.o"
expect 1 'can write end, max_pages' "attach: one the verifier refuses, with its words" \
	pmadv attach "$objects/refused.bpf.o"
grep -q 'the verifier refuses policy refused' <<<"$out"
result $? "attach: and with ours"
expect 1 'failed: .*init' "attach: one whose init() refuses" \
	pmadv attach "$objects/bad.bpf.o" --set how=HOW_INIT
expect 1 'No such file' "attach: no such file" pmadv attach /nowhere/x.bpf.o
expect 1 'no nowhere.bpf.o in' "attach: no such name" pmadv attach nowhere
expect 1 'not a readable BPF object' "attach: a file that is no object" pmadv attach /etc/passwd
head -c 100000 "$build/bpf/noop.bpf.o" >"$tmp/cut.bpf.o"
cp "$(command -v sleep)" "$tmp/native.bpf.o"
refuse "one for another kernel" "$objects/other.bpf.o" \
	'other.bpf.o: policy other is for another kernel: build it'
refuse "one that was cut off" "$tmp/cut.bpf.o" 'cut.bpf.o is not a readable BPF object .*: build it'
refuse "a program" "$tmp/native.bpf.o" 'native.bpf.o is not a readable BPF object .*: build it'
none_in_force && [[ -z $(ls $pins 2>/dev/null) ]]
result $? "nothing of all that is in force, or pinned"

# --- knobs -------------------------------------------------------------------
expect 2 'no knob .max_old_pct.; it has:' "attach --set: a wrong name lists the right ones" \
	pmadv attach cold_pages --set max_old_pct=1
grep -q 'max_young_pct = 50  (u32)' <<<"$out"
result $? "attach --set: with value and type"
expect 2 'in range: 0 to 4294967295' "attach --set: too large" \
	pmadv attach cold_pages --set max_young_pct=4294967296
expect 2 'in range: 0 to' "attach --set: too small" \
	pmadv attach cold_pages --set max_young_pct=-1
expect 2 'not a number' "attach --set: no number" \
	pmadv attach cold_pages --set max_young_pct=ten
expect 2 'NAME=VALUE' "attach --set: no value" pmadv attach cold_pages --set max_young_pct
expect 2 'HOW_NOT, HOW_ERROR' "attach --set: no such enumerator" \
	pmadv attach "$objects/bad.bpf.o" --set how=HOW_FUN
expect 2 'sometimes' "attach --set: no such advice in a table" \
	pmadv attach by_name --set 'rules+=x=sometimes'
expect 0 'nr_rules +u32 +2' "attach --knobs: shows what was set" \
	pmadv attach by_name --knobs --set 'rules+=[anon:x]=pageout' --set 'rules+=*.so=cold'

run pmadv attach by_name --pin --set 'rules+=file:libc.so*=cold' --set 'rules+=*=skip'
expect 0 'cold +advised' "a table of rules decides" \
	pmadv advise $target --policy --dry-run
wrong=$(grep -E ' (advised|skipped) ' <<<"$out" | grep -vE 'seen:' |
	grep -E 'advised.*/|/.*libc\.so' | grep -vE 'cold +advised .*/libc\.so')
[[ -z $wrong && $(grep -cE 'cold +advised .*/libc\.so' <<<"$out") -gt 2 ]]
result $? "it decides about the ranges of that file, and of no other"
pmadv detach by_name >/dev/null
expect 0 'inside a pid namespace' "advise --dry-run: says why it shows no ranges" \
	unshare -fp --mount-proc sh -c 'pmadv advise 1 -a cold --dry-run; true'

# --- advise: every advice, and the sums --------------------------------------
for advice in cold pageout willneed collapse; do
	run pmadv advise $target --advice $advice --json
	[[ $status == 0 && $(json '.ranges_seen > 5 and .ranges_seen == .ranges_advised +
		.ranges_skipped + .ranges_refused + .ranges_failed and
		.advice == "'$advice'" and .stopped == "complete"') == true ]]
	result $? "advise --advice $advice: complete, and the counts add up"
done
expect 0 "^pmadv_target \\($target\\): cold in" "advise: by the name of the command" \
	pmadv advise pmadv_target --advice cold
expect 0 "^ +total" "advise: several targets and their sum" \
	pmadv advise $target $$ --advice cold
expect 0 "first error +EINVAL at [0-9a-f]+, .vvar" "advise: names the first error" \
	pmadv advise $target --advice pageout
expect 1 'no process 4194305' "advise: no such process" pmadv advise 4194305 -a cold
expect 2 'not the number' "advise: no number" pmadv advise pid:x -a cold
expect 1 'no process runs' "advise: no such command" pmadv advise no_such_cmd -a cold
expect 1 'no cgroup' "advise: no such cgroup" pmadv advise /no/such -a cold
expect 2 'not a cgroup of cgroup v2' "advise: a folder that is no cgroup" pmadv advise /etc -a cold
expect 1 'is a kernel thread' "advise: a kernel thread" pmadv advise 2 -a cold
expect 2 'empty name' "advise: an empty name" pmadv advise '' -a cold
expect 2 'what advice' "advise: no advice" pmadv advise $target
expect 2 'cold, pageout, willneed, collapse' "advise: destructive advice" \
	pmadv advise $target -a dontneed
expect 4 'no permission' "advise: a process of another user" \
	setpriv --reuid 65534 --clear-groups pmadv advise $target -a cold

# Explicit ranges: two mapped pages of the target's program, and a hole.
first=$(sed -n '1s/-.*//p' /proc/$target/maps)
start=$((16#$first))
range()
{
	printf '%x-%x' $((start + $1)) $((start + $2))
}
run pmadv advise $target -a cold --json --range "$(range 0 4096)"
[[ $status == 0 && $(field bytes_advised) == 4096 && $(field holes) == 0 ]]
result $? "advise --range: exactly that"
run pmadv advise $target -a cold --json --range "$(range -8192 4096)"
[[ $status == 0 && $(field bytes_advised) == 4096 && $(field holes) == 1 ]]
result $? "advise --range: a hole is counted"
expect 2 'not after the start' "advise --range: backwards" \
	pmadv advise $target -a cold -r 2000-1000
expect 2 'multiples of the page size' "advise --range: crooked" \
	pmadv advise $target -a cold -r 1001-2000
expect 2 'START-END' "advise --range: half" pmadv advise $target -a cold -r 1000
expect 2 'none of the ranges' "advise --cursor: outside the ranges" \
	pmadv advise $target -a cold -r "$(range 0 4096)" --cursor 1000

run pmadv advise $target -a cold --json --vma "$(printf %x $start)"
[[ $status == 0 && $(field ranges_seen) == 1 && $(field stopped) == complete ]]
result $? "advise --vma: one mapping, all of it"
run pmadv advise $target -a cold --json --vma "$(printf %x $start)" -r "$(range 0 4096)"
[[ $status == 0 && $(field bytes_advised) == 4096 ]]
result $? "advise --vma --range: a part of it"
expect 1 'not all inside the mapping' "advise --vma: a range that is not in it" \
	pmadv advise $target -a cold --vma "$(printf %x $start)" -r "$(range -8192 4096)"
expect 1 'nothing is mapped at 1000' "advise --vma: nothing there" \
	pmadv advise $target -a cold --vma 1000
expect 2 'takes one target' "advise --vma: of several processes" \
	pmadv advise $target $$ -a cold --vma 1000
expect 0 '^VMA fd .PIDFD_GET_VMA. +yes' "probe: the VMA fd" pmadv probe

# --- scope -------------------------------------------------------------------
mkdir -p $cgroup/a $cgroup/b
echo $target >$cgroup/a/cgroup.procs
expect 0 'noop attached: scope /pmadv_test,' "attach --cgroup" \
	pmadv attach noop --cgroup $cgroup --pin
expect 0 'in force there already .scope: /pmadv_test' "attach --cgroup: its place is taken" \
	bash -c '! pmadv attach background_app --cgroup '$cgroup
expect 0 '^noop +/pmadv_test +in force' "list: shows the scope" pmadv list
expect 0 ' skipped' "advise --policy: a process of a cgroup below it" \
	pmadv advise $target --policy
expect 1 'no policy is in force for it' "advise --policy: a process outside" \
	pmadv advise $$ --policy
expect 0 ' [1-9][0-9]* advised' "advise --policy=NAME: in force for the cgroup of the target" \
	pmadv advise $target --policy=caller -a cold
pmadv attach noop --cgroup $cgroup/a --pin >/dev/null
expect 1 'in force there already .scope: /pmadv_test/a' "advise --policy=NAME: its place is taken" \
	pmadv advise $target --policy=caller -a cold
pmadv detach noop --cgroup $cgroup/a >/dev/null
expect 0 'attached: scope /pmadv_test/b' "attach --cgroup: the same policy for another one" \
	pmadv attach noop --cgroup /pmadv_test/b --pin
expect 2 'attached 2 times' "detach: which of two?" pmadv detach noop
expect 0 'scope /pmadv_test/b' "detach --cgroup" pmadv detach noop --cgroup $cgroup/b
expect 1 'is not attached for cgroup' "detach --cgroup: not there" \
	pmadv detach noop --cgroup $cgroup/a
expect 0 'noop detached' "detach: the one that is left" pmadv detach noop
expect 0 'noop attached: scope system' "attach --refuse" \
	pmadv attach noop --refuse pageout --refuse collapse --pin
expect 0 '^noop +system +in force, inside no pageout,collapse ' \
	"list: what policies inside cannot give" pmadv list
run pmadv list --json
[[ $(json 'select(.type == "policy") | .inner_refused') == pageout,collapse ]]
result $? "list --json: what policies inside cannot give"
expect 0 'attached: scope /pmadv_test' "attach --refuse: one inside is attached all the same" \
	pmadv attach background_app --cgroup $cgroup --pin
run pmadv advise $target --policy --json
[[ $(json 'select(.type == "walk") | .ranges_refused > 0 and .isolated == 0') == true ]]
result $? "attach --refuse: what the one inside answers is refused"
expect 2 'not a cgroup of cgroup v2' "attach --cgroup: no cgroup" pmadv attach noop -c /etc
expect 1 'No such file' "attach --cgroup: no such path" pmadv attach noop -c /nowhere
expect 0 "pmadv_target" "advise: all processes of a cgroup" pmadv advise $cgroup -a cold
expect 1 'has no processes' "advise: an empty cgroup" pmadv advise $cgroup/b -a cold
echo $target >/sys/fs/cgroup/cgroup.procs
expect 0 'detached' "detach --all" pmadv detach --all
none_in_force && [[ -z $(ls $pins) ]]
result $? "detach --all: nothing left"

# --- ejection ----------------------------------------------------------------
pmadv attach "$objects/bad.bpf.o" --set how=HOW_ERROR >"$tmp/out" 2>&1 &
pid=$!
wait_for 10 in_force bad
run pmadv advise $target --policy
[[ $status == 5 && $out == *"told to fail"* ]]
result $? "advise: exit status 5 and the reason when the policy is ejected"
wait $pid
status=$?
out="status $status: $(cat "$tmp/out")"
[[ $status == 5 ]] && grep -q 'ejected policy bad: .*told to fail' "$tmp/out"
result $? "attach: exit status 5 and the reason"
expect 0 '^1 ejected since boot, the last: bad: .*told to fail|^[0-9]+ ejected' \
	"list: remembers the last ejection" pmadv list
expect 5 'ejected policy bad: ' "run: exit status 5, no progress" \
	pmadv run "$objects/bad.bpf.o" $target --set how=HOW_NO_PROGRESS --every 0.1
pmadv attach "$objects/bad.bpf.o" --set how=HOW_ERROR --pin >/dev/null 2>&1
run pmadv advise $target --policy
wait_for 2 none_in_force
expect 0 '^bad .*gone, still pinned' "list: an ejected one that is still pinned" pmadv list
expect 0 'bad attached' "attach --pin: takes the place of a dead pin" \
	pmadv attach "$objects/bad.bpf.o" --pin
run pmadv detach bad
[[ $status == 0 && -z $(ls $pins) ]]
result $? "detach: it, and its pin"

# Dead pins of one name: of a cgroup that is gone, and of one that is there; the
# policy is in force for a third.
mkdir -p $cgroup/{gone,ejected,fine}
for which in gone ejected; do
	pmadv attach "$objects/bad.bpf.o" --set how=HOW_ERROR --pin --cgroup $cgroup/$which >/dev/null 2>&1
done
rmdir $cgroup/gone
echo $target >$cgroup/ejected/cgroup.procs
run pmadv advise $target --policy
echo $target >/sys/fs/cgroup/cgroup.procs
wait_for 2 none_in_force
pmadv attach "$objects/bad.bpf.o" --set how=HOW_ERROR --pin --cgroup $cgroup/fine >/dev/null 2>&1
run pmadv list
[[ $(grep -c 'gone, still pinned' <<<"$out") == 2 ]]
result $? "list: two dead pins of a policy that is in force elsewhere"
expect 0 'bad detached: scope .*/fine' "detach: dead pins do not make it attached three times" \
	pmadv detach bad
[[ $(grep -c 'what was left of it' <<<"$out") == 2 && -z $(ls $pins) ]]
result $? "detach: they go along, the one of the removed cgroup, too"
pmadv attach "$objects/bad.bpf.o" --set how=HOW_ERROR --pin --cgroup $cgroup/ejected >/dev/null 2>&1
echo 1 >$sysfs/detach_all
wait_for 2 none_in_force
expect 1 'policy bad is not attached for cgroup .*fine' "detach --cgroup: not what was left of another" \
	pmadv detach bad --cgroup $cgroup/fine
expect 0 'bad detached: what was left of it' "detach --cgroup: what was left of it there" \
	pmadv detach bad --cgroup $cgroup/ejected
rmdir $cgroup/*/ $cgroup

# --- run ---------------------------------------------------------------------
run pmadv run noop $target --every 0.2 --count 3 --json
[[ $status == 0 && $(field round walk | tr '\n' ' ') == "1 2 3 " &&
   $(field walks total) == 3 ]]
result $? "run --count: so many rounds, and a total"
none_in_force
result $? "run: detaches at the end"
run pmadv run background_app $target --count 1 --ranges --json
[[ $status == 0 && $(field start range | wc -l) == \
   $(field ranges_seen walk) && $(field lost total) == 0 ]]
result $? "run --ranges: every range that was seen"

pmadv run noop $target $other $$ --every 0.2 >"$tmp/out" 2>&1 &
pid=$!
wait_for 5 grep -q 'no process runs' "$tmp/out"
wait $pid
status=$?
out="status $status: $(cat "$tmp/out")"
[[ $status == 1 ]] && none_in_force
result $? "run: a target that nobody runs at the start is an error"
"$tmp/$other" 1000 &
late=$!
pmadv run noop $other --every 0.2 >"$tmp/out" 2>&1 &
pid=$!
wait_for 10 grep -q "$other/$late" "$tmp/out"
kill $late
wait $late 2>/dev/null
wait_for 10 grep -q 'no such targets any more' "$tmp/out"
result $? "run: goes on when its target exits"
"$tmp/$other" 1000 &
late=$!
wait_for 10 grep -q "$other/$late" "$tmp/out"
result $? "run: finds one that starts later"
kill -INT $pid
wait $pid
status=$?
out="status $status: $(cat "$tmp/out")"
[[ $status == 0 ]] && grep -qE 'rounds?, .* walks?' "$tmp/out" && none_in_force
result $? "run: until Ctrl-C, then detaches"
pmadv run noop $target --every 60 >"$tmp/out" 2>&1 &
pid=$!
wait_for 10 grep -q "pmadv_target/$target" "$tmp/out"
out=$(sed -n 's/CapEff:\t//p' /proc/$pid/status)
# SYS_NICE, SYS_PTRACE, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER.
[[ $out == 000000000088000e ]]
result $? "run: keeps the capabilities it needs, and no other"
pmadv detach noop >/dev/null
wait $pid
status=$?
out="status $status: $(cat "$tmp/out")"
[[ $status == 1 ]] && grep -q 'somebody else detached' "$tmp/out"
result $? "run: ends when somebody detaches its policy, in the middle of a pause"
expect 2 'a time' "run --every: no time" pmadv run noop $target --every soon
expect 2 'more than 0' "run --every: never" pmadv run noop $target --every 0
expect 1 'no process runs' "run: no such target" pmadv run noop no_such_cmd
none_in_force
result $? "run: which leaves no policy behind"

# --- the real thing ----------------------------------------------------------
if ! command -v redis-server >/dev/null; then
	for what in "dry run" "stopped" "resumed" "paged out" "answers" "budget"; do
		skip "redis: $what" "no redis-server: apt-get install redis-server"
	done
	finish
fi
start_redis 80
digest=$(digest)
before=$(resident "$redis")

pmadv attach background_app --pin >/dev/null
run pmadv advise "$redis" --policy --dry-run --json
seen=$(field ranges_seen walk)
[[ $status == 0 && $seen -gt 20 && $(field start range | wc -l) == "$seen" &&
   $(swapped "$redis") == 0 ]]
result $? "redis: a dry run shows all ranges and changes nothing"
out=$(json 'select(.type == "range" and .vma == "rw-p anon stack") | .verdict + .name')
[[ $out == "pageout[stack]" ]]
result $? "redis: with verdicts and names"

# Stop it when it is well under way, and go on from there.
pmadv advise "$redis" --policy --json >"$tmp/json" 2>"$tmp/err" &
pid=$!
wait_until_swapped "$redis" 4000
kill -INT $pid
wait $pid
status=$?
out=$(cat "$tmp/json")
cursor=$(field cursor)
out="status $status: $(cat "$tmp/err" "$tmp/json")"
[[ $status == 1 && $cursor == 0x?* && $cursor != 0x0 && $out == *'"stopped":"signal"'* ]]
result $? "redis: Ctrl-C stops a walk, which says where"
half=$(resident "$redis")
out="resident $before, then $half KiB"
((half < before && half > before / 10))
result $? "redis: which was in the middle"
run pmadv advise "$redis" --policy --cursor "$cursor" --json
[[ $status == 0 && $(field stopped) == complete && $(field ranges_seen) -lt $seen ]]
result $? "redis: --cursor goes on from there"
after=$(resident "$redis")
out="resident $before, $half, $after KiB, swapped $(swapped "$redis") KiB"
((after < before / 4)) && (($(swapped "$redis") > before / 2))
result $? "redis: is paged out"
run digest
[[ -n $digest && $out == "$digest" ]]
result $? "redis: still answers with the same data"
pmadv detach background_app >/dev/null

expect 5 'ejected policy bad: ' "run: exit status 5, too many invalid verdicts" \
	pmadv run "$objects/bad.bpf.o" "$redis" --set how=HOW_INVALID --every 0.1

# A budget, used up again and again, does it all; and nothing twice.
total=0
cursor=0
calls=0
while :; do
	run pmadv advise "$redis" -a pageout --max-pages 5000 --cursor $cursor --json
	[[ $status == 0 ]] || break
	calls=$((calls + 1))
	total=$((total + $(field bytes_advised)))
	cursor=$(field cursor)
	[[ $(field stopped) == budget ]] || break
done
[[ $status == 0 && $calls -gt 2 && $(field stopped) == complete ]]
result $? "redis: --max-pages ends each call, --cursor goes on to the end"
run pmadv advise "$redis" -a pageout --json
((total == $(field bytes_advised)))
result $? "redis: what they advised adds up"

# It is killed while the command is kept from going on, between two of its calls.
digest >/dev/null
before=$(swapped "$redis")
pmadv advise "$redis" -a pageout >"$tmp/out" 2>&1 &
pid=$!
wait_until_swapped "$redis" $((before + 4000))
kill -STOP $pid
wait_for 10 grep -q '^State:.T' /proc/$pid/status
kill -KILL "$redis"
wait_for 5 bash -c "! kill -0 $redis"
kill -CONT $pid
wait $pid
status=$?
out="status $status: $(cat "$tmp/out")"
[[ $status == 0 && $out == *"stopped "*": the process exited"* ]]
result $? "redis: killed in the middle, which the command says"
expect 1 'no process' "redis: is gone" pmadv advise "$redis" -a cold
redis=

finish

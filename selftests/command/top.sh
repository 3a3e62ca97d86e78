#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv top, as somebody at a terminal sees it: driven in tmux, and read from its
# screen. Runs in the guest; targets are a redis-server and a sleep.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
redis=
export LC_ALL=C.UTF-8 TERM=xterm

clean_up()
{
	tmux -L top kill-server 2>/dev/null
	pmadv detach --all >/dev/null 2>&1
	disown -a
	# shellcheck disable=SC2086 # a word each
	kill -KILL $sleeper $redis 2>/dev/null
	rm -rf "$tmp"
}
sleep 1000 &
sleeper=$!
trap clean_up EXIT

mux()
{
	tmux -L top -f /dev/null "$@"
}

# What is on the screen, to $out.
look()
{
	out=$(mux capture-pane -p -t top)
}

# see SECONDS PATTERN: wait until it is on the screen.
see()
{
	local end=$((SECONDS + $1))

	until look; grep -qE -- "$2" <<<"$out"; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# seen PATTERN DESCRIPTION
seen()
{
	see 15 "$1"
	result $? "$2"
}

# gone PATTERN DESCRIPTION: it disappears from the screen.
gone()
{
	local end=$((SECONDS + 15))

	while look; grep -qE -- "$1" <<<"$out" && ((SECONDS < end)); do
		sleep 0.1
	done
	! grep -qE -- "$1" <<<"$out"
	result $? "$2"
}

press()
{
	mux send-keys -t top "$@"
}

# start COMMAND: it in the shell, and how it ended when it did.
start()
{
	press "clear; $1; echo ended: \$?, \$(stty -g)" Enter
}

# ended STATUS DESCRIPTION: with the shell's screen and settings as they were.
ended()
{
	see 15 "^ended: $1, $settings\$" && ! grep -q 'LAST VERDICTS' <<<"$out"
	result $? "$2"
}

expect 2 'needs a terminal' "stdout is no terminal" pmadv top </dev/null
expect 2 'is for people' "--json" pmadv top --json

start_redis 10
mux new-session -d -s top -x 80 -y 24 "PATH=$PATH PS1='\$ ' bash --norc"
press "echo settings: \$(stty -g)" Enter
see 30 '^settings: .*:.*'
settings=$(sed -n 's/^settings: //p' <<<"$out")

start "pmadv top --interval 0.5"
seen 'LAST VERDICTS' "starts"
out=$(mux capture-pane -p -e -t top | cat -v)
[[ $out == *'[36m'* ]]
result $? "in colour"
sleep 1
look
[[ $(wc -l <<<"$out") == 24 && $(tail -n 1 <<<"$out") == "s sort: reclaimed   f filter   space pause   q quit" ]]
result $? "24 lines, the last says which keys there are"

pmadv attach noop --pin >/dev/null
pmadv advise "$redis" --policy --json >"$tmp/walk"
runs=$(field ranges_seen walk "$tmp/walk")
seen "^noop +1 .* $runs +[0-9.]+ [num]?s +[0-9.]+ [num]?s system" \
	"a policy: its calls, and how often and how long its program ran"
pmadv detach noop >/dev/null
gone '^noop ' "which goes when it is detached"

pmadv advise $sleeper "$redis" -a pageout >/dev/null
seen "^ +$redis redis-server +2 +[0-9.]+M +[0-9]+ +[0-9.]+[KM] +[0-9.]+M " \
	"a target: calls, reclaimed, refaulted, resident, swapped"
[[ $(grep -E "^ +($redis|$sleeper) " <<<"$out" | awk '{ print $1 }' | tr '\n' ' ') == \
	"$redis $sleeper " ]]
result $? "the one with most reclaimed comes first"
grep -qE "^(redis-server|sleep)/[0-9]+ +[0-9a-f]+ +[0-9.]+[KMG] .*(pageout)" <<<"$out"
result $? "the last verdicts"
[[ $out == *'SWAPPED  IDLE CGROUP'* && $out == *'PER RUN SCOPE'* && $out == *'OUTCOME  RECLAIMED'* ]]
result $? "all columns are there in 80"

press s
seen '\*REFAULTED' "s: sorts by refaulted"
press s s
seen '\*SWAPPED' "s: and so on"
press s
seen '\*IDLE' "s: the last is by what is idle"
press s

press f slee Enter
seen 'filter: slee' "f: asks for a filter"
gone "^ +$redis |^redis" "f: what does not match is not shown"
grep -qE "^ +$sleeper " <<<"$out"
result $? "f: and what does, is"
press f "$redis" Enter
seen "^ +$redis " "f: the number of a process"
press f Escape
seen "^ +$sleeper " "f: Escape shows all again"

press Space
seen 'PAUSED' "space: pauses"
calls=$(sed -n 's/^calls \([0-9]*\) .*/\1/p' <<<"$out")
rows=$(grep -E "^ +[0-9]+ " <<<"$out")
swapped=$(swapped "$redis")
redis-cli -s "$tmp/redis" debug digest >/dev/null
(($(swapped "$redis") < swapped)) || echo "# nothing came back, that tells nothing"
sleep 1
look
[[ $(grep -E "^ +[0-9]+ " <<<"$out") == "$rows" ]]
result $? "space: nothing changes, although memory does"
pmadv advise $sleeper -a cold >/dev/null
press Space
seen "^calls $((calls + 1)) " "space again: goes on, and nothing was missed"

mux resize-window -t top -x 50 -y 12
sleep 1
look
[[ $(wc -l <<<"$out") == 12 && $(tail -n 1 <<<"$out") == "s sort:"* ]] &&
	grep -q "^pmadv top" <<<"$out"
result $? "a smaller window"
mux resize-window -t top -x 132 -y 40
sleep 1
look
[[ $(wc -l <<<"$out") == 40 && $(tail -n 1 <<<"$out") == "s sort:"* ]]
result $? "a larger one"
mux resize-window -t top -x 20 -y 3
sleep 1
press s
mux resize-window -t top -x 80 -y 24
seen 'LAST VERDICTS' "one with no room for anything does no harm"

press q
ended 0 "q: ends, and the terminal is as it was"
start "pmadv top"
see 15 'LAST VERDICTS'
press C-c
ended 0 "Ctrl-C: the same"
start "NO_COLOR=1 pmadv top"
see 15 'LAST VERDICTS'
out=$(mux capture-pane -p -e -t top | cat -v)
[[ $out != *'[3'[1-7]* ]]
result $? "NO_COLOR: no colours"
pkill -TERM -x pmadv
ended 0 "SIGTERM: the same"
mkdir "$tmp/future"
cp "$dir/objects/future.bpf.o" "$tmp/future/monitor.bpf.o"
start "PMADV_POLICY_DIR=$tmp/future pmadv top"
see 15 'LAST VERDICTS'
pmadv advise $sleeper -a cold >/dev/null
ended 1 "an error: the same"
grep -q 'records of version 3' <<<"$out"
result $? "an error: can be read afterwards"
start "TERM=nothing pmadv top"
ended 2 "an unknown terminal"
start "setpriv --reuid 65534 --clear-groups pmadv top"
ended 4 "unprivileged"

finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv explain: that what it shows is what /proc, the policy and the kernel say,
# and that it changes nothing. Runs in the guest; the target is a redis-server.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
objects=$dir/objects
cgroup=/sys/fs/cgroup/explain_test
redis=

clean_up()
{
	pmadv detach --all >/dev/null 2>&1
	[[ -n $redis ]] && kill -KILL "$redis" 2>/dev/null
	disown -a
	kill -KILL $sleeper 2>/dev/null
	rmdir $cgroup/a $cgroup 2>/dev/null
	rm -rf "$tmp"
}
sleep 1000 &
sleeper=$!
trap clean_up EXIT

# Sum of a field of smaps, in bytes.
smaps()
{
	awk -v name="$1:" '$1 == name { sum += $2 } END { print sum * 1024 }' "/proc/$redis/smaps"
}

if ! command -v redis-server >/dev/null; then
	skip "all of it" "no redis-server: apt-get install redis-server"
	finish
fi
start_redis 40
# It must not move between our looks.
kill -STOP "$redis"

# --- no policy ---------------------------------------------------------------
expect 0 "no policy is in force for it; this is what --advice pageout would do" \
	"no policy: says so, and looks at pageout" pmadv explain "$redis"
grep -q "'pmadv attach POLICY' puts one in force" <<<"$out" &&
	grep -qE 'pageout +refused +EINVAL: no ordinary memory +\[vvar\]' <<<"$out"
result $? "no policy: what would be refused, and why"
expect 0 'collapse +refused +EINVAL: cannot have huge pages +\[stack\]' \
	"no policy: another advice" pmadv explain "$redis" --advice collapse
run pmadv explain "$redis" --json
[[ $status == 0 && $(field decides process)$(field advice process) == falsepageout &&
   $(field start mapping | wc -l) == "$(wc -l <"/proc/$redis/maps")" ]]
result $? "every mapping of /proc/PID/maps is there"
[[ $(field resident mapping | add_up) == "$(smaps Rss)" &&
   $(field accessed mapping | add_up) == "$(smaps Referenced)" &&
   $(smaps Referenced) -gt 20000000 ]]
result $? "resident and accessed are what smaps says"
[[ $(swapped "$redis") == 0 ]]
result $? "nothing was changed"

# --- the system's policy, and a cgroup's -------------------------------------
mkdir -p $cgroup/a
echo "$redis" >$cgroup/a/cgroup.procs
pmadv attach noop --pin >/dev/null
expect 0 "^redis-server \\($redis\\): policy noop decides \\(scope system\\)" \
	"the system's policy is in force" pmadv explain redis-server
[[ $out != *" advised "* && $(grep -c ' skip  *skipped ' <<<"$out") -gt 20 ]]
result $? "its verdicts are shown"
pmadv attach background_app --cgroup $cgroup --pin >/dev/null
expect 0 'policy background_app decides \(scope /explain_test\)' \
	"the one of a cgroup above is nearer" pmadv explain "$redis"
expect 0 'policy noop decides \(scope system\)' "which is not that of others" \
	pmadv explain $sleeper
run pmadv advise "$redis" --policy --dry-run --json
would=$(field ranges_advised walk) bytes=$(field bytes_advised walk)
run pmadv explain "$redis" --json
advised=$(grep -c '"outcome":"advised"' <<<"$out")
[[ $status == 0 && $advised == "$would" && $would -gt 10 &&
   $(grep '"outcome":"advised"' <<<"$out" | jq -s 'map(.bytes) | add') == "$bytes" ]]
result $? "its verdicts are those of a dry run"
# The page of zeroes and the vDSO are present, and no resident memory to smaps.
extra=$(($(field resident range | add_up) - $(smaps Rss)))
((extra >= 0 && extra < 262144))
result $? "what is resident of the ranges adds up"

kill -CONT "$redis"
pmadv advise "$redis" --policy >/dev/null
kill -STOP "$redis"
run pmadv explain "$redis" --json
[[ $(field swapped mapping | add_up) == "$(smaps Swap)" && $(smaps Swap) -gt 20000000 &&
   $(field swapped range | add_up) == "$(smaps Swap)" ]]
result $? "after a walk: swapped is what smaps says, of mappings and of ranges"
pmadv detach --all >/dev/null

# --- verdicts for pieces of a mapping ----------------------------------------
pmadv attach cold_pages --set chunk_pages=512 --pin >/dev/null
run pmadv explain "$redis" --json
[[ $status == 0 && $(field ranges mapping | sort -n | tail -n 1) -gt 5 &&
   $(field ranges mapping | add_up) == $(field start range | wc -l) ]]
result $? "a mapping that is decided about in pieces: its ranges follow it"
out=$(pmadv explain "$redis")
grep -qE ' in [0-9]+ ranges: *$' <<<"$out" && grep -qE '^  [0-9a-f]+-[0-9a-f]+ .*2\.0M' <<<"$out"
result $? "the same as text"
pmadv detach --all >/dev/null

# --- a policy that is wrong, and other ends ----------------------------------
pmadv attach "$objects/bad.bpf.o" --set how=HOW_INVALID --pin >/dev/null
expect 5 'invalid\(.*refused +EINVAL: no such verdict' "invalid verdicts: shown, exit status 5" \
	pmadv explain "$redis"
pmadv detach --all >/dev/null
expect 4 'no permission' "a process of another user" \
	setpriv --reuid 65534 --clear-groups pmadv explain "$redis"
expect 1 'no process 4194305' "no such process" pmadv explain 4194305
expect 0 "^sleep \\($sleeper\\)" "several processes" pmadv explain "$redis" $sleeper

finish

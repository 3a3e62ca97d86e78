#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv simulate: what a policy is said to do with a record is what it does with the
# process that was recorded, and what is said to come back is what came back. Runs in a
# guest, with the hook or without, and as root on the machine's own kernel.

[[ -x $(dirname "$0")/../../build/san/pmadv ]] || plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
objects=$build/selftests/objects
[[ -e $objects/table.bpf.o ]] || objects=$build/loader/guest
kept=$(dirname "$0")/../../loader/tests/report/redis.rec
rec=$tmp/a.rec

clean_up()
{
	disown -a
	kill -KILL "$target" 2>/dev/null
	rm -rf "$tmp"
}
python3 -c '
import mmap, time
held = [mmap.mmap(-1, 1 << 20) for _ in range(4)]
for each in held:
    each.write(b"x" * (1 << 19))
print("ready", flush=True)
time.sleep(1000)' >"$tmp/ready" &
target=$!
trap clean_up EXIT
await_target 60 ready "$tmp/ready"

# "START END VERDICT OUTCOME" of each range in $out, but for what is not in a record.
verdicts()
{
	jq -r 'select(.type == "range") | "\(.start) \(.end) \(.verdict) \(.outcome)"' <<<"$out"
}

# --- the same as with the process ----------------------------------------------
expect 0 'seen: 0 would be advised' "advise --record" pmadv advise $target --policy=noop \
	--dry-run --record "$rec"
[[ $(stat -c %a "$rec") == 600 ]]
result $? "advise --record: for its owner only"
for policy in background_app foreground noop; do
	run pmadv advise $target --policy=$policy --dry-run --json
	verdicts >"$tmp/live"
	run pmadv simulate $policy "$rec" --ranges --json
	verdicts >"$tmp/simulated"
	out=$(diff "$tmp/live" "$tmp/simulated" 2>&1)
	[[ -s $tmp/live && -z $out ]]
	result $? "$policy: the verdicts that it gives about the process"
done
named='rules+=libc*=cold'
run pmadv advise $target --policy=by_name --set "$named" --dry-run --json
verdicts >"$tmp/live"
run pmadv simulate by_name "$rec" --set "$named" --ranges --json
verdicts >"$tmp/simulated"
out=$(diff "$tmp/live" "$tmp/simulated" 2>&1)
[[ -z $out ]] && grep -q 'cold advised' "$tmp/simulated"
result $? "by_name: names of mappings are those of the process"
run pmadv simulate "$objects/table.bpf.o" "$rec" --set answer=20 --set piece=4096 \
	--ranges --json
[[ $(verdicts | wc -l) -gt 1000 ]]
result $? "a policy may narrow ranges"
run pmadv simulate "$objects/table.bpf.o" "$rec" --set answer=20 --set look=1 --ranges --json
[[ $status == 0 && $(verdicts | cut -d ' ' -f 3- | sort -u) == "skip skipped" ]]
result $? "a policy that looks at pages learns that a record has none"

# --- what would have come back ---------------------------------------------------
run pmadv simulate background_app "$kept" --json
back=$(jq -s 'map(select(.verdict == "all of it"))[0].refaulted' <<<"$out")
seen=$(pmadv report "$kept" --show summary --json | jq .refaulted)
out="simulated $back, recorded $seen"
((back > seen * 9 / 10 && back < seen * 11 / 10))
result $? "what comes back is what came back when it was recorded, within a tenth"
run pmadv simulate cold_pages "$kept" --against background_app --json
jq -se 'map(select(.verdict == "all of it")) | .[0].policy == "cold_pages" and
	.[1].policy == "background_app" and .[0].refaulted < .[1].refaulted and
	.[0].paged_out < .[1].paged_out' <<<"$out" >/dev/null
result $? "--against: one spares what is in use, the other saves more"
run pmadv simulate background_app "$kept" --against background_app \
	--against-set min_bytes=64M --json
jq -se 'map(select(.verdict == "all of it")) |
	.[1].bytes_advised < .[0].bytes_advised' <<<"$out" >/dev/null
result $? "--against-set: the same with other knobs"
expect 0 '^cold_pages +all of it' "as a table" pmadv simulate cold_pages "$kept"

# --- what it cannot do -------------------------------------------------------------
expect 3 'policy looks cannot be simulated: it looks at the task' \
	"a policy that looks at the task is refused by name" \
	pmadv simulate "$objects/looks.bpf.o" "$rec"
expect 5 'would have been ejected' "a policy that errs" pmadv simulate \
	"$objects/table.bpf.o" "$rec" --set bad=1
expect 1 'not a recording' "what is no record" pmadv simulate noop /etc/passwd
expect 1 'no walk and no dry run of that process' "--pid: not in it" \
	pmadv simulate noop "$rec" --pid 1
expect 2 'takes --dry-run' "advise --record: not of what is done" \
	pmadv advise $target --policy=noop --record "$tmp/b.rec"
[[ ! -e $tmp/b.rec ]]
result $? "and writes nothing"
expect 2 'for --against' "--against-set without --against" pmadv simulate noop "$rec" \
	--against-set a=1
expect 1 'left alone' "advise --record: other files stay" pmadv advise $target \
	--policy=noop --dry-run --record /etc/passwd
kill -0 $target
result $? "the target lives"
finish

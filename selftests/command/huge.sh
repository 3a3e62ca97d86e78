#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv advise --coverage: how much of a process is in huge pages, and what that does to
# the exit status; and the policy collapse, with which a process grows by little. Runs in
# the guest, with the hook or without, and as root on the machine's own kernel.

[[ -x $(dirname "$0")/../../build/san/pmadv ]] || plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
target=

clean_up()
{
	disown -a
	[[ -n $target ]] && kill -KILL "$target" 2>/dev/null
	rm -rf "$tmp"
}
if [[ ! -e /sys/kernel/mm/transparent_hugepage/hpage_pmd_size ]]; then
	skip "all of it" "this kernel has no huge pages: CONFIG_TRANSPARENT_HUGEPAGE=y"
	finish
fi
# start_target PYTHON: it prints "ready", and stays.
start_target()
{
	[[ -z $target ]] || { kill -KILL "$target"; wait "$target"; } 2>/dev/null
	rm -f "$tmp/ready"
	python3 -c "$1" >"$tmp/ready" &
	target=$!
	await_target 180 ready "$tmp/ready"
}

huge()
{
	awk '/^(AnonHuge|ShmemPmd|FilePmd)/ { kb += $2 } END { print kb * 1024 }' \
		"/proc/$target/smaps"
}

trap clean_up EXIT
# In small pages, whatever the machine's default is, until it is asked for others.
start_target '
import ctypes, mmap, time
libc = ctypes.CDLL(None)
libc.prctl(41, 1, 0, 0, 0)
held = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
held.write(b"x" * (64 << 20))
libc.prctl(41, 0, 0, 0, 0)
# What cannot be collapsed: a third of all.
small = mmap.mmap(-1, 32 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
small.madvise(mmap.MADV_NOHUGEPAGE)
small.write(b"x" * (32 << 20))
print("ready", flush=True)
time.sleep(1000)'

expect 1 ' 0 % in huge pages is less than 95 %' "small pages do not cover" \
	pmadv advise $target -a cold --coverage 95
run pmadv advise $target -a cold --coverage 95 --json
[[ $status == 1 && $(field percent coverage) == 0 && $(field exit_status error) == 1 &&
   $(field resident coverage) -ge $((64 << 20)) ]]
result $? "--json: how much there is, and the error"
run pmadv advise $target -a collapse --coverage 60 --json
kept=$(huge)
[[ $status == 0 && $(field huge coverage) == "$kept" && $kept -ge $((60 << 20)) ]]
result $? "collapse: as much is in huge pages as /proc says"
expect 0 'huge pages .* of .*: 6[0-9] %' "as text" \
	pmadv advise $target -a cold --coverage 60
expect 1 '6[0-9] % in huge pages is less than 70 %' "more than there is" \
	pmadv advise $target -a cold --coverage 70
expect 2 'at most 100' "more than all" pmadv advise $target -a cold --coverage 101
expect 2 'not with --dry-run' "--dry-run" pmadv advise $target -a cold --coverage 1 --dry-run
expect 2 'a whole number from 1' "nothing" pmadv advise $target -a cold --coverage 0
kill -0 $target
result $? "the target lives"

# --- the policy ------------------------------------------------------------------
# What is all there, what half of is missing, and what is small. Without a reserve the
# one in the middle is no mapping together with the others.
start_target '
import ctypes, mmap, time
libc = ctypes.CDLL(None)
libc.prctl(41, 1, 0, 0, 0)
def hold(mega, step, flags=0):
    held = mmap.mmap(-1, mega << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | flags)
    for at in range(0, mega << 20, step):
        held[at] = 1
    return held
kept = [hold(64, 4096), hold(32, 8192, 0x4000), hold(6, 4096)]
libc.prctl(41, 0, 0, 0, 0)
print("ready", flush=True)
time.sleep(1000)'
before=$(resident $target)
run pmadv advise $target --policy=collapse --coverage 60 --json
after=$(resident $target)
kept=$(huge)
((status == 0 && kept >= 60 << 20 && kept <= 64 << 20 && after - before < 4096)) &&
	[[ $(field ranges_failed walk)$(field ranges_refused walk) == 00 ]]
result $? "the policy collapse: what is there, and nothing grows"
expect 1 'in huge pages is less than 85 %' "the policy collapse: what is not covered" \
	pmadv advise $target --policy=collapse --coverage 85
expect 0 ' seen: 0 would be' "the policy collapse: no mapping is that big" \
	pmadv advise $target --policy=collapse --set min_bytes=1G --dry-run
expect 0 'huge pages .* (8[5-9]|9[0-9]|100) %' "the policy collapse: told to, it takes all" \
	pmadv advise $target --policy=collapse --set max_absent=512 --set min_bytes=2M \
	--coverage 85
finish

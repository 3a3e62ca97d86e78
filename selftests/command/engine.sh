#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One table of cases, and the same policy's object: through the hook on a kernel that
# has it, through the engine on any other. What a row expects does not depend on the
# kernel. Then what only the engine has to withstand. Runs in a guest of ours, in one
# of Debian's kernels, and as root on the machine's own:
#
#	selftests/command/engine.sh

[[ -x $(dirname "$0")/../../build/san/pmadv ]] || plain=yes
# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
objects=$build/selftests/objects
[[ -e $objects/table.bpf.o ]] || objects=$build/loader/guest
pin=/sys/fs/bpf/pmadv_table
mounted=
target=
remapper=
cgroup=
hook=
[[ -d $sysfs ]] && hook=yes
echo "# kernel $(uname -r), through the ${hook:+hook}${hook:-engine}" | sed 's/hookyes/hook/'

clean_up()
{
	[[ $job ]] && kill -KILL "$job" 2>/dev/null
	[[ $target ]] && kill -KILL "$target" 2>/dev/null
	[[ $remapper ]] && kill -KILL "$remapper" 2>/dev/null
	[[ $cgroup ]] && wait_for 5 rmdir "$cgroup"
	rm -f "$pin"
	rmdir /sys/fs/bpf/pmadv/daemon /sys/fs/bpf/pmadv 2>/dev/null
	[[ $mounted ]] && umount /sys/fs/bpf
	rm -rf "$tmp"
}
trap clean_up EXIT

# Mappings with a gap on each side: 64 pages of each kind, and two huge pages' worth.
cat >"$tmp/target.py" <<'EOF'
import ctypes, mmap, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
SIZE, RW, PRIVATE, SHARED, ANON = 64 * 4096, 3, 2, 1, 0x20
def make(name, prot, flags, fd=-1, touch=True):
    at = libc.mmap(None, 3 * SIZE, prot, flags, fd, 0)
    libc.munmap(at, SIZE)
    libc.munmap(at + 2 * SIZE, SIZE)
    at += SIZE
    if touch and prot & 2:
        ctypes.memset(at, 65, SIZE)
    print(f"{name}={at:x}-{at + SIZE:x}")
    return at
# The same in one page table.
def make_table(name):
    at = libc.mmap(None, 4 << 20, 0, PRIVATE | ANON, -1, 0)
    start = (at + (2 << 20) - 1 & ~((2 << 20) - 1)) + 5 * 4096
    libc.mprotect(start, SIZE, RW)
    ctypes.memset(start, 65, SIZE)
    print(f"{name}={start:x}-{start + SIZE:x}")
# The same, but of small pages that huge ones fit into.
def make_small(name):
    HUGE, PR_SET_THP_DISABLE = 2 << 20, 41
    libc.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    at = libc.mmap(None, 4 * HUGE, 0, PRIVATE | ANON, -1, 0)
    start = at + HUGE - 1 & ~(HUGE - 1)
    libc.mprotect(start, 2 * HUGE, RW)
    ctypes.memset(start, 65, 2 * HUGE)
    libc.prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0)
    print(f"{name}={start:x}-{start + 2 * HUGE:x}")
fd = os.open(sys.argv[1], os.O_RDONLY)
make_table("table")
make_small("small")
make("anon", RW, PRIVATE | ANON)
make("untouched", RW, PRIVATE | ANON, touch=False)
libc.mlock(make("locked", RW, PRIVATE | ANON), SIZE)
make("file", 1, PRIVATE, fd)
make("shared", 1, SHARED, fd)
make("shmem", RW, SHARED | ANON)
with open("/proc/self/maps") as maps:
    for line in maps:
        for what in "heap", "stack":
            if line.rstrip().endswith(f"[{what}]"):
                print(f"{what}={line.split()[0]}")
print("ready=1", flush=True)
time.sleep(100000)
EOF
# A file of the disk: what is in /tmp may be shmem.
python3 "$tmp/target.py" "$build/selftests/data" >"$tmp/places" &
target=$!
await_target 300 ready "$tmp/places"
declare -A place
while IFS='=' read -r key value; do
	place[$key]=$value
done <"$tmp/places"

mountpoint -q /sys/fs/bpf || { mount -t bpf bpf /sys/fs/bpf && mounted=yes; }

# row WHAT PLACE STATUS FILTER [ARGUMENT...]: of the result of one walk.
row()
{
	local what=$1 where=${place[$2]} want=$3 filter=$4
	shift 4

	rm -f "$pin"
	run pmadv advise "$target" "--policy=$objects/table.bpf.o" -r "$where" --json "$@"
	[[ $status == "$want" ]] &&
		jq -se "map(select(.type == \"walk\"))[0] | $filter" <<<"$out" >/dev/null
	local verdict=$?
	((verdict)) && out="$* => $status, wanted $want and '$filter': $out"
	result $verdict "$what"
}

# in_memory PLACE: of each of its pages, 1 if it is there, 0 if not.
in_memory()
{
	python3 - "$target" "${place[$1]}" <<'END'
import struct, sys
start, end = (int(x, 16) // 4096 for x in sys.argv[2].split("-"))
with open(f"/proc/{sys.argv[1]}/pagemap", "rb") as pagemap:
    pagemap.seek(start * 8)
    entries = struct.unpack(f"{end - start}Q", pagemap.read((end - start) * 8))
print("".join(str(e >> 63) for e in entries))
END
}

# pages WHAT PLACE PATTERN: which are in memory. Nothing leaves without swap.
pages()
{
	[[ $(tail -n +2 /proc/swaps) ]] || {
		skip "$1" "there is no swap"
		return
	}
	out=$(in_memory "$2")
	[[ $out =~ ^($3)$ ]]
	result $? "$1"
}

# How often a member was called, by its number in table.bpf.c.
called()
{
	"$build/tools/bin/bpftool" -j map lookup pinned "$pin" key "$1" 0 0 0 |
		jq '.formatted.value // (.value | map(ltrimstr("0x")) | reverse | join("") | ascii_downcase)'
}

all=262144
row "skip" anon 0 '.ranges_seen == 1 and .ranges_skipped == 1' --set answer=0
row "cold" anon 0 ".ranges_advised == 1 and .bytes_advised == $all" --set answer=20
row "dry run" anon 0 '.ranges_advised == 1 and .dry_run' --set answer=21 --dry-run
pages "skip, cold and a dry run: every page stays" anon '1{64}'
row "pageout" anon 0 ".ranges_advised == 1 and .bytes_advised == $all" --set answer=21
pages "pageout: every page is out" anon '0{64}'
row "willneed" anon 0 ".ranges_advised == 1 and .bytes_advised == $all" --set answer=3
row "caller: cold" anon 0 '.ranges_advised == 1' --set answer=0x1000 -a cold
row "caller: nothing proposed" anon 0 '.ranges_skipped == 1' --set answer=0x1000
row "stop" anon 0 '.stopped == "policy" and .ranges_skipped == 1' --set answer=0x1001
row "an errno is an invalid verdict" anon 0 \
	'.ranges_refused == 1 and .first_error == "EINVAL"' --set answer=-1
row "so is another advice" anon 0 '.ranges_refused == 1' --set answer=4
row "so is whatever is no verdict" anon 0 \
	'.ranges_refused == 33 and .ranges_skipped == 31 and .first_error == "EINVAL"' \
	--set no_verdicts=1
row "unknown modifier" anon 0 '.ranges_refused == 1' --set answer=20 --set modifiers=8
row "skip_young" anon 0 '.ranges_advised == 1' --set answer=21 --set modifiers=1
row "locked" locked 0 '.ranges_refused == 1 and .first_error == "EINVAL"' --set answer=21
row "dry run: locked" locked 0 '.ranges_refused == 1' --set answer=21 --dry-run
row "narrowed to 16 pages" anon 0 ".ranges_advised == 4 and .bytes_advised == $all" \
	--set answer=20 --set piece=65536
row "narrowed to a page" anon 0 ".ranges_advised == 64 and .bytes_advised == $all" \
	--set answer=20 --set piece=4096
huge_kb()
{
	awk -v at="${place[$1]}" '$1 == at { here = 1 }
		here && /^AnonHugePages/ { print $2; exit }' "/proc/$target/smaps"
}
collapses=$(pmadv probe --json | jq 'select(.ability == "MADV_COLLAPSE").here')
if [[ -e /sys/kernel/mm/transparent_hugepage && $collapses == true ]]; then
	row "collapse" small 0 '.ranges_failed == 0 and .bytes_advised == 4194304' \
		--set answer=25
	out="$(huge_kb small) kB of 4096 are in huge pages"
	[[ $(huge_kb small) == 4096 ]]
	result $? "collapse: of small pages two huge ones"
else
	for what in "collapse" "collapse: of small pages two huge ones"; do
		skip "$what" "this kernel has no MADV_COLLAPSE"
	done
fi
row "facts: anonymous, writable" anon 0 '.ranges_advised == 1' --set answer=20 \
	--set with=0xa --set without=0xf4
row "facts: file" file 0 '.ranges_advised == 1' --set answer=20 --set with=0x11 \
	--set without=0x6e
row "facts: shmem, shared" shmem 0 '.ranges_advised == 1' --set answer=20 --set with=0x60 \
	--set without=0x18
row "facts: a shared file that may only be read" shared 0 '.ranges_advised == 1' \
	--set answer=20 --set with=0x51
row "facts: heap" heap 0 '.ranges_advised >= 1' --set answer=20 --set with=0x108
row "facts: stack" stack 0 '.ranges_advised >= 1' --set answer=20 --set with=0x88
row "facts: locked" locked 0 '.ranges_refused == 1' --set answer=21 --set with=0x200
row "sample: all there" locked 0 '.ranges_refused == 1' --set answer=21 --set sample=32
row "sample: nothing there" untouched 0 '.ranges_skipped == 1' --set answer=20 \
	--set sample=32
row "pages: all there" table 0 '.ranges_advised == 1' --set answer=20 --set look=1
row "pages: not there" untouched 0 '.ranges_skipped == 1' --set answer=20 --set look=1
row "pages: an unknown flag" table 0 '.ranges_skipped == 1' --set answer=20 --set look=1 \
	--set look_flags=2
row "pages: accessed bits are taken" table 0 '.ranges_skipped == 1' --set answer=0 \
	--set look=1 --set look_flags=1
row "pages: none was accessed since" table 0 '.ranges_advised == 1' --set answer=20 \
	--set look=2
row "select: willneed" table 0 '.ranges_refused == 1' --set answer=3 --set mask=1 \
	--set mask_size=8
row "select: a wrong size" table 0 '.ranges_refused == 1 and .first_error == "EINVAL"' \
	--set answer=21 --set mask=1 --set mask_size=12
row "select: a wrong size, and nothing to do" table 0 '.ranges_skipped == 1' --set answer=0 \
	--set mask=1 --set mask_size=12
row "select: none" table 0 '.ranges_advised == 1 and .bytes_advised == 0' --set answer=21 \
	--set mask_size=8
row "select: every other page" table 0 ".ranges_advised == 1 and .bytes_advised == $((all / 2))" \
	--set answer=21 --set mask=0x5555555555555555 --set mask_size=8
pages "select: exactly these pages are out" table '(01){32}'
row "max_pages" locked 0 '.ranges_refused == 1' --set answer=20 --set max_pages=7
row "a budget" shmem 0 '.stopped == "budget" and .bytes_advised == 28672' \
	--set answer=20 --max-pages 7
row "widened: ejected" anon 5 true --set bad=1
row "narrowed to nothing: ejected" anon 5 true --set bad=2
row "an end that is no page's: ejected" anon 5 true --set bad=4
row "bpf_pmadv_error(): ejected" anon 5 true --set bad=3
[[ $out == *42* && $out == *"it was told to"* ]]
result $? "bpf_pmadv_error(): its code and message"
row "64 invalid verdicts: ejected" anon 5 true --set answer=-5 \
	--set piece=4096
rm -f "$pin"
expect 1 'refused|ailed' "init() refuses" pmadv advise "$target" \
	"--policy=$objects/table.bpf.o" --set refuse_init=-28
row "begin() refuses" anon 1 true --set refuse_begin=-16
rm -f "$pin"
expect 0 '1 advised' "by name" pmadv advise "$target" --policy=by_name \
	--set 'rules+=data=cold' -r "${place[file]}"
expect 0 '0 advised' "by another name" pmadv advise "$target" --policy=by_name \
	--set 'rules+=dat=cold' -r "${place[file]}"

expect 0 'page_age: 12 rounds.* [1-9][0-9]* of [0-9]+ ranges advised' \
	"page_age: what stays away leaves" pmadv run page_age "$target" --every 0.1 --count 12 \
	--set stay_away=4 --set max_returns=0
expect 0 'page_age: 4 rounds.* 0 of [0-9]+ ranges advised' \
	"page_age: not before it was seen to stay away" pmadv run page_age "$target" \
	--every 0.1 --count 4 --set stay_away=4 --set max_returns=0

# --- the members -------------------------------------------------------------
row "with every member" anon 0 '.ranges_advised == 4' --set answer=20 --set piece=65536
want=([0]=1 [1]=1 [2]=4 [3]=4 [4]=1 [5]=1 [6]=1)
name=(init begin advise advised end exit "exit: detached")
was_called()
{
	[[ $(called "$1") == "$2" ]]
}
for i in "${!want[@]}"; do
	wait_for 10 was_called "$i" "${want[i]}"
	result $? "called as often as it should: ${name[i]}"
done
row "ejected" anon 5 true --set bad=3
wait_for 10 was_called 6 66
result $? "exit() is told of the ejection"

# --- what only the engine has to withstand ------------------------------------
claim=(--set "claim_start=0x${place[locked]%-*}" --set "claim_end=0x${place[locked]#*-}")
if [[ $hook ]]; then
	expect 1 'verifier' "writing what is read-only is refused" pmadv advise "$target" \
		"--policy=$objects/hostile.bpf.o" "${claim[@]}" -r "${place[anon]}"
	finish
fi
run pmadv advise "$target" "--policy=$objects/hostile.bpf.o" "${claim[@]}" \
	-r "${place[anon]}" --json
[[ $status == 0 ]] &&
	jq -se ".[0].ranges_advised == 1 and .[0].bytes_advised == $all" <<<"$out" >/dev/null
result $? "writing what is read-only has no effect"
expect 5 'too slow' "a policy that takes long is ejected" pmadv run \
	"$objects/hostile.bpf.o" "$target" --set turns=8000000 --count 3 --every 0.1
# Without CAP_SYS_ADMIN it cannot be found out how to read page tables.
rm -f "$pin"
expect 0 'refused.*EOPNOTSUPP: SKIP_YOUNG: page tables' "explain: what this kernel cannot do, and why" \
	setpriv --bounding-set=-sys_admin "$(type -P pmadv)" explain "$target" \
	--policy "$objects/table.bpf.o" --set answer=21 --set modifiers=1
rm -f "$pin"
expect 0 'first error  EOPNOTSUPP' "and it is not done" \
	setpriv --bounding-set=-sys_admin "$(type -P pmadv)" advise "$target" \
	--policy="$objects/table.bpf.o" --set answer=21 --set modifiers=1 -r "${place[anon]}"
run pmadv probe --json
[[ $(jq -r 'select(.type == "ability" and .hook and .here == .engine).ability' <<<"$out" |
	wc -l) -gt 10 && $(jq -r 'select(.type == "ability" and .here == false).ability' \
	<<<"$out") == *"under one lock"*"other callers"* ]]
result $? "probe: what can be done here, with the hook, and with the engine"
expect 3 'without PMADV_POLICY' "an object without PMADV_POLICY()" pmadv advise "$target" \
	--policy="$objects/nolink.bpf.o"
expect 3 'pmadv run' "attach says what to use instead" pmadv attach noop
expect 3 'name one' "advise --policy takes a name" pmadv advise "$target" --policy

# From 6.4 on.
proof=$(pmadv probe --json | jq 'select(.ability == "ranges proven exact").engine')
proven='([1-9][0-9]*) of \1'
[[ $proof == true ]] || proven='0 of [1-9][0-9]*'
expect 0 "^engine .*: $proven ranges proven exact" \
	"run: all that it advised is proven, where the kernel can tell" \
	pmadv run caller "$target" --advice cold --count 1

# --- every mapping, of many -----------------------------------------------------
# Pages side by side and apart, so that the kernel's tree of them is deep and uneven.
cat >"$tmp/many.py" <<'EOF'
import ctypes, random, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
choose = random.Random(int(sys.argv[1]))
at = base = libc.mmap(None, 64 << 20, 0, 0x4022, -1, 0)
for i in range(5000):
    size = choose.choice((1, 1, 1, 2, 5)) * 4096
    libc.mmap(at, size, choose.choice((1, 3)), 0x4032, -1, 0)
    at += size
    if choose.random() < 0.3:
        libc.munmap(at, 4096)
        at += 4096
libc.munmap(at, base + (64 << 20) - at)
print("ready", flush=True)
time.sleep(100000)
EOF
seed=${SEED:-$RANDOM}
python3 "$tmp/many.py" "$seed" >"$tmp/ready" &
remapper=$!
await_target 300 ready "$tmp/ready"
sed 's/ .*//; s/^0*//; s/-0*/ /; /^ffffffffff/d' "/proc/$remapper/maps" >"$tmp/maps"
# asked_about [OPTION]...: its ranges that the policy was asked about.
asked_about()
{
	run pmadv advise "$remapper" --policy=noop --dry-run --json "$@"
	jq -r 'select(.type == "range") | "\(.start) \(.end)"' <<<"$out" |
		sed 's/0x//g' >"$tmp/asked"
}
asked_about
[[ $(field reasked walk) == 0 ]]
result $? "a dry run asks once"
out="seed $seed; $(diff "$tmp/maps" "$tmp/asked" | head -n 5)"
(($(wc -l <"$tmp/maps") > 2000)) && cmp -s "$tmp/maps" "$tmp/asked"
result $? "of thousands of mappings each is asked about, and once"
read -r first _ < <(sed -n 1000p "$tmp/maps")
read -r _ last < <(sed -n 1900p "$tmp/maps")
asked_about -r "$first-$last"
out="seed $seed; $(sed -n 1000,1900p "$tmp/maps" | diff - "$tmp/asked" | head -n 5)"
sed -n 1000,1900p "$tmp/maps" | cmp -s - "$tmp/asked"
result $? "of some of them, these and no other"
kill -KILL "$remapper"
wait "$remapper" 2>/dev/null
remapper=

# --- who watches ----------------------------------------------------------------
# start VERB [OPTION]...: it watches in the background, once it says so.
start()
{
	# What the one before said is not to be taken for it.
	rm -f "$tmp/err"
	pmadv "$@" >"$tmp/out" 2>"$tmp/err" &
	job=$!
	wait_for 60 grep -qE 'watching|recording|at work' "$tmp/err"
}

# of NAME TYPE: of what the monitor printed.
of()
{
	field "$1" "$2" "$tmp/out"
}

start monitor --json
grep -q 'calls of other programs are not' "$tmp/err"
result $? "monitor says that other callers are not seen"
pmadv run caller "$target" --advice cold --count 2 --every 0.1 --json >"$tmp/run" 2>/dev/null
stop
seen=$(field ranges_seen total "$tmp/run")
[[ $status == 0 && $seen -gt 10 && $(of start range | wc -l) == "$seen" ]]
result $? "monitor sees every range that another pmadv walks"
[[ $(of pid range | sort -u) == "$target" && $(of verdict range | sort -u) == caller &&
   $(of scanned range | add_up) == "$(field scanned walk "$tmp/run" | add_up)" ]]
result $? "monitor: with target, verdict, and the pages that the walks report"
[[ $(of lost end) == 0 && $(of engine end) == engine ]]
result $? "monitor: how many were lost, and the engine"
start monitor --json --pid $$
pmadv advise "$target" -a cold >/dev/null
pmadv advise $$ -a cold >/dev/null
stop
[[ $(of pid range | sort -u) == "$$" ]]
result $? "monitor --pid: nothing of others"
start monitor --interval 60 --json
pmadv run caller "$target" --advice cold --count 3 --every 0.1 --json >"$tmp/run" 2>/dev/null
stop
[[ $(of calls summary) == 3 &&
   $(of ranges_seen summary) == "$(field ranges_seen total "$tmp/run")" ]]
result $? "monitor --interval: calls and ranges add up"
start monitor --json
kill -KILL "$job"
wait "$job" 2>/dev/null
job=
expect 0 '1 walk' "a monitor that was killed is in nobody's way" \
	pmadv run caller "$target" --advice cold --count 1

start record -o "$tmp/engine.rec"
pmadv run caller "$target" --advice cold --count 2 --every 0.1 --json >"$tmp/run" 2>/dev/null
stop
run pmadv report "$tmp/engine.rec" --show summary --json
[[ $(field engine summary) == engine && $(field calls summary) == 2 &&
   $(field ranges_seen summary) == "$(field ranges_seen total "$tmp/run")" &&
   $(field time_ns summary) -gt 0 ]]
result $? "record and report: the calls, the ranges, the time and the engine"

# Records that the engine did not make: whoever maps the program's file can call it.
cat >"$tmp/forge.py" <<'EOF'
import ctypes, mmap, re, struct, subprocess, sys
program = sys.argv[1]
symbols = subprocess.run(["nm", program], capture_output=True, text=True).stdout
address = int(re.search(r"(\w+) . watched_record$", symbols, re.M).group(1), 16)
for line in subprocess.run(["readelf", "-lW", program], capture_output=True,
                           text=True).stdout.splitlines():
    load = re.match(r" +LOAD +(\w+) (\w+) \w+ (\w+)", line)
    if load:
        offset, at, size = (int(word, 16) for word in load.groups())
        if at <= address < at + size:
            place = address - at + offset
file = open(program, "rb")
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
page = place & ~4095
code = libc.mmap(None, 8192, 5, 2, file.fileno(), page)
record = struct.pack("<HHIQQii16s", 2, 1, 176, 0, 1, 1, 1, b"forged") + bytes(128)
ctypes.CFUNCTYPE(None, ctypes.c_char_p)(code + place - page)(record)
EOF
forge()
{
	# Not the one with sanitizers, whose functions want to be begun by its main().
	local PATH=$build:$PATH

	start monitor --json
	# Others may not execute what is in /root, like another python3.
	run "$@" /usr/bin/python3 "$tmp/forge.py" "$(type -P pmadv)"
	((status)) && echo "status $status"
	stop
	of comm range
}
chmod 755 "$tmp"
out=$(forge env)
[[ $out == forged ]]
result $? "whoever has CAP_BPF is believed"
nobody=(setpriv --reuid 65534 --clear-groups)
out=$(forge "${nobody[@]}"
	"${nobody[@]}" unshare -Ur true 2>/dev/null && forge "${nobody[@]}" unshare -Ur)
[[ $out == "" ]]
result $? "nobody else is, whatever namespace of users it is in"

# --- what is running ------------------------------------------------------------
metric()
{
	awk -v name="$1" '$1 == name { print $2 }' <<<"$out"
}
metrics_have()
{
	out=$(pmadv metrics)
	[[ $(metric "$1") ]]
}
rm "$tmp/run"
pmadv run caller "$target" --advice cold --every 1000 --json >"$tmp/run" 2>/dev/null &
job=$!
wait_for 60 test -s "$tmp/run"
labels='policy="caller",scope="system",engine="engine",process="'$job'"'
wait_for 20 metrics_have "pmadv_policy_calls_total{$labels}"
[[ $(metric "pmadv_policy_calls_total{$labels}") == 1 &&
   $(metric 'pmadv_policies{engine="engine"}') -ge 1 &&
   $(metric "pmadv_policy_ranges_total{$labels,outcome=\"advised\"}") == \
	"$(field ranges_advised walk "$tmp/run")" &&
   $(metric "pmadv_policy_exactness_total{$labels,state=\"proven\"}") == \
	"$(field proven walk "$tmp/run")" ]]
result $? "metrics: what a run has done, and whose it is"
expect 4 'CAP_SYS_ADMIN' "metrics: unprivileged" \
	setpriv --reuid 65534 --clear-groups "$(type -P pmadv)" metrics
run=$job
stop KILL
gone()
{
	out=$(pmadv metrics) && [[ $out != *"process=\"$run\""* ]]
}
wait_for 10 gone
result $? "metrics: nothing once it was killed"

# --- the daemon -----------------------------------------------------------------
config=$tmp/pmadv.conf
printf '[rule all]\ncommand = no-such-command\npolicy = noop\nevery = 1s\n' >"$config"
start daemon --config "$config"
expect 1 "another pmadv daemon is running .process $job.: one is enough" \
	"two daemons: the second names the first, and ends" \
	timeout 60 pmadv daemon --config "$config"
stop KILL
start daemon --config "$config"
stop
[[ $status == 0 && $out == *"its policies are detached"* ]]
result $? "a daemon that was killed is in nobody's way"

# --- a target that does not hold still ------------------------------------------
cat >"$tmp/remap.py" <<'EOF'
import ctypes
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
SIZE = 16 * 4096
slots = [libc.mmap(None, SIZE, 3, 0x22, -1, 0) for i in range(64)]
# For a policy that asks for each page of it.
libc.mmap(None, 1 << 36, 3, 0x4022, -1, 0)
print("ready=1", flush=True)
while True:
    for at in slots:
        libc.munmap(at, SIZE)
        libc.mmap(at, SIZE, 3, 0x32, -1, 0)
EOF
rm "$tmp/ready"
python3 "$tmp/remap.py" >"$tmp/ready" &
remapper=$!
wait_for 60 test -s "$tmp/ready"
# walks OPTION...: thirty, of which the total stays in $out.
walks()
{
	out=$(pmadv run caller $remapper --advice cold --count 30 --every 0.02 --json "$@" \
		2>/dev/null | tail -n 1)
}
if [[ $proof != true ]]; then
	expect 3 'mm_lock_seq' "--proven-only: on a kernel that cannot tell" \
		pmadv run caller $remapper --advice cold --proven-only --count 1
fi
caught=0
spared=0
sums=ok
for _ in 1 2 3 4 5 6; do
	walks
	caught=$((caught + $(field unproven)))
	[[ $(($(field proven) + $(field unproven))) == "$(field ranges_advised)" ]] || sums=$out
	[[ $proof == true ]] || break
	walks --proven-only
	spared=$((spared + $(field unproven)))
	[[ $(($(field proven) + $(field unproven))) == "$(field ranges_advised)" ]] || sums=$out
	((caught < 200)) || break
done
out=$sums
[[ $sums == ok ]] && kill -0 $remapper
result $? "remapping all the time: what is not proven is said to be so"
if [[ $proof != true ]] || ((caught < 100)); then
	skip "--proven-only: a change makes one range unproven, not all of a call" \
		"no proof here, or the target was hardly ever caught"
else
	out="unproven: $caught, with --proven-only: $spared"
	((spared * 3 < caught))
	result $? "--proven-only: a change makes one range unproven, not all of a call"
fi
if [[ $proof == true ]]; then
	kill -STOP $remapper
	wait_for 10 grep -q '^State:.*T' /proc/$remapper/status
	walks --proven-only
	[[ $(field unproven)$(field dropped)$(field reasked) == 000 && $(field proven) -gt 100 ]]
	result $? "--proven-only: all is proven once the target holds still"
	kill -CONT $remapper
fi

# Sixteen million answers to the only question there is about that mapping.
pmadv run "$objects/table.bpf.o" $remapper --set answer=20 --set piece=4096 --count 1 \
	>"$tmp/out" 2>"$tmp/err" &
job=$!
wait_for 60 grep -q 'is asked by' "$tmp/err"
sleep 1
began=$SECONDS
kill -0 "$job" 2>/dev/null
alive=$?
stop
[[ $alive == 0 && $((SECONDS - began)) -lt 10 ]]
result $? "endless narrowing ends with Ctrl-C"
kill -KILL $remapper
wait $remapper 2>/dev/null
remapper=
rm -f "$pin"

# --- --freeze ------------------------------------------------------------------
expect 1 'no cgroup .v2. of its own' "--freeze: not ourselves" pmadv advise "$target" \
	--policy=noop --freeze
v2=$(cgroup2_mount)
cgroup=$v2/pmadv_engine
if [[ $v2 ]] && mkdir "$cgroup" 2>/dev/null && echo "$target" >"$cgroup/cgroup.procs"; then
	proven=64
	[[ $proof == true ]] || proven=0
	row "--freeze" anon 0 ".ranges_advised == 64 and .proven == $proven" \
		--set answer=20 --set piece=4096 --freeze
	out=$(<"$cgroup/cgroup.freeze")
	[[ $out == 0 ]]
	result $? "--freeze: thawed at the end"
	out=
	for after in 0.1 0.3 0.5 0.7; do
		pmadv run caller "$target" --advice cold --every 0.001 --freeze >/dev/null 2>&1 &
		job=$!
		sleep "$after"
		kill -KILL "$job"
		wait "$job" 2>/dev/null
		wait_for 10 grep -q 0 "$cgroup/cgroup.freeze" || out+=" $after"
	done
	[[ -z $out ]]
	result $? "--freeze: killed at any moment, it leaves nothing frozen"
else
	skip "--freeze" "no cgroup v2 to put the target into"
fi

# What the engine has in the kernel.
leftovers()
{
	"$build/tools/bin/bpftool" prog show | grep pmadv_engine
	"$build/tools/bin/bpftool" map show | grep -E 'name \.data\.pmadv'
	"$build/tools/bin/bpftool" link show | grep -B 1 'task_vma'
}
nothing_left()
{
	out=$(leftovers)
	[[ -z $out ]]
}
for after in 0.05 0.3 0.6 0.9; do
	pmadv run noop "$target" --every 0.01 >/dev/null 2>&1 &
	job=$!
	sleep "$after"
	kill -KILL "$job"
	wait "$job" 2>/dev/null
done
job=
wait_for 10 nothing_left
result $? "killed at any moment, it leaves nothing"
kill -0 "$target"
result $? "the target lives"
finish

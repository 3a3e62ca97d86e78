# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # its users use them
#
# What the scripts that test the pmadv command share. They source it, then call
# result, skip or expect once a test, and `finish` at the end. Their arguments are
# patterns of the tests to report; all steps run, as they build on each other. $tmp
# is a folder that `clean_up`, which they define, removes.
#
# pmadv is the one with ASan and UBSan, unless they set plain=yes before, or the one in
# the folder PMADV_COMMAND. What the sanitizers say is kept where no test looks, until
# finish, and the status is one that nothing else has.

dir=$(readlink -f "${PMADV_SELFTESTS:-$(dirname "$0")/../../build/selftests}")
build=$(dirname "$dir")
PATH=$build:$PATH
[[ $plain ]] || PATH=$build/san:$PATH
[[ -z ${PMADV_COMMAND-} ]] || PATH=$PMADV_COMMAND:$PATH
sysfs=/sys/kernel/mm/process_madvise
tmp=$(mktemp -d "/tmp/$(basename "$0" .sh).XXXXXX")
number=0
failed=0
out=
job=
# For other users, too.
chmod 711 "$tmp"
mkdir -m 1777 "$tmp/sanitizers"
# To find out where in build/san/pmadv an address is would take long here.
export ASAN_OPTIONS=exitcode=99:symbolize=0:log_path=$tmp/sanitizers/report
# ncurses keeps what it needs for a terminal that it does not know.
echo leak:libtinfo >"$tmp/suppressions"
export LSAN_OPTIONS=suppressions=$tmp/suppressions:print_suppressions=0

patterns=("$@")

# wanted DESCRIPTION: does it match a pattern, or are there none?
wanted()
{
	local pattern

	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $1 == $pattern ]] && return
	done
	((!${#patterns[@]}))
}

# result STATUS DESCRIPTION: with the output of the last command if it failed.
result()
{
	wanted "$2" || return 0
	number=$((number + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $number - $2"
	else
		failed=1
		printf '%s\n' "$out" | head -n 60 | sed 's/^/# /'
		echo "not ok $number - $2"
	fi
}

skip()
{
	wanted "$1" || return 0
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

finish()
{
	if [[ -z $plain ]] && ((number || !${#patterns[@]})); then
		patterns=()
		out=$(type -P pmadv; cat "$tmp"/sanitizers/* 2>/dev/null)
		[[ $out == "$build/san/pmadv" ]]
		result $? "no report of ASan, UBSan or LeakSanitizer"
	fi
	echo "1..$number"
	exit $failed
}

# run COMMAND...: what it prints stays in $out, its status in $status.
run()
{
	out=$("$@" 2>&1)
	status=$?
}

# expect STATUS PATTERN DESCRIPTION COMMAND...
expect()
{
	local want=$1 pattern=$2 what=$3

	shift 3
	run "$@"
	[[ $status == "$want" ]] && grep -qE -- "$pattern" <<<"$out"
	local verdict=$?
	((verdict)) && out="$* => $status, wanted $want and '$pattern':
$out"
	result $verdict "$what"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# await_target SECONDS WORD FILE: until the target has written it there; without a
# target there is nothing to test.
await_target()
{
	wait_for "$1" grep -q "$2" "$3" || { echo "Bail out! no target"; exit 1; }
}

# Where cgroup v2 is mounted; nothing if it is not.
cgroup2_mount()
{
	awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

# stop [SIGNAL]: $job, which writes to $tmp/out and $tmp/err. Its status in $status
# and all it said in $out.
stop()
{
	kill "-${1:-INT}" "$job" 2>/dev/null
	wait "$job" 2>/dev/null
	status=$?
	job=
	out="status $status: $(cat "$tmp/err" "$tmp/out")"
}

# json FILTER: of the JSON lines in $out.
json()
{
	jq -r "$1" <<<"$out"
}

# field NAME [TYPE [FILE]]: its values in the JSON lines of $out or of a file, of
# that type or of any. In bash itself, as jq takes half a second to start here.
field()
{
	local line text=$out

	[[ $3 ]] && text=$(<"$3")

	while IFS= read -r line; do
		[[ -z $2 || $line == *'"type":"'$2'"'* ]] || continue
		[[ $line =~ \"$1\":(\"([^\"]*)\"|([^,}]*)) ]] &&
			echo "${BASH_REMATCH[2]}${BASH_REMATCH[3]}"
	done <<<"$text"
}

# Of the numbers on stdin.
add_up()
{
	local value total=0

	while read -r value; do
		total=$((total + value))
	done
	echo $total
}

in_force()
{
	grep -qsx "$1" $sysfs/policies/*/name
}

none_in_force()
{
	! in_force '.*'
}

resident()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

swapped()
{
	awk '/^VmSwap/ { print $2 }' "/proc/$1/status"
}

# start_redis MEGABYTES: a redis-server with that much in it; its number is in
# $redis, and its socket $tmp/redis. Its keys' digest is what `digest` prints.
start_redis()
{
	redis-server --port 0 --unixsocket "$tmp/redis" --daemonize yes --save '' \
		--pidfile "$tmp/redis.pid" --dir "$tmp" --enable-debug-command yes >/dev/null
	wait_for 20 redis-cli -s "$tmp/redis" ping || return
	redis=$(cat "$tmp/redis.pid")
	redis-cli -s "$tmp/redis" debug populate $(($1 * 250)) key 4000 >/dev/null
}

digest()
{
	redis-cli -s "$tmp/redis" debug digest
}

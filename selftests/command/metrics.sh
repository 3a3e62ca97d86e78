#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmadv metrics: that they are what sysfs says, in a format that Prometheus takes, and
# that a file never is half written. Runs in the guest.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
cgroup=/sys/fs/cgroup/metrics_test
writer=

clean_up()
{
	pmadv detach --all >/dev/null 2>&1
	disown -a
	# shellcheck disable=SC2086 # a word each
	kill -KILL $sleeper $writer 2>/dev/null
	rmdir $cgroup/* $cgroup 2>/dev/null
	rm -rf "$tmp"
}
sleep 1000 &
sleeper=$!
trap clean_up EXIT

# value METRIC: of it, with its labels, in $out.
value()
{
	local line

	while IFS= read -r line; do
		[[ $line == "$1 "* ]] && echo "${line##* }"
	done <<<"$out"
}

# of POLICY FILE: what sysfs has.
of()
{
	local policy

	for policy in "$sysfs"/policies/*; do
		[[ $(<"$policy/name") == "$1" ]] && cat "$policy/$2"
	done
}

run pmadv metrics
[[ $status == 0 && $(value 'pmadv_policies{engine="hook"}') == 0 && $out != *policy=* && $out == *"# EOF" ]]
result $? "no policy: none in force"

mkdir -p "$cgroup/it's \"a\\b\""
echo $sleeper >"$cgroup/it's \"a\\b\"/cgroup.procs"
pmadv attach background_app --cgroup "$cgroup/it's \"a\\b\"" --pin >/dev/null
pmadv attach noop --pin >/dev/null
pmadv advise $sleeper --policy >/dev/null
run pmadv metrics
labels='policy="background_app",scope="/metrics_test/it'\''s \"a\\b\"",engine="hook"'
for name in calls errors invalid_verdicts; do
	[[ $(value "pmadv_policy_${name}_total{$labels}") == "$(of background_app $name)" ]]
	result $? "$name, as sysfs has it"
done
[[ $(value "pmadv_policy_advised_bytes_total{$labels}") == "$(of background_app bytes_advised)" ]]
result $? "bytes advised, as sysfs has it"
for name in scanned young shared deactivated reclaimed; do
	[[ $(value "pmadv_policy_${name}_bytes_total{$labels}") == \
		"$(($(of background_app $name) * 4096))" ]]
	result $? "$name, in bytes"
done
for outcome in advised skipped refused failed; do
	[[ $(value "pmadv_policy_ranges_total{$labels,outcome=\"$outcome\"}") == \
		"$(of background_app ranges_$outcome)" ]]
	result $? "ranges $outcome"
done
seconds=$(value "pmadv_policy_walk_seconds_total{$labels}")
[[ $(of background_app time_ns) == "$((10#${seconds/./}))" && $seconds != 0.000000000 ]]
result $? "time, in seconds"
[[ $(value 'pmadv_policy_calls_total{policy="noop",scope="system",engine="hook"}') == 0 &&
   $(value 'pmadv_policies{engine="hook"}') == 2 && $(value pmadv_ejections_total) == "$(<$sysfs/ejected)" ]]
result $? "the other policy, how many there are, and ejections"

cp <(echo "$out") "$tmp/metrics"
if command -v promtool >/dev/null; then
	run promtool check metrics <"$tmp/metrics"
	[[ $status == 0 && -z $out ]]
	result $? "promtool has nothing to say"
	# It takes samples only with a time.
	awk '/^#/ { print; next } { print $0, 1700000000 }' "$tmp/metrics" >"$tmp/openmetrics"
	expect 0 ULID "Prometheus' OpenMetrics parser takes them" \
		promtool tsdb create-blocks-from openmetrics "$tmp/openmetrics" "$tmp/tsdb"
else
	skip "promtool" "it is not installed: apt-get install prometheus"
	skip "OpenMetrics" "no promtool"
fi
expect 0 "^pmadv_policies.engine=.hook.. 2" "without any privilege" \
	setpriv --reuid 65534 --clear-groups pmadv metrics

# --- the file ------------------------------------------------------------------
mkdir "$tmp/collector"
file=$tmp/collector/pmadv.prom
(umask 077; pmadv metrics --output "$file")
[[ $(grep -c . "$file") -gt 20 && $(stat -c %a "$file") == 644 &&
   $(ls "$tmp/collector") == pmadv.prom ]]
result $? "--output: a file for everybody to read, and no other"
pmadv metrics --output "$file" --interval 0.02 &
writer=$!
# Whoever reads sees all of it, always, while it is another file each time.
declare -A inodes=()
bad=0
for ((i = 0; i < 200; i++)); do
	mapfile -t lines <"$file"
	[[ ${lines[-1]} == '# EOF' ]] || bad=$((bad + 1))
	# shellcheck disable=SC2012
	((i % 20)) || inodes[$(ls -i "$file")]=1
done
out="incomplete: $bad, files: ${#inodes[@]}"
[[ $bad == 0 && ${#inodes[@]} -gt 1 ]]
result $? "--interval: replaced again and again, and never seen in part"
kill -INT $writer
wait $writer
status=$?
out="status $status, $(ls -a "$tmp/collector")"
[[ $status == 0 && $(ls "$tmp/collector") == pmadv.prom ]]
result $? "--interval: until Ctrl-C, and leaves nothing else behind"
expect 1 'No such file' "--output: no such folder" pmadv metrics --output "$tmp/no/x.prom"
mkdir "$tmp/collector/dir.prom"
expect 1 'cannot replace' "--output: a folder is in the way" \
	pmadv metrics --output "$tmp/collector/dir.prom"
[[ $(ls "$tmp/collector" | tr '\n' ' ') == "dir.prom pmadv.prom " ]]
result $? "--output: which leaves no file behind"
expect 2 'takes --output' "--interval without a file" pmadv metrics --interval 1
expect 2 'format of their own' "--json" pmadv metrics --json

finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make eval: its arithmetic, and its smallest cells, in this guest. Runs in the guest.

# shellcheck disable=SC2034 # tap.bash reads it
plain=yes
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=selftests/command/tap.bash
. "$here/../command/tap.bash"
trap 'rm -rf "$tmp"' EXIT

# sample NAME: of the cell in $out.
sample()
{
	local word name value

	while read -r word name value; do
		[[ $word == sample && $name == "$1" ]] && echo "${value%.*}"
	done <<<"$out"
}

expect 0 '^OK$' "the arithmetic of the report" \
	/usr/bin/python3 -B "$here/test_report.py"

export O=$build
# The three in one guest program, as that is slow to start here.
run "$here/guest" backup 1 nothing=0 by_pages=1 cold_pages=1 --scale 0.06
mapfile -t resident < <(sample resident_bytes)
[[ $status == 0 && $(grep -cx "done" <<<"$out") == 3 && ${#resident[@]} == 3 ]]
result $? "redis without a reclaimer and with two: all cells end well"
[[ $(sample wrong) == $'0\n0\n0' ]]
result $? "every answer is right"
[[ $(sample backups | head -n 1) -ge 1 && $(sample refaults | head -n 1) == 0 ]]
result $? "no reclaimer: there was a backup, and nothing came back"
# Of the others, the file that a backup is written to may be there just then.
[[ $(sample file_bytes | head -n 1) -lt 1000000 ]]
result $? "the files of the first program are not in its group"
[[ ${resident[1]} -lt $((resident[0] * 3 / 4)) ]]
result $? "by_pages: a quarter of it left memory"
[[ ${resident[2]} -lt $((resident[0] * 3 / 4)) ]]
result $? "cold_pages: a quarter of it left memory"

expect 2 'none of' "an arm that there is not" "$here/run" --arms no_such --report

finish

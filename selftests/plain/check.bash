# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For what selftests/debian runs on a plain Debian, whose lines it reads: a line "ok NAME"
# or "not ok NAME" for each check, and before the latter what the command said.

# check NAME COMMAND...
check()
{
	local name=$1 out

	shift
	if out=$("$@" 2>&1); then
		echo "ok $name"
	else
		printf '%s\n' "$* => $?" "$out"
		echo "not ok $name"
		return 1
	fi
}

# has PATTERN COMMAND...: its output does.
has()
{
	local pattern=$1 out

	shift
	out=$("$@" 2>&1)
	echo "$out"
	grep -qE -- "$pattern" <<<"$out"
}

# within SECONDS COMMAND...: it succeeds by then. What it said at last is said.
within()
{
	local end=$((SECONDS + $1)) out

	shift
	until out=$("$@" 2>&1); do
		((SECONDS < end)) || {
			echo "$out"
			return 1
		}
		sleep 0.5
	done
}

install_deb()
{
	cp -u "$1" /tmp
	apt-get -q -y --no-install-recommends install "/tmp/$(basename "$1")"
}

# Has the kernel that runs the hook?
has_hook()
{
	[[ -d /sys/kernel/mm/process_madvise ]]
}

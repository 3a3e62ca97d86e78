# SPDX-License-Identifier: GPL-2.0
# fish completion of pmadv. The tables at its end come from the option tables of the
# program: what can be completed is what it takes.

# The verb of the command line before the cursor: "main" if there is none yet.
function __pmadv_verb
	for word in (commandline -opc)[2..]
		if not string match -q -- '-*' $word
			echo $word
			return
		end
	end
	echo main
end

function __pmadv_verb_is
	test (__pmadv_verb) = $argv[1]
end

# How many operands does verb $argv[1] have before the cursor?
function __pmadv_operands_before
	set -l valued __pmadv_valued_$argv[1]
	set -l nr -1 # the verb is none
	set -l value no

	for word in (commandline -opc)[2..]
		if test $value = yes
			set value no
		else if contains -- $word $$valued
			set value yes
		else if not string match -q -- '-*' $word
			set nr (math $nr + 1)
		end
	end
	echo $nr
end

# Is operand $argv[2] of verb $argv[1], or with "more" one after it, under the cursor?
function __pmadv_operand_is
	__pmadv_verb_is $argv[1]; or return
	set -l before (__pmadv_operands_before $argv[1])
	if test "$argv[3]" = more
		test $before -ge $argv[2]
	else
		test $before -eq $argv[2]
	end
end

function __pmadv_policy
	set -l own (path dirname (command -v pmadv))/bpf
	set -l folders $own /usr/lib/pmadv /usr/local/lib/pmadv

	set -q PMADV_POLICY_DIR; and set -p folders $PMADV_POLICY_DIR
	for file in $folders/*.bpf.o
		string match -qr '/(monitor|engine)\.bpf\.o$' $file
		or path basename $file | string replace .bpf.o ''
	end
	__fish_complete_suffix .bpf.o
end

function __pmadv_pid
	string match -r '[0-9]+$' /proc/*
end

function __pmadv_target
	if string match -q -- '*/*' (commandline -ct)
		__pmadv_cgroup
		return
	end
	for pid in (__pmadv_pid)
		read -l name 2>/dev/null </proc/$pid/comm; or continue
		printf '%s\t%s\n%s\n' $pid $name $name
	end
end

function __pmadv_cgroup
	__fish_complete_directories (commandline -ct) cgroup
end

function __pmadv_attached
	cat /sys/kernel/mm/process_madvise/policies/*/name 2>/dev/null
end

function __pmadv_advice
	printf '%s\n' $__pmadv_advices
end

function __pmadv_word
	set -l words __pmadv_words_$argv[1]

	printf '%s\n' $$words
end

# Some text or number that only the user knows.
function __pmadv_none
end

# @TABLES@

# SPDX-License-Identifier: GPL-2.0
# bash completion of pmadv. The tables at its end come from the option tables of
# the program: what can be completed is what it takes.
# shellcheck disable=SC2154 # the tables are not in this file

_pmadv_policies()
{
	local file

	for file in ${PMADV_POLICY_DIR:+"$PMADV_POLICY_DIR"/*.bpf.o} \
		    "$(dirname "$(command -v pmadv)")"/bpf/*.bpf.o \
		    /usr/lib/pmadv/*.bpf.o /usr/local/lib/pmadv/*.bpf.o; do
		[[ -e $file && $file != */monitor.bpf.o ]] || continue
		file=${file##*/}
		echo "${file%.bpf.o}"
	done
}

_pmadv_attached()
{
	cat /sys/kernel/mm/process_madvise/policies/*/name 2>/dev/null
}

_pmadv_pids()
{
	local dir

	for dir in /proc/[0-9]*; do
		echo "${dir##*/}"
	done
}

_pmadv_commands()
{
	cat /proc/[0-9]*/comm 2>/dev/null | sort -u
}

# Words, one a line on stdin, that begin with what is there already.
_pmadv_reply()
{
	mapfile -t COMPREPLY < <(compgen -W "$(cat)" -- "$cur")
}

# $1 is what kind of word to complete.
_pmadv_value()
{
	case $1 in
	advice)
		_pmadv_reply <<<"$_pmadv_advices" ;;
	pid)
		_pmadv_reply < <(_pmadv_pids) ;;
	cgroup)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -S / -- "${cur:-/sys/fs/cgroup/}") ;;
	file)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	policy)
		mapfile -t COMPREPLY < <(compgen -W "$(_pmadv_policies)" -- "$cur"
					 compgen -f -X '!*.bpf.o' -- "$cur") ;;
	attached)
		_pmadv_reply < <(_pmadv_attached) ;;
	target)
		if [[ $cur == */* ]]; then
			_pmadv_value cgroup
		else
			_pmadv_reply < <(_pmadv_pids; _pmadv_commands)
		fi ;;
	esac
}

# How many operands of verb $1 come before the word under the cursor?
_pmadv_operands_before()
{
	local i nr=0 word

	for ((i = verb_at + 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == -* ]]; then
			# Its value is no operand.
			[[ -n ${_pmadv_values[$1$word]} && $word != *=* ]] && ((i++))
		else
			((nr++))
		fi
	done
	echo "$nr"
}

_pmadv()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb='' verb_at kind before

	COMPREPLY=()
	for ((verb_at = 1; verb_at < COMP_CWORD; verb_at++)); do
		if [[ ${COMP_WORDS[verb_at]} != -* ]]; then
			verb=${COMP_WORDS[verb_at]}
			break
		fi
	done

	if [[ -z $verb ]]; then
		_pmadv_reply <<<"$_pmadv_verbs ${_pmadv_options[main]}"
		return
	fi
	[[ -n ${_pmadv_options[$verb]} ]] || return

	# "--option=value" comes as three words.
	if [[ $cur == = ]]; then
		cur=''
		kind=${_pmadv_values[$verb$prev]}
	elif [[ $prev == = ]]; then
		kind=${_pmadv_values[$verb${COMP_WORDS[COMP_CWORD - 2]}]}
	else
		kind=${_pmadv_values[$verb$prev]}
	fi
	if [[ -n $kind ]]; then
		_pmadv_value "$kind"
		return
	fi
	if [[ $cur == -* ]]; then
		_pmadv_reply <<<"${_pmadv_options[$verb]}"
		return
	fi

	before=$(_pmadv_operands_before "$verb")
	case ${_pmadv_operands[$verb]} in
	POLICY\|*)
		((before)) || _pmadv_value policy ;;
	POLICY\ TARGET*)
		if ((before)); then _pmadv_value target; else _pmadv_value policy; fi ;;
	TARGET*)
		_pmadv_value target ;;
	*FILE*)
		((before)) || _pmadv_value file ;;
	*NAME*)
		((before)) || _pmadv_value attached ;;
	esac
}
complete -F _pmadv pmadv


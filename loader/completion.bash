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
		[[ -e $file && $file != */@(monitor|engine).bpf.o ]] || continue
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
	word)
		_pmadv_reply <<<"${_pmadv_words[$verb]}" ;;
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
	local verb='' verb_at kind kinds option before

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
	option=$prev
	if [[ $cur == = ]]; then
		cur=''
		option+==
	elif [[ $prev == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}=
	fi
	kind=${_pmadv_values[$verb$option]:-${_pmadv_values[$verb${option%=}]}}
	if [[ -n $kind ]]; then
		_pmadv_value "$kind"
		return
	fi
	if [[ $cur == -* ]]; then
		_pmadv_reply <<<"${_pmadv_options[$verb]}"
		return
	fi

	before=$(_pmadv_operands_before "$verb")
	read -ra kinds <<<"${_pmadv_operands[$verb]}"
	((${#kinds[@]})) || return
	if ((before >= ${#kinds[@]})) && [[ ${kinds[-1]} == *... ]]; then
		before=$((${#kinds[@]} - 1))
	fi
	kind=${kinds[before]}
	_pmadv_value "${kind%...}"
}
complete -F _pmadv pmadv

# @TABLES@

#compdef pmadv
# SPDX-License-Identifier: GPL-2.0
# zsh completion of pmadv. The tables come from the option tables of the program:
# what can be completed is what it takes.

_pmadv_policy()
{
	local -a files policies
	local own=${commands[pmadv]:h}/bpf

	files=(${PMADV_POLICY_DIR:+$PMADV_POLICY_DIR/*.bpf.o(N)} $own/*.bpf.o(N)
	       /usr/lib/pmadv/*.bpf.o(N) /usr/local/lib/pmadv/*.bpf.o(N))
	policies=(${${files:t}%.bpf.o})
	policies=(${(u)policies:#(monitor|engine)})
	_alternative "policies:policy:compadd -a policies" \
		"files:object:_files -g '*.bpf.o'"
}

_pmadv_target()
{
	local -a pids names

	if [[ $PREFIX == */* ]]; then
		_pmadv_cgroup
		return
	fi
	pids=(/proc/[0-9]*(/N:t))
	names=(${(f)"$(cat /proc/[0-9]*/comm(N) 2>/dev/null)"})
	_alternative "pids:process:compadd -a pids" "names:command:compadd -a names"
}

_pmadv_pid()
{
	local -a pids

	pids=(/proc/[0-9]*(/N:t))
	_wanted pids expl process compadd -a pids
}

_pmadv_cgroup()
{
	_path_files -/ -W /sys/fs/cgroup || _path_files -/
}

_pmadv_attached()
{
	local -a names

	names=(${(f)"$(cat /sys/kernel/mm/process_madvise/policies/*/name(N) 2>/dev/null)"})
	_wanted names expl policy compadd -a names
}

_pmadv_advice()
{
	_wanted advices expl advice compadd -a _pmadv_advices
}

_pmadv_word()
{
	_wanted words expl word compadd ${(s: :)_pmadv_words[$_pmadv_verb_now]}
}

_pmadv_file()
{
	_files
}

# Some text or number that only the user knows.
_pmadv_none()
{
	_message value
}

_pmadv_verb()
{
	_describe verb _pmadv_verbs
}

# @TABLES@

_pmadv()
{
	local curcontext=$curcontext context state line _pmadv_verb_now
	typeset -A opt_args

	_arguments -s -S -C : "$_pmadv_main_options[@]" \
		'1:VERB:_pmadv_verb' '*::operand:->operands'
	[[ $state == operands ]] || return
	_pmadv_verb_now=$words[1]
	(( $+functions[_pmadv_verb_$_pmadv_verb_now] )) || return
	curcontext=${curcontext%:*:*}:pmadv-$_pmadv_verb_now:
	_pmadv_verb_$_pmadv_verb_now
}

_pmadv "$@"

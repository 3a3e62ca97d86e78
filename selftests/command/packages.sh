#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packages that `make deb` builds: they install, what they bring works, and
# nothing of it is left when they are purged. In a copy of this machine's root
# file system that keeps what is written in memory. The same of what `make install`
# installs; and each verb works from there, from the package and from build/.

# shellcheck source=selftests/command/tap.bash
. "$(dirname "$0")/tap.bash"
root=$tmp/root
debs=$build/deb

clean_up()
{
	umount -R "$root" 2>/dev/null
	umount "$tmp/memory" 2>/dev/null
	rm -rf "$tmp"
}
trap clean_up EXIT

if ! compgen -G "$debs/*.deb" >/dev/null; then
	skip "all of it" "no packages in build/deb: make deb"
	finish
fi

mkdir -p "$tmp/memory" "$root"
mount -t tmpfs none "$tmp/memory"
mkdir "$tmp/memory/upper" "$tmp/memory/work"
mount -t overlay -o "lowerdir=/,upperdir=$tmp/memory/upper,workdir=$tmp/memory/work" \
	none "$root" || exit 1
for name in dev proc sys; do
	mount --rbind /$name "$root/$name"
done
mount --bind "$(readlink -f /var)" "$root/var"
mkdir -p "$root/tmp/debs" "$root/tmp/made"
cp "$debs"/*.deb "$root/tmp/debs"

inside()
{
	env -u PMADV_POLICY_DIR PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		chroot "$root" "$@"
}

# Mapped by name, without what dpkg keeps for itself.
files()
{
	(cd "$tmp/memory/upper" && find etc lib usr -type f -o -type l -o -type c) 2>/dev/null |
		grep -v '^etc/ld.so.cache$' | sort
}

# verb PATTERN VERB...: it succeeds, and says that.
verb()
{
	run "${pmadv[@]}" "${@:2}"
	tried+=("$2")
	[[ $status == 0 ]] && grep -qE -- "$1" <<<"$out" ||
		wrong+="pmadv ${*:2} => $status, wanted 0 and '$1': $out"$'\n'
}

# Somebody who advises, while another verb watches.
advise_soon()
{
	(
		for _ in 1 2 3 4; do
			sleep 1
			"${pmadv[@]}" advise $$ --policy
		done
	) >/dev/null 2>&1 &
}

# verbs_work WHOSE COMMAND...: every verb there is does something, and no file is
# missing where that pmadv is.
verbs_work()
{
	local whose=$1 wrong='' out
	local -a pmadv=("${@:2}") tried=()

	verb '^hook process_madvise_ops +yes' probe
	verb '1 walks' run background_app $$ --count 1
	verb 'noop attached' attach noop --pin
	verb '^noop +system' list
	verb 'skip' explain $$
	verb 'ranges .*skipped' advise $$ --policy
	verb '^pmadv_policies 1' metrics
	advise_soon
	verb 'skip +skipped' monitor --count 1
	wait
	advise_soon
	verb '[1-9][0-9]* calls' record --duration 3 --output /tmp/verbs.rec
	wait
	verb '^targets +1' report /tmp/verbs.rec --show summary
	run script -qec "${pmadv[*]} top" /dev/null < <(sleep 3; echo q; sleep 1)
	tried+=(top)
	grep -q noop <<<"$out" || wrong+="pmadv top => $status: $out"$'\n'
	verb 'noop' detach noop
	verb 'nothing wrong with its 1 rules' daemon --check-config --config /tmp/verbs.conf
	out=$wrong
	[[ -z $wrong ]]
	result $? "each verb works: $whose"
	out=$(comm -3 <(printf '%s\n' "${tried[@]}" | sort) \
		<("${pmadv[@]}" --dump-options table | cut -f1 | grep -vx main | sort -u))
	[[ -z $out ]]
	result $? "and there are no others: $whose"
}

printf '[rule a]\npolicy = noop\n' | tee /tmp/verbs.conf >"$root/tmp/verbs.conf"
verbs_work "in build/" env -u PMADV_POLICY_DIR "$build/pmadv"

files >"$tmp/before"
run inside sh -c \
	'dpkg --no-triggers --install /tmp/debs/pmadv_*.deb /tmp/debs/libpmadv-dev_*.deb'
out=$(tail -n 40 <<<"$out")
[[ $status == 0 ]]
result $? "dpkg installs them"
expect 0 '^pmadv 0' "pmadv runs" inside pmadv --version
expect 0 '^hook process_madvise_ops +yes' "pmadv probe" inside pmadv probe
inside pmadv attach background_app --pin >/dev/null
expect 0 'pageout +advised' "its policies are found, and decide" inside pmadv explain $$
inside pmadv detach --all >/dev/null
expect 2 'pmadv.conf:[0-9]+: there is no .rule NAME.' "/etc/pmadv.conf has no rule" \
	inside pmadv daemon
expect 0 'nothing wrong with its 1 rules' "a rule can be added to it" inside sh -c \
	'printf "[rule a]\npolicy = noop\n" >>/etc/pmadv.conf; pmadv daemon --check-config'
[[ -f $root/lib/systemd/system/pmadv.service &&
   -z $(find "$root/etc/systemd" -name pmadv.service 2>/dev/null) ]]
result $? "the service is there, and not enabled"
expect 0 'ExecStart=/usr/bin/pmadv daemon' "which runs what was installed" \
	cat "$root/lib/systemd/system/pmadv.service"
wrong=
for page in pmadv pmadv-daemon pidfd_get_vma; do
	inside man -w $page >/dev/null 2>&1 || wrong+=" $page"
done
inside man -w 2pmadv process_madvise >/dev/null 2>&1 || wrong+=" process_madvise"
out=$wrong
[[ -z $wrong ]]
result $? "the manual pages are found"
expect 0 'attach.*daemon' "the completion is there" inside bash -c \
	'. /usr/share/bash-completion/completions/pmadv; echo $_pmadv_verbs'
[[ -f $root/usr/share/zsh/vendor-completions/_pmadv &&
   -f $root/usr/share/fish/vendor_completions.d/pmadv.fish ]]
result $? "so are those for zsh and fish"
cp "$(dirname "$0")/../examples/example.c" "$root/tmp/made"
expect 0 'ranges advised' "the example compiles with pkg-config's flags, and runs" inside sh -c \
	'cd /tmp/made && gcc -Wall -Werror $(pkg-config --cflags pmadv) -o example example.c && ./example '$$

verbs_work "of the package" env -u PMADV_POLICY_DIR chroot "$root" /usr/bin/pmadv

run inside dpkg --no-triggers --purge pmadv libpmadv-dev
[[ $status == 0 ]]
result $? "dpkg purges them"
out=$(files | diff "$tmp/before" - | grep -v '^[0-9]' | grep pmadv |
	while read -r _ file; do [[ -c $tmp/memory/upper/$file ]] || echo "$file"; done)
[[ -z $out && ! -e $root/etc/pmadv.conf && ! -e $root/usr/lib/pmadv ]]
result $? "nothing is left of them"

# What is built is there; what make install builds itself has no room in build/ here.
make_in()
{
	local folder=$1 objects=$build

	[[ $folder == doc ]] && objects=$tmp/doc
	run make -s -C "$(dirname "$0")/../../$folder" O="$objects" DESTDIR="$root" "$2"
}

for folder in loader doc include; do
	make_in $folder install
	[[ $status == 0 ]]
	result $? "make install: $folder"
done
verbs_work "that make install installs" \
	env -u PMADV_POLICY_DIR chroot "$root" /usr/local/bin/pmadv
expect 0 '^pmadv 0' "the manual page is found" inside sh -c \
	'man -w pmadv-probe >/dev/null && pmadv --version'
for folder in loader doc include; do
	make_in $folder uninstall
done
out=$(files | grep 'usr/local' | while read -r file; do
	[[ -c $tmp/memory/upper/$file ]] || echo "$file"; done)
[[ -z $out ]]
result $? "make uninstall leaves nothing"

finish

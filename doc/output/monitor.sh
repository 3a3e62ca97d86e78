# SPDX-License-Identifier: GPL-2.0
# The monitor, while somebody else walks a process with a policy.
# runs: in a guest
perl -e '$x = "x" x 5e7; sleep 1000' &
pmadv attach background_app --pin >/dev/null || exit
(sleep 5; pmadv advise perl --policy >/dev/null) &
show "pmadv monitor --count 10"
kill %1
pmadv detach --all >/dev/null

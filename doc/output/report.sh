# SPDX-License-Identifier: GPL-2.0
# A recording that the tests have, of the run that the pictures show, too.
# runs: here, the same
cd loader/tests/report || exit
show "pmadv report redis.rec --show targets"
show "pmadv report redis.rec --show time"

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the streams of keys alone say of the arms: no guest, a minute.

usage: foresee.py [WORKLOAD]...; for each arm and setting the share of the values that is
out, in %, and the refaults a second.
"""

import sys

import oracle
import page_age
from table import ARMS, ORACLE, WORKLOADS


def rows(spec):
    """(arm, setting, share, refaults a second)"""
    count = oracle.workloads.key_count(1.0)
    start, until = spec["settle"], spec["settle"] + spec["measure"]
    stream = list(oracle.uses(spec, 1))
    spans = list(oracle.gaps(stream, count, until))
    for setting in ORACLE["settings"]:
        yield ("(oracle)", setting, *oracle.outcome(
            oracle.knowing(spans, float(setting)), start, until, count))
    for setting in ARMS["lru_gen"]["settings"]:
        yield ("lru_gen", setting, *oracle.outcome(
            oracle.walking(spans, float(setting)), start, until, count))
    arm = ARMS["page_age"]
    for setting in arm["settings"]:
        left = page_age.spans(stream, count, until, float(arm["every"]),
                              page_age.STAY_AWAY, float(setting))
        yield ("page_age", setting, *oracle.outcome(left, start, until, count))


def known():
    return [name for name, spec in WORKLOADS.items()
            if spec["kind"] == "redis" and "backup" not in spec]


def table(names):
    return [{"workload": name, "arm": arm, "setting": setting, "out_pct": 100 * share,
             "refaults_s": refaults}
            for name in names for arm, setting, share, refaults in rows(WORKLOADS[name])]


def main():
    for name in sys.argv[1:] or known():
        if name not in known():
            sys.exit("foresee: %s is none of %s" % (name, ", ".join(known())))
        for one in table([name]):
            print("%(workload)-10s %(arm)-10s %(setting)4s  %(out_pct)5.1f %%  "
                  "%(refaults_s)6.1f refaults/s" % one, flush=True)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0
"""What is compared: the arms with their settings, and the workloads.

A new arm is a row of ARMS. Its five settings go from eager to gentle, and are chosen
before the runs. Of its columns:

  kind           what makes it, see make() in reclaimers.py: pmadv is `pmadv run POLICY`
                 with a walk every SETTING seconds, pmadv-away the same once, SETTING
                 seconds after a program left the front
  knobs          of the policy; where a walk is made every so many seconds by every, a
                 knob without a value is the setting
  ours           it is a policy by the hook
  same_decision  it decides in user space what the policies decide that name it as their
                 decision
  workloads      the only ones where it makes sense
  walks          it decides by one look at each page every SETTING seconds, so oracle.py
                 can say how many refaults that must give
"""

AGES = ["5", "8", "12", "20", "30"]
AWAY = ["0.5", "1", "2", "3", "5"]

ARMS = {
    "nothing": dict(kind="nothing", settings=["0"], what="no reclaimer"),
    "memory.reclaim": dict(kind="pressure", settings=["1", "0.3", "0.1", "0.03", "0.01"],
                           what="memory.reclaim, 3 % of the group a second, less under "
                                "pressure; setting: PSI some, %"),
    "damon_reclaim": dict(kind="damon_reclaim", settings=AGES,
                          what="DAMON_RECLAIM, physical; setting: min_age, s"),
    "damos": dict(kind="damos", settings=AGES,
                  what="DAMOS pageout, virtual addresses; setting: min_age, s"),
    "lru_gen": dict(kind="lru_gen", settings=AGES, walks=True,
                    what="MGLRU: a generation every SETTING s, all but two evicted"),
    "android": dict(kind="android", settings=AWAY, workloads=["agents"],
                    what="each private mapping paged out by process_madvise(2), SETTING s "
                         "after the program left the front"),
    "by_pages": dict(kind="by_pages", settings=AGES, same_decision=True, walks=True,
                     what="the decision of cold_pages made in user space: page_idle, "
                          "pagemap, process_madvise(2); setting: time between walks, s"),
    "cold_pages": dict(kind="pmadv", policy="cold_pages", settings=AGES, ours=True,
                       walks=True,
                       knobs=["max_young_pct=100"], decision="by_pages",
                       what="policy cold_pages by the hook; setting: time between walks, s"),
    "page_age": dict(kind="pmadv", policy="page_age", ours=True, every="4",
                     knobs=["max_returns"], settings=["100", "50", "20", "10", "5"],
                     what="policy page_age by the hook, a walk every 4 s; setting: pages "
                          "of a program that may return in a second"),
    "background_app": dict(kind="pmadv-away", policy="background_app", settings=AWAY,
                           ours=True, workloads=["agents"],
                           what="policy background_app by the hook, SETTING s after the "
                                "program left the front"),
}

# settle and measure are seconds of the guest: it takes about a minute until the gentlest
# settings do something, and page_age has learned. misleads: what misleads recency there.
WORKLOADS = {
    "drift": dict(kind="redis", keys="hot", settle=90, measure=45, misleads="drift",
                  what="redis, 97 % of the reads go to 10 % of the keys, which drift"),
    "scan": dict(kind="redis", keys="hot", scan=20, settle=90, measure=45,
                 misleads="a scan",
                 what="the same, and every 20 s another client reads all keys"),
    "backup": dict(kind="redis", keys="hot", backup=20, settle=90, measure=45,
                   misleads="a backup",
                   what="the same, and every 20 s a child of the server writes a backup"),
    "zipf": dict(kind="redis", keys="zipf", settle=90, measure=45, equal=True,
                 what="redis, keys by Zipf's law, 0.99"),
    "agents": dict(kind="agents", settle=90, measure=45, misleads="app switching",
                   what="python programs, one in front, each keeps state"),
    "uniform": dict(kind="redis", keys="uniform", settle=90, measure=45, negative=True,
                    what="redis, every key as likely"),
    "streaming": dict(kind="redis", keys="stream", settle=90, measure=45, negative=True,
                      what="redis, one key after the other"),
}

# Computed from the stream of keys, not run: see oracle.py.
ORACLE = dict(settings=["5", "10", "20", "30", "40"], what="an oracle: whoever knows the future pages out what will "
                                  "not be used for SETTING s; computed, of the values of redis alone")

# What runs without options, within an hour on two cores.
DEFAULT = {"arms": [arm for arm in ARMS if not arm.startswith("damo")],
           "workloads": ["scan", "backup", "zipf", "agents", "uniform"]}

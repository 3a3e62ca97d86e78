# SPDX-License-Identifier: GPL-2.0
"""Tables, pictures and doc/evaluation.md, all of it out of build/eval.json."""

import os
import subprocess

from report import (EQUAL_PCT, HOOK_CPU_RATIO, HOOK_SAVE_RATIO, NEGATIVE_PCT,
                    REFAULT_RATIO, SAVE_RATIO, SLOWDOWNS, WINS)
from table import ARMS, ORACLE, WORKLOADS

# "twice" is what was read in again and zram still has too.
COLUMNS = (("saved_mb", "MB saved", "%.1f"), ("saved_pct", "%", "%.0f"),
           ("swapcached_mb", "twice, MB", "%.1f"),
           ("slowdown_pct", "slower, %", "%.2f"), ("refaults_s", "refaults/s", "%.1f"),
           ("refaults_s_gib", "per GiB saved", "%.0f"), ("cpu_pct", "CPU, %", "%.2f"),
           ("stall_pct", "stalled, %", "%.2f"))


def number(value, how):
    return "-" if value is None else how % value


def workloads_in(found):
    return [name for name in WORKLOADS
            if any(one["workload"] == name for one in found["points"])]


def rows(found, workload):
    """A line a setting; what redis' views or a program's return took comes last."""
    what = "resume" if WORKLOADS[workload]["kind"] == "agents" else "view"
    columns = COLUMNS + ((what + ".p50_us", what + " p50, us", "%.0f"),
                         (what + ".p99_us", "p99, us", "%.0f"),
                         (what + ".p999_us", "p99.9, us", "%.0f"))
    if what == "resume":
        columns += (("mmap.max_us", "longest mmap, us", "%.0f"),)
    lines = [["arm", "setting"] + [title for _, title, _ in columns]]
    for one in found["points"] + [{"arm": "(oracle)", **one} for one in found["oracle"]]:
        if one["workload"] == workload:
            lines.append([one["arm"], one["setting"]] +
                         [number(one.get(key), how) for key, _, how in columns])
    return lines


def aligned(lines):
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(word.ljust(width) if nth == 0 else word.rjust(width)
                               for nth, (word, width) in enumerate(zip(line, widths)))
                     for line in lines)


def markdown(lines):
    head, *rest = lines
    rule = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| %s |" % " | ".join(line) for line in [head, rule] + rest)


def table(found):
    return "\n\n".join("%s: %s\n\n%s" % (name, WORKLOADS[name]["what"],
                                         aligned(rows(found, name)))
                       for name in workloads_in(found))


def holds(value):
    return {True: "holds", False: "does not hold", None: "not measured"}[value]


def remarks(found):
    """Arms that reclaimed nothing although they ran."""
    out = []
    for arm in ARMS:
        tried = [one["damon_regions_tried"] for one in found["points"]
                 if one["arm"] == arm and one.get("damon_regions_tried") is not None]
        if tried and not any(tried):
            out.append("%s tried no region in any of its %d cells: it does not work on "
                       "this kernel." % (arm, len(tried)))
    for one in found["predicted"]:
        out.append("%(workload)s, %(arm)s every %(setting)s s: %(measured).1f refaults/s "
                   "measured, %(predicted).1f predicted from the stream of keys." % one)
    wrong = [one for one in found["points"] if one["wrong"]]
    out.append("Every answer of every workload was right." if not wrong else
               "WRONG ANSWERS: " + ", ".join("%(workload)s %(arm)s %(setting)s" % one
                                             for one in wrong))
    return out


def gentler(found, workload, arm, slowdown):
    """A remark if no setting slows down so little: the number is a guess then."""
    slow = [one["slowdown_pct"] for one in found["points"]
            if (one["workload"], one["arm"]) == (workload, arm)]
    return "" if slow and min(slow) <= slowdown else "*"


def verdict_a(found):
    policy = found["policy"]
    lines = ["A, worth a policy: %s." % holds(policy["holds"])]
    for name, judged in policy["workloads"].items():
        if not judged:
            continue
        for one in judged["at"]:
            lines.append(
                "  %s, at %d %% slowdown: ours (%s) %.1f%s MB, the best other (%s) "
                "%.1f%s MB, ratio %s" %
                (name, one["slowdown_pct"], one["ours"], one["ours_mb"],
                 gentler(found, name, one["ours"], one["slowdown_pct"]),
                 one["theirs"], one["theirs_mb"],
                 gentler(found, name, one["theirs"], one["slowdown_pct"]),
                 number(one["ratio"], "%.2f")))
        one = judged["refaults"]
        if one:
            lines.append(
                "  %s, at %.1f MB saved: ours (%s) %.1f refaults/s, the best other (%s) "
                "%.1f, ratio %s" % (name, one["saved_mb"], one["ours_arm"], one["ours"],
                                    one["theirs_arm"], one["theirs"],
                                    number(one["ratio"], "%.2f")))
    parts = policy["parts"]
    lines += [
        "  (* no setting that was measured slows down so little: on the straight line from "
        "no reclaimer to the gentlest one)",
        "  saves at least %.1f times as much, or has at most %.1f of the refaults, on at "
        "least %d workloads that mislead recency: on %d of %d measured; %s" %
        (SAVE_RATIO, REFAULT_RATIO, WINS, len(policy["won"]), len(policy["misled"]),
         holds(parts["wins"])),
        "  as good within %d %% where nothing misleads it: %s" %
        (EQUAL_PCT, holds(parts["equals"])),
        "  slows down what it cannot help by at most %d %%: %s; %s" %
        (NEGATIVE_PCT, ", ".join("%s %s %%" % (name, number(cost, "%.2f"))
                                 for name, cost in policy["negative"].items()) or "-",
         holds(parts["harmless"]))]
    return lines


def verdict_b(found):
    hook = found["hook"]
    lines = ["B, worth a hook: %s." % holds(hook["holds"])]
    for row in hook["rows"]:
        lines.append("  %s, %s against %s: saves %s times as much at %d %% slowdown, "
                     "%s of the processor time, %s of the longest wait to map" %
                     (row["workload"], row["ours"], row["theirs"],
                      number(row["save_ratio"], "%.2f"), SLOWDOWNS[-1],
                      number(row["cpu_ratio"], "%.2f"),
                      number(row["stall_ratio"], "%.2f")))
    if hook["rows"]:
        lines += ["  saves %.1f times as much or takes %.1f of the processor time: medians "
                  "%s and %s; %s" % (HOOK_SAVE_RATIO, HOOK_CPU_RATIO,
                                     number(hook["save_ratio"], "%.2f"),
                                     number(hook["cpu_ratio"], "%.2f"),
                                     holds(hook["parts"]["gains"])),
                  "  at most 1/50 of the longest wait to map: %s" %
                  holds(hook["parts"]["stall"]),
                  "  no wrong object: not counted here, but by selftests/kernel/races.c"]
    return lines


def verdict(found):
    return "\n".join(["The verdict, by rules that were fixed before the runs:", ""] +
                     verdict_a(found) + [""] + verdict_b(found) + [""] + remarks(found))


def gnuplot(found, workload, path):
    """A picture of what each arm saves, and what that costs."""
    arms = [arm for arm in ARMS if any(
        (one["workload"], one["arm"]) == (workload, arm) for one in found["points"])]
    blocks, plots = [], []
    for nth, arm in enumerate(arms):
        lines = ["%g %g" % (max(0, one["slowdown_pct"]), one["saved_mb"])
                 for one in found["points"]
                 if (one["workload"], one["arm"]) == (workload, arm)]
        blocks.append("$arm%d << END\n%s\nEND\n" % (nth, "\n".join(lines)))
        plots.append('$arm%d with linespoints pointtype 7 linetype %d linewidth %d '
                     'title "%s" noenhanced' %
                     (nth, nth + 1, 3 if ARMS[arm].get("ours") else 1, arm))
    script = """
        set terminal svg size 720,440 dynamic background rgb "white"
        set output "%s"
        set title "%s" noenhanced
        set xlabel "slower, %%; the settings of an arm from eager to gentle"
        set ylabel "MB saved, net of zram's own memory"
        set yrange [0:*]
        set key outside right top
        set grid
        %s
        plot %s
    """ % (path, workload, "".join("\n" + block for block in blocks), ", ".join(plots))
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def findings():
    """What people found out about the numbers; it has none of its own."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "findings.md")
    with open(path, encoding="utf-8") as file:
        return file.read().split("-->\n", 1)[1] + "\n"


def foreseen(found):
    """What the streams of keys alone say: a line for each workload and arm."""
    lines = {}
    for one in found["foreseen"]:
        lines.setdefault((one["workload"], one["arm"]), []).append(
            "%(setting)s: %(out_pct).1f (%(refaults_s).1f)" % one)
    return "".join(
        ["\n## Foreseen\n\nComputed from the streams of keys, without a guest, by "
         "`selftests/eval/foresee.py`: what share of the values is\nout, in %, and in "
         "brackets the refaults a second, for each setting.\n\n"
         "| workload | arm | setting: out, % (refaults/s) |\n| --- | --- | --- |\n"] +
        ["| %s | %s | %s |\n" % (*key, "; ".join(some)) for key, some in lines.items()])


def write(found, where):
    """doc/evaluation.md and a picture for each workload."""
    parts = ["""<!-- SPDX-License-Identifier: GPL-2.0 -->
<!-- Generated by selftests/eval/run --doc; do not edit. -->
# Is it worth it: policies against the reclaimers Linux has

```text
%s
```

`make eval` measures this anew. Here are %d cells of %d that there are. The clock counts %s; %d seed%s; the machine: %s. *Saved*
is resident memory plus what zram takes for the rest, averaged over the measurement,
against no reclaimer. *Slower* compares the mean time of what a user waits for, as the
client sees it. CPU is that of the reclaimer, in all its threads. Programs and libraries lie in
memory that nobody reclaims, so no arm gains or loses by program text.

%sThe arms:

%s
""" % (verdict(found), len(found["cells"]), found["wanted"], found["machine"]["clock"], found["machine"]["rounds"],
       "" if found["machine"]["rounds"] == 1 else "s", found["machine"]["cpu"],
       findings(),
       "\n".join("- `%s`: %s" % (name, arm["what"]) for name, arm in
                 [*ARMS.items(), ("(oracle)", ORACLE)]))]
    for name in workloads_in(found):
        gnuplot(found, name, os.path.join(where, "eval-%s.svg" % name))
        parts.append("\n## %s\n\n%s.\n\n![What each arm saves and costs](eval-%s.svg)\n\n"
                     "%s\n" % (name, WORKLOADS[name]["what"], name,
                               markdown(rows(found, name))))
    parts.append(foreseen(found))
    with open(os.path.join(where, "evaluation.md"), "w", encoding="utf-8") as file:
        file.write("".join(parts))

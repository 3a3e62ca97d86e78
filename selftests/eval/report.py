# SPDX-License-Identifier: GPL-2.0
"""What the cells of the evaluation say: savings, curves and the verdict.

Everything here is computed from the cells that `run` kept, nothing is typed in.
"""

import statistics

MB = 1e6
GIB = 2 ** 30
# What a program does that its user waits for; mmap is a probe.
PROBES = ("mmap",)
SLOWDOWNS = (2, 5)		# per cent, where arms are compared

# The verdict, fixed before the runs.
SAVE_RATIO = 1.4		# A: saved by ours / by the best other, at equal slowdown
REFAULT_RATIO = 0.6		# A: refaults of ours / of the best other, at equal saving
WINS = 3			# A: on so many workloads in which something misleads recency
EQUAL_PCT = 3			# A: there, ours is at most this much worse
NEGATIVE_PCT = 1		# A: there, ours slows down by at most this
HOOK_SAVE_RATIO = 1.1		# B: saved by the hook / by the same decision in user space
HOOK_CPU_RATIO = 0.5		# B: or processor time
HOOK_STALL_RATIO = 1 / 50	# B: and the longest wait to map something


def busy_us(samples):
    """Mean time of what the user waits for."""
    names = [name[:-len(".mean_us")] for name in samples if name.endswith(".mean_us")]
    names = [name for name in names if name not in PROBES]
    return (sum(samples[name + ".mean_us"] * samples[name + ".count"] for name in names) /
            sum(samples[name + ".count"] for name in names))


def footprint(samples):
    """What the workload costs: what is resident, and zram's memory for the rest."""
    return samples["resident_bytes"] + samples["zram_bytes"]


def point(samples, base):
    """A cell against that of no reclaimer, of the same workload and seed."""
    saved = footprint(base) - footprint(samples)
    seconds = samples["seconds"]
    refaults = samples["refaults"] / seconds
    answer = {
        "saved_mb": saved / MB,
        "saved_pct": 100 * saved / footprint(base),
        "slowdown_pct": 100 * (busy_us(samples) / busy_us(base) - 1),
        "refaults_s": refaults,
        "refaults_s_gib": refaults / (saved / GIB) if saved > 0 else None,
        "major_s": samples["faults_major"] / seconds,
        "cpu_pct": samples["cpu_reclaimer_us"] / seconds / 1e4,
        "stall_pct": samples["stall_us"] / seconds / 1e4,
        # Of what is resident: read in again, while zram still has it too.
        "zram_ratio": ratio(samples["zram_bytes"], base["resident_bytes"] +
                            samples.get("swapcached_bytes", 0) -
                            samples["resident_bytes"]),
        "swapcached_mb": samples.get("swapcached_bytes", 0) / MB,
        "wrong": samples["wrong"],
    }
    for name in samples:
        if name.endswith(("p99_us", "max_us", "p50_us", "p999_us")) or \
           name == "damon_regions_tried":
            answer[name] = samples[name]
    return answer


def median_of(points):
    """Of several seeds; what one of them lacks, all lack."""
    out = {}
    for name in points[0]:
        values = [one.get(name) for one in points]
        out[name] = None if None in values else statistics.median(values)
    out["wrong"] = max(one["wrong"] for one in points)
    return out


def points(cells):
    """{(workload, arm, setting): point} of @cells, {(.., .., .., seed): samples}."""
    found = {}
    for (workload, arm, setting, seed), samples in cells.items():
        base = cells.get((workload, "nothing", "0", seed))
        if base and arm != "nothing":
            found.setdefault((workload, arm, setting), []).append(point(samples, base))
    return {key: median_of(some) for key, some in found.items()}


def curve(found, workload, arm, x, y):
    """
    What an arm reaches: (x, y) of its settings that no other setting beats in both,
    from doing nothing on. More x is a higher price, more y is better.
    """
    best = [(0.0, 0.0)]
    for price, gain in sorted((max(0.0, one[x]), one[y])
                              for (name, whose, _), one in found.items()
                              if (name, whose) == (workload, arm)):
        if gain > best[-1][1]:
            best.append((price, gain))
    return best


def at(line, price):
    """The gain at that price, between two settings as on a straight line."""
    for (x0, y0), (x1, y1) in zip(line, line[1:]):
        if x0 <= price < x1:
            return y0 + (y1 - y0) * (price - x0) / (x1 - x0)
    return line[-1][1]


def price_of(line, gain):
    """The least price of that gain; None if the arm never gets there."""
    for (x0, y0), (x1, y1) in zip(line, line[1:]):
        if gain <= y1:
            return x0 + (x1 - x0) * (gain - y0) / (y1 - y0)
    return None


def saves_at(found, workload, arm, slowdown):
    return at(curve(found, workload, arm, "slowdown_pct", "saved_mb"), slowdown)


def best_of(found, workload, arms, slowdown):
    """(MB, name) of the arm that saves most there."""
    return max((saves_at(found, workload, arm, slowdown), arm) for arm in arms)


def ratio(ours, theirs):
    return ours / theirs if theirs else None


def refaults_compared(found, workload, ours, others):
    """
    Refaults of the best of ours and of the best other for one saving: nine tenths of
    the most that both sides reach.
    """
    lines = {arm: curve(found, workload, arm, "refaults_s", "saved_mb")
             for arm in ours + others}
    most = 0.9 * min(max(lines[arm][-1][1] for arm in side) for side in (ours, others))
    if most <= 0:
        return None
    best = {}
    for name, side in (("ours", ours), ("theirs", others)):
        best[name], best[name + "_arm"] = min(
            (price_of(lines[arm], most), arm) for arm in side
            if price_of(lines[arm], most) is not None)
    best["saved_mb"] = most
    best["ratio"] = ratio(best["ours"], best["theirs"])
    return best


def sides(found, workload, arms):
    """The arms that ran there: ours, and all other reclaimers."""
    ran = sorted({arm for name, arm, _ in found if name == workload})
    return ([arm for arm in ran if arms[arm].get("ours")],
            [arm for arm in ran if not arms[arm].get("ours")])


def judge_workload(found, workload, arms):
    """Ours against the best other, or None if a side did not run."""
    ours, others = sides(found, workload, arms)
    if not ours or not others:
        return None
    out = {"at": []}
    for slowdown in SLOWDOWNS:
        mine, me = best_of(found, workload, ours, slowdown)
        best, who = best_of(found, workload, others, slowdown)
        out["at"].append({"slowdown_pct": slowdown, "ours_mb": mine, "ours": me,
                          "theirs_mb": best, "theirs": who, "ratio": ratio(mine, best)})
    out["refaults"] = refaults_compared(found, workload, ours, others)
    return out


def wins(judged):
    """By the rule for workloads in which something misleads recency."""
    saves = [one["ratio"] for one in judged["at"]]
    refaults = judged["refaults"]
    return (all(one is not None and one >= SAVE_RATIO for one in saves) or
            bool(refaults and refaults["ratio"] is not None and
                 refaults["ratio"] <= REFAULT_RATIO))


def equals(judged):
    return all(one["ratio"] is None or one["ratio"] >= 1 - EQUAL_PCT / 100
               for one in judged["at"])


def chosen(found, arms, workloads):
    """
    The settings of ours that one would take: of each workload that is not a negative
    one, that which saves most within the larger slowdown.
    """
    out = set()
    for workload, spec in workloads.items():
        mine = [(one["saved_mb"], arm, setting)
                for (name, arm, setting), one in found.items()
                if name == workload and arms[arm].get("ours") and
                one["slowdown_pct"] <= SLOWDOWNS[-1]]
        if mine and not spec.get("negative"):
            out.add(max(mine)[1:])
    return sorted(out)


def worth_a_policy(found, arms, workloads):
    """Verdict A: each part is true, false, or None where nothing was measured."""
    judged = {name: judge_workload(found, name, arms) for name in workloads}
    misled = [name for name, spec in workloads.items()
              if spec.get("misleads") and judged[name]]
    same = [name for name, spec in workloads.items() if spec.get("equal") and judged[name]]
    costs = {}
    ours = chosen(found, arms, workloads)
    for name, spec in workloads.items():
        if spec.get("negative"):
            ran = [found[(name, arm, setting)]["slowdown_pct"]
                   for arm, setting in ours
                   if (name, arm, setting) in found]
            costs[name] = max(ran) if ran else None
    won = [name for name in misled if wins(judged[name])]
    measured = [cost for cost in costs.values() if cost is not None]
    parts = {
        "wins": len(won) >= WINS if misled else None,
        "equals": all(equals(judged[name]) for name in same) if same else None,
        "harmless": (all(cost <= NEGATIVE_PCT for cost in measured)
                     if measured and len(measured) == len(costs) else None),
    }
    return {"workloads": judged, "won": won, "misled": misled, "negative": costs,
            "parts": parts, "holds": all(one is True for one in parts.values())}


def worth_a_hook(found, arms, workloads):
    """Verdict B: the policies by the hook against the same decision in user space."""
    rows = []
    for workload in workloads:
        ours, others = sides(found, workload, arms)
        for twin in (arm for arm in others if arms[arm].get("same_decision")):
            for mine in (arm for arm in ours if arms[arm].get("decision") == twin):
                rows.append(compare_twins(found, workload, mine, twin))
    if not rows:
        return {"rows": [], "holds": None}
    saves = [row["save_ratio"] for row in rows if row["save_ratio"] is not None]
    cpu = [row["cpu_ratio"] for row in rows if row["cpu_ratio"] is not None]
    stall = [row["stall_ratio"] for row in rows if row["stall_ratio"] is not None]
    out = {"rows": rows,
           "save_ratio": statistics.median(saves) if saves else None,
           "cpu_ratio": statistics.median(cpu) if cpu else None,
           "stall_ratio": max(stall) if stall else None}
    out["parts"] = {
        "gains": ((out["save_ratio"] or 0) >= HOOK_SAVE_RATIO or
                  (out["cpu_ratio"] is not None and out["cpu_ratio"] <= HOOK_CPU_RATIO)),
        "stall": out["stall_ratio"] <= HOOK_STALL_RATIO if stall else None,
        # make eval does not count them: selftests/kernel/races.c does.
        "objects": None,
    }
    out["holds"] = out["parts"]["gains"] and out["parts"]["stall"] is True
    return out


def compare_twins(found, workload, mine, twin):
    """Setting by setting, which are the same, and by what they save at one slowdown."""
    common = [(found[(workload, mine, setting)], other)
              for (name, arm, setting), other in found.items()
              if (name, arm) == (workload, twin) and (workload, mine, setting) in found]
    cpu = [ratio(one["cpu_pct"], other["cpu_pct"]) for one, other in common]
    cpu = [one for one in cpu if one is not None]
    slowdown = SLOWDOWNS[-1]
    stalls = [(one["mmap.max_us"], other["mmap.max_us"]) for one, other in common
              if "mmap.max_us" in one and "mmap.max_us" in other]
    return {"workload": workload, "ours": mine, "theirs": twin,
            "save_ratio": ratio(saves_at(found, workload, mine, slowdown),
                                saves_at(found, workload, twin, slowdown)),
            "cpu_ratio": statistics.median(cpu) if cpu else None,
            "stall_ratio": (max(one for one, _ in stalls) / max(two for _, two in stalls)
                            if stalls else None)}


def oracle_rows(found, workload, spec, settings, predict):
    """What could be had there, with zram as good as it was for the arms."""
    ratios = [one["zram_ratio"] for (name, _, _), one in found.items()
              if name == workload and one["zram_ratio"]]
    rows = []
    for setting in settings if ratios else ():
        out, refaults = predict(spec, setting)
        rows.append({"workload": workload, "setting": setting, "refaults_s": refaults,
                     "saved_mb": out * (1 - statistics.median(ratios))})
    return rows


def results(cells, arms, workloads):
    """All that build/eval.json says."""
    found = points(cells)
    ran = {name: spec for name, spec in workloads.items()
           if any(key[0] == name for key in found)}
    return {
        "points": [{"workload": workload, "arm": arm, "setting": setting, **one}
                   for (workload, arm, setting), one in sorted(
                       found.items(), key=lambda item: place(item[0], arms, workloads))],
        "policy": worth_a_policy(found, arms, ran),
        "hook": worth_a_hook(found, arms, ran),
    }


def place(key, arms, workloads):
    """In the order of the tables."""
    workload, arm, setting = key
    return (list(workloads).index(workload), list(arms).index(arm),
            arms[arm]["settings"].index(setting)
            if setting in arms[arm]["settings"] else 99)

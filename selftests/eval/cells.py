# SPDX-License-Identifier: GPL-2.0
"""Cells of the evaluation: a workload under an arm in one of its settings.

Runs in the guest, or as root on a machine with cgroup v2 and swap on zram. For each
cell it prints "cell WORKLOAD ARM SETTING SEED", its "sample NAME VALUE" lines, and "done"
when the workload's answers were right.

usage: guest WORKLOAD SEED ARM=SETTING... [--scale F]
"""

import argparse
import gc
import os
import sys
import time

import reclaimers
import workloads
from reclaimers import read, stalled_us, write
from table import ARMS, WORKLOADS

ZRAM = "/sys/block/zram0"
GROUPS = "/sys/fs/cgroup"


def say(*words):
    print(*words, flush=True)


class Group:
    """A cgroup of its own for the workload, or for the reclaimer."""

    def __init__(self, name):
        self.path = os.path.join(GROUPS, name)
        os.makedirs(self.path, exist_ok=True)

    def add(self, pid):
        write(self.path + "/cgroup.procs", pid)

    def enter(self):
        """For a child that is about to execute a program."""
        self.add(os.getpid())

    def stat(self, file):
        return {name: int(value) for name, value in
                (line.split() for line in read(self.path + "/" + file).splitlines())}

    def current(self):
        return int(read(self.path + "/memory.current"))

    def kill(self):
        write(self.path + "/cgroup.kill", 1)
        while read(self.path + "/cgroup.procs"):
            time.sleep(0.01)
        os.rmdir(self.path)


def zram_bytes():
    """What zram takes of the memory to keep what is swapped out."""
    return int(read(ZRAM + "/mm_stat").split()[2])


def threads_time():
    """Nanoseconds that the kernel's own reclaimers ran."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if read("/proc/%s/comm" % pid).startswith(("kdamond", "kswapd")):
                total += int(read("/proc/%s/schedstat" % pid).split()[0])
        except OSError:
            pass
    return total


class Counters:
    """What is compared from the start to the end of the measurement."""

    def __init__(self, group, reclaimer):
        stat = group.stat("memory.stat")
        self.values = {
            "refaults": (stat["workingset_refault_anon"] +
                         stat["workingset_refault_file"]),
            "refaults_anon": stat["workingset_refault_anon"],
            "faults_major": stat["pgmajfault"],
            "stall_us": stalled_us(group.path),
            "cpu_reclaimer_us": (reclaimer.stat("cpu.stat")["usage_usec"] +
                                 threads_time() // 1000),
            "cpu_workload_us": group.stat("cpu.stat")["usage_usec"],
        }

    def since(self, before):
        return {name: value - before.values[name]
                for name, value in self.values.items()}


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def latencies(name, values):
    say("sample", name + ".count", len(values))
    say("sample", name + ".mean_us", sum(values) / len(values) * 1e6)
    for share, what in ((0.5, "p50"), (0.99, "p99"), (0.999, "p999"), (1, "max")):
        say("sample", "%s.%s_us" % (name, what), percentile(values, share) * 1e6)


class Measurement:
    """Samples of memory, once a second, averaged over time."""

    def __init__(self, group):
        self.group = group
        self.resident = []
        self.zram = []
        self.cached = []
        self.due = 0

    def tick(self, now):
        if now >= self.due:
            self.resident.append(self.group.current())
            self.zram.append(zram_bytes())
            self.cached.append(self.group.stat("memory.stat")["swapcached"])
            self.due = now + 1

    def report(self):
        for name, values in (("resident", self.resident), ("zram", self.zram),
                             ("swapcached", self.cached)):
            say("sample", name + "_bytes", sum(values) / len(values))


def drive(workload, reclaimer, until, measured):
    """
    Operations at their fixed times: who is late does not get an easier load. @measured
    sees each second.
    """
    latency = {}
    while True:
        due = workload.due()
        if due >= until:
            return latency
        now = time.monotonic()
        if measured:
            measured.tick(now)
        if due > now:
            time.sleep(due - now)
        for name, value in workload.step(reclaimer):
            latency.setdefault(name, []).append(value)


def new_swap():
    """Without holes and leftovers of the last cell."""
    device = "/dev/zram0"
    if os.system("swapoff %s 2>/dev/null; mkswap %s >/dev/null 2>&1; swapon %s" %
                 (device, device, device)):
        sys.exit("cells: no swap on %s" % device)


def cell(name, seed, arm, setting, scale):
    """One cell; the workload first settles under the arm, and is then measured."""
    spec = WORKLOADS[name]
    say("cell", name, arm, setting, seed)
    new_swap()
    # lru_gen still shows groups that are gone and own pages, so no name comes twice.
    group = Group("eval-%s-%s-%s" % (name, arm, setting))
    servant = Group("eval-reclaimer")
    # It steps aside: with one processor, its own time must not look like a wait of the
    # workload, which a small weight alone does not get: whoever runs keeps the processor
    # until the next tick. What remains are the locks it holds.
    write(servant.path + "/cpu.idle", 1)
    workload = workloads.KINDS[spec["kind"]](spec, group, seed, scale)
    reclaimer = reclaimers.make(ARMS[arm], setting, group, servant)
    try:
        began = time.monotonic()
        workload.start()
        say("sample", "filled_s", time.monotonic() - began)
        gc.collect()
        gc.freeze()
        reclaimer.start(workload.pids())
        now = time.monotonic()
        workload.begin(now)
        drive(workload, reclaimer, now + spec["settle"] * scale, None)
        measured = Measurement(group)
        now = time.monotonic()
        before = Counters(group, servant)
        latency = drive(workload, reclaimer, now + spec["measure"] * scale, measured)
        counted = Counters(group, servant).since(before)
        say("sample", "seconds", time.monotonic() - now)
        reclaimer.stop()
        measured.report()
        for key, value in counted.items():
            say("sample", key, value)
        for key, values in latency.items():
            latencies(key, values)
        for key, value in {**reclaimer.says(), **workload.says()}.items():
            say("sample", key, value)
        say("sample", "file_bytes", group.stat("memory.stat")["file"])
        say("sample", "wrong", workload.wrong())
    finally:
        reclaimer.stop()
        workload.stop()
        servant.kill()
        group.kill()
    say("done")


def warm_up(name):
    """
    The pages of files belong to the group that reads them first: to none that is
    measured.
    """
    spec = WORKLOADS[name]
    group = Group("eval-warm-up")
    workload = workloads.KINDS[spec["kind"]](spec, group, 0, 0.1)
    try:
        workload.start()
    finally:
        workload.stop()
        group.kill()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("seed", type=int)
    parser.add_argument("arms", nargs="+", metavar="ARM=SETTING")
    parser.add_argument("--scale", type=float, default=1.0)
    args = parser.parse_args()
    warm_up(args.workload)
    for word in args.arms:
        arm, setting = word.split("=")
        cell(args.workload, args.seed, arm, setting, args.scale)


if __name__ == "__main__":
    main()

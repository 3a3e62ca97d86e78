# SPDX-License-Identifier: GPL-2.0
"""The arms. Each is started for a cgroup and told who comes to the front.

As a program it is the loop of an arm that lives in user space, so that its processor
time is not the workload's: reclaimers.py LOOP SETTING GROUP
"""

import os
import subprocess
import sys
import time

DAMON = "/sys/kernel/mm/damon/admin/kdamonds"
DAMON_RECLAIM = "/sys/module/damon_reclaim/parameters/"
LRU_GEN = "/sys/kernel/debug/lru_gen"
HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("O", os.path.join(HERE, "../../build"))


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(text))


def stalled_us(group):
    """Microseconds in which some of it waited for memory."""
    return int(read(group + "/memory.pressure").split("total=")[1].split()[0])


class Nothing:
    """No reclaimer, and what all have in common."""

    def __init__(self, arm, setting, group, servant):
        self.arm = arm
        self.setting = setting
        self.group = group
        self.servant = servant
        self.processes = []
        self.regions = 0
        self.on = False

    def start(self, pids):
        pass

    def front(self, pid):
        pass

    def back(self, pid):
        pass

    def says(self):
        return {}

    def run(self, *command):
        self.processes.append(subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            preexec_fn=self.servant.enter))

    def stop(self):
        for process in self.processes:
            if process.poll() not in (None, 0):
                raise OSError("%s ended with status %d" %
                              (process.args, process.returncode))
            process.terminate()
            process.wait()
        self.processes = []


class Loop(Nothing):
    """One of LOOPS below, as a process."""

    def start(self, pids):
        self.run(sys.executable, "-S", "-E", "-B", os.path.join(HERE, "reclaimers.py"),
                 self.arm["kind"], self.setting, self.group.path)


class ByPages(Nothing):
    """The user-space programs that decide like our policies."""

    mode = "idle"

    def start(self, pids):
        self.run(os.path.join(BUILD, "selftests/by_pages"), self.mode, self.setting,
                 *map(str, pids))


class Told(ByPages):
    """The same, told who comes to the front."""

    mode = "mappings"

    def tell(self, what, pid):
        self.processes[0].stdin.write(b"%c%d\n" % (what, pid))
        self.processes[0].stdin.flush()

    def front(self, pid):
        self.tell(b"f", pid)

    def back(self, pid):
        self.tell(b"b", pid)


class Pmadv(Nothing):
    """A policy of ours, that walks the whole cgroup."""

    def start(self, pids):
        knobs = [word for knob in self.arm.get("knobs", ()) for word in
                 ("--set", knob if "=" in knob else "%s=%s" % (knob, self.setting))]
        self.run("pmadv", "run", self.arm["policy"], self.group.path, "--quiet",
                 "--every", self.arm.get("every", self.setting), *knobs)


class PmadvAway(Told):
    """
    A policy of ours that is in force, and a program that calls for it what the daemon
    would.
    """

    mode = "policy"

    def start(self, pids):
        self.run("pmadv", "attach", self.arm["policy"], "--quiet")
        while not os.listdir("/sys/kernel/mm/process_madvise/policies"):
            time.sleep(0.05)
        self.processes.reverse()
        super().start(pids)
        self.processes.reverse()


class DamonReclaim(Nothing):
    """DAMON_RECLAIM, told to work however much memory is free."""

    def start(self, pids):
        for name, value in (("min_age", int(float(self.setting) * 1e6)),
                            ("quota_ms", 100), ("quota_sz", 128 << 20),
                            ("quota_reset_interval_ms", 1000),
                            ("sample_interval", 5000), ("aggr_interval", 100000),
                            ("wmarks_high", 1000), ("wmarks_mid", 999),
                            ("wmarks_low", 0), ("enabled", "Y")):
            write(DAMON_RECLAIM + name, value)
        self.before = self.tried()

    @staticmethod
    def tried():
        return int(read(DAMON_RECLAIM + "nr_reclaim_tried_regions"))

    def says(self):
        return {"damon_regions_tried": self.regions}

    def stop(self):
        if read(DAMON_RECLAIM + "enabled").strip() == "Y":
            self.regions = self.tried() - self.before
            write(DAMON_RECLAIM + "enabled", "N")


class Damos(Nothing):
    """A kdamond that pages out what was not accessed for so long."""

    def start(self, pids):
        write(DAMON + "/nr_kdamonds", 1)
        kdamond = DAMON + "/0"
        write(kdamond + "/contexts/nr_contexts", 1)
        context = kdamond + "/contexts/0"
        write(context + "/operations", "vaddr")
        write(context + "/targets/nr_targets", len(pids))
        for nth, pid in enumerate(pids):
            write("%s/targets/%d/pid_target" % (context, nth), pid)
        write(context + "/schemes/nr_schemes", 1)
        scheme = context + "/schemes/0"
        write(scheme + "/action", "pageout")
        pattern = scheme + "/access_pattern"
        aggregations = int(float(self.setting) * 10)
        for name, low, high in (("sz", 4096, 1 << 62), ("nr_accesses", 0, 0),
                                ("age", aggregations, (1 << 32) - 1)):
            write("%s/%s/min" % (pattern, name), low)
            write("%s/%s/max" % (pattern, name), high)
        write(kdamond + "/state", "on")
        self.on = True

    def says(self):
        return {"damon_regions_tried": self.regions}

    def stop(self):
        if self.on:
            self.on = False
            write(DAMON + "/0/state", "update_schemes_stats")
            self.regions = int(read(DAMON + "/0/contexts/0/schemes/0/stats/nr_tried"))
            write(DAMON + "/0/state", "off")


def make(arm, setting, group, servant):
    kinds = {"nothing": Nothing, "pressure": Loop, "lru_gen": Loop, "by_pages": ByPages,
             "android": Told, "pmadv": Pmadv, "pmadv-away": PmadvAway,
             "damon_reclaim": DamonReclaim, "damos": Damos}
    return kinds[arm["kind"]](arm, setting, group, servant)


def try_reclaim(group, size):
    """Less than asked for is an error, and no news."""
    try:
        write(group + "/memory.reclaim", size)
    except OSError:
        pass


def pressure(setting, group):
    """As senpai does: small steps, smaller ones the nearer the pressure gets."""
    limit = float(setting) / 100 * 1e6
    last = None
    while True:
        total = stalled_us(group)
        if last is not None and total - last < limit:
            size = int(read(group + "/memory.current"))
            step = 0.03 * size * (1 - (total - last) / limit)
            try_reclaim(group, int(step))
            total = stalled_us(group)
        last = total
        time.sleep(1)


def generations(inode):
    """(memcg's id, node, oldest, youngest) of a group in lru_gen."""
    found = []
    ours = False
    for line in read(LRU_GEN).splitlines():
        word = line.split()
        if word[0] == "memcg":
            memcg, path = word[1], word[2]
            ours = path == inode
        elif ours and word[0] == "node":
            node = word[1]
            found.append([memcg, node])
        elif ours and word[0].isdigit():
            found[-1].append(int(word[0]))
    return [(entry[0], entry[1], min(entry[2:]), max(entry[2:])) for entry in found]


def lru_gen(setting, group):
    """A generation each time; all that are older than the last two go."""
    name = group[len("/sys/fs/cgroup"):]
    while True:
        time.sleep(float(setting))
        for memcg, node, _, youngest in generations(name):
            write(LRU_GEN, "+ %s %s %d 1 1" % (memcg, node, youngest))
        for memcg, node, oldest, youngest in generations(name):
            if youngest - oldest >= 2:
                try:
                    write(LRU_GEN, "- %s %s %d 200" % (memcg, node, youngest - 2))
                except OSError:
                    pass


LOOPS = {"pressure": pressure, "lru_gen": lru_gen}

if __name__ == "__main__":
    LOOPS[sys.argv[1]](*sys.argv[2:])

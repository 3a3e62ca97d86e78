# SPDX-License-Identifier: GPL-2.0
"""The workloads, whose answers are checked."""

import bisect
import itertools
import os
import random
import socket
import subprocess
import time

KEYS = 10000
VALUE = 3800
VIEW = 10		# keys of a view, what one client asks for at a time
VIEWS_PER_S = 40
PORT = 7777


def text(rand, size):
    """
    Records of a web shop, of which lz4 makes about 40 % in pages of 4 kB: field names
    and few words again and again, and numbers that are new.
    """
    words = ["%s%d" % (rand.choice("abcdefghijklmnopqrst"), rand.randrange(9999))
             for _ in range(400)]
    out = []
    length = 0
    while length < size:
        out.append('{"order":%d,"status":"%s","price":%d.%02d,"currency":"EUR",'
                   '"article":"%s %s","customer":"%x"},' %
                   (rand.getrandbits(30), rand.choice(("paid", "shipped", "returned")),
                    rand.randrange(300), rand.randrange(100), rand.choice(words),
                    rand.choice(words), rand.getrandbits(48)))
        length += len(out[-1])
    return "".join(out)[:size].encode()


class Keys:
    """Which keys are asked for, after how many views."""

    def __init__(self, kind, rand, count):
        self.rand = rand
        self.count = count
        self.one = getattr(self, kind)
        self.order = list(range(count))
        rand.shuffle(self.order)
        self.next = 0
        if kind == "zipf":
            self.sums = list(itertools.accumulate(1 / (rank + 1) ** 0.99
                                                  for rank in range(count)))

    def hot(self, view):
        """
        97 % go to a tenth of the keys; in 100 s the tenth moves on by a fifth of its
        size.
        """
        size = self.count // 10
        if self.rand.random() < 0.03:
            return self.order[self.rand.randrange(self.count)]
        first = view * size // (5 * 100 * VIEWS_PER_S)
        return self.order[(first + self.rand.randrange(size)) % self.count]

    def zipf(self, _view):
        return self.order[bisect.bisect(self.sums, self.rand.random() * self.sums[-1])]

    def uniform(self, _view):
        return self.rand.randrange(self.count)

    def stream(self, _view):
        self.next = (self.next + 1) % self.count
        return self.next


def key_count(scale):
    return max(1000, int(KEYS * scale))


class Redis:
    """A redis server, and one client that asks for views at fixed times."""

    def __init__(self, spec, group, seed, scale):
        self.spec = spec
        self.group = group
        self.rand = random.Random(seed)
        self.count = key_count(scale)
        self.keys = Keys(spec["keys"], self.rand, self.count)
        self.pool = text(self.rand, 1 << 18)
        self.server = self.backup = self.sock = None
        self.began = self.views = self.bad = self.backups = 0
        self.next_backup = self.next_scan = float("inf")
        self.scanned = self.count

    def value(self, key):
        """Known without keeping it: the key, and a piece of the pool."""
        at = key * 7919 % (len(self.pool) - VALUE)
        head = b"%08d:" % key
        return head + self.pool[at:at + VALUE - len(head)]

    def start(self):
        self.server = subprocess.Popen(
            ["redis-server", "--port", str(PORT), "--save", "", "--dir", "/tmp",
             "--rdbcompression", "no", "--repl-diskless-sync-delay", "0",
             "--client-output-buffer-limit", "replica 0 0 0",
             "--repl-backlog-size", "16kb"],
            stdout=subprocess.DEVNULL, preexec_fn=self.group.enter)
        while not self.sock:
            try:
                self.sock = socket.create_connection(("127.0.0.1", PORT))
            except ConnectionRefusedError:
                time.sleep(0.05)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for first in range(0, self.count, 100):
            keys = range(first, min(first + 100, self.count))
            self.sock.sendall(b"".join(
                b"*3\r\n$3\r\nSET\r\n$8\r\n%08d\r\n$%d\r\n%s\r\n" %
                (key, VALUE, self.value(key)) for key in keys))
            self.receive(len(keys) * len(b"+OK\r\n"))
        if "backup" in self.spec:
            self.run_backup()
            self.backup.wait()

    def pids(self):
        return [self.server.pid]

    def begin(self, now):
        self.began = now
        if "backup" in self.spec:
            self.next_backup = now + self.spec["backup"] / 2
        if "scan" in self.spec:
            self.next_scan = now + self.spec["scan"] / 2

    def due(self):
        return self.began + self.views / VIEWS_PER_S

    def receive(self, size):
        data = bytearray()
        while len(data) < size:
            piece = self.sock.recv(1 << 20)
            if not piece:
                raise OSError("redis hung up")
            data += piece
        return data

    def run_backup(self):
        """A backup over the network: a child of the server reads every value."""
        self.backup = subprocess.Popen(
            ["redis-cli", "-p", str(PORT), "--rdb", "-"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.backups += 1

    def get(self, keys):
        """Asks for all at once; (when, how long it took), and the answers are checked."""
        request = b"".join(b"*2\r\n$3\r\nGET\r\n$8\r\n%08d\r\n" % key for key in keys)
        head = b"$%d\r\n" % VALUE
        each = len(head) + VALUE + 2
        began = time.monotonic()
        self.sock.sendall(request)
        data = self.receive(each * len(keys))
        took = time.monotonic() - began
        for nth, key in enumerate(keys):
            at = nth * each + len(head)
            if data[at:at + VALUE] != self.value(key):
                self.bad += 1
        return began, took

    def step(self, _reclaimer):
        keys = [self.keys.one(self.views) for _ in range(VIEW)]
        self.views += 1
        began, took = self.get(keys)
        if began >= self.next_backup:
            self.next_backup += self.spec["backup"]
            self.run_backup()
        if began >= self.next_scan:
            self.next_scan += self.spec["scan"]
            self.scanned = 0
        if self.scanned < self.count:
            self.get(range(self.scanned, min(self.scanned + 100, self.count)))
            self.scanned += 100
        return [("view", took)]

    def says(self):
        return {"operations": self.views, "backups": self.backups}

    def wrong(self):
        """Wrong answers of the views, and of a last look at every key."""
        for first in range(0, self.count, 100):
            self.get(range(first, min(first + 100, self.count)))
        return self.bad

    def stop(self):
        for process in (self.backup, self.server):
            if process:
                process.kill()
                process.wait()


AGENTS = 6
FRONT_S = 4		# how long one is in front
TICK_S = 2		# how often the others look whether there is work


class Agents:
    """
    Python programs, like an assistant each: one at a time is in front and works
    on a part of what it keeps, the others look for work now and then.
    """

    def __init__(self, spec, group, seed, scale):
        self.spec = spec
        self.group = group
        self.rand = random.Random(seed)
        self.seed = seed
        self.count = AGENTS if scale >= 1 else 3
        self.size = 14000 if scale >= 1 else 3000
        self.agents = []
        self.front = None
        self.clock = 0
        self.began = self.bad = self.turns = 0
        self.work = []

    def start(self):
        for nth in range(self.count):
            self.agents.append(subprocess.Popen(
                ["/usr/bin/python3", "-S", "-E", "-B",
                 os.path.join(os.path.dirname(os.path.abspath(__file__)), "agent.py"),
                 str(self.seed * 100 + nth), str(self.size)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                preexec_fn=self.group.enter))
        self.sums = [int(agent.stdout.readline()) for agent in self.agents]

    def pids(self):
        return [agent.pid for agent in self.agents]

    def begin(self, now):
        self.began = now
        self.plan()

    def plan(self):
        """Who is in front next, and what happens while it is: (when, who, what)."""
        others = [nth for nth in range(self.count) if nth != self.front]
        # Some are used more than others.
        nth = self.rand.choices(others, [1 / (1 + other) for other in others])[0]
        start = self.turns * FRONT_S
        self.turns += 1
        events = [(start, nth, b"resume\n")]
        events += [(start + 0.25 * n, nth, b"work\n") for n in range(1, 4 * FRONT_S)]
        events += [(start + tick + other / 10, other, b"tick\n") for other in others
                   for tick in range(0, FRONT_S, TICK_S)]
        self.work = sorted(events)
        self.leaving = self.front
        self.front = nth

    def due(self):
        return self.began + self.work[0][0]

    def step(self, reclaimer):
        _, nth, what = self.work.pop(0)
        agent = self.agents[nth]
        if what == b"resume\n":
            reclaimer.front(agent.pid)
            if self.leaving is not None:
                reclaimer.back(self.agents[self.leaving].pid)
        began = time.monotonic()
        agent.stdin.write(what)
        answer = agent.stdout.readline().split()
        took = time.monotonic() - began
        self.bad += answer[0] != b"ok"
        result = [(what.decode().strip(), took), ("mmap", float(answer[1]))]
        if not self.work:
            self.plan()
        return result

    def says(self):
        return {"operations": self.turns}

    def wrong(self):
        for agent, known in zip(self.agents, self.sums):
            agent.stdin.write(b"sum\n")
            self.bad += int(agent.stdout.readline()) != known
        return self.bad

    def stop(self):
        for agent in self.agents:
            agent.kill()
            agent.wait()


KINDS = {"redis": Redis, "agents": Agents}

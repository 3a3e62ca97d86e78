# SPDX-License-Identifier: GPL-2.0
"""What could be had at most, and what a walk must give, from the stream of keys itself.

A value fills a page. Between two uses of it lies a gap; whoever knows the future pages
out at its begin what has a long one. Somebody who walks pages out what was not used
between two walks.
"""

import workloads

PAGE = 4096


def uses(spec, seed, scale=1.0):
    """(seconds, key) of every use, as Redis.step() makes them."""
    redis = workloads.Redis(spec, None, seed, scale)
    until = (spec["settle"] + spec["measure"]) * scale
    scan = spec.get("scan")
    next_scan = scan / 2 if scan else float("inf")
    scanned = redis.count
    view = 0
    while view / workloads.VIEWS_PER_S < until:
        now = view / workloads.VIEWS_PER_S
        for _ in range(workloads.VIEW):
            yield now, redis.keys.one(view)
        view += 1
        if now >= next_scan:
            next_scan += scan
            scanned = 0
        for key in range(scanned, min(scanned + 100, redis.count)):
            yield now, key
        scanned = min(scanned + 100, redis.count)


def gaps(stream, count, until):
    """(begin, end, whether it ends with a use) for each key; all are used at 0."""
    last = [0.0] * count
    for now, key in stream:
        if now > last[key]:
            yield last[key], now, True
            last[key] = now
    for begin in last:
        yield begin, until, False


def outcome(spans, start, until, count):
    """
    @spans: (when it was paged out, when it came back, whether it did). Of the time from
    @start on: (share of the pages that were out, refaults a second).
    """
    out = refaults = 0
    for begin, end, used in spans:
        out += max(0.0, min(end, until) - max(begin, start))
        refaults += used and end >= start
    return out / (until - start) / count, refaults / (until - start)


def knowing(spans, age):
    """Pages out at once what will not be used for so long."""
    return [span for span in spans if span[1] - span[0] > age]


def walking(spans, every):
    """
    Walks at every, 2 * every, ...: the first after a use sees that, the next one pages
    out.
    """
    for begin, end, used in spans:
        out = (int(begin / every) + 2) * every
        if out < end:
            yield out, end, used


class Stream:
    """What is known of a workload's keys before it runs."""

    def __init__(self, spec, seed, scale=1.0):
        self.count = workloads.key_count(scale)
        self.start = spec["settle"] * scale
        self.until = self.start + spec["measure"] * scale
        self.spans = list(gaps(uses(spec, seed, scale), self.count, self.until))

    def predict(self, decide, setting):
        """(MB of values that are out, refaults a second) of @decide there."""
        share, refaults = outcome(decide(self.spans, float(setting)), self.start,
                                  self.until, self.count)
        return share * self.count * PAGE / 1e6, refaults

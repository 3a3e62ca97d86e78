# SPDX-License-Identifier: GPL-2.0
"""The arithmetic of the evaluation, on cells whose answers are known."""

import random
import unittest

import oracle
import page_age
import report

ARMS = {"nothing": {"settings": ["0"]},
        "lru": {"settings": ["1", "2"]},
        "ours": {"settings": ["1", "2"], "ours": True, "decision": "twin"},
        "twin": {"settings": ["1", "2"], "same_decision": True}}
MISLED = {name: {"misleads": "a test"} for name in ("a", "b", "c")}


def samples(resident=100e6, zram=0, mean=100.0, refaults=0, cpu=0, mmap=10.0, wrong=0):
    return {"resident_bytes": resident, "zram_bytes": zram, "seconds": 10.0,
            "refaults": refaults, "faults_major": refaults, "stall_us": 0,
            "cpu_reclaimer_us": cpu, "wrong": wrong,
            "view.mean_us": mean, "view.count": 10, "view.p99_us": mean,
            "mmap.mean_us": mmap, "mmap.count": 10, "mmap.max_us": mmap}


def cells(workload, **arms):
    """Of one seed; an arm is given by the samples of its first settings."""
    out = {(workload, "nothing", "0", 1): samples()}
    for arm, settings in arms.items():
        for nth, one in enumerate(settings):
            out[(workload, arm, str(nth + 1), 1)] = one
    return out


class Points(unittest.TestCase):
    def test_saving_is_net_of_zram(self):
        one = report.point(samples(resident=40e6, zram=20e6), samples())
        self.assertAlmostEqual(one["saved_mb"], 40)
        self.assertAlmostEqual(one["saved_pct"], 40)

    def test_what_costs_memory_saves_less_than_nothing(self):
        one = report.point(samples(resident=90e6, zram=30e6), samples())
        self.assertAlmostEqual(one["saved_mb"], -20)
        self.assertIsNone(one["refaults_s_gib"])

    def test_slowdown_leaves_probes_out(self):
        one = report.point(samples(mean=105.0, mmap=9000.0), samples())
        self.assertAlmostEqual(one["slowdown_pct"], 5)

    def test_operations_weigh_by_their_number(self):
        some = {"work.mean_us": 10, "work.count": 9, "resume.mean_us": 110,
                "resume.count": 1}
        self.assertAlmostEqual(report.busy_us(some), 20)

    def test_rates(self):
        one = report.point(samples(resident=100e6 - 2 ** 29 / 10, refaults=50,
                                   cpu=100000), samples())
        self.assertAlmostEqual(one["refaults_s"], 5)
        self.assertAlmostEqual(one["refaults_s_gib"], 100)
        self.assertAlmostEqual(one["cpu_pct"], 1)

    def test_seeds_are_compared_with_their_own(self):
        two = cells("a", lru=[samples(resident=50e6)])
        two[("a", "nothing", "0", 2)] = samples(resident=200e6)
        two[("a", "lru", "1", 2)] = samples(resident=80e6, wrong=1)
        found = report.points(two)[("a", "lru", "1")]
        self.assertAlmostEqual(found["saved_mb"], (50 + 120) / 2)
        self.assertEqual(found["wrong"], 1)

    def test_no_point_without_its_reference(self):
        some = cells("a", lru=[samples()])
        del some[("a", "nothing", "0", 1)]
        self.assertEqual(report.points(some), {})


class Curves(unittest.TestCase):
    LINE = [(0.0, 0.0), (2.0, 10.0), (6.0, 30.0)]

    def test_between_settings(self):
        self.assertAlmostEqual(report.at(self.LINE, 1), 5)
        self.assertAlmostEqual(report.at(self.LINE, 4), 20)
        self.assertAlmostEqual(report.at(self.LINE, 100), 30)

    def test_nothing_beyond_what_was_reached(self):
        self.assertAlmostEqual(report.price_of(self.LINE, 20), 4)
        self.assertIsNone(report.price_of(self.LINE, 31))

    def test_a_worse_setting_is_no_part_of_it(self):
        found = {("a", "lru", str(nth)): {"slowdown_pct": slow, "saved_mb": saved}
                 for nth, (slow, saved) in enumerate([(1, 10), (2, 5), (3, 20)])}
        self.assertEqual(report.curve(found, "a", "lru", "slowdown_pct", "saved_mb"),
                         [(0.0, 0.0), (1, 10), (3, 20)])

    def test_faster_than_nothing_is_no_price(self):
        found = {("a", "lru", "1"): {"slowdown_pct": -1, "saved_mb": 10}}
        self.assertEqual(report.curve(found, "a", "lru", "slowdown_pct", "saved_mb"),
                         [(0.0, 0.0), (0.0, 10)])
        self.assertAlmostEqual(
            report.saves_at(found, "a", "lru", 2), 10)


def verdict(ours, theirs, workloads=None, **more):
    """@ours and @theirs: of each workload the MB saved without any slowdown."""
    workloads = workloads or MISLED
    some = {}
    for name in workloads:
        some.update(cells(name, ours=[samples(resident=100e6 - ours * 1e6, refaults=100)],
                          lru=[samples(resident=100e6 - theirs * 1e6, refaults=100)],
                          **more))
    return report.results(some, ARMS, workloads)["policy"]


class VerdictA(unittest.TestCase):
    def test_saves_enough(self):
        self.assertEqual(verdict(57, 40)["won"], ["a", "b", "c"])
        self.assertIs(verdict(57, 40)["parts"]["wins"], True)

    def test_saves_too_little(self):
        self.assertEqual(verdict(55, 40)["won"], [])
        self.assertIs(verdict(55, 40)["parts"]["wins"], False)

    def test_two_workloads_are_too_few(self):
        two = {name: MISLED[name] for name in ("a", "b")}
        self.assertIs(verdict(80, 20, two)["parts"]["wins"], False)

    def test_fewer_refaults_at_equal_saving(self):
        some = {}
        for name in MISLED:
            some.update(cells(name, ours=[samples(resident=60e6, refaults=59)],
                              lru=[samples(resident=60e6, refaults=100)]))
        policy = report.results(some, ARMS, MISLED)["policy"]
        self.assertAlmostEqual(policy["workloads"]["a"]["refaults"]["ratio"], 0.59)
        self.assertIs(policy["parts"]["wins"], True)

    def test_what_was_not_measured_does_not_hold(self):
        policy = verdict(80, 20)
        self.assertIsNone(policy["parts"]["equals"])
        self.assertIs(policy["holds"], False)

    def test_harm_counts_for_the_settings_one_would_take(self):
        workloads = {"a": {"misleads": "a test"}, "n": {"negative": True}}
        some = cells("a", ours=[samples(resident=90e6), samples(resident=50e6)],
                     lru=[samples(resident=60e6)])
        some.update(cells("n", ours=[samples(mean=150.0), samples(mean=102.0)],
                          lru=[samples()]))
        policy = report.results(some, ARMS, workloads)["policy"]
        self.assertAlmostEqual(policy["negative"]["n"], 2)
        self.assertIs(policy["parts"]["harmless"], False)

    def test_equal_within_three_per_cent(self):
        workloads = {"z": {"equal": True}}
        self.assertIs(verdict(38.9, 40, workloads)["parts"]["equals"], True)
        self.assertIs(verdict(38.7, 40, workloads)["parts"]["equals"], False)


class VerdictB(unittest.TestCase):
    def judged(self, ours, twin):
        return report.results(cells("a", ours=[ours], twin=[twin]), ARMS, MISLED)["hook"]

    def test_half_the_time_and_no_stall(self):
        hook = self.judged(samples(resident=50e6, cpu=49, mmap=10.0),
                           samples(resident=50e6, cpu=100, mmap=600.0))
        self.assertAlmostEqual(hook["cpu_ratio"], 0.49)
        self.assertIs(hook["holds"], True)

    def test_more_than_half_of_the_time(self):
        hook = self.judged(samples(resident=50e6, cpu=51),
                           samples(resident=50e6, cpu=100, mmap=600.0))
        self.assertIs(hook["holds"], False)

    def test_more_memory(self):
        hook = self.judged(samples(resident=44e6, cpu=100),
                           samples(resident=50e6, cpu=100, mmap=600.0))
        self.assertAlmostEqual(hook["save_ratio"], 1.12)
        self.assertIs(hook["holds"], True)

    def test_a_stall_that_is_too_long(self):
        hook = self.judged(samples(resident=40e6, cpu=10, mmap=13.0),
                           samples(resident=50e6, cpu=100, mmap=600.0))
        self.assertIs(hook["parts"]["stall"], False)
        self.assertIs(hook["holds"], False)


class PageAge(unittest.TestCase):
    """The model of the policy: 1000 pages, 400 uses a second for 200 seconds."""

    def outcome(self, page_of, max_returns=0):
        rand = random.Random(1)
        stream = [(nth / 400, page_of(nth, rand)) for nth in range(400 * 200)]
        spans = page_age.spans(stream, 1000, 200, 4, 12, max_returns)
        return oracle.outcome(spans, 100, 200, 1000)

    def test_what_is_never_used_leaves(self):
        share, refaults = self.outcome(lambda nth, rand: rand.randrange(100))
        self.assertGreater(share, 0.89)
        self.assertEqual(refaults, 0)

    def test_where_all_return_none_leaves(self):
        # Every page is used each 30 s, by chance or in turns: that is 7.5 walks.
        for page_of in (lambda nth, rand: rand.randrange(1000) if nth % 12 == 0 else 0,
                        lambda nth, rand: nth // 12 % 1000):
            share, _ = self.outcome(page_of)
            self.assertLess(share, 0.05)

    def test_the_limit_holds_and_favours_what_is_rare(self):
        def page_of(nth, rand):
            return rand.randrange(500) if nth % 64 == 0 else 500 + rand.randrange(500)

        free_share, free = self.outcome(page_of)
        share, refaults = self.outcome(page_of, 2)
        self.assertGreater(free, 4)
        self.assertLess(refaults, 2.5)
        self.assertLess(share, free_share)

    def test_levels(self):
        self.assertEqual([page_age.walks_to(level) for level in range(page_age.LEVELS)],
                         [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192])


class Oracle(unittest.TestCase):
    # One of two values is used at 1, 2 and 9 s, the other never.
    SPANS = list(oracle.gaps([(1, 0), (2, 0), (9, 0)], 2, 10))

    def test_gaps(self):
        self.assertEqual(self.SPANS, [(0.0, 1, True), (1, 2, True), (2, 9, True),
                                      (9, 10, False), (0.0, 10, False)])

    def test_knowing_the_future(self):
        out, refaults = oracle.outcome(oracle.knowing(self.SPANS, 5), 0, 10, 2)
        self.assertAlmostEqual(out, (7 + 10) / 20)
        self.assertAlmostEqual(refaults, 1 / 10)

    def test_walking(self):
        # The walk at 3 sees the use at 2, that at 6 pages out.
        self.assertEqual(list(oracle.walking(self.SPANS, 3)), [(6, 9, True), (6, 10, False)])

    def test_only_what_is_measured_counts(self):
        out, refaults = oracle.outcome([(0, 5, True), (4, 9, True)], 6, 10, 1)
        self.assertAlmostEqual(out, 3 / 4)
        self.assertAlmostEqual(refaults, 1 / 4)

    def test_saving_is_net_of_zram(self):
        found = report.points(cells("a", lru=[samples(resident=50e6, zram=20e6)]))
        rows = report.oracle_rows(found, "a", {}, ["3"], lambda spec, setting: (10, 7))
        self.assertAlmostEqual(rows[0]["saved_mb"], 6)
        self.assertEqual(rows[0]["refaults_s"], 7)


if __name__ == "__main__":
    unittest.main()

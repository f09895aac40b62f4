#!/usr/bin/env python3
"""The judge of growth sees each kind of it, and finds what is kept on purpose good."""

import unittest

from growth import (BOUNDED, BYTES_PER_JOB, MEMORY_SLACK_KIB, ROWS_SLACK, TABLE_SLACK_BYTES, growth,
                    judge_lives, judge_processes, judge_tables, table_growth)

SAMPLES, JOBS = 40, 1000  # jobs between two samples


def life(memory_kib=lambda n: 20_000, descriptors=lambda n: 30, threads=lambda n: 12):
    return growth([(n * JOBS, memory_kib(n), descriptors(n), threads(n)) for n in range(SAMPLES)])


def tables(sizes=None, rows=None):
    """What grows with the number of the sample; the rest stays."""
    sizes = {"deployer.job": lambda n: n * JOBS * 3000, "deployer.event": lambda n: 80_000 +
             n % 3 * 500_000, "deployer.lease_beat": lambda n: 16_384} | (sizes or {})
    rows = {"deployer.request": lambda n: n * JOBS, "deployer.event": lambda n: n % 7 * 100,
            "vault.lease": lambda n: 1} | (rows or {})
    return judge_tables(table_growth([
        (n * JOBS, {name: f(n) for name, f in sizes.items()},
         {name: f(n) for name, f in rows.items()}) for n in range(SAMPLES)]))


class Growth(unittest.TestCase):
    def test_what_stays_or_swings_or_is_kept_on_purpose_is_good(self):
        self.assertEqual(judge_processes({"vault": life(), "deployer": life(
            lambda n: 50_000 + n * JOBS * 4)}), [])
        self.assertEqual(judge_processes({"vault": life(
            lambda n: 20_000 + (900_000 if n % 10 == 9 else 0))}), [])
        self.assertEqual(tables(), [])

    def test_a_process_that_grows(self):
        step = MEMORY_SLACK_KIB // SAMPLES * 2
        for kind in ({"memory_kib": lambda n: 20_000 + n * step}, {"threads": lambda n: 12 + n},
                     {"descriptors": lambda n: 30 + n}):
            self.assertEqual(len(judge_processes({"vault": life(**kind)})), 1, kind)
        self.assertEqual(len(judge_processes({"deployer": life(
            lambda n: 50_000 + n * JOBS * 8)})), 1)

    def test_a_process_that_falls_although_nobody_kills_it(self):
        self.assertEqual(judge_lives({"vault": {7}, "node": {8}}), [])
        for pids in ({7, 9}, {7, None}, {None}, set()):
            self.assertEqual(len(judge_lives({"vault": pids, "node": {8}})), 1, pids)

    def test_a_table_that_grows(self):
        step = TABLE_SLACK_BYTES // SAMPLES * 2
        for name in ("vault.event", "deployer.lease_beat", "auditor.inbox", "vault.request"):
            self.assertEqual(len(tables({name: lambda n: 16_384 + n * step})), 1, name)

    def test_a_table_that_is_new_at_the_end_has_grown_too(self):
        last = TABLE_SLACK_BYTES + 1
        self.assertEqual(len(tables({"vault.new": lambda n: last if n > SAMPLES / 2 else 0})), 1)

    def test_jobs_that_leave_more_than_they_may(self):
        for name in ("deployer.job", "auditor.entry_2026_11", "deployer.request"):
            self.assertEqual(len(tables({name: lambda n: n * JOBS * (BYTES_PER_JOB + 500)})), 1)

    def test_a_table_that_is_bounded_by_its_rows(self):
        for name, most in BOUNDED.items():
            for last, wrong in ((most, 0), (most + 1, 1)):
                self.assertEqual(len(tables({name: lambda n: n * last // SAMPLES
                                             if n < SAMPLES / 2 else last})), wrong)

    def test_an_outbox_that_is_not_emptied_and_answers_that_are_kept_twice(self):
        step = ROWS_SLACK // SAMPLES * 2
        for name in ("deployer.event", "deployer.node", "vault.request", "auditor.stream"):
            self.assertEqual(len(tables(rows={name: lambda n: n * step})), 1, name)
        self.assertEqual(len(tables(rows={"deployer.request": lambda n: 2 * n * JOBS})), 1)

    def test_nothing_done_proves_nothing(self):
        self.assertEqual(len(judge_tables(table_growth([(7, {}, {})] * 9))), 1)


if __name__ == "__main__":
    unittest.main()

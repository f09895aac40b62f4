#!/usr/bin/env python3
"""The checker of histories sees each planted loss and double, and finds a good history good."""

import copy
import unittest

from history import ACKNOWLEDGED, REFUSED, UNKNOWN, Found, Request, judge

REQUESTS = [Request("submit", "a", ACKNOWLEDGED, "j1"), Request("submit", "b", UNKNOWN),
            Request("submit", "c", UNKNOWN), Request("submit", "d", REFUSED),
            Request("cancel", "a", ACKNOWLEDGED), Request("put", "p/1", ACKNOWLEDGED),
            Request("put", "p/2", UNKNOWN), Request("exec", "exec-1", ACKNOWLEDGED),
            Request("exec", "exec-2", UNKNOWN), Request("resize", "b", ACKNOWLEDGED),
            Request("resize", "b", UNKNOWN), Request("scale", "web", ACKNOWLEDGED)]
FOUND = Found(
    jobs=[("j1", "a", "cancelled"), ("j2", "b", "succeeded")],
    secrets=[("p/1", 1)],
    entries=[("deployer.job.submit", "j1", "r1"), ("deployer.job.submit", "j2", "r2"),
             ("deployer.job.cancel", "a", "r3"), ("vault.secret.put", "p/1", "r4"),
             ("deployer.job.resize", "b", "r6"), ("scaler.service.scale", "web", "r7")],
    marks={"a": ["start"], "b": ["start", "start"], "exec-1": ["ran"]})


class Judge(unittest.TestCase):
    def setUp(self):
        self.requests, self.found = copy.deepcopy((REQUESTS, FOUND))

    def expect(self, lost=0, doubled=0, unexplained=0):
        verdict = judge(self.requests, self.found)
        self.assertEqual((len(verdict.lost), len(verdict.doubled), len(verdict.unexplained)),
                         (lost, doubled, unexplained), vars(verdict))
        self.assertEqual(verdict.is_good(), not (lost or doubled or unexplained))

    def test_a_good_history_is_good_also_where_an_answer_is_missing(self):
        self.expect()
        verdict = judge(self.requests, self.found)
        self.assertEqual((verdict.acknowledged, verdict.unknown), (6, 5))

    def test_a_command_that_never_ran_or_ran_twice(self):
        self.found.marks["exec-1"] = []
        self.expect(lost=1)
        self.found.marks["exec-1"] = ["ran", "ran"]
        self.expect(doubled=1)
        self.found.marks["exec-1"] = ["ran"]
        self.found.marks["exec-2"] = ["ran"]
        self.expect()

    def test_repeated_changes_have_an_entry_for_each_that_took_effect(self):
        self.found.entries.append(("deployer.job.resize", "b", "r8"))
        self.expect()
        self.found.entries.append(("deployer.job.resize", "b", "r9"))
        self.expect(doubled=1)
        del self.found.entries[4:]
        self.expect(lost=2)
        self.setUp()
        self.found.entries.append(("scaler.service.scale", "other", "r8"))
        self.expect(unexplained=1)

    def test_a_lost_job(self):
        del self.found.jobs[0]
        self.requests.pop(4)
        self.found.entries = self.found.entries[1:2] + self.found.entries[3:]
        self.expect(lost=1)

    def test_a_job_under_another_identity_than_was_acknowledged(self):
        self.requests[0].answer = "j9"
        self.expect(lost=1)

    def test_a_doubled_job_also_when_nobody_was_told(self):
        for name in "ab":
            self.setUp()
            self.found.jobs.append(("j3", name, "cancelled"))
            self.found.entries.append(("deployer.job.submit", "j3", "r5"))
            self.expect(doubled=1)

    def test_a_change_without_its_entry(self):
        for index in range(4):
            self.setUp()
            del self.found.entries[index]
            self.expect(lost=1)

    def test_a_change_with_two_entries(self):
        for index in range(4):
            self.setUp()
            action, what, _ = self.found.entries[index]
            self.found.entries.append((action, what, "r9"))
            self.expect(doubled=1)

    def test_one_request_with_two_effects(self):
        self.found.entries.append(self.found.entries[3])
        self.expect(doubled=2)  # two entries of one change, and one request twice

    def test_a_cancel_that_was_forgotten(self):
        self.found.jobs[0] = ("j1", "a", "running")
        self.expect(lost=1)

    def test_a_lost_and_a_doubled_secret(self):
        self.found.secrets.append(("p/1", 2))
        self.expect(doubled=1)
        self.setUp()
        self.found.secrets.clear()
        self.found.entries = [e for e in self.found.entries if e[0] != "vault.secret.put"]
        self.expect(lost=1)

    def test_two_attempts_at_once(self):
        self.found.marks["b"].append("twice")
        self.expect(doubled=1)

    def test_what_nobody_asked_for(self):
        self.found.jobs.append(("j7", "z", "queued"))
        self.found.secrets.append(("p/9", 1))
        self.found.entries += [("deployer.job.submit", "j8", "r6"), ("vault.secret.put", "q", "r7"),
                               ("deployer.job.cancel", "b", "r8")]
        self.expect(unexplained=5)

    def test_what_was_refused_for_good_and_is_there(self):
        self.found.jobs.append(("j4", "d", "queued"))
        self.found.entries.append(("deployer.job.submit", "j4", "r6"))
        self.expect(unexplained=1)


if __name__ == "__main__":
    unittest.main()

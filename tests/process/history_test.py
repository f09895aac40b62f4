#!/usr/bin/env python3
"""The checker of histories sees each planted loss and double, and finds a good history good."""

import copy
import unittest

from history import (ACKNOWLEDGED, LATE_S, REFUSED, SLEEPER_S, UNKNOWN, Found, Request,
                     judge)

REQUESTS = [Request("submit", "a", ACKNOWLEDGED, "j1"), Request("submit", "b", UNKNOWN),
            Request("submit", "c", UNKNOWN), Request("submit", "d", REFUSED),
            Request("cancel", "a", ACKNOWLEDGED), Request("put", "p/1", ACKNOWLEDGED),
            Request("put", "p/2", UNKNOWN), Request("exec", "exec-1", ACKNOWLEDGED),
            Request("exec", "exec-2", UNKNOWN), Request("resize", "b", ACKNOWLEDGED, value=20,
                                                        sent_at=1, ended_at=2),
            Request("resize", "b", UNKNOWN, value=30, sent_at=2, ended_at=3),
            Request("scale", "web", ACKNOWLEDGED, value=3, sent_at=1, ended_at=2)]
FOUND = Found(
    jobs=[("j1", "a", "cancelled"), ("j2", "b", "succeeded")],
    secrets=[("p/1", 1)],
    entries=[("deployer.job.submit", "j1", "r1"), ("deployer.job.submit", "j2", "r2"),
             ("deployer.job.cancel", "a", "r3"), ("vault.secret.put", "p/1", "r4"),
             ("deployer.job.resize", "b", "r6"), ("scaler.service.scale", "web", "r7")],
    marks={"a": ["start j1-0-1"], "b": ["start j2-0-1", "start j2-0-2", "end j2-0-2"],
           "exec-1": ["ran"]},
    rounds={"j1": (1, 0), "j2": (2, 1)},
    sizes={"a": (10, 10), "b": (10, 20)},
    targets={"web": (1, [(False, 0, 1), (True, 1, 3), (False, 3, 1)])})


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
        del self.found.jobs[0], self.found.sizes["a"]
        self.requests.pop(4)
        self.found.entries = self.found.entries[1:2] + self.found.entries[3:]
        self.expect(lost=1)

    def test_a_job_under_another_identity_than_was_acknowledged(self):
        self.requests[0].answer = "j9"
        self.expect(lost=1)

    def test_a_doubled_job_also_when_nobody_was_told(self):
        for name, state in (("a", "cancelled"), ("b", "failed")):
            self.setUp()
            self.found.jobs.append(("j3", name, state))
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
        self.found.marks["a"].append("end j1-0-1")
        for state in ("running", "succeeded", "failed"):
            self.found.jobs[0] = ("j1", "a", state)
            self.expect(lost=1)
        self.requests[0].value = SLEEPER_S
        self.found.jobs[0] = ("j1", "a", "running")
        self.expect(lost=1)

    def test_work_that_never_ends_goes_on_until_it_is_cancelled(self):
        self.requests[1].value = SLEEPER_S
        for state, unexplained in (("running", 0), ("failed", 0), ("succeeded", 1),
                                   ("cancelled", 1)):
            self.found.jobs[1] = ("j2", "b", state)
            self.expect(unexplained=unexplained)
        self.requests.append(Request("cancel", "b", UNKNOWN))
        self.expect()
        self.requests[1].value = 0
        self.found.jobs[1] = ("j2", "b", "running")
        self.expect(unexplained=1)

    def test_a_size_that_was_forgotten(self):
        self.found.sizes["b"] = (10, 10)
        self.expect(lost=1)
        self.found.sizes["b"] = (10, 30)  # nobody was told; it may have taken effect
        self.expect()
        self.requests[10].outcome = REFUSED
        self.expect(lost=1)

    def test_a_size_of_before_the_last_acknowledged_one(self):
        late = Request("resize", "b", ACKNOWLEDGED, value=40, sent_at=20, ended_at=21)
        self.requests.append(late)
        self.found.entries.append(("deployer.job.resize", "b", "r8"))
        for now, lost in ((20, 1), (30, 1), (10, 1), (40, 0)):
            self.found.sizes["b"] = (10, now)
            self.expect(lost=lost)
        self.found.given_back = [("b", 40)]  # its node has refused it: what was before stays
        for now, lost in ((20, 0), (10, 1)):
            self.found.sizes["b"] = (10, now)
            self.expect(lost=lost)
        self.found.given_back = []
        self.requests[10].ended_at = late.sent_at - LATE_S + 1  # may have come after it
        self.found.sizes["b"] = (10, 30)
        self.expect()

    def test_a_size_without_any_answer_is_the_first_or_the_asked_one(self):
        self.requests[9].outcome = UNKNOWN
        for now, lost in ((10, 0), (20, 0), (30, 0), (25, 1)):
            self.found.sizes["b"] = (10, now)
            self.expect(lost=lost)

    def test_a_number_of_replicas_that_was_forgotten(self):
        for now, changes in ((2, [(False, 0, 1), (True, 1, 3), (False, 3, 1)]),  # row, not entry
                             (1, [(False, 0, 1), (True, 1, 3)]),                 # entry, not row
                             (1, [(False, 0, 1), (True, 1, 3), (False, 1, 1)]),  # undone between
                             (2, [(False, 0, 1), (True, 1, 2)]),                 # another number
                             (1, [(False, 0, 1)])):                              # no change at all
            self.found.targets["web"] = (now, changes)
            self.expect(lost=1)
        self.found.targets.clear()
        self.expect(lost=1)

    def test_two_at_the_same_time_come_in_either_order(self):
        self.requests.append(Request("scale", "web", ACKNOWLEDGED, value=2, sent_at=1.5,
                                     ended_at=3))
        self.found.entries.append(("scaler.service.scale", "web", "r8"))
        for first, last in ((2, 3), (3, 2)):
            self.found.targets["web"] = (last, [(True, 1, first), (True, first, last)])
            self.expect()
        self.requests[-1].sent_at = 2  # after the answer of the other
        self.expect()
        self.found.targets["web"] = (3, [(True, 1, 2), (True, 2, 3)])
        self.expect(lost=1)

    def test_a_lost_and_a_doubled_secret(self):
        self.found.secrets.append(("p/1", 2))
        self.expect(doubled=1)
        self.setUp()
        self.found.secrets.clear()
        self.found.entries = [e for e in self.found.entries if e[0] != "vault.secret.put"]
        self.expect(lost=1)

    def test_two_attempts_at_once(self):
        self.found.marks["b"].insert(1, "twice j2-0-2")
        self.expect(doubled=1)

    def test_work_that_never_ran_to_its_end(self):
        for lines in ([], ["start j2-0-1"], ["start j2-0-1", "end j2-0-1"],
                      ["start j2-0-1", "start j2-0-2"]):
            self.found.marks["b"] = lines
            self.expect(lost=1)
        self.found.jobs[1] = ("j2", "b", "failed")
        self.expect()

    def test_work_that_ran_twice_in_one_attempt(self):
        for line in ("start j2-0-2", "end j2-0-2"):
            self.setUp()
            self.found.marks["b"].append(line)
            self.expect(doubled=1)

    def test_work_that_was_done_and_lost_before_that_was_stored_runs_again(self):
        self.found.marks["b"].insert(1, "end j2-0-1")
        self.expect()
        self.assertEqual(judge(self.requests, self.found).again, 1)
        self.found.rounds["j2"] = (2, 0)  # and nobody had lost it
        self.expect(doubled=1)

    def test_a_start_after_the_attempt_that_succeeded(self):
        for lines, unexplained in ((["start j2-0-3"], 1), (["start j2-0-3", "end j2-0-3"], 1)):
            self.setUp()
            self.found.marks["b"] += lines
            self.expect(unexplained=unexplained)
        self.found.rounds["j2"] = (3, 1)  # the database knows it, and not why
        self.expect(doubled=1)

    def test_an_attempt_that_goes_on_after_the_next_has_begun(self):
        self.found.marks["b"].insert(2, "end j2-0-1")
        self.expect(doubled=1)
        self.found.marks["b"] = ["start j2-0-2", "end j2-0-2", "start j2-0-1"]
        self.expect(doubled=1)

    def test_an_attempt_of_another_job_or_without_a_start(self):
        self.found.marks["a"] = ["start j9-0-1"]
        self.expect(unexplained=1)
        self.found.marks["a"] = ["end j1-0-1"]
        self.expect(unexplained=1)

    def test_what_nobody_asked_for(self):
        self.found.jobs.append(("j7", "z", "failed"))
        self.found.secrets.append(("p/9", 1))
        self.found.entries += [("deployer.job.submit", "j8", "r6"), ("vault.secret.put", "q", "r7"),
                               ("deployer.job.cancel", "b", "r8")]
        self.expect(unexplained=5)

    def test_what_was_refused_for_good_and_is_there(self):
        self.found.jobs.append(("j4", "d", "failed"))
        self.found.entries.append(("deployer.job.submit", "j4", "r6"))
        self.expect(unexplained=1)


if __name__ == "__main__":
    unittest.main()

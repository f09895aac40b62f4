#!/usr/bin/env python3
"""A backup that was taken while jobs were submitted is restored into an empty folder on other
ports, after the first machine is gone. Everything that was acknowledged before the backup began is
there, nothing is there that nobody asked for, the secret can be read, the audit log is the same
entry by entry and proves itself, also against a checkpoint of the lost machine; the work that ran
goes on, and new work runs."""

import time

from stack import Failed, Stack, check, equal, run_test, wait_for
from submitter import Submitter
from upgrade import ECHO, Restored, check_works

SECRET = "carried from machine to machine"
LOG = "SELECT index, encode(hash, 'hex') FROM auditor.merkle_node WHERE level = 0 ORDER BY index"
JOBS = "SELECT name FROM deployer.job ORDER BY name"


def fill(stack):
    """The file of the backup, what was acknowledged before it, and a checkpoint of then."""
    stack.run("secret", "put", "ml/kept", text=SECRET)
    stack.wait_job(stack.apply(ECHO), {"succeeded"})
    stack.wait_job(stack.apply(ECHO | {"name": "long", "command": ["/bin/sleep", "300"],
                                       "retry": {"on": ["interruption"]}}), {"running"})
    submits = Submitter(stack, "load")
    submits.wait_more(time.monotonic())
    before = [name for name, _ in submits.acknowledged]
    (stack.folder / "one.checkpoint").write_text(stack.run("audit", "checkpoint"))
    stack.run("backup", stack.folder / "one.backup", "--with-root-key")
    sent = submits.sent
    submits.wait_more(time.monotonic())
    submits.finish()
    check(sent > len(before), "nobody submitted while the backup was taken")
    return before


def compare(stack, before, jobs, log):
    restored = [name for (name,) in stack.sql(JOBS)]
    equal(sorted(set(before) - set(restored)), [], "acknowledged jobs that are lost")
    equal(sorted(set(restored) - set(jobs)), [], "jobs that nobody asked for")
    equal(len(restored), len(set(restored)), "jobs with names of their own")
    copied = stack.sql(LOG)
    check(len(copied) >= len(before), "the audit log is short")
    # Audit events of the last moment may come in by the restored deployer: after what both have.
    same = [row for row in copied if row in log]
    check(copied[:len(same)] == same == log[:len(same)], "the audit logs differ")
    equal(stack.run("secret", "get", "ml/kept").strip(), SECRET, "the secret")
    print(f"restored: {len(restored)} of {len(jobs)} jobs, {len(copied)} entries, of which "
          f"{len(same)} are those of the lost machine")


def test():
    with Stack(up=["--node-name", "here"]) as old:
        before = fill(old)
        jobs, log = [name for (name,) in old.sql(JOBS)], old.sql(LOG)
        old.cancel(next(job["job"] for job in old.ask("job", "list")["jobs"]
                        if job["name"] == "long"))
        machine = Restored(old.folder / "one.backup", up=["--node-name", "here"])
        old.run("down")
        with machine as new:
            check(new.base != old.base, "the ports are the same")
            try:
                compare(new, before, jobs, log)
            except Failed as failure:
                raise Failed(f"restored machine: {failure}") from failure
            new.run("audit", "verify")
            new.run("audit", "verify", "--checkpoint", old.folder / "one.checkpoint")
            job = next(job["job"] for job in new.ask("job", "list")["jobs"]
                       if job["name"] == "long")
            wait_for("next attempt of the work that ran",
                     lambda: new.job(job)["state"] == "running" and new.job(job)["round"] > 1
                     or new.job(job)["interruptions"] > 0, 60, 0.2)
            check_works(new, "after-restore")
            equal(new.command("status").returncode, 0, "status of the restored machine")


if __name__ == "__main__":
    run_test(test)

"""Submitter: jobs without a pause, beside what a test does to the services."""

import threading
import time

from stack import equal, wait_for

SPEC = {"command": ["/bin/true"], "resources": {"cpus": "100m", "memory": "64MiB"},
        "pool": "nowhere"}


class Submitter(threading.Thread):
    """Submits one job after the other, and keeps what was acknowledged: name, job, when."""

    def __init__(self, stack, tag):
        super().__init__(daemon=True)
        self.stack, self.tag = stack, tag
        self.sent, self.acknowledged, self.is_over, self.error = 0, [], False, None
        self.refusals = []  # exit status, sentence
        self.start()

    def run(self):
        try:
            while not self.is_over:
                self.submit()
        except Exception as error:  # reported by the main thread
            self.error = error

    def submit(self):
        name = f"{self.tag}-{self.sent}"
        self.sent += 1
        done = self.stack.command("apply", "-f", "-", "-y", "-o", "json",
                                  text=str(SPEC | {"name": name}).replace("'", '"'))
        if done.returncode == 0:
            self.acknowledged.append((name, time.monotonic()))
        else:
            self.refusals.append((done.returncode, done.stderr.strip()))

    def wait_more(self, since, limit_s=30):
        """When the first request after that moment was acknowledged."""
        wait_for("acknowledged submit",
                 lambda: self.acknowledged and self.acknowledged[-1][1] > since, limit_s)
        return next(at for _, at in self.acknowledged if at > since)

    def finish(self):
        self.is_over = True
        self.join(60)
        if self.error:
            raise self.error
        stored = [name for (name,) in self.stack.sql(
            f"SELECT name FROM deployer.job WHERE name LIKE '{self.tag}-%'")]
        equal(len(set(stored)), len(stored), "jobs with names of their own")
        lost = {name for name, _ in self.acknowledged} - set(stored)
        equal(sorted(lost), [], "acknowledged jobs that are lost")
        print(f"  {self.sent} submits, {len(self.acknowledged)} acknowledged, {len(stored)} stored")

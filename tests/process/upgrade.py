#!/usr/bin/env python3
"""Versions beside each other. What an old version left behind (snapshots/VERSION.backup, made by
its own `lepton backup`) is restored into an empty machine, migrated and used: jobs, secrets, rules,
scaling and the audit log are whole, and what else it held (kept.py). Then a newer schema (a column,
a table) comes under the running programs, as it does while version N+1 is rolled out: they go on,
also after a kill; a start of the old version is refused with the cure.

usage: upgrade.py [--record VERSION]
  --record VERSION  makes the snapshot of this version, at its release; 0.1 is the first set of
                    schemas, 0.2 the newest (tests/schemas/recorded_test.cpp)"""

import pathlib
import sys

from kept import check_filled, filled
from stack import Stack, check, equal, run_test, wait_for

SNAPSHOTS = pathlib.Path(__file__).resolve().parent / "snapshots"
SECRET = "kept-through-every-version"
ENTRIES = "SELECT count(*) FROM auditor.entry WHERE source = 'deployer'"
ECHO = {"name": "recorded", "command": ["/bin/echo", "kept"],
        "resources": {"cpus": "100m", "memory": "64MiB"}}
NEWER = """SET ROLE lepton_owner; SET search_path = deployer;
ALTER TABLE job ADD COLUMN newer text NOT NULL DEFAULT 'unknown to the running program';
CREATE TABLE newer (id bigint PRIMARY KEY);
RESET ROLE;
INSERT INTO lepton_meta.migration (schema, origin, version, name, sha256)
SELECT schema, origin, 99, 'newer', sha256 FROM lepton_meta.migration
WHERE schema = 'deployer' AND origin = 'deployer' ORDER BY version DESC LIMIT 1"""


class Restored(Stack):
    """A stack that begins as the backup of another machine."""

    def __init__(self, file, **options):
        super().__init__(**options)
        self.file = file

    def up(self):
        if not self.state.exists():
            self.run("restore", self.file)
        return super().up()


def record(version):
    with Stack(up=["--node-name", "here"]) as stack:
        stack.run("secret", "put", "ml/kept", text=SECRET)
        stack.run("service", "autoscale", "web", "--max", "3")
        stack.wait_job(stack.apply(ECHO), {"succeeded"})
        stack.cancel(stack.apply(ECHO | {"name": "stopped", "command": ["/bin/sleep", "600"]}))
        with filled(stack):
            SNAPSHOTS.mkdir(exist_ok=True)
            stack.run("backup", SNAPSHOTS / f"{version}.backup", "--with-root-key")


def check_kept(stack):
    """Everything that record() left."""
    jobs = {job["name"]: job["state"] for job in stack.ask("job", "list")["jobs"]}
    equal(jobs.get("recorded"), "succeeded", "the recorded job")
    equal(jobs.get("stopped"), "cancelled", "the cancelled job")
    equal(stack.run("secret", "get", "ml/kept").strip(), SECRET, "the secret")
    services = [service["service"] for service in stack.ask("service", "scaled")["services"]]
    equal(services, ["web"], "services that are scaled")
    stack.run("audit", "verify")
    check(stack.number("SELECT count(*) FROM auditor.entry WHERE action = 'deployer.job.submit' "
                       "AND outcome = 'done'") >= 2, "the audit log has lost the submits")


def check_works(stack, name):
    """A job runs to its end, and the log goes on with it."""
    before = stack.number(ENTRIES)
    stack.wait_job(stack.apply(ECHO | {"name": name}), {"succeeded"}, 60)
    wait_for(f"audit entries of {name}", lambda: stack.number(ENTRIES) >= before + 2, 30, 0.1)


def newer_schema(stack):
    changed = stack.admin("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c", NEWER)
    equal(changed.returncode, 0, f"psql ({changed.stderr.decode().strip()})")
    check_works(stack, "on-newer")
    old = stack.kill("deployer")
    wait_for("new deployer", lambda: stack.pid("deployer") not in (None, old))
    wait_for("answer of the deployer", lambda: stack.command("job", "list").returncode == 0)
    check_works(stack, "after-kill")
    check_kept(stack)
    stack.run("down")
    refused = stack.command("up", "--detach", "--port-base", stack.base)
    equal(refused.returncode, 5, f"exit status of an old start ({refused.stderr.strip()})")
    for part in ("deployer/0099_newer", "newer version"):
        check(part in refused.stderr, f"the refusal does not say {part!r}: {refused.stderr}")


def test():
    snapshots = sorted(SNAPSHOTS.glob("*.backup"))
    check(snapshots, f"there are no snapshots in {SNAPSHOTS}")
    for file in snapshots:
        with Restored(file, up=["--node-name", "here"]) as stack:
            check_kept(stack)
            if file.stem != "0.1":
                check_filled(stack)
            check_works(stack, "after-restore")
            print(f"{file.name}: whole, and works", flush=True)
            if file == snapshots[-1]:
                newer_schema(stack)
                print("a newer schema: the old programs go on, an old start is refused")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(sys.argv[2])
    else:
        run_test(test)

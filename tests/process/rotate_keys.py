#!/usr/bin/env python3
"""Each service gets a new key while jobs are submitted, one request after the other: every request
is answered in time, none is lost or doubled, a running task notices nothing, and the audit log has
one entry for each rotation. The old key opens nothing any more. A rotation that was only prepared,
and whose service fell meanwhile, is finished by the same command."""

import os
import time

from kill_during_replay import start_process, start_ticks
from stack import SERVICES, Stack, check, equal, run_test, wait_for
from standby import Standby
from submitter import Submitter


def key(stack, service):
    lines = (stack.state / f"keys/{service}.keys").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("public"))


def entries(stack):
    return stack.number("SELECT count(*) FROM auditor.entry WHERE outcome = 'done' AND "
                        "action = 'vault.service_key.rotate'")


def told(stack):
    """Whether every file that names keys has the one of today alone."""
    keys = {service: key(stack, service) for service in SERVICES}
    for file in [*(stack.state / "config").glob("*.yaml"), stack.state / "client.yaml"]:
        for service in SERVICES:
            line = next((line for line in file.read_text().splitlines()
                         if line.startswith(f"{service}_key:")), None)
            check(line is None or line.partition(":")[2].strip(" '\"") == keys[service],
                  f"{file} does not name the key of {service} alone: {line}")


def old_key_is_refused(stack, old):
    """A client that knows the old key only does not speak to the deployer."""
    other = stack.folder / "old"
    other.mkdir()
    text = (stack.state / "client.yaml").read_text()
    (other / "client.yaml").write_text(text.replace(key(stack, "deployer"), old))
    done = stack.command("job", "list", "--timeout", "3",
                         environment={"LEPTON_CONTEXT": str(other / "client.yaml")})
    check(done.returncode in (6, 7), f"the old key is still good: {done.returncode} {done.stderr}")
    left = [name for name in os.listdir(stack.state / "keys") if "old" in name or "next" in name]
    equal(left, [], "keys that are left over")


def rotate(stack, service):
    old, begin, before = key(stack, service), time.monotonic(), entries(stack)
    stack.run("key", "rotate", service)
    check(key(stack, service) != old, f"{service} has its old key")
    told(stack)
    wait_for(f"entry of the rotation of {service}", lambda: entries(stack) == before + 1, 20)
    print(f"{service}: rotated in {time.monotonic() - begin:.1f} s")
    return old


def check_refusals(refusals):
    """Who asks a service in the moment in which it stops is told to ask again; nobody is left
    without an answer."""
    for status, told in refusals:
        check(status == 6 and "again" in told, f"a request ended with {status}: {told}")
        print(f"  told to ask again: {told[:120]}")
    check(len(refusals) <= len(SERVICES), f"{len(refusals)} refusals for {len(SERVICES)} rotations")


def prepared_only(stack):
    """Broken off, with a kill between: a second run finishes it."""
    old, before = key(stack, "deployer"), entries(stack)
    words = stack.run("key", "rotate", "deployer", "--prepare").split()
    check(len(words) == 2 and words[0] == old, f"it prints both keys, not {words}")
    equal(entries(stack), before, "entries of what was only prepared")
    stack.kill("deployer")
    wait_for("the deployer", lambda: stack.command("job", "list").returncode == 0, 20)
    rotate(stack, "deployer")
    equal(key(stack, "deployer"), words[1], "the key that was prepared")
    old_key_is_refused(stack, old)


def with_standby(stack):
    """One that has waited since before the rotation serves with the new key, whoever comes first;
    and so does the other when it ends."""
    standby = Standby(stack, "deployer").wait_standing_by()
    rotate(stack, "deployer")
    stack.run("job", "list")
    if standby.process.poll() is None:
        standby.stop()
    wait_for("answer without the standby", lambda: stack.command("job", "list").returncode == 0,
             20)


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        _, pid, begun = start_process(stack)
        submits = Submitter(stack, "rotate")
        submits.wait_more(time.monotonic())
        for service in SERVICES:
            rotate(stack, service)
        submits.finish()
        check_refusals(submits.refusals)
        equal(start_ticks(pid), begun, "start of the task that ran all the while")
        prepared_only(stack)
        with_standby(stack)
        wait_for("health", lambda: stack.command("status").returncode == 0, 20, 0.2)
        equal(stack.command("key", "rotate", "nobody").returncode, 2, "an unknown service")
        stack.run("audit", "verify")
        stack.run("down")
        equal(stack.command("key", "rotate", "vault").returncode, 6, "nothing runs")


if __name__ == "__main__":
    run_test(test)

#!/usr/bin/env python3
"""Running work gets another size without a stop: its limits change on the machine, less memory than
is in use is refused and nothing changes, and a change that was cut off half way is brought to its
end by whoever comes back."""

import os
import signal

from limits import memory_limit
from stack import Stack, check, equal, run_test, wait_for

# Holds 48 MiB and says so.
HOLDS = "x=$(head -c 48000000 /dev/zero | tr '\\0' a); echo holding; sleep 600 & wait"
MIB = 1 << 20


def begin(stack):
    job = stack.apply({"name": "holds", "command": ["sh", "-c", HOLDS], "stop_grace": "1s",
                       "resources": {"cpus": "0.3", "memory": "256MiB"}})
    stack.wait_job(job, {"running"})
    wait_for("what it holds", lambda: "holding" in stack.command("job", "logs", job).stdout)
    return job


def size(stack, job):
    resources = stack.job(job)["spec"]["resources"]
    return int(resources["cpu_milli"]), int(resources["memory_mib"])


def grows_and_shrinks(stack, job):
    counted = memory_limit(stack, job) == 256 * MIB
    if not counted:
        print("the kernel counts no memory of tasks here: only what is said is compared")
    for cpu, memory in (("0.5", 512), ("0.2", 128)):
        stack.run("job", "resize", job, "--cpu", cpu, "--memory", f"{memory}MiB", "--wait")
        equal(size(stack, job), (int(float(cpu) * 1000), memory), "its size")
        if counted:
            equal(memory_limit(stack, job), memory * MIB, "the limit in the kernel")
    equal(stack.job(job)["round"], 1, "rounds")
    return counted


def keeps_what_it_uses(stack, job):
    refused = stack.command("job", "resize", job, "--memory", "16MiB", "--wait")
    equal(refused.returncode, 5, f"exit status ({refused.stderr})")
    check("was refused" in refused.stderr and "node here" in refused.stderr, refused.stderr)
    equal(size(stack, job), (200, 128), "its size after the refusal")
    equal(memory_limit(stack, job), 128 * MIB, "the limit in the kernel after the refusal")


def is_brought_to_its_end(stack, job):
    """The node stands still while a change is asked for, and the deployer dies."""
    node = stack.pid("node")
    os.kill(node, signal.SIGSTOP)
    try:
        asked = stack.ask("job", "resize", job, "--memory", "192MiB")
        check(asked["on_its_way"], f"on its way: {asked}")
        stack.kill("deployer")
        check(stack.job(job)["resizing"], "what is on its way has outlived the deployer")
    finally:
        os.kill(node, signal.SIGCONT)
    wait_for("its end", lambda: not stack.job(job)["resizing"])
    equal(size(stack, job), (200, 192), "its size")
    equal(stack.job(job)["state"], "running", "its state")


def is_told(stack, wanted):
    def outcomes():
        return [row[0] for row in stack.sql(
            "SELECT outcome FROM auditor.entry WHERE action = 'deployer.job.resized' "
            "ORDER BY sequence")]
    wait_for("all entries", lambda: len(outcomes()) >= len(wanted))
    equal(outcomes(), wanted, "outcomes in the audit log")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        job = begin(stack)
        counted = grows_and_shrinks(stack, job)
        if counted:
            keeps_what_it_uses(stack, job)
        is_brought_to_its_end(stack, job)
        is_told(stack, ["done", "done", *(["failed"] if counted else []), "done"])
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

#!/usr/bin/env python3
"""A part of a machine is a node of its own: work that names its pool runs there and never gets more
than it has, it grows and shrinks while work runs in it, nobody can take it away from under that
work, and it outlives kill -9 of the deployer and the node."""

from limits import memory_limit
from stack import Stack, check, equal, run_test, wait_for


def sleeper(stack, name, cpus):
    return stack.apply({"name": name, "command": ["sleep", "600"], "pool": "team-a",
                        "stop_grace": "1s", "resources": {"cpus": cpus, "memory": "64MiB"}})


def part(stack):
    return stack.ask("slice", "list", "team-a")["slices"][0]["parts"][0]


def is_made(stack):
    made = stack.ask("slice", "create", "team-a", "--cpus", "0.5", "--memory", "256MiB",
                     "--machine", "here", "--ports", "4")
    equal((made["pool"], made["parts"][0]["machine"]), ("team-a", "here"), "pool and machine")
    again = stack.command("slice", "create", "team-a", "--cpus", "0.1", "--memory", "16MiB")
    equal(again.returncode, 5, f"exit status of the same again ({again.stderr})")
    larger = stack.command("slice", "create", "huge", "--cpus", "9999", "--memory", "16MiB")
    check(larger.returncode != 0 and "of a core wanted" in larger.stderr, larger.stderr)


def takes_what_it_has(stack):
    """Two fit only once it has grown."""
    first = sleeper(stack, "first", "0.3")
    stack.wait_job(first, {"running"})
    equal(stack.job(first)["tasks"][0]["allocation"]["node"], "team-a", "where it is")
    second = sleeper(stack, "second", "0.3")
    equal(stack.job(second)["state"], "queued", "the second")
    check("cpu short" in stack.run("job", "explain", second), "the explanation names the CPU")
    stack.run("slice", "resize", "team-a", "--cpus", "1")
    stack.wait_job(second, {"running"})
    limit = memory_limit(stack, first)
    if limit is None or limit > 1 << 40:
        print("the kernel counts no memory of tasks here: the limit in it is not compared")
    else:
        equal(limit, 64 << 20, "what a task in it may use, by the kernel")
    return first, second


def is_kept_from_under_nobody(stack):
    for words in (("resize", "team-a", "--cpus", "0.5"), ("release", "team-a")):
        refused = stack.command("slice", *words)
        equal(refused.returncode, 5, f"exit status of {words[0]} ({refused.stderr})")
        check("in use" in refused.stderr or "hold something" in refused.stderr, refused.stderr)
    equal(int(part(stack)["cpu_milli_free"]), 400, "free CPU after the refusals")


def outlives_kills(stack, job):
    began = stack.job(job)["started_at_ms"]
    for victim in ("deployer", "node"):
        stack.kill(victim)
        wait_for(f"the slice after a kill of the {victim}",
                 lambda: stack.command("slice", "list", "team-a").returncode == 0)
    equal(int(part(stack)["attempts"]), 2, "attempts in it")
    wait_for("the machine", lambda: part(stack)["state"] == "ready")
    equal(stack.run("exec", job, "--", "echo", "beside").strip(), "beside", "a command beside it")
    now = stack.job(job)
    equal((now["started_at_ms"], now["round"]), (began, 1), "the same attempt")


def goes(stack, jobs):
    for job in jobs:
        stack.cancel(job)
    stack.run("slice", "resize", "team-a", "--cpus", "0.1")
    stack.run("slice", "release", "team-a")
    equal(stack.ask("slice", "list")["slices"], [], "slices")
    nodes = stack.ask("node", "list")["nodes"]
    equal([node["node"] for node in nodes], ["here"], "nodes")
    equal(nodes[0]["cpu_milli_free"], nodes[0]["capacity"]["cpu_milli"], "free CPU of the machine")


def is_told(stack):
    def entries():
        return [row[0] for row in stack.sql(
            "SELECT action || ' ' || outcome FROM auditor.entry "
            "WHERE action LIKE 'deployer.slice.%' ORDER BY sequence")]
    wanted = ["create done", "resize done", "resize done", "release done"]
    wait_for("all entries", lambda: len(entries()) >= len(wanted))
    equal([entry.removeprefix("deployer.slice.") for entry in entries()], wanted, "the audit log")
    stack.run("audit", "verify")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        is_made(stack)
        jobs = takes_what_it_has(stack)
        is_kept_from_under_nobody(stack)
        outlives_kills(stack, jobs[0])
        goes(stack, jobs)
        is_told(stack)


if __name__ == "__main__":
    run_test(test)

#!/usr/bin/env python3
"""A job of higher priority has another one stopped and starts in its place; the other one goes on
afterwards. What was decided is kept, and comes out the same when it is decided again. Quotas are
set, seen, kept and removed. On real processes and a real database."""

import json

from stack import Stack, check, equal, run_test, wait_for


def spec(name, priority, seconds, cpus):
    return {"name": name, "command": ["/bin/sleep", str(seconds)], "priority": priority,
            "resources": {"cpus": str(cpus), "memory": "16MiB"}, "stop_grace": "5s"}


def preemption(stack):
    # More than half of the machine each, so that two never fit.
    milli = stack.ask("node", "list")["nodes"][0]["capacity"]["cpu_milli"]
    cpus = (int(milli) * 3 // 4) / 1000
    low = stack.apply(spec("low", 10, 600, cpus))
    stack.wait_job(low, {"running"})
    same = stack.apply(spec("same", 10, 1, cpus))
    high = stack.apply(spec("high", 90, 1, cpus))
    stack.wait_job(high, {"succeeded"})
    equal(stack.job(same)["round"], 0, "rounds of the job of equal priority before its turn")
    view = wait_for("job that runs again", lambda: next(
        (v for v in [stack.job(low)] if v["state"] == "running" and v["round"] == 2), None))
    equal(view["preemptions"], 1, "preemptions of the lower job")
    equal(view["failures"] + view["interruptions"], 0, "retries that were used up")
    stack.cancel(low)
    stack.wait_job(same, {"succeeded"})
    actions = [row["action"] for row in stack.ask("audit", "tail", "--lines", "200")["entries"]]
    for action in ("deployer.job.preempting", "deployer.job.preempted"):
        equal(actions.count(action), 1, f"entries {action}")
    decisions(stack, low, high)


def decisions(stack, low, high):
    def about(job):
        return stack.ask("decision", "list", "--job", job)["decisions"]

    gave_way = [d for d in about(high) if d["kind"] == "preempt"]
    equal([d["victims"] for d in gave_way], [[low]], "who gave way, as it is kept")
    equal(stack.sql(f"SELECT kind, nodes ->> 0 FROM deployer.decisions WHERE job = '{low}' "
                    "ORDER BY number LIMIT 1"), [("place", "here")], "the first decision in SQL")
    # Why it waited, in columns.
    waits = stack.sql(f"SELECT rejected -> 0 ->> 'rule', nearest, lacks -> 0 ->> 'rule', "
                      f"starts_by IS NULL, starts_after IS NULL FROM deployer.decisions "
                      f"WHERE job = '{high}' AND kind = 'wait' ORDER BY number LIMIT 1")[0]
    equal(waits, ("cpu", "here", "cpu", "t", "t"),
          "the rule that rejected the only node, that node, what it lacks, and no time known")
    again = stack.ask("job", "explain", low, "--replay")
    equal(again["different"], [], "decisions that came out otherwise")
    check(int(again["replayed"]) > 0, f"something is made again: {again}")
    equal(again["nodes"], again["decision"][0]["nodes"], "its places")
    every = stack.ask("decision", "replay")
    check(int(every["replayed"]) >= 5 and not every["different"], f"all of them again: {every}")


def quotas(stack):
    stack.run("quota", "set", "ann", "--gpus", "2", "--max-gpus", "4", "--cpus", "0.5")
    line = stack.ask("quota", "list")["quotas"][0]
    equal([int(line[x]) for x in ("gpu_milli", "gpu_milli_max", "cpu_milli", "weight")],
          [2000, 4000, 500, 1], "the quota that was set")
    equal(stack.sql("SELECT owner, gpu_milli, weight FROM deployer.quota"), [("ann", "2000", "1")],
          "its row")
    refused = stack.command("quota", "set", "ann", "--gpus", "5", "--max-gpus", "4")
    check(refused.returncode == 2 and "--max-gpus" in refused.stderr, f"refusal: {refused.stderr}")
    stack.run("quota", "remove", "ann")
    equal(json.dumps(stack.ask("quota", "list")["quotas"]), "[]", "quotas in the end")
    equal(stack.command("quota", "remove", "ann").returncode, 3, "exit status for an unknown quota")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        preemption(stack)
        quotas(stack)


if __name__ == "__main__":
    run_test(test)

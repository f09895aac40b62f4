"""What a snapshot holds since 0.2 besides what 0.1 had: a service with two revisions, a command
beside a task, a slice and one that begins later, a working folder, a job that waits, decisions, a
quota, a power cap, a label, an alert that fires and an exporter. fill() makes it before the backup,
check_filled() finds it after the restore, which also does what old rows ask for: the service and
the job that ran begin again, the latter from its folder, and the command is given up."""

import contextlib
import json
import subprocess

from stack import check, equal, wait_for

TEXT = "from the folder that was kept"
SIZE = ("--cpus", "0.2", "--memory", "128MiB")
EXPORTER = "http://127.0.0.1:9/metrics"  # nobody answers there
RULE = ("--series", "memory_use", "--above", "0", "--window", "1s", "--for", "0s")


def small(name, **more):
    return {"name": name, "command": ["sleep", "600"], "stop_grace": "1s",
            "resources": {"cpus": "0.1", "memory": "32MiB"}, **more}


def fill_rules(stack):
    stack.run("quota", "set", "ann", "--gpus", "2", "--max-gpus", "4", "--cpus", "0.5")
    stack.run("power", "cap", "rack=r7", "12kW")
    stack.run("node", "label", "here", "rack=r7")
    stack.run("slice", "create", "part", *SIZE, "--machine", "here")
    stack.run("slice", "create", "later", *SIZE, "--begin", "2126-01-01T00:00Z")
    stack.run("scrape", "put", "gone", "--url", EXPORTER, "--keep", "node_load1")
    stack.run("alert", "put", "crowded", *RULE, "--summary", "memory is in use")
    wait_for("alert", lambda: stack.ask("alert", "list")["alerts"])


def is_steady(stack):
    return stack.ask("service", "show", "shop")["line"]["state"] == "steady"


def fill_service(stack):
    for version in ("one", "two"):
        spec = small("shop", type="service", replicas=1, env={"VERSION": version})
        stack.run("service", "apply", "-", text=json.dumps(spec))
        wait_for("steady service", lambda: is_steady(stack), 60, 0.2)


def decisions(stack, job):
    return {one["kind"]: one for one in
            stack.ask("decision", "list", "--job", job)["decisions"]}


def fill_jobs(stack):
    """The one that runs."""
    folder = stack.folder / "code"
    folder.mkdir()
    (folder / "kept.txt").write_text(TEXT + "\n")
    job = stack.apply(small("long", command=["sh", "-c", "cat kept.txt; exec sleep 600"],
                            pool="part", workdir=str(folder), retry={"on": ["interruption"]}))
    stack.wait_job(job, {"running"})
    stack.apply(small("waits", after=["long"]))
    large = stack.apply(small("large", pool="part", resources={"cpus": "0.2", "memory": "1MiB"}))
    wait_for("decision that it waits", lambda: "wait" in decisions(stack, large))
    stack.cancel(large)
    return job


@contextlib.contextmanager
def filled(stack):
    """It is all there within; the command beside the task ends with it."""
    fill_rules(stack)
    fill_service(stack)
    job = fill_jobs(stack)
    words = [stack.bin / "lepton", "exec", job, "--", "sleep", "600"]
    with subprocess.Popen(words, env=stack.environment, stdin=subprocess.DEVNULL) as beside:
        try:
            wait_for("command beside the task",
                     lambda: stack.number("SELECT count(*) FROM deployer.exec") == 1)
            yield
        finally:
            beside.terminate()


def check_rules(stack):
    quota = stack.ask("quota", "list")["quotas"][0]
    equal([quota["owner"], *(int(quota[key]) for key in ("gpu_milli", "gpu_milli_max"))],
          ["ann", 2000, 4000], "the quota")
    cap = stack.ask("power", "list")["caps"][0]
    equal((cap["key"], cap["value"], int(cap["cap_watts"])), ("rack", "r7", 12_000),
          "the power cap")
    node = next(node for node in stack.ask("node", "list")["nodes"] if node["node"] == "here")
    equal(node["labels"].get("rack"), "r7", "the label")
    slices = {one["name"]: one for one in stack.ask("slice", "list")["slices"]}
    equal(sorted(slices), ["later", "part"], "slices")
    equal(slices["part"]["parts"][0]["machine"], "here", "where the slice is")
    target = stack.ask("scrape", "show", "gone")["targets"][0]
    equal((target["target"]["url"], target["target"]["keep"]), (EXPORTER, ["node_load1"]),
          "the exporter")
    rules = {rule["name"]: rule for rule in stack.ask("alert", "rules")["rules"]}
    equal(rules["crowded"]["summary"], "memory is in use", "the rule of the alert")
    wait_for("alert that fires again", lambda: any(
        one["rule"] == "crowded" for one in stack.ask("alert", "list")["alerts"]), 60, 0.2)


def check_work(stack):
    jobs = {job["name"]: job for job in stack.ask("job", "list")["jobs"]}
    equal(jobs["waits"]["state"], "queued", "the job that waits")
    job = jobs["long"]["job"]
    wait_for("next attempt", lambda: stack.job(job)["state"] == "running"
             and stack.job(job)["round"] > 1, 90, 0.2)
    wait_for("folder that was kept", lambda: TEXT in stack.command("job", "logs", job).stdout)
    wait_for("steady service", lambda: is_steady(stack), 90, 0.2)
    revisions = stack.ask("service", "history", "shop")["revisions"]
    equal(sorted(int(one["revision"]) for one in revisions), [1, 2], "revisions")
    equal(sorted(one["spec"]["task"]["env"]["VERSION"] for one in revisions), ["one", "two"],
          "what they are of")
    wait_for("end of the command", lambda: stack.number("SELECT count(*) FROM deployer.exec") == 0)


def check_decisions(stack):
    """What they were made from is read, too; whether they come out the same is this version's."""
    jobs = {job["name"]: job["job"] for job in stack.ask("job", "list")["jobs"]}
    equal(decisions(stack, jobs["recorded"])["place"]["nodes"], ["here"], "the first job's place")
    check(decisions(stack, jobs["large"])["wait"]["why"], "it is not said why the large job waited")
    check(int(stack.ask("decision", "replay")["replayed"]) > 0, "no decision is made again")


def check_filled(stack):
    check_rules(stack)
    check_work(stack)
    check_decisions(stack)

#!/usr/bin/env python3
"""A job with an image runs in a container of a real Docker engine: its output, secrets, exit code
and end; a killed node finds it again; what the engine knows holds no secret."""

import json
import os

from engine import IMAGE, Engine
from stack import Stack, check, equal, run_test, wait_for

WELL = "$LEPTON_OUTPUT_DIR/well"


def spec(name, script, **more):
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script],
            "resources": {"cpus": "0.1", "memory": "64MiB"}, "stop_grace": "2s", **more}


def runs(stack):
    stack.run("secret", "put", "box/token", "--stdin", text="s3cr3t-of-the-box")
    job = stack.apply(spec("box", "echo $WHO $(cat /run/secrets/TOKEN); exit 7",
                           env={"WHO": "container"}, secrets={"TOKEN": "vault://box/token"}))
    view = stack.wait_job(job, {"failed"})
    check("7" in json.dumps(view), f"the exit code in {view}")
    equal(stack.run("job", "logs", job), "container s3cr3t-of-the-box\n", "its log")


def fails_without_its_image(stack):
    job = stack.apply(spec("nowhere", "exit 0") | {"image": "127.0.0.1:9/none:1"})
    view = stack.wait_job(job, {"failed"})
    check("could not be pulled" in json.dumps(view), f"why in {view}")


def is_found_again(stack, engine):
    job = stack.apply(spec("stays", "echo up; exec sleep 600", env={"SHOWN": "in-the-pipe"}))
    stack.wait_job(job, {"running"})
    wait_for("first line", lambda: "up" in stack.command("job", "logs", job).stdout)
    names = engine.docker("ps", "--format", "{{.Names}}").stdout.split()
    equal(len(names), 1, f"containers that run ({names})")
    known = engine.docker("inspect", names[0]).stdout
    check("in-the-pipe" not in known, "the engine knows no value of a variable")
    stack.kill("node")
    wait_for("node that is ready again",
             lambda: stack.ask("node", "list")["nodes"][0]["state"] == "ready")
    equal(stack.job(job)["round"], 1, "rounds after the node's death")
    equal(engine.docker("ps", "--format", "{{.Names}}").stdout.split(), names, "containers")
    stack.cancel(job)
    stack.wait_job(job, {"cancelled"})
    equal(engine.docker("ps", "-a", "--format", "{{.Names}}").stdout, "", "containers in the end")


def is_measured(stack):
    """By its own control group: its watcher does nothing."""
    job = stack.apply(spec("busy", "while :; do :; done"))
    stack.wait_job(job, {"running"})
    wait_for("CPU use of the container", lambda: any(
        value["series"] == "task_cpu_cores" and value["part"].startswith(job)
        and value["value"] > 0.05
        for value in stack.ask("node", "show", "here")["health"]["values"]), 30, 0.2)
    stack.cancel(job)
    stack.wait_job(job, {"cancelled"})


def is_resized(stack, engine):
    """By the engine's own update; its processes never stop."""
    job = stack.apply(spec("grows", "exec sleep 600"))
    stack.wait_job(job, {"running"})
    stack.run("job", "resize", job, "--cpu", "0.2", "--memory", "128MiB", "--wait")
    name, = engine.docker("ps", "--format", "{{.Names}}").stdout.split()
    limits = engine.docker("inspect", "--format", "{{json .HostConfig}}", name).stdout
    equal(json.loads(limits)["Memory"], 128 << 20, "its memory as the engine knows it")
    equal(int(stack.job(job)["spec"]["resources"]["cpu_milli"]), 200, "its CPU")
    stack.cancel(job)
    stack.wait_job(job, {"cancelled"})


def is_asked_within(stack):
    """A command of a probe runs in the replica's container."""
    stack.run("service", "apply", "-", text=json.dumps(
        spec("asked", f"touch {WELL}; exec sleep 600", type="service",
             probes={"readiness": {"command": ["sh", "-c", f"test -f {WELL}"],
                                   "period": "200ms", "failures": 1}})))

    def replica(state):
        found = stack.ask("service", "show", "asked")["replicas"]
        return found[0]["job"] if [one["state"] for one in found] == [state] else None
    job = wait_for("ready replica", lambda: replica("ready"), 60, 0.1)
    stack.run("exec", job, "--", "sh", "-c", f"rm {WELL}")
    wait_for("replica that is not ready any more", lambda: replica("unready"), 30, 0.1)
    stack.run("exec", job, "--", "sh", "-c", f"touch {WELL}")
    wait_for("replica that is ready again", lambda: replica("ready"), 30, 0.1)
    stack.run("service", "remove", "asked", "-y")
    stack.wait_job(job, {"cancelled"})


def test():
    with Engine() as engine:
        os.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
        with Stack(up=["--node-name", "here"]) as stack:
            runs(stack)
            fails_without_its_image(stack)
            is_found_again(stack, engine)
            is_measured(stack)
            is_resized(stack, engine)
            is_asked_within(stack)


if __name__ == "__main__":
    run_test(test)

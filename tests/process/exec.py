#!/usr/bin/env python3
"""Commands beside running tasks through one stack of real processes: what they find, their streams
and exit status, who may run them, what the audit log says, and every way in which they end."""

import hashlib
import json
import os
import signal
import subprocess
import sys

from engine import IMAGE, Engine
from stack import Stack, check, equal, run_test, wait_for


def spec(name, **more):
    return {"name": name, "command": ["sh", "-c", "echo up; exec sleep 600"], "stop_grace": "1s",
            "resources": {"cpus": "0.2", "memory": "64MiB"}, **more}


def begin(stack, name, **more):
    job = stack.apply(spec(name, **more))
    stack.wait_job(job, {"running"}, 60)
    wait_for("first line", lambda: "up" in stack.command("job", "logs", job).stdout)
    return job


def run(stack, job, *words, text=None, options=()):
    done = stack.command("exec", *options, job, "--", *words, text=text)
    return done.returncode, done.stdout, done.stderr


def ends(stack):
    return [json.loads(row[0]) for row in stack.sql(
        "SELECT detail FROM auditor.audit_log WHERE action = 'deployer.job.exec_ended' "
        "ORDER BY sequence")]


def wait_for_end(stack, reason, count):
    found = wait_for(f"audited end {count}", lambda: len(ends(stack)) >= count and ends(stack), 60)
    equal(len(found), count, "audited ends")
    check(reason in found[-1].get("why", ""), f"'{reason}' in {found[-1]}")


def finds_what_the_task_has(stack, job):
    equal(run(stack, job, "sh", "-c", "echo out; echo err >&2; exit 7"), (7, "out\n", "err\n"),
          "streams and exit status")
    shown = run(stack, job, "sh", "-c", "echo $WHO $TOKEN; id -un; pwd; cat /proc/self/cgroup")[1]
    own = stack.state / f"node/attempts/{job}-0-1/out"
    lines = shown.splitlines()
    equal(lines[0], "task s3cr3t-of-exec", "its variables and secrets")
    check(lines[1] != "root", "it is no root")
    equal(lines[2], str(own), "its folder")
    status = (own.parent / "status").read_text()
    if "enforced=memory" in status:
        check(f"lepton/{job}-0-1" in shown, f"its control group in {shown}")
    equal(run(stack, job, "no-such-program")[0], 127, "a program that is not there")
    equal(run(stack, job, "sh", "-c", "kill -9 $$")[0], 137, "a signal")
    equal(run(stack, job, "sh", "-c", "sleep 600 & echo left")[:2], (0, "left\n"),
          "what it leaves behind does not hold it up")


def passes_bytes(stack, job):
    sent = os.urandom(3 << 20)
    done = subprocess.run([stack.bin / "lepton", "exec", "-i", job, "--", "sh", "-c",
                           "cat; echo end >&2"], input=sent, capture_output=True, check=False,
                          env=stack.environment, timeout=60)
    equal(hashlib.sha256(done.stdout).hexdigest(), hashlib.sha256(sent).hexdigest(),
          f"what comes back of 3 MiB ({done.stderr[:200]})")
    equal((done.returncode, done.stderr), (0, b"end\n"), "its end")
    equal(run(stack, job, "cat"), (0, "", ""), "without -i its input is empty")
    equal(run(stack, job, "true", text="x" * 300_000, options=["-i"])[0], 0,
          "input that nobody reads")


def fails_when_it_cannot_print(stack, job):
    for door in ("/dev/full", "/dev/null"):
        with open(door, "wb") as out:
            script = "echo text; exec sleep 600" if door == "/dev/full" else "echo text"
            done = subprocess.run([stack.bin / "lepton", "exec", job, "--", "sh", "-c", script],
                                  timeout=60, stdout=out, text=True,
                                  stderr=subprocess.PIPE, check=False, env=stack.environment)
        equal(done.returncode, 255 if door == "/dev/full" else 0, f"{door}: {done.stderr}")
        check(door != "/dev/full" or "cannot write" in done.stderr, f"it says so: {done.stderr}")


def is_a_right_of_its_own(stack, job):
    rules = {"name": "viewer", "rules": [
        {"path": "job/*", "verbs": ["read", "list", "run", "write", "remove"]}]}
    file = stack.folder / "viewer.json"
    file.write_text(json.dumps(rules))
    stack.run("policy", "put", "-f", file)
    path = stack.folder / "viewer.token"
    stack.run("token", "create", "--subject", "eve", "--policy", "viewer", "--save", path)
    viewer = {"LEPTON_TOKEN": path.read_text().strip()}
    equal(stack.command("job", "show", job, environment=viewer).returncode, 0, "she sees the job")
    refused = stack.command("exec", job, "--", "id", environment=viewer)
    equal(refused.returncode, 255, f"and runs nothing in it ({refused.stderr})")
    check("exec" in refused.stderr, f"the right is named in {refused.stderr}")


def is_audited(stack, job):
    before = len(ends(stack))
    run(stack, job, "sh", "-c", "echo not-in-the-log; exit 3")
    wait_for("audited end", lambda: len(ends(stack)) == before + 1)
    rows = stack.sql("SELECT actor, resource, detail FROM auditor.audit_log "
                     "WHERE action = 'deployer.job.exec' ORDER BY sequence DESC LIMIT 1")
    detail = json.loads(rows[0][2])
    equal(detail["command"], "sh -c 'echo not-in-the-log; exit 3'", "what was run")
    equal((rows[0][0], detail["attempt"], detail["node"]), ("admin", f"{job}-0-1", "here"),
          "who, beside what, where")
    end = ends(stack)[-1]
    equal((end["exec"], end["exit_code"]), (detail["exec"], "3"), "how it ended")
    denied = stack.number("SELECT count(*) FROM auditor.audit_log WHERE actor = 'eve' AND "
                          "action = 'deployer.job.exec' AND outcome = 'denied'")
    equal(denied, 1, "the refusal")


def start(stack, job, *words, options=()):
    """A command that goes on; when its first line is here."""
    child = subprocess.Popen([stack.bin / "lepton", "exec", *options, job, "--", *words],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=stack.environment)
    line = child.stdout.readline()
    check(line == "begun\n", f"its first line is {line!r}: {line or child.stderr.read()}")
    return child


def living(mark):
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and mark in cmdline(pid)]


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")[0:3]
    except OSError:
        return []


def finish(child, what, status, reason):
    _, errors = child.communicate(timeout=60)
    equal(child.returncode, status, f"exit status, {what} ({errors})")
    check(reason in errors, f"'{reason}' in {errors!r}")


def ends_in_every_way(stack, job):
    sleeps = ("sh", "-c", "echo begun; sleep 4711 & sleep 4711; true")
    count = len(ends(stack))
    nobody = lambda: not living(b"4711")
    child = start(stack, job, *sleeps)
    child.send_signal(signal.SIGINT)
    finish(child, "interrupted", 130, "")
    wait_for_end(stack, "the person ended it", count + 1)
    child = start(stack, job, *sleeps)
    child.kill()
    child.communicate()
    wait_for_end(stack, "has gone", count + 2)
    finish(start(stack, job, *sleeps, options=["--limit", "1s"]), "at its limit", 255, "limit of")
    child = start(stack, job, *sleeps)
    stack.kill("deployer")
    finish(child, "deployer killed", 255, "began anew")
    wait_for_end(stack, "began anew", count + 4)
    child = start(stack, job, *sleeps)
    stack.kill("node")
    finish(child, "node killed", 255, "node")
    wait_for("end of all that ran", nobody, 30)
    wait_for("node that is ready again",
             lambda: stack.ask("node", "list")["nodes"][0]["state"] == "ready")
    wait_for("another command", lambda: run(stack, job, "true")[0] == 0, 30, 0.5)
    child = start(stack, job, *sleeps)
    stack.cancel(job)
    finish(child, "task ended", 255, "task has ended")
    wait_for("end of all that ran", nobody)
    ended = stack.command("exec", job, "--", "true")
    check(ended.returncode == 255 and "does not run" in ended.stderr, f"after its end: {ended}")
    equal(stack.number("SELECT count(*) FROM deployer.exec"), 0, "rows of commands that run")


def has_limits(stack, job):
    children = [start(stack, job, "sh", "-c", "echo begun; sleep 600") for _ in range(8)]
    refused = run(stack, job, "true")
    check(refused[0] == 255 and "8 commands" in refused[2], f"the ninth: {refused}")
    for child in children:
        child.send_signal(signal.SIGINT)
    for child in children:
        finish(child, "one of eight", 130, "")


def in_a_container():
    with Engine() as engine:
        os.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
        with Stack(up=["--node-name", "here"]) as stack:
            stack.run("secret", "put", "box/token", "--stdin", text="s3cr3t-of-the-box")
            job = begin(stack, "box", image=IMAGE, env={"WHO": "task"},
                        secrets={"TOKEN": "vault://box/token"})
            equal(run(stack, job, "sh", "-c", "echo $WHO $TOKEN; echo err >&2; exit 7"),
                  (7, "task s3cr3t-of-the-box\n", "err\n"), "in a container")
            check(run(stack, job, "id")[1].find("uid=0") < 0, "it is no root")
            equal(run(stack, job, "cat", text="y" * 200_000, options=["-i"])[1], "y" * 200_000,
                  "input and output")
            equal(run(stack, job, "no-such-program")[0], 127, "a program that is not there")
            child = start(stack, job, "sh", "-c", "echo begun; sleep 4713; true")
            child.send_signal(signal.SIGINT)
            finish(child, "interrupted", 130, "")
            wait_for("end of it in the container", lambda: not living(b"4713"), 30)
            child = start(stack, job, "sh", "-c", "echo begun; sleep 4713; true")
            stack.cancel(job)
            _, errors = child.communicate(timeout=60)
            check(child.returncode == 137 or "task has ended" in errors,
                  f"its container has ended: {child.returncode} {errors}")


def test():
    if "container" in sys.argv[1:]:
        return in_a_container()
    with Stack(up=["--node-name", "here"]) as stack:
        stack.run("secret", "put", "exec/token", "--stdin", text="s3cr3t-of-exec")
        job = begin(stack, "work", env={"WHO": "task"},
                    secrets={"TOKEN": "vault://exec/token"})
        finds_what_the_task_has(stack, job)
        passes_bytes(stack, job)
        fails_when_it_cannot_print(stack, job)
        is_a_right_of_its_own(stack, job)
        is_audited(stack, job)
        has_limits(stack, job)
        ends_in_every_way(stack, job)


if __name__ == "__main__":
    run_test(test)

#!/usr/bin/env python3
"""Kills the deployer, the vault, the auditor, the node and PostgreSQL with -9, each once, while a
trace is replayed. Nothing that was acknowledged may be lost, doubled or unaudited, no GPU given out
twice, and a real process that was started before lives through it all. Prints how long each took
to serve again: to do what the process that was killed cannot have done.

usage: kill_during_replay.py [--apart]
  --apart  the next is killed only when the last one serves again: for figures of each alone, with
           10,000 jobs in the database before the first
environment: LEPTON_DATA, folder of real traces; else the small trace of examples/trace is used."""

import collections
import csv
import itertools
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from stack import ROOT, Stack, check, equal, run_test, start_ticks, wait_for

APART = "--apart" in sys.argv[1:]
PODS = 30_000 if APART else 1500  # a shorter trace is sent again and again
STORED_BEFORE = 10_000 if APART else 0
WINDOW = 4  # few in flight, so that the replay is long enough for all kills
POOL = "kills"
# Who is killed when so much of the trace has been stored.
KILLS = (("deployer", 0.08), ("node", 0.25), ("scaler", 0.30), ("monitor", 0.35), ("vault", 0.40),
         ("auditor", 0.55), ("postgres", 0.70))
RECOVERY_LIMIT_S = 30
JOBS = f"SELECT count(*) FROM deployer.job WHERE pool = '{POOL}'"
ENTRIES = "SELECT count(*) FROM auditor.entry"
# Asked when the new process is there; each goes to the victim itself.
QUESTIONS = {"monitor": ("top",), "scaler": ("service", "scaled"), "auditor": ("audit", "tail")}


def repeated(lines):
    """The pods of a trace, for ever: those of each turn have names of their own."""
    for turn in itertools.count():
        for line in lines:
            name, rest = line.split(",", 1)
            yield f"{name}-{turn},{rest}"


def trace(folder):
    """The two files of what is sent."""
    real = pathlib.Path(os.environ.get("LEPTON_DATA", "")) / "gpu-trace-v2023"
    nodes, pods = real / "openb_node_list_gpu_node.csv", real / "openb_pod_list_default.csv"
    if not (os.environ.get("LEPTON_DATA") and nodes.is_file() and pods.is_file()):
        print("LEPTON_DATA has no gpu-trace-v2023: the trace of examples/trace is replayed")
        nodes, pods = ROOT / "examples/trace/nodes.csv", ROOT / "examples/trace/pods.csv"
    header, *lines = pods.read_text().splitlines(keepends=True)
    sent = folder / "pods.csv"
    sent.write_text(header + "".join(itertools.islice(repeated(lines), PODS)))
    return nodes, sent


def start_process(stack):
    """A real task; its job, its pid and that pid's start."""
    job = stack.apply({"name": "survivor", "max_duration": "1h",
                       "command": ["/bin/sh", "-c", "echo $$; exec /bin/sleep 1800"],
                       "resources": {"cpus": "100m", "memory": "64MiB"}})
    stack.wait_job(job, {"running"})
    pid = int(wait_for("line in its log", lambda: stack.run("job", "logs", job).strip(), 10))
    begun = start_ticks(pid)
    check(begun is not None, f"the task's process {pid} does not run")
    return job, pid, begun


def started_at_ms(pid):
    """Wall time; the kernel tells hundredths of a second."""
    ticks = start_ticks(pid)
    check(ticks is not None, f"the new process {pid} is gone again")
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return (time.time() - age_s) * 1000


def is_heard(stack, since_ms):
    """The next victim may be down by now: then it is asked again."""
    listed = stack.command("node", "list", "--pool", "default", "-o", "json")
    if listed.returncode != 0:
        return False
    nodes = json.loads(listed.stdout)["nodes"]
    return nodes and nodes[0]["state"] == "ready" and int(nodes[0]["heard_at_ms"]) > since_ms


def answers(stack, name, before):
    """Whether a victim has done what it cannot have done before it was killed."""
    if name in ("deployer", "postgres"):
        # A durable change. What was in flight may have been stored for the one that was killed.
        return stack.number(JOBS) > before + WINDOW
    if name == "node":
        return is_heard(stack, before)
    if name == "vault":  # unsealed and storing
        return stack.command("secret", "put", "probe/vault", text="1").returncode == 0
    if name == "auditor" and APART and stack.number(ENTRIES) <= before:
        return False  # while pods are submitted the log grows
    return stack.command(*QUESTIONS[name], "-o", "json").returncode == 0


class Recovery(threading.Thread):
    """Watches one victim: seconds until it runs again and until it answers."""

    def __init__(self, stack, name, old_pid):
        super().__init__()
        self.begin, self.error, self.runs_s, self.serves_s = time.monotonic(), None, 0.0, 0.0
        self.stack, self.name_, self.old_pid = stack, name, old_pid

    def run(self):
        try:
            self.watch()
        except Exception as error:  # reported by the main thread
            self.error = error

    def watch(self):
        wait_for(f"end of {self.name_}", lambda: start_ticks(self.old_pid) is None,
                 RECOVERY_LIMIT_S)
        before = self.count(JOBS) if self.name_ == "deployer" else None
        pid = wait_for(f"new {self.name_}", self.new_pid, RECOVERY_LIMIT_S)
        self.runs_s = time.monotonic() - self.begin
        before = self.look(pid) if before is None else before
        wait_for(f"answer of {self.name_}",
                 lambda: answers(self.stack, self.name_, before), RECOVERY_LIMIT_S)
        self.serves_s = time.monotonic() - self.begin

    def new_pid(self):
        pid = self.stack.pid(self.name_)
        return None if pid == self.old_pid else pid

    def look(self, pid):
        """What is there when the new process has just begun."""
        if self.name_ == "node":
            return started_at_ms(pid)
        query = {"postgres": JOBS, "auditor": ENTRIES}.get(self.name_)
        return self.count(query) if query else None

    def count(self, query):
        """As soon as PostgreSQL answers."""
        return wait_for("answer of PostgreSQL", lambda: [n for n in [self.stack.number(query)]
                                                         if n >= 0], RECOVERY_LIMIT_S)[0]


def kill_all(stack, replay):
    """Each at its share of the trace; the watchers of their recoveries."""
    watchers = []
    for name, share in KILLS:
        def due():
            check(replay.poll() is None, f"the replay ended before {name} was killed")
            return stack.number(JOBS) >= share * PODS
        wait_for(f"{share:.0%} of the replay", due, 90, 0.005)
        stored = stack.number(JOBS)
        pid = stack.kill(name)
        watchers.append(Recovery(stack, name, pid))
        watchers[-1].start()
        check(replay.poll() is None, f"the replay ended before {name} was killed")
        print(f"killed {name} ({pid}) when {stored} of {PODS} were stored", flush=True)
        if APART:
            watchers[-1].join()
    return watchers


def store_before(stack, nodes, pods):
    """Jobs of other pools, which are kept."""
    for turn in itertools.count():
        stored = stack.number("SELECT count(*) FROM deployer.job")
        if stored >= STORED_BEFORE:
            break
        some = stack.folder / "before.csv"
        with pods.open() as source:
            some.write_text("".join(itertools.islice(source, STORED_BEFORE - stored + 1)))
        done = subprocess.run([stack.bin / "lepton", "replay", "--nodes", nodes, "--pods", some,
                               "--pool", f"before-{turn}", "--window", "64", "--keep"],
                              env=stack.environment, stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, text=True)
        check(done.returncode == 0, f"the replay before the kills: {done.stderr}")
    if STORED_BEFORE:
        print(f"{stored} jobs are stored before the first kill", flush=True)


def replay_through_kills(stack, nodes, pods):
    words = [stack.bin / "lepton", "replay", "--nodes", nodes, "--pods", pods, "--pool", POOL,
             "--window", str(WINDOW), "--keep", "-o", "json"]
    with subprocess.Popen(words, env=stack.environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as replay:
        try:
            watchers = kill_all(stack, replay)
            output, errors = replay.communicate(timeout=150)
        finally:
            replay.kill()
    for watcher in watchers:
        watcher.join()
        if watcher.error:
            raise watcher.error
        print(f"{watcher.name_}: runs again after {watcher.runs_s:.2f} s, serves after "
              f"{watcher.serves_s:.2f} s")
    check(replay.returncode == 0, f"the replay ended with {replay.returncode}: {errors}\n{output}")
    return json.loads(output)


def check_report(report):
    equal(report["pods"], PODS, "pods sent")
    equal(report["failed"], 0, f"pods without an answer ({report['failures']})")
    equal(report["placed"] + report["refused"], PODS, "pods acknowledged")
    equal(report["audit_entries"], PODS, "acknowledged submits in the audit log")
    equal(report["audit_missing"], 0, "acknowledged submits without an audit entry")
    equal(report["audit_doubled"], 0, "acknowledged submits with two audit entries")


def pod_names(file):
    with open(file, newline="") as source:
        return sorted(row["name"].lower() for row in csv.DictReader(source))


def check_rows(stack, pods, report):
    """Each pod is one job, once, in the database and in the log."""
    jobs = stack.sql(f"SELECT job, name FROM deployer.job WHERE pool = '{POOL}'")
    equal(sorted(name for _, name in jobs), pod_names(pods), "names of the stored jobs")
    runs = dict(stack.sql("SELECT r.state, count(*) FROM deployer.job_run r JOIN deployer.job j "
                          f"USING (job) WHERE j.pool = '{POOL}' GROUP BY r.state"))
    equal(int(runs.get("refused", 0)), report["refused"], "refused jobs in the database")
    equal(sum(int(n) for state, n in runs.items() if state != "refused"), report["placed"],
          "placed jobs in the database")
    audited = stack.sql("SELECT detail::jsonb ->> 'job', request_id FROM auditor.entry WHERE "
                        "action = 'deployer.job.submit' AND outcome <> 'denied' AND "
                        "detail::jsonb ->> 'job' NOT IN (SELECT job FROM deployer.job WHERE "
                        "pool LIKE 'before-%')")
    twice = [key for key, n in collections.Counter(job for job, _ in audited).items() if n > 1]
    equal(twice, [], "jobs whose submit is audited twice")
    equal(len({request for _, request in audited}), len(audited), "request ids in the audit log")
    missing = {job for job, _ in jobs} - {job for job, _ in audited}
    equal(sorted(missing), [], "jobs whose submit is not audited")
    equal(len(audited), len(jobs) + 1, "audited submits, with that of the real process")


def check_capacity(stack):
    """What the live jobs hold fits on each node: promise 5, from the rows alone."""
    held = collections.Counter()
    for (text,) in stack.sql("SELECT r.allocations FROM deployer.job_run r JOIN deployer.job j "
                             f"USING (job) WHERE j.pool = '{POOL}' AND r.state IN ('starting', "
                             "'running')"):
        for place in json.loads(text):
            held[place["node"], "cpu"] += int(place["cpu_milli"])
            held[place["node"], "memory"] += int(place["memory_mib"])
            for gpu in place["gpus"]:
                held[place["node"], gpu["index"]] += int(gpu["milli"])
    check(any(held.values()), "no live job holds anything")
    capacity = {node: json.loads(text) for node, text in stack.sql(
        f"SELECT node, capacity FROM deployer.node WHERE pool = '{POOL}'")}
    for (node, what), amount in held.items():
        most = {"cpu": int(capacity[node]["cpu_milli"]),
                "memory": int(capacity[node]["memory_mib"])}.get(what, 1000)
        check(amount <= most, f"{what} of {node}: {amount} given out, there is {most}")


def check_process(stack, job, pid, begun):
    equal(start_ticks(pid), begun, "start of the real process")
    view = stack.wait_job(job, {"running"})
    equal((view["round"], view["failures"], view["interruptions"]), (1, 0, 0), "its attempts")
    equal(stack.run("job", "logs", job).split(), [str(pid)], "its log")
    stack.cancel(job)
    check(start_ticks(pid) is None, f"process {pid} lives on after its job was cancelled")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        nodes, pods = trace(stack.folder)
        job, pid, begun = start_process(stack)
        store_before(stack, nodes, pods)
        report = replay_through_kills(stack, nodes, pods)
        print(f"{report['placed']} placed, {report['refused']} refused, {report['seconds']:.1f} s")
        check_report(report)
        check_rows(stack, pods, report)
        check_capacity(stack)
        check_process(stack, job, pid, begun)
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

#!/usr/bin/env python3
"""Measures the whole stack as people run it: `lepton up` in a folder of its own, then `lepton
replay` of a trace of a GPU cluster, once more on 5,000 nodes, questions why work waits, and short
jobs as real processes. The last line is JSON.

usage: bench/e2e/run.py [--programs DIR] [--data DIR] [--quick] [--window N]
  --programs DIR  where lepton and the services lie (default: build/bench/bin)
  --data DIR      folder of real traces; without gpu-trace-v2023 in it, examples/trace is replayed
  --quick         fewer jobs: a check that it works, not a measurement
  --window N      requests in flight during the replay
example: scripts/bench e2e
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 3
JOBS = 20
JOB_LIMIT_S = 120
NODES_MANY = 5000
WAITING = 200  # jobs that find no room, and are asked why
PORTS = 20  # of one stack
ENDED = {"succeeded", "failed", "cancelled", "refused"}


class Failed(Exception):
    """A sentence for people."""


class Stack:
    """One control plane in a temporary folder; a context manager that leaves nothing behind."""

    def __init__(self, programs):
        self.lepton = programs / "lepton"
        if not self.lepton.is_file():
            raise Failed(f"there is no {self.lepton}; try: scripts/bench e2e")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lepton-bench-", dir="/tmp"))
        # PostgreSQL and tasks run as other users and must pass through.
        self.folder.chmod(0o711)
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("LEPTON_")}
        self.environment |= {"LEPTON_STATE": str(self.folder / "state"),
                             "LEPTON_RUN": str(self.folder / "run"),
                             "LEPTON_SQL": str(ROOT / "schemas/sql")}

    def __enter__(self):
        try:
            begin = time.monotonic()
            self.run("up", "--detach", "--port-base", str(free_ports()), "--node-name", "bench")
            print(f"the stack is up after {time.monotonic() - begin:.1f} s", flush=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        down = self.command("down")
        if down.returncode != 0:
            print(f"lepton down: {down.stderr.strip()}\nthe files stay in {self.folder}",
                  file=sys.stderr)
            return
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *words):
        return subprocess.run([self.lepton, *words], env=self.environment, cwd=ROOT, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def run(self, *words):
        """Standard output of a command that must succeed."""
        done = self.command(*words)
        if done.returncode != 0:
            raise Failed(f"lepton {' '.join(words)} ended with {done.returncode}: "
                         f"{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def ask(self, *words):
        return json.loads(self.run(*words, "-o", "json"))


def free_ports():
    """The first of so many ports that nobody listens on now."""
    for base in range(21000 + os.getpid() % 4000, 60000, PORTS):
        with contextlib.ExitStack() as open_sockets:
            try:
                for port in range(base, base + PORTS):
                    open_sockets.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return base
    raise Failed("no free ports in a row above 21000")


def trace_files(data):
    real = pathlib.Path(data or ".") / "gpu-trace-v2023"
    nodes, pods = real / "openb_node_list_gpu_node.csv", real / "openb_pod_list_default.csv"
    if data and nodes.is_file() and pods.is_file():
        return nodes, pods
    print("no gpu-trace-v2023 in the data folder: the small trace of examples/trace is replayed")
    return ROOT / "examples/trace/nodes.csv", ROOT / "examples/trace/pods.csv"


def many_nodes(stack, nodes):
    """The same kinds of machines, again and again, under names of their own."""
    head, *lines = nodes.read_text(encoding="utf-8").splitlines()
    many = [f"again{number // len(lines)}-{lines[number % len(lines)]}"
            for number in range(NODES_MANY)]
    path = stack.folder / "many_nodes.csv"
    path.write_text("\n".join([head, *many]) + "\n", encoding="utf-8")
    return path


def replay(stack, files, window, *words):
    """One round: its report, once every acknowledged submit is in the audit log exactly once."""
    nodes, pods = files
    report = stack.ask("replay", "--nodes", str(nodes), "--pods", str(pods), "--window",
                       str(window), *words)
    if report["audit_note"] or report["failed"]:
        raise Failed(f"the replay failed: {report['audit_note'] or report['failures']}")
    if report["audit_missing"] or report["audit_doubled"]:
        raise Failed(f"{report['audit_missing']} audit entries are missing and "
                     f"{report['audit_doubled']} doubled")
    report["placements_per_s"] = report["placed"] / report["seconds"]
    print(f"replay of {report['pods']} pods: {report['placed']} placed, {report['refused']} "
          f"refused, {report['placements_per_s']:.0f} placed/s, submit to placed p50 "
          f"{report['submit_to_placed_p50_ms']:.1f} ms p99 "
          f"{report['submit_to_placed_p99_ms']:.1f} ms, {report['audit_entries']} audit entries",
          flush=True)
    return report


def explain_ms(stack, files, window):
    """How long each answer took to the question why a job waits, on a cluster that is full; with
    the start of the program that asks."""
    replay(stack, files, window, "--keep", "--pool", "full")
    spec = stack.folder / "wide.yaml"
    spec.write_text(f"name: wide\npool: full\ncommand: [/bin/true]\narray: {WAITING}\n"
                    "resources: {cpus: 1, memory: 1GiB, gpu: 8}\n", encoding="utf-8")
    array = stack.ask("apply", "-f", str(spec), "-y")["job"]
    took = []
    for number in range(WAITING):
        begin = time.monotonic()
        told = stack.ask("job", "explain", f"{array}-{number}")
        if told["state"] == "queued":
            took.append(1000 * (time.monotonic() - begin))
            if not told["what"]:
                raise Failed(f"nothing says why {array}-{number} waits")
    if len(took) < WAITING // 2:
        raise Failed(f"only {len(took)} of {WAITING} jobs wait, so nothing is measured")
    print(f"why {len(took)} jobs wait: median {statistics.median(took):.0f} ms, slowest "
          f"{max(took):.0f} ms", flush=True)
    return took


def submit_job(stack, number):
    """A task whose first act is to print the time; it then sleeps for a second."""
    spec = stack.folder / f"job{number}.yaml"
    spec.write_text(f"name: bench-{number}\n"
                    "command: [/bin/sh, -c, 'date +%s%N; exec /bin/sleep 1']\n"
                    "resources: {cpus: 50m, memory: 32MiB}\nmax_duration: 1m\n", encoding="utf-8")
    return stack.ask("apply", "-f", str(spec), "-y")["job"]


def submit_to_running_ms(stack, job):
    """From the deployer's taking it in to the first act of its process, by one clock."""
    deadline = time.monotonic() + JOB_LIMIT_S
    while (view := stack.ask("job", "show", job))["state"] not in ENDED:
        if time.monotonic() > deadline:
            raise Failed(f"job {job} is {view['state']} after {JOB_LIMIT_S} s: {view['why']}")
        time.sleep(0.2)
    if view["state"] != "succeeded":
        raise Failed(f"job {job} is {view['state']}: {view['why']}")
    began_ns = int(stack.run("job", "logs", job).split()[0])
    return began_ns / 1e6 - int(view["submitted_at_ms"])


def measure(stack, options):
    files = trace_files(options.data)
    rounds = [replay(stack, files, options.window) for _ in range(ROUNDS)]
    print(f"the same on {NODES_MANY} nodes:", flush=True)
    many = replay(stack, (many_nodes(stack, files[0]), files[1]), options.window)
    explained = explain_ms(stack, files, options.window)
    jobs = [submit_job(stack, n) for n in range(5 if options.quick else JOBS)]
    starts = [submit_to_running_ms(stack, job) for job in jobs]
    print(f"submit to running, {len(starts)} processes: median {statistics.median(starts):.0f} ms, "
          f"slowest {max(starts):.0f} ms")
    stack.run("audit", "verify")
    print("the audit log was downloaded and verified", flush=True)

    def middle(field):
        return statistics.median(report[field] for report in rounds)

    return {"placements_per_s": round(middle("placements_per_s")),
            "submit_to_placed_p50_ms": round(middle("submit_to_placed_p50_ms"), 2),
            "submit_to_placed_p99_ms": round(middle("submit_to_placed_p99_ms"), 2),
            "submit_to_running_p50_ms": round(statistics.median(starts), 1),
            "audit_entries": sum(report["audit_entries"] for report in rounds),
            "acknowledged": sum(report["placed"] + report["refused"] for report in rounds),
            "placements_per_s_5000_nodes": round(many["placements_per_s"]),
            "explain_p50_ms": round(statistics.median(explained), 1),
            "explain_p99_ms": round(statistics.quantiles(explained, n=100)[98], 1),
            "submits_per_s": round(middle("submits_per_s")), "window": options.window}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/bench/bin")
    parser.add_argument("--data", default=os.environ.get("LEPTON_DATA"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--window", type=int, default=64)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Stack(options.programs.resolve()) as stack:
            fields = measure(stack, options)
    except Failed as failure:
        sys.exit(f"bench e2e: {failure}")
    print(json.dumps(fields))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measures scaling and serving on the programs that people run: how long decisions and a change of
the balancer take, when the loss of a machine is known and its work runs elsewhere, and what
rollouts cost. Real PostgreSQL, ZeroMQ and HAProxy; machines are node daemons with all their
processes, ended at once. The last line is JSON; what could not be measured is null.

usage: bench/scaling/run.py [--programs DIR] [--data DIR] [--quick]
  --programs DIR  where lepton and the services lie (default: build/bench/bin)
  --data DIR      is not used: all load is made here
  --quick         fewer rounds: a check that it works, not a measurement
example: scripts/bench scaling
"""

import argparse
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/process"))

import serving  # noqa: E402
from stack import (Failed, Stack, check, parent_of, processes, send_signal,  # noqa: E402
                   wait_for, words_of)

MACHINES = 8
LEASE_S = 10


def say(text):
    print(text, flush=True)


def percentile(values, share):
    """The least value that so large a share is not above; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))]


def parts(programs, quick):
    done = subprocess.run([programs / "bench_scaling_parts", *(["--quick"] if quick else [])],
                          check=False, text=True, capture_output=True)
    check(done.returncode == 0, f"bench_scaling_parts: {done.stderr.strip()}")
    figures = json.loads(done.stdout.splitlines()[-1])
    say(f"decisions about 10,000 services: {figures['decide_10000_services_ms']} ms")
    if "added" in figures:
        say(f"HAProxy with 200 servers: all added {figures['added']} ms, all moved "
            f"{figures['moved']} ms, all replaced {figures['replaced']} ms, one more "
            f"{figures['one']} ms")
    return figures


# Rollouts.

def rollouts(stack, count):
    """Requests that were answered and lost during so many rollouts, and the time of each."""
    port = stack.ask("service", "apply", "-", text=serving.spec("v0", stack.folder))["port"]
    serving.steady(stack)
    load = [serving.Load(port) for _ in range(4)]
    for one in load:
        one.start()
    took = []
    for i in range(count):
        begin = time.monotonic()
        stack.ask("service", "apply", "-", text=serving.spec(f"v{i + 1}", stack.folder))
        serving.steady(stack)
        took.append(time.monotonic() - begin)
        if (i + 1) % 20 == 0:
            say(f"{i + 1} rollouts")
    load[0].goes_on()
    for one in load:
        one.end()
    lost = [failure for one in load for failure in one.lost]
    say(f"{count} rollouts, median {percentile(took, 50):.1f} s: {sum(one.good for one in load)} "
        f"requests answered, {len(lost)} lost {lost[:3] or ''}")
    stack.run("service", "remove", "web", "-y")
    wait_for("end of the service",
             lambda: not stack.ask("service", "list")["services"], 60, 0.2)
    return len(lost)


def replica_added_s(stack):
    """From `service scale` to the first answer of the new replica, through the entrance."""
    text = serving.spec("one", stack.folder, 1).replace("replicas: 1\n",
                                                        "replicas: {min: 1, max: 2}\n")
    port = stack.ask("service", "apply", "-", text=text)["port"]
    serving.steady(stack)
    load = serving.Load(port)
    load.start()
    load.goes_on()
    begin = time.monotonic()
    stack.ask("service", "scale", "web", "2")
    serving.steady(stack)
    ready = time.time()
    wait_for("second server at the entrance", lambda: servers_of(stack, port) == 2, 20, 0.01)
    behind = time.time() - ready
    load.end()
    say(f"a second replica after {time.monotonic() - begin:.2f} s; behind the entrance "
        f"{behind * 1000:.0f} ms after it was known to be ready; {len(load.lost)} requests lost")
    stack.run("service", "remove", "web", "-y")
    wait_for("end of the service",
             lambda: not stack.ask("service", "list")["services"], 60, 0.2)


def servers_of(stack, port):
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(f"{stack.folder}/run/haproxy.sock")
        admin.sendall(b"show stat -1 4 -1\n")
        page = b"".join(iter(lambda: admin.recv(65536), b"")).decode()
    return sum(line.startswith(f"b{port},") for line in page.splitlines())


# Loss of machines.

def descendants(pid):
    """Of a machine: its daemon and all below it, and what its runners hold."""
    children = {}
    for one in processes():
        children.setdefault(parent_of(one), []).append(one)
    found, seen = [pid], 0
    while seen < len(found):
        found += children.get(found[seen], [])
        seen += 1
    return found


class Machine:
    def __init__(self, stack, number):
        self.name = f"m{number}"
        self.other = stack.join(self.name)
        self.folder = str(stack.folder / self.name)

    def pids(self):
        """Runners outlive their daemon and are nobody's children: known by their words."""
        heads = [pid for pid in processes()
                 if pid != os.getpid() and any(self.folder in word for word in words_of(pid))]
        return {pid for head in heads for pid in descendants(head)}

    def lose(self):
        """All at once, as when the power goes; when that was, ms since 1970."""
        pids = self.pids()
        for pid in pids:
            send_signal(pid, signal.SIGSTOP, lambda one: one in pids)
        at = time.time() * 1000
        for pid in pids:
            send_signal(pid, signal.SIGKILL, lambda one: one in pids)
        return at


def tasks_on(stack, jobs):
    """Of those that run: the node, and how often they were placed."""
    places = {}
    for job in jobs:
        view = stack.job(job)
        if view["state"] == "running":
            places[job] = (view["tasks"][0]["allocation"]["node"], view["round"])
    return places


def loss(stack, rounds):
    """Seconds until a loss is known to the monitor, and until each task runs elsewhere."""
    known, suspected, replaced = [], [], []
    machines = [Machine(stack, i) for i in range(MACHINES)]
    # Two on a machine, so that half of the machines stay free for what is lost.
    half = f"{os.cpu_count() * 500}m"
    spec = {"command": ["/bin/sleep", "3600"], "resources": {"cpus": half, "memory": "16MiB"},
            "lease": f"{LEASE_S}s", "stop_grace": "1s"}
    jobs = [stack.apply({"name": f"work{i}", **spec}) for i in range(MACHINES)]
    for number in range(rounds):
        wait_for("all tasks running", lambda: len(tasks_on(stack, jobs)) == len(jobs), 120, 0.3)
        places = tasks_on(stack, jobs)
        busy = sorted({node for node, _ in places.values()})
        lost = [m for m in machines if m.name in busy][:max(1, MACHINES // 4)]
        at = {machine.name: machine.lose() for machine in lost}
        victims = {job for job, (node, _) in places.items() if node in at}
        say(f"round {number + 1}: {len(at)} machines lost with {len(victims)} tasks")
        since = {job: at[places[job][0]] for job in victims}
        deadline = time.monotonic() + 120
        while victims and time.monotonic() < deadline:
            for job, (node, count) in tasks_on(stack, victims).items():
                if count > places[job][1]:
                    replaced.append(time.time() - since[job] / 1000)
                    victims.discard(job)
            time.sleep(0.05)
        check(not victims, f"{len(victims)} tasks do not run again after two minutes")
        for name, when in at.items():
            for state, into in (("unreachable", known), ("suspect", suspected)):
                first = wait_for(f"{state} {name}", lambda n=name, s=state, w=when: stack.number(
                    "SELECT coalesce(min(at_ms), 0) FROM monitor.node_change WHERE "
                    f"node = '{n}' AND state = '{s}' AND at_ms > {int(w)}"), 60, 0.2)
                into.append((first - when) / 1000)
        for machine in lost:
            machine.other = stack.join(machine.name)
    say(f"{len(known)} losses: suspect after {percentile(suspected, 50):.1f} s (p99 "
        f"{percentile(suspected, 99):.1f}), known as unreachable after {percentile(known, 50):.1f} "
        f"s (p99 {percentile(known, 99):.1f})")
    say(f"{len(replaced)} tasks with a lease of {LEASE_S} s run elsewhere after "
        f"{percentile(replaced, 50):.1f} s (p99 {percentile(replaced, 99):.1f})")
    return percentile(known, 99), percentile(replaced, 99)


def measure(options):
    figures = parts(options.programs, options.quick)
    fields = {"decide_10000_services_ms": figures["decide_10000_services_ms"]}
    with Stack(up=["--no-node"]) as stack:
        known, replaced = loss(stack, 1 if options.quick else 6)
    fields |= {"loss_known_p99_s": round(known, 2), "replaced_p99_s": round(replaced, 2),
               "haproxy_200_ms": max((figures[name] for name in ("added", "moved", "replaced")
                                      if name in figures), default=None)}
    count = 3 if options.quick else 100
    lost = None
    if "added" in figures:
        with Stack(up=["--node-name", "here"]) as stack:
            replica_added_s(stack)
            lost = rollouts(stack, count)
    return fields | {"rollouts": count if lost is not None else None, "lost_requests": lost}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/bench/bin")
    parser.add_argument("--data")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.programs = options.programs.resolve()
    os.environ["LEPTON_BIN"] = str(options.programs)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        fields = measure(options)
    except Failed as failure:
        sys.exit(f"bench scaling: {failure}")
    print(json.dumps(fields))


if __name__ == "__main__":
    main()

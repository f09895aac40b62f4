#!/usr/bin/env python3
"""Cuts one of two nodes off the control plane while a task runs on it, each in a network namespace
of its own. The lease of the task runs out on the cut-off node, and its runner ends it, although it
ignores SIGTERM, before the deployer starts it on the other node: shown by what the two attempts
themselves wrote down, each 100 ms on CLOCK_BOOTTIME, which both nodes share. After the cure the
node is ready again, what it holds is known to be over, and no third attempt was made."""

import time

from network import ADDRESS, Network
from stack import Stack, check, equal, run_test, wait_for

LEASE_S = 5
STOP_GRACE_S = 2
# Its own attempts are files beside each other: "<attempt>.beats", one time in ns per line.
BEATS = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
name = os.path.join(os.environ["PLACE"], os.environ["LEPTON_ATTEMPT_ID"] + ".beats")
with open(name, "a", buffering=1) as out:
    while True:
        out.write(f"{time.clock_gettime_ns(time.CLOCK_BOOTTIME)}\\n")
        time.sleep(0.1)
"""


def join(stack, network, machine):
    name = f"node-{machine}"
    stack.join(name, network.inside(machine))
    wait_state(stack, name, "ready")


def wait_state(stack, node, state, limit_s=30):
    def reached():
        nodes = {n["node"]: n for n in stack.ask("node", "list", "--pool", "default")["nodes"]}
        return node in nodes and nodes[node]["state"] == state and nodes[node]
    return wait_for(f"{state} node {node}", reached, limit_s, 0.1)


def beats(folder, attempt):
    """In seconds; a last line that is being written is left out."""
    file = folder / f"{attempt}.beats"
    text = file.read_text() if file.exists() else ""
    return [int(line) / 1e9 for line in text[:text.rfind("\n") + 1].split()]


def submit(stack, folder):
    folder.mkdir()
    folder.chmod(0o777)  # the task runs as another user
    return stack.apply({"name": "beats", "command": ["/usr/bin/python3", "-c", BEATS],
                        "env": {"PLACE": str(folder)}, "lease": f"{LEASE_S}s",
                        "stop_grace": f"{STOP_GRACE_S}s", "max_duration": "1h",
                        "retry": {"on": ["interruption"], "backoff": "1s"},
                        "resources": {"cpus": "100m", "memory": "64MiB"}})


def check_order(folder, job, cut_at):
    first, second = beats(folder, f"{job}-0-1"), beats(folder, f"{job}-0-2")
    last, start = first[-1], second[0]
    print(f"after the cut: last sign of attempt 1 at {last - cut_at:.2f} s, first of attempt 2 at "
          f"{start - cut_at:.2f} s: {start - last:.2f} s between them")
    check(last < start, f"two attempts ran at once: {last} is not before {start}")
    check(last > cut_at, "attempt 1 ended before the cut; this proves nothing")
    most = LEASE_S + STOP_GRACE_S + 1.5
    check(last - cut_at < most, f"attempt 1 outlived its lease: {last - cut_at:.2f} s, not {most}")


def test():
    with Network("control", "a", "b") as network, \
            Stack(prefix=network.inside("control"),
                  up=["--listen", ADDRESS.format(1), "--no-node"]) as stack:
        folder = stack.folder / "beats"
        join(stack, network, "a")
        job = submit(stack, folder)
        equal(stack.wait_job(job, {"running"})["tasks"][0]["allocation"]["node"], "node-a", "where")
        join(stack, network, "b")
        # Longer than a lease: renewals reach it, else it would be over.
        begin = time.clock_gettime(time.CLOCK_BOOTTIME)
        wait_for("beat after a whole lease",
                 lambda: beats(folder, f"{job}-0-1")[-1:] > [begin + LEASE_S + STOP_GRACE_S])

        network.cut("a")
        cut_at = time.clock_gettime(time.CLOCK_BOOTTIME)
        wait_for("second attempt", lambda: beats(folder, f"{job}-0-2"), 60)
        check_order(folder, job, cut_at)
        view = stack.wait_job(job, {"running"})
        equal((view["round"], view["tasks"][0]["allocation"]["node"]), (2, "node-b"), "where now")
        equal(view["interruptions"], 1, "interruptions")
        wait_state(stack, "node-a", "unreachable")

        network.heal("a")
        healed_at = time.monotonic()
        node = wait_state(stack, "node-a", "ready")
        print(f"ready again {time.monotonic() - healed_at:.2f} s after the cure")
        equal(node["attempts"], 0, "attempts on the healed node")
        more = len(beats(folder, f"{job}-0-2")) + 20
        wait_for("more beats", lambda: len(beats(folder, f"{job}-0-2")) >= more)
        equal(len(list(folder.iterdir())), 2, "attempts in all")
        check_order(folder, job, cut_at)  # nothing of attempt 1 came back
        stack.cancel(job)
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

#!/usr/bin/env python3
"""Packets vanish, and nobody gets a reset: how long until each side knows. The doors of three
services are cut off from the others (both ways, towards the door, from it; each has its turn), and
so is a node; one door has requests in flight, the others are quiet. The kernel's tables of sockets
say when an end is given up, which is when the bus knows; a page of metrics and `lepton node list`
say when people can. Meanwhile commands that wait (`exec`, `job logs -f`, `audit tail -f`,
`top`) run on machines whose packets vanish, too: each must say so."""

import collections
import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
import threading
import time

from ends import ends_of, watch
from network import ADDRESS, Network
from stack import SERVICES, Stack, check, equal, processes, run_test, skip, wait_for, words_of

WAYS = ("both ways", "towards the door", "from the door")
VICTIMS = ("vault", "auditor", "scaler")  # requests are in flight to the first
DESKS = {"cable": "both ways", "mute": "towards the door", "deaf": "from the door"}
# docs/decisions/0005. Who asks or subscribes finds out by itself; a door by what it sends, or when
# the other end gives up. Of commands only the sentence is promised.
NOTICE_S = {"asker": 4.0, "subscriber": 4.0, "door": 6.5, "publisher": 6.5}
ROUND_LIMIT_S, HEALED_LIMIT_S, SUSPECT_LIMIT_S = 15.0, 40.0, 10.0
TIMEOUT_S, SLACK_S = 3, 2.0
# Words, and how long after the cut it may still be silent: `--timeout`, what its question may wait
# at the service, and for `exec` 30 s in which it tries again.
COMMANDS = {"exec": (["exec", "{job}", "--", "sh", "-c", "echo begun; exec sleep 600"], "begun",
                     30 + TIMEOUT_S + 5),
            "logs": (["job", "logs", "-f", "{job}"], "begun", TIMEOUT_S + 10 + 5),
            "tail": (["audit", "tail", "-f"], "deployer.job.submit", TIMEOUT_S + 0.5),
            "top": (["top"], "here", TIMEOUT_S + 1)}
SENTENCE = re.compile(r"did not answer in time|cannot reach the service")


class Waiting(threading.Thread):
    """A command that waits, on a terminal of its own; what it printed, and when."""

    def __init__(self, stack, network, desk, name, job):
        super().__init__(daemon=True)
        self.desk, self.name, self.told = desk, name, []
        words, begun, self.limit_s = COMMANDS[name]
        words = [word.format(job=job) for word in words]
        self.screen, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [*network.inside(desk), stack.bin / "lepton", words[0], "--timeout", str(TIMEOUT_S),
             *words[1:]], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
            env=stack.environment | {"TERM": "xterm"})
        os.close(terminal)
        self.start()
        wait_for(f"first word of {name} at {desk}", lambda: begun in self.text())

    def run(self):
        with contextlib.suppress(OSError):  # the terminal is gone with the command
            while part := os.read(self.screen, 65_536):
                self.told.append((time.monotonic(), part.decode(errors="replace")))

    def text(self, since=0.0, until=float("inf")):
        return "".join(part for at, part in list(self.told) if since <= at <= until)

    def said_at(self, cut_at):
        """When it told of the silence; None before."""
        for at, _ in list(self.told):
            if at > cut_at and SENTENCE.search(self.text(cut_at, at)):
                return at
        return None

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


class Load:
    """Jobs with a secret, which the deployer asks the vault about."""

    def __init__(self, stack):
        self.stack, self.is_over = stack, False
        stack.run("secret", "put", "box/token", "--stdin", text="any")
        self.threads = [threading.Thread(target=self.submit) for _ in range(2)]

    def submit(self):
        spec = ('{"name": "load", "command": ["/bin/true"], "max_duration": "1m", "secrets": '
                '{"TOKEN": "vault://box/token"}, "resources": {"cpus": "10m", "memory": "16MiB"}}')
        while not self.is_over:
            self.stack.command("apply", "-f", "-", "-y", "--timeout", "2", text=spec)

    def __enter__(self):
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Noticed(threading.Thread):
    """When a question to the product has another answer than before; asked again and again."""

    def __init__(self, question):
        super().__init__()
        self.question, self.before, self.at, self.is_over = question, question(), None, False
        self.start()

    def run(self):
        while not self.is_over and self.at is None:
            if self.question() != self.before:
                self.at = time.monotonic()
            time.sleep(0.05)

    def after(self, cut_at):
        self.is_over = True
        self.join()
        return None if self.at is None else self.at - cut_at


def first_port(stack, service):
    """Of its peer door, client door and hints."""
    return stack.base + 3 * SERVICES.index(service)


def dropped(stack):
    """What the deployer's page of metrics says that it could not send to peers."""
    count = stack.counter("dropped_peer_away")
    check(count is not None, "the page of metrics has no counter dropped_peer_away")
    return count


def node_state(stack):
    nodes = {n["node"]: n["state"] for n in stack.ask("node", "list")["nodes"]}
    return nodes.get("node-a")


class Ends:
    def __init__(self, stack, network):
        self.stack, self.network = stack, network
        self.pids = {service: stack.pid(service) for service in SERVICES}
        config = str(stack.folder / "node-a/config/node.yaml")
        self.node, = [pid for pid in processes() if words_of(pid)[1:3] == ["--config", config]]

    def at_victim(self, victim, way):
        door = first_port(self.stack, victim)
        kind = "requests in flight" if victim == VICTIMS[0] else "quiet"
        found = []
        for name, pid in self.pids.items():
            side = 0 if name == victim else 1  # of an address pair: its own, or the other's
            for port, what in ((door, ("door", "asker")), (door + 2, ("publisher", "subscriber"))):
                found += ends_of(pid, lambda *pair: pair[side][1] == port, (kind, way, what[side]))
        return found

    def at_machine(self, machine, pid, kind, way):
        """Of one process there that asks services, and of their doors."""
        own = self.network.address(machine)
        found = ends_of(pid, lambda local, remote: local[0] == own, (kind, way, "asker"))
        ports = {end.key[0][1] for end in found}
        for service in self.pids.values():
            found += ends_of(service, lambda local, remote: remote[0] == own and
                             remote[1] in ports, (kind, way, "door"))
        return found

    def all_of(self, ways):
        found = [end for victim in VICTIMS for end in self.at_victim(victim, ways[victim])]
        return found + self.at_machine("a", self.node, "node", ways["a"])


def rules_of(stack, network, ways):
    """Of what arrives at the control plane, by the doors of victims or from the node."""
    rules = []
    for victim in VICTIMS:
        first = first_port(stack, victim)
        doors = f"{first}:{first + 2}"
        if ways[victim] != "from the door":
            rules.append(("-i", "lo", "--dport", doors))
        if ways[victim] != "towards the door":
            rules.append(("-i", "lo", "--sport", doors))
    if ways["a"] != "from the door":
        rules.append(("-s", network.address("a")))
    return rules


def full(ends):
    """Each of three doors has four askers and subscribers, the node two askers."""
    counts = collections.Counter(end.what[2] for end in ends)
    return counts == {"asker": 14, "door": 14, "subscriber": 12, "publisher": 12}


def note(figures, ends, cut_at):
    for end in ends:
        check(end.gone_at, f"a connection still stands: {', '.join(end.what)}")
        figures[end.what].append(end.gone_at - cut_at)


def cut_once(stack, network, ends, number, figures):
    """The ends, and what people can see, in one round."""
    ways = {place: WAYS[(number + index) % len(WAYS)] for index, place in enumerate(VICTIMS)}
    ways["a"] = WAYS[number]
    wait_for("connections of all", lambda: full(ends.all_of(ways)), HEALED_LIMIT_S, 0.1)
    standing = ends.all_of(ways)
    deaf = [()] if ways["a"] != "towards the door" else []
    counter = Noticed(lambda: dropped(stack))
    with network.void("control", *rules_of(stack, network, ways)) as void, \
            network.void("a", *deaf) as void_at_node:
        cut_at = time.monotonic()
        watch(standing, ROUND_LIMIT_S)
        void.check_vanished()
        void_at_node.check_vanished()
    healed_at = time.monotonic()
    note(figures, standing, cut_at)
    wait_for("connections of all", lambda: full(ends.all_of(ways)), HEALED_LIMIT_S, 0.1)
    shown = counter.after(cut_at)
    check(shown, "no counter of the deployer rose")
    print(f"round {number}: the deployer's page counts what it cannot send after {shown:.2f} s; "
          f"all stood again {time.monotonic() - healed_at:.2f} s after the cure", flush=True)


def suspect(stack, network):
    """The monitor's own time, on purpose another (docs/monitor.md)."""
    wait_for("ready node", lambda: node_state(stack) == "ready", HEALED_LIMIT_S, 0.1)
    state = Noticed(lambda: node_state(stack))
    network.cut("a")
    cut_at = time.monotonic()
    wait_for("word of the monitor", lambda: state.at, SUSPECT_LIMIT_S)
    print(f"node list shows the node as {node_state(stack)} after {state.after(cut_at):.2f} s",
          flush=True)
    network.heal("a")


def report(figures):
    for (kind, way, side), values in sorted(figures.items()):
        print(f"  {kind}, {way}, {side}: {min(values):.2f} to {max(values):.2f} s "
              f"({len(values)})", flush=True)
    for (kind, way, side), values in figures.items():
        check(kind == "command" or max(values) <= NOTICE_S[side],
              f"{kind}, {way}: a {side} knew after {max(values):.2f} s, not {NOTICE_S[side]:g}")


def wait_for_sentences(commands, cut_at):
    deadline = cut_at + max(command.limit_s for command in commands) + SLACK_S
    while time.monotonic() < deadline and not all(c.said_at(cut_at) for c in commands):
        time.sleep(0.1)
    for name in COMMANDS:
        said = {c.desk: c.said_at(cut_at) for c in commands if c.name == name}
        late = [desk for desk, at in said.items() if not at]
        check(not late, f"{name} hangs at {late}")
        print(f"  {name} says so after " + ", ".join(
            f"{at - cut_at:.2f} s ({DESKS[desk]})" for desk, at in said.items()))
    for c in commands:
        check(c.said_at(cut_at) - cut_at < c.limit_s + SLACK_S, f"{c.name} at {c.desk} was late")
        if c.name == "exec":
            equal(c.process.wait(10), 255, "exit status of exec")
        else:
            check(c.process.poll() is None, f"{c.name} at {c.desk} has given up: {c.text(cut_at)}")


def begin_job(stack):
    job = stack.apply({"name": "waits", "command": ["sh", "-c", "echo begun; exec sleep 600"],
                       "stop_grace": "1s", "resources": {"cpus": "0.1", "memory": "64MiB"}})
    stack.wait_job(job, {"running"}, 60)
    return job


def measure(stack, network, commands):
    ends, figures = Ends(stack, network), collections.defaultdict(list)
    desks = [end for c in commands for end in
             ends.at_machine(c.desk, c.process.pid, "command", DESKS[c.desk])]
    equal(len(desks), 2 * len(commands), "ends of the connections of commands")
    network.cut("cable")
    with network.void("deaf", ()) as deaf, \
            network.void("control", ("-s", network.address("mute"))) as mute:
        cut_at = time.monotonic()
        watching = threading.Thread(target=watch, args=(desks, 2 * ROUND_LIMIT_S))
        watching.start()
        with Load(stack):
            for number in range(len(WAYS)):
                cut_once(stack, network, ends, number, figures)
        suspect(stack, network)
        wait_for_sentences(commands, cut_at)
        deaf.check_vanished()
        mute.check_vanished()
        watching.join()
    note(figures, desks, cut_at)
    report(figures)


def test():
    if not shutil.which("iptables") or not shutil.which("curl"):
        skip("iptables and curl are not installed; see scripts/install-packages")
    with Network("control", "a", *DESKS) as network, \
            Stack(prefix=network.inside("control"),
                  up=["--listen", ADDRESS.format(1), "--node-name", "here"]) as stack:
        job = begin_job(stack)
        stack.join("node-a", network.inside("a"))
        commands = []
        try:
            commands += [Waiting(stack, network, desk, name, job)
                         for desk in DESKS for name in COMMANDS]
            measure(stack, network, commands)
        finally:
            for command in commands:
                command.end()
        stack.cancel(job)
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

"""Network: machines as network namespaces on one bridge, for tests of partitions. All of it lives
in namespaces of its own, so that the host's network is not touched. A context manager; root only.

The first machine holds the bridge, with address 198.18.0.1 (RFC 2544: for tests); the others are
.2, .3 and so on."""

import itertools
import os
import subprocess

from stack import check, skip

ADDRESS = "198.18.0.{}"


class Network:
    def __init__(self, *machines):
        self.machines = machines
        self.names = {machine: f"lepton-{os.getpid()}-{machine}" for machine in machines}

    def __enter__(self):
        if os.geteuid() != 0:
            skip("network namespaces need root")
        made = self.ip("netns", "add", self.names[self.machines[0]])
        if made is None or made.returncode != 0:
            skip("network namespaces cannot be made here: "
                 + ("there is no program ip" if made is None else made.stderr.strip()))
        try:
            self.lay_cables()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names.values():
            self.ip("netns", "delete", name)

    def lay_cables(self):
        hub = self.names[self.machines[0]]
        self.must("-n", hub, "link", "set", "lo", "up")
        self.must("-n", hub, "link", "add", "hub", "type", "bridge")
        self.must("-n", hub, "address", "add", ADDRESS.format(1) + "/24", "dev", "hub")
        self.must("-n", hub, "link", "set", "hub", "up")
        for number, machine in enumerate(self.machines[1:], 2):
            name = self.names[machine]
            self.must("netns", "add", name)
            self.must("-n", hub, "link", "add", f"to-{machine}", "type", "veth", "peer", "name",
                      "eth0", "netns", name)
            self.must("-n", hub, "link", "set", f"to-{machine}", "master", "hub", "up")
            self.must("-n", name, "link", "set", "lo", "up")
            self.must("-n", name, "address", "add", ADDRESS.format(number) + "/24", "dev", "eth0")
            self.must("-n", name, "link", "set", "eth0", "up")

    def inside(self, machine):
        """The words before a command that runs on that machine."""
        return ["ip", "netns", "exec", self.names[machine]]

    def cut(self, machine):
        """Packets vanish in both directions; neither side is told."""
        self.must("-n", self.names[self.machines[0]], "link", "set", f"to-{machine}", "nomaster")

    def heal(self, machine):
        self.must("-n", self.names[self.machines[0]], "link", "set", f"to-{machine}", "master",
                  "hub")

    def address(self, machine):
        return ADDRESS.format(1 + self.machines.index(machine))

    def void(self, machine, *rules):
        return Void(self.inside(machine), rules)

    @staticmethod
    def ip(*words):
        try:
            return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None

    def must(self, *words):
        done = self.ip(*words)
        check(done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}")


class Void:
    """Packets of TCP that a filter lets vanish on their way into a machine; nobody is told. Each
    rule is the words that choose them."""
    numbers = itertools.count()

    def __init__(self, prefix, rules):
        self.prefix, self.rules, self.chain = prefix, rules, f"void-{next(self.numbers)}"
        self.is_shut = False

    def __enter__(self):
        self.tables("-N", self.chain)
        for rule in self.rules:
            self.tables("-A", self.chain, "-p", "tcp", *rule, "-j", "DROP")
        self.tables("-I", "INPUT", "-j", self.chain)
        self.is_shut = True
        return self

    def __exit__(self, *_):
        self.heal()

    def heal(self):
        """Before the end of the block, if wanted."""
        if self.is_shut:
            self.is_shut = False
            self.tables("-D", "INPUT", "-j", self.chain)
            self.tables("-F", self.chain)
            self.tables("-X", self.chain)

    def vanished(self):
        """How many packets so far, by rule."""
        lines = self.tables("-nvxL", self.chain).splitlines()[2:]
        return [int(line.split()[0]) for line in lines]

    def check_vanished(self):
        for rule, count in zip(self.rules, self.vanished()):
            check(count > 0, f"no packet vanished by {' '.join(rule)}; this proves nothing")

    def tables(self, *words):
        done = subprocess.run([*self.prefix, "iptables", "-w", *words], capture_output=True,
                              text=True, check=False)
        check(done.returncode == 0, f"iptables {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

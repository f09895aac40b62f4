"""Network: machines as network namespaces on one bridge, for tests of partitions. All of it lives
in namespaces of its own, so that the host's network is not touched. A context manager; root only.

The first machine holds the bridge, with address 198.18.0.1 (RFC 2544: for tests); the others are
.2, .3 and so on."""

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

    @staticmethod
    def ip(*words):
        try:
            return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None

    def must(self, *words):
        done = self.ip(*words)
        check(done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}")

"""Cuts: partitions between two processes of a stack on one machine. Each program runs with a group
of its own, a new connection is marked by the group of who opens it, and so a packet filter knows
both ends of each packet: of connections that stand, and of those that are opened anew meanwhile."""

import contextlib
import itertools
import subprocess
import time

from ends import ends_of, watch
from stack import SERVICES, check, skip, wait_for

PROGRAMS = (*SERVICES, "node")
GROUP_FIRST = 61_000  # no group of this machine needs to have the number
DOORS = 3  # of a service: for peers, for clients, of hints
# Who talks to whom. A node has no door of its own.
PAIRS = {*itertools.combinations(SERVICES, 2), ("deployer", "node"), ("monitor", "node")}
# Longer than the silence that ends a connection (2.5 s), which is noticed within 4 s.
CUT_S = (4.0, 10.0)
GIVEN_UP_LIMIT_S, HEALED_LIMIT_S = 20.0, 40.0


def group(name):
    return GROUP_FIRST + PROGRAMS.index(name)


def mark_connections(network, machine):
    """To be called before the programs start."""
    for name in PROGRAMS:
        done = subprocess.run([*network.inside(machine), "iptables", "-w", "-t", "mangle", "-A",
                               "OUTPUT", "-p", "tcp", "--syn", "-m", "owner", "--gid-owner",
                               str(group(name)), "-j", "CONNMARK", "--set-mark", str(group(name))],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            skip(f"connections cannot be marked here: {done.stderr.strip()}")


def doors(stack, name):
    """Numbers of its ports; none of a node."""
    if name not in SERVICES:
        return range(0)
    first = stack.base + DOORS * SERVICES.index(name)
    return range(first, first + DOORS)


def asks(stack, one, other):
    """Connections that stand, as their opener holds them."""
    own = doors(stack, other)
    return ends_of(stack.pid(one), lambda _, remote: remote[1] in own, f"{one} to {other}")


def connections(stack, pair):
    return asks(stack, *pair) + asks(stack, *reversed(pair))


def rules(stack, sender, receiver):
    """What one sends to the other, whoever opened the connection."""
    found = []
    for opener, owner, side in ((sender, receiver, "--dport"), (receiver, sender, "--sport")):
        if asks(stack, opener, owner):
            ports = doors(stack, owner)
            found.append(("-i", "lo", "-m", "connmark", "--mark", str(group(opener)), side,
                          f"{ports[0]}:{ports[-1]}"))
    return found


class Cut:
    """What one of a pair sends to the other vanishes, or both ways."""

    def __init__(self, stack, pair, chance):
        self.stack, self.pair, self.ends = stack, pair, connections(stack, pair)
        self.length_s = chance.uniform(*CUT_S)
        ways = chance.choice(([pair], [pair[::-1]], [pair, pair[::-1]]))
        self.text = " and ".join(f"{sender} to {receiver}" for sender, receiver in ways)
        self.void = stack.network.void("control", *(rule for way in ways
                                                    for rule in rules(stack, *way)))

    def check_done(self, begun):
        self.void.check_vanished()
        for end in self.ends:
            check(end.gone_at, f"cut {self.text}: the connection {end.what} still stands")
        check(not connections(self.stack, self.pair), f"cut {self.text}: connected again meanwhile")
        gone = [end.gone_at - begun for end in self.ends]
        print(f"  cut off for {time.monotonic() - begun:.1f} s: {self.text}: "
              f"{sum(self.void.vanished())} packets vanished, {len(gone)} connections were given "
              f"up after {min(gone):.1f} to {max(gone):.1f} s", flush=True)

    def stands_again(self):
        return len(connections(self.stack, self.pair)) >= len(self.ends)


def cut_at_once(stack, chance, pairs):
    """Each for a time of its own, and at least until the connections are given up."""
    cuts = sorted((Cut(stack, pair, chance) for pair in pairs), key=lambda cut: cut.length_s)
    with contextlib.ExitStack() as all_of_them:
        for cut in cuts:
            all_of_them.enter_context(cut.void)
        begun = time.monotonic()
        watch([end for cut in cuts for end in cut.ends], GIVEN_UP_LIMIT_S)
        for cut in cuts:
            time.sleep(max(0.0, begun + cut.length_s - time.monotonic()))
            cut.check_done(begun)
            cut.void.heal()
    for cut in cuts:
        wait_for(f"connections between {' and '.join(cut.pair)}", cut.stands_again,
                 HEALED_LIMIT_S, 0.1)


def talking(stack):
    """All pairs, or none."""
    return all(connections(stack, pair) for pair in PAIRS)

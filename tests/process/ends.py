"""Ends: both ends of connections as the kernel's tables of sockets show them. An end that a program
has given up, or that the kernel has ended, is no longer established; this is when its bus knows."""

import os
import socket
import struct
import time

ESTABLISHED, LISTENING = "01", "0A"


def address(text):
    """Of "0100A8C0:1F90", as proc(5) writes it on this machine."""
    host, _, port = text.partition(":")
    return socket.inet_ntoa(struct.pack("=I", int(host, 16))), int(port, 16)


def table(pid):
    """(local, remote) of each connection and door to (state, inode), in that process's network."""
    rows = {}
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
        for line in list(file)[1:]:
            words = line.split()
            rows[address(words[1]), address(words[2])] = (words[3], words[9])
    return rows


def sockets_of(pid):
    found = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            name = os.readlink(entry.path)
        except OSError:
            continue
        if name.startswith("socket:["):
            found.add(name[8:-1])
    return found


class End:
    """One end of a connection that stands; `what` is for the reader."""

    def __init__(self, pid, key, what):
        self.pid, self.key, self.what, self.gone_at = pid, key, what, None


def ends_of(pid, chosen, what):
    """Those that a process holds and that `chosen(local, remote)` wants."""
    own = sockets_of(pid)
    return [End(pid, key, what) for key, (state, inode) in table(pid).items()
            if state == ESTABLISHED and inode in own and chosen(*key)]


def watch(ends, limit_s):
    """Until each end is given up, or for so long."""
    deadline = time.monotonic() + limit_s
    while any(end.gone_at is None for end in ends) and time.monotonic() < deadline:
        tables = {pid: table(pid) for pid in {end.pid for end in ends}}
        now = time.monotonic()
        for end in ends:
            state = tables[end.pid].get(end.key, ("", ""))[0]
            if end.gone_at is None and state != ESTABLISHED:
                end.gone_at = now
        time.sleep(0.01)

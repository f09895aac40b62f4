#!/usr/bin/env python3
"""Faults below the programs, while the drivers of chaos.py ask for changes and write down what they
were told: kills at named points of a service's work (crash_points.cpp); errors and kills at the
n-th system call of a kind (strace), in services and in PostgreSQL; packets that vanish between two
of them, both ways and one way; a disk that fills up; a wall clock that jumps by a day. In the end
the checker of history.py reads what was acknowledged and what is there: nothing is lost, nothing
happened twice.

usage: injected.py [--rounds N] [--seed S] [--only NAME]
  --rounds N   each case so often, with other numbers (1); a round takes about 50 s
  --only NAME  points, calls, postgres, cuts, disk or clock"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

from chaos import DRIVERS, Driver, History, serve, settle, show
from network import Network
from stack import (SERVICES, Failed, Stack, check, equal, processes, run_test, send_signal, skip,
                   wait_for, words_of)
from standby import Standby

# Where a process ends itself, and the highest number of the time at which it does.
POINTS = (("before_commit", 12), ("after_commit", 12), ("before_send", 40), ("after_send", 40))
# What is done at the n-th call: sent messages, wakes and answers of a service; its own end there.
SERVICE_CALLS = (("sendto", "signal=SIGKILL", 40), ("sendto", "error=EPIPE", 40),
                 ("sendmsg", "signal=SIGKILL", 10), ("write", "signal=SIGKILL", 80),
                 ("recvfrom", "signal=SIGKILL", 40))
# Of PostgreSQL's processes: the log of transactions cannot be written or synced, or they fall.
POSTGRES_CALLS = (("fdatasync", "error=EIO", 6), ("fdatasync", "signal=SIGKILL", 6),
                  ("pwrite64", "error=ENOSPC", 10), ("pwrite64", "signal=SIGKILL", 10),
                  ("sendto", "signal=SIGKILL", 20))
HIT_LIMIT_S, CUT_S, FULL_S, JUMP_S = 6.0, 5.0, 3.0, 86_400
DISK_MIB = 640
FAKE_LIBRARY = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


class Injector:
    """strace at the given processes, until the fault has happened or the limit is over."""

    def __init__(self, stack, pids, call, what, number):
        self.log = stack.folder / "strace.log"
        words = ["strace", "-f", "-qq", "-o", self.log, "-e", f"trace={call}", "-e",
                 f"inject={call}:{what}:when={number}"]
        for pid in pids:
            words += ["-p", str(pid)]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def hit(self):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "(INJECTED)" in text or "killed by SIGKILL" in text

    def finish(self):
        deadline = time.monotonic() + HIT_LIMIT_S
        while self.process.poll() is None and not self.hit() and time.monotonic() < deadline:
            time.sleep(0.05)
        hit = self.hit()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:  # it waits for a stop that never comes
            self.process.kill()
            self.process.wait(10)
        self.log.unlink(missing_ok=True)
        return hit


def serves(stack):
    """Everything, by itself; the vault is open again, too."""
    wait_for("health of everything", lambda: stack.command("status").returncode == 0, 40, 0.1)
    wait_for("open vault", stack.vault_is_open, 20, 0.1)


def inject(stack, chance, what, pids, cases):
    hits = 0
    for call, effect, most in cases:
        number = chance.randrange(1, most)
        hit = Injector(stack, pids(), call, effect, number).finish()
        hits += hit
        print(f"  {what}: {call} {effect} at {number}: {'done' if hit else 'not reached'}",
              flush=True)
        serves(stack)
    return hits


def at_points(stack, chance):
    """Each service at one of the points, each point in one of them at least; the node at a send,
    since it stores nothing."""
    points = chance.sample(POINTS, len(POINTS)) + [chance.choice(POINTS)]
    victims = list(zip(SERVICES, points)) + [("node", chance.choice(POINTS[2:]))]
    hits = 0
    for name, (point, most) in victims:
        number = chance.randrange(1, most)
        hit = stack.fall_at(name, point, number)
        hits += hit
        print(f"  {name}: {point} {number}: {'done' if hit else 'not reached'}", flush=True)
        serves(stack)
    check(hits > 0, "no named point was reached")


def at_calls(stack, chance):
    """The supervisor gives up on what ends too often, so that each service falls in turn."""
    hits = 0
    for index, case in enumerate(SERVICE_CALLS):
        service = SERVICES[(index + chance.randrange(len(SERVICES))) % len(SERVICES)]
        hits += inject(stack, chance, service, lambda: [stack.pid(service)], [case])
    check(hits > 0, "no fault was injected into a service")


def at_postgres(stack, chance):
    def pids():
        parent = stack.pid("postgres")
        return [pid for pid in processes() if pid != parent and children_of(parent, pid)]
    hits = 0
    for case in chance.sample(POSTGRES_CALLS, 3):
        hits += inject(stack, chance, "postgres", pids, [case])
    check(hits > 0, "no fault was injected into PostgreSQL")


def children_of(parent, pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) \
            == parent
    except OSError:
        return False


def cuts(stack, chance):
    """What one service sends to a door of another vanishes, or what that one answers, or both."""
    for index, service in enumerate(SERVICES):
        port = stack.base + 3 * index  # its peer door
        sides = chance.choice((["--dport"], ["--sport"], ["--dport", "--sport"]))
        rules = [["INPUT", "-i", "lo", "-p", "tcp", side, str(port), "-j", "DROP"]
                 for side in sides]
        for rule in rules:
            stack.tables("-A", *rule)
        time.sleep(CUT_S / 2)
        for rule in rules:
            stack.tables("-D", *rule)
        print(f"  cut off: {service}, {' and '.join(side[2:] for side in sides)}", flush=True)
    serves(stack)


def disk(stack, _):
    """Filled to the last block below the database, then free again."""
    filler = stack.state / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            pass
        free = shutil.disk_usage(stack.state).free
        check(free < 1 << 20, f"the disk is not full: {free} bytes are free")
        refused = wait_for("refusal on a full disk", lambda: refusal(stack), 20, 0.1)
        time.sleep(FULL_S)
    filler.unlink()
    print(f"  the disk was full: {refused[:150]}", flush=True)
    serves(stack)


def refusal(stack):
    """What a change is told, when the log of transactions needs a new file."""
    stack.admin("psql", "-Xq", "-c", "SELECT pg_switch_wal()")
    done = stack.command("service", "autoscale", "full", "--max", "3", "--timeout", "3")
    return done.returncode in (6, 7) and (done.stderr.strip() or "no answer")


def clock(stack, chance):
    """The holder's wall clock jumps a day ahead or back while it serves."""
    if not FAKE_LIBRARY.exists():
        print("  SKIPPED: the package faketime is not installed")
        return
    service = chance.choice(("deployer", "vault", "auditor"))
    now = stack.folder / f"clock-{chance.randrange(10**9)}"
    now.write_text("+0")
    jumpy = Standby(stack, service, now.name + ".d", environment={
        "LD_PRELOAD": str(FAKE_LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(now),
        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    jumpy.wait_standing_by()
    stack.kill(service)
    wait_for(f"{service} with a clock of its own", jumpy.serves, 15)
    for jump in (JUMP_S, -JUMP_S, 0):
        now.write_text(f"{jump:+d}")
        time.sleep(1)
    fate = "gone on" if jumpy.process.poll() is None else "ended"
    print(f"  the clock of {service} jumped; it has {fate}", flush=True)
    jumpy.stop()
    serves(stack)


CASES = {"points": at_points, "calls": at_calls, "postgres": at_postgres, "cuts": cuts,
         "disk": disk, "clock": clock}


class SmallStack(Stack):
    """In a network of its own, with its state on a small disk and programs that fall at points."""

    def __init__(self, network, **options):
        super().__init__(prefix=network.inside("control"), **options)
        self.network, self.points = network, self.folder / "points"
        self.points.mkdir()
        self.wrap_programs()
        self.state.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0711",
                               "lepton-small", self.state], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            self.folder.rmdir()
            skip(f"a small disk cannot be made here: {done.stderr.strip()}")

    def __exit__(self, *problem):
        try:
            super().__exit__(*problem)
        finally:
            subprocess.run(["umount", "--lazy", self.state], check=False, capture_output=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def wrap_programs(self):
        """`lepton up` gives its children a clean environment, and starts what lies beside it."""
        built, self.bin = self.bin, self.folder / "bin"
        self.bin.mkdir()
        for program in built.glob("lepton*"):
            name = program.name.removeprefix("lepton-")
            if name in (*SERVICES, "node"):
                (self.bin / program.name).write_text(
                    f"#!/bin/sh\nLD_PRELOAD={built}/libcrash_points.so LEPTON_POINTS={self.points} "
                    f"exec {program} \"$@\"\n")
                (self.bin / program.name).chmod(0o755)
            else:
                shutil.copy(program, self.bin)

    def fall_at(self, name, point, number):
        """Whether the program has ended itself there."""
        order = self.points / f"lepton-{name}"
        fresh = self.points / f".{name}"
        fresh.write_text(f"{point} {number}\n")
        fresh.rename(order)
        deadline = time.monotonic() + HIT_LIMIT_S
        while order.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        hit = not order.exists()
        order.unlink(missing_ok=True)
        return hit

    def tables(self, *words):
        done = subprocess.run([*self.prefix, "iptables", *words], capture_output=True, text=True,
                              check=False)
        check(done.returncode == 0, f"iptables {' '.join(words)}: {done.stderr.strip()}")


def drive(stack, arguments, file, place):
    history, chance = History(file), random.Random(f"{arguments.seed} injected")
    drivers = [Driver(stack, history, place, n, arguments.seed) for n in range(DRIVERS)]
    for driver in drivers:
        driver.start()
    try:
        for number in range(arguments.rounds):
            for name, case in CASES.items():
                if arguments.only in (None, name):
                    begin = time.monotonic()
                    case(stack, chance)
                    print(f"{name} ({number + 1}): {time.monotonic() - begin:.1f} s", flush=True)
    finally:
        for driver in drivers:
            driver.is_over = True
        for driver in drivers:
            driver.join()
    for driver in drivers:
        if driver.error:
            raise driver.error


def test():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--only", choices=CASES)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        skip("system calls, networks and disks of others can be touched by root only")
    if not shutil.which("strace") or not shutil.which("iptables"):
        skip("strace and iptables are not installed; see scripts/install-packages")
    print(f"seed {arguments.seed}", flush=True)
    with Network("control") as network, SmallStack(network, up=["--node-name", "here"]) as stack:
        place, file = stack.folder / "marks", stack.folder / "history.jsonl"
        place.mkdir()
        place.chmod(0o777)  # tasks run as another user
        serve(stack, place)
        try:
            drive(stack, arguments, file, place)
            verdict = settle(stack, file, place)
        except Failed as failure:
            raise Failed(f"seed {arguments.seed}: {failure}") from failure
        show(verdict, {}, file)
        check(verdict.is_good(), f"seed {arguments.seed}: {verdict.text()}")
        check(arguments.only or verdict.acknowledged > 10, "too little was acknowledged")
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

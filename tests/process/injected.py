#!/usr/bin/env python3
"""Faults below the programs, while the drivers of chaos.py ask for changes and write down what they
were told: kills at named points of a service's work (crash_points.cpp); errors and kills at the
n-th system call of a kind (strace), in services and in PostgreSQL; packets that vanish between each
two of them, both ways or one way (cuts.py); a disk that fills up; a wall clock that jumps by a day.
Each fault must really happen. In the end the checker of history.py reads what was acknowledged and
what is there: nothing is lost, nothing happened twice.

usage: injected.py [--rounds N] [--seed S] [--only NAME]
  --rounds N   each case so often, with other numbers (1); a round takes 70 s
  --only NAME  points, calls, postgres, cuts, disk or clock"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

from chaos import DRIVERS, SMALL, Driver, History, serve, settle, show
from cuts import PAIRS, PROGRAMS, cut_at_once, group, mark_connections, talking
from network import Network
from stack import (SERVICES, Failed, Stack, check, equal, processes, run_test, send_signal, skip,
                   wait_for, words_of)
from standby import Standby

# Where a process ends itself, and the highest number of the time at which it does.
POINTS = (("before_commit", 12), ("after_commit", 12), ("before_send", 40), ("after_send", 40))
# What is done at the n-th call: sent messages, wakes and answers of a service; its own end there.
SERVICE_CALLS = (("sendto", "signal=SIGKILL", 40), ("sendto", "error=EPIPE", 40),
                 ("recvfrom", "error=ECONNRESET", 40), ("write", "signal=SIGKILL", 80),
                 ("recvfrom", "signal=SIGKILL", 40))
# Of PostgreSQL's processes: the log of transactions cannot be written or synced, or they fall.
POSTGRES_CALLS = (("fdatasync", "error=EIO", 6), ("fdatasync", "signal=SIGKILL", 6),
                  ("pwrite64", "error=ENOSPC", 10), ("pwrite64", "signal=SIGKILL", 10),
                  ("sendto", "signal=SIGKILL", 20))
HIT_LIMIT_S, FULL_S, JUMP_S = 6.0, 3.0, 86_400
CUT_ROUNDS = 2
DRAWS_MAX = 6  # of the number of one fault; none is below 1
DISK_MIB = 640
FAKE_LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


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
    try:
        wait_for("health of everything", lambda: stack.command("status").returncode == 0, 40, 0.1)
        wait_for("open vault", stack.vault_is_open, 20, 0.1)
    except Failed as failure:
        said = stack.command("status")
        raise Failed(f"{failure}: {said.stdout}{said.stderr}") from failure


def strike(stack, chance, what, most, fault):
    """Until the fault has happened at a number that is drawn, each below the one before, which was
    not reached."""
    for _ in range(DRAWS_MAX):
        number = chance.randrange(1, max(2, most))
        hit = fault(number)
        print(f"  {what} at {number}: {'done' if hit else 'not reached'}", flush=True)
        serves(stack)
        if hit:
            return
        most = number
    check(False, f"{what} was never reached")


def inject(stack, chance, who, pids, case):
    call, effect, most = case
    strike(stack, chance, f"{who}: {call} {effect}", most,
           lambda number: Injector(stack, pids(), call, effect, number).finish())


def at_points(stack, chance):
    """Each service at one of the points, each point in one of them at least; the node at a send,
    since it stores nothing."""
    points = chance.sample(POINTS, len(POINTS)) + [chance.choice(POINTS)]
    victims = list(zip(SERVICES, points)) + [("node", chance.choice(POINTS[2:]))]
    for name, (point, most) in victims:
        strike(stack, chance, f"{name}: {point}", most,
               lambda number, name=name, point=point: stack.fall_at(name, point, number))
    stack.command("alert", "remove", "busy")
    reached = {point for _, (point, _) in victims}
    print(f"  named points: {len(reached)} of {len(POINTS)}, in {len(victims)} of "
          f"{len(SERVICES) + 1} programs", flush=True)


def at_calls(stack, chance):
    """The supervisor gives up on what ends too often, so that each service falls in turn."""
    for index, case in enumerate(SERVICE_CALLS):
        service = SERVICES[(index + chance.randrange(len(SERVICES))) % len(SERVICES)]
        inject(stack, chance, service, lambda name=service: [stack.pid(name)], case)
    print(f"  calls of services: {len(SERVICE_CALLS)} of {len(SERVICE_CALLS)}", flush=True)


def at_postgres(stack, chance):
    def pids():
        parent = stack.pid("postgres")
        return [pid for pid in processes() if pid != parent and children_of(parent, pid)]
    for case in chance.sample(POSTGRES_CALLS, len(POSTGRES_CALLS)):
        inject(stack, chance, "postgres", pids, case)
    print(f"  calls of PostgreSQL: {len(POSTGRES_CALLS)} of {len(POSTGRES_CALLS)}", flush=True)


def children_of(parent, pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) \
            == parent
    except OSError:
        return False


def cuts(stack, chance):
    """Each two that talk, once: what one of them sends to the other vanishes, or both ways. Several
    pairs at a time, so that in between whole groups of services hear some and not others."""
    wait_for("connections of all pairs", lambda: talking(stack), 40, 0.1)
    pairs = chance.sample(sorted(PAIRS), len(PAIRS))
    for number in range(CUT_ROUNDS):
        cut_at_once(stack, chance, pairs[number::CUT_ROUNDS])
        serves(stack)
    print(f"  pairs that were cut: {len(pairs)} of {len(PAIRS)}", flush=True)


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
    """The wall clock of the deployer, and of another holder, jumps a day ahead, two back and one
    ahead while it serves. Leases are a matter of other clocks: nobody takes over, no task ends."""
    job = wait_for("job that goes on", stack.hand.submit_steady, 20, 0.2)
    for service in ("deployer", chance.choice(("vault", "auditor"))):
        jumpy, epoch = with_own_clock(stack, service, chance)
        for jump in (JUMP_S, -JUMP_S, 0):
            jumpy.jump(jump)
            if jump < 0:
                wait_for("refusal of tokens that are not valid yet",
                         lambda: "from the future" in stack.command("status").stdout, 5, 0.1)
            else:
                serves(stack)
            check(jumpy.process.poll() is None, f"{service} has ended: {jumpy.log()[-500:]}")
            equal(epoch_of(stack, service), epoch, f"epoch of {service} after a jump")
        view = stack.job(job)
        equal((view["state"], view["round"], view["interruptions"]), ("running", 1, 0),
              "state, round and interruptions of a task that began before")
        print(f"  the clock of {service} jumped by a day: epoch {epoch} holds, no task has ended",
              flush=True)
        jumpy.stop()
        serves(stack)
    stack.hand.cancel_steady()


def epoch_of(stack, service):
    return stack.number(f"SELECT epoch FROM {service}.lease")


class Jumpy(Standby):
    """An instance that takes its wall clock from a file."""

    def __init__(self, stack, service, number):
        self.now = stack.folder / f"clock-{number}"
        self.now.write_text("+0")
        self.clock = {"LD_PRELOAD": str(FAKE_LIBRARIES[0]), "FAKETIME_NO_CACHE": "1",
                      "FAKETIME_TIMESTAMP_FILE": str(self.now),
                      "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        super().__init__(stack, service, self.now.name + ".d", environment=self.clock)

    def jump(self, by_s):
        """The library is in the process, and another program with the same clock sees the jump."""
        self.now.write_text(f"{by_s:+d}")
        maps = pathlib.Path(f"/proc/{self.pid}/maps").read_text()
        check(FAKE_LIBRARIES[0].name in maps, f"{self.service} has no clock of its own")
        said = subprocess.run(["date", "+%s"], env=self.clock, capture_output=True, text=True,
                              check=True).stdout
        check(abs(int(said) - time.time() - by_s) < 60, f"the clock has not jumped: {said}")


def with_own_clock(stack, service, chance):
    """A holder of the lease, and its epoch."""
    jumpy = Jumpy(stack, service, chance.randrange(10**9))
    jumpy.wait_standing_by()
    stack.kill(service)
    wait_for(f"{service} with a clock of its own", jumpy.serves, 15)
    serves(stack)
    return jumpy, epoch_of(stack, service)


class Hand(Driver):
    """What is asked for by hand, into the same history; not a thread that runs."""

    def submit_steady(self):
        name = f"{self.tag}-{next(self.history.numbers)}"
        spec = {"name": name, "command": ["/bin/sleep", "3000"], "max_duration": "1h",
                "lease": "10s", "stop_grace": "1s", "resources": SMALL}
        answer = self.send("submit", name, "apply", "-f", "-", "-y", "-o", "json",
                           text=json.dumps(spec))
        if not answer:
            return None
        job = json.loads(answer)["job"]
        self.stack.wait_job(job, {"running"})
        self.jobs.append((name, job))
        return job

    def cancel_steady(self):
        name, job = self.jobs.pop()
        self.send("cancel", name, "job", "cancel", job, "-y")


CASES = {"points": at_points, "calls": at_calls, "postgres": at_postgres, "cuts": cuts,
         "disk": disk, "clock": clock}


class SmallStack(Stack):
    """In a network of its own, with its state on a small disk and programs that fall at points."""

    def __init__(self, network, **options):
        super().__init__(prefix=network.inside("control"), **options)
        self.network, self.points, self.rules = network, self.folder / "points", 1
        self.points.mkdir()
        mark_connections(network, "control")
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
            if name in PROGRAMS:
                (self.bin / program.name).write_text(
                    f"#!/bin/sh\nLD_PRELOAD={built}/libcrash_points.so:$LD_PRELOAD "
                    f"LEPTON_POINTS={self.points} exec setpriv --regid {group(name)} "
                    f"--keep-groups {program} \"$@\"\n")
                (self.bin / program.name).chmod(0o755)
            else:
                shutil.copy(program, self.bin)

    def change_a_rule(self):
        """Else the monitor may have nothing to store for a minute."""
        self.rules += 1
        self.command("alert", "put", "busy", "--series", "memory_use", "--above", f"{self.rules}",
                     "--summary", "never", "--timeout", "2")

    def fall_at(self, name, point, number):
        """Whether the program has ended itself there."""
        order = self.points / f"lepton-{name}"
        fresh = self.points / f".{name}"
        fresh.write_text(f"{point} {number}\n")
        fresh.rename(order)
        deadline = time.monotonic() + HIT_LIMIT_S
        while order.exists() and time.monotonic() < deadline:
            if name == "monitor":
                self.change_a_rule()
            time.sleep(0.02)
        hit = not order.exists()
        order.unlink(missing_ok=True)
        return hit


def drive(stack, arguments, file, place):
    history, chance = History(file), random.Random(f"{arguments.seed} injected")
    drivers = [Driver(stack, history, place, n, arguments.seed) for n in range(DRIVERS)]
    stack.hand = Hand(stack, history, place, DRIVERS, arguments.seed)
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
    if not shutil.which("strace") or not shutil.which("iptables") or not FAKE_LIBRARIES:
        skip("strace, iptables and faketime are not all installed; see scripts/install-packages")
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

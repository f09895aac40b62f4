#!/usr/bin/env python3
"""The vault's keyring is rotated again and again while secrets are put and read without a pause.
The vault falls in the middle of two rotations: once at a moment that chance draws, and once when
PostgreSQL has stored the new key and nobody has been told yet. Afterwards each acknowledged secret
has its value, there are as many keys as rotations, values lie under all of them, and the audit log
has each rotation once."""

import contextlib
import random
import signal
import subprocess
import threading
import time

from stack import Failed, Stack, check, equal, run_test, wait_for
from standby import Gate, Standby, kill_and_take_over, standbys

ROTATIONS = 6
KEEPERS = 2
KILL_TRIES = 30
TRIES, IN_FLIGHT_S = 5, 2.0  # a vault that does not hear of PostgreSQL refuses after 3 s
SEALED = 6  # exit status: not now, send it again
ACTION = "vault.keyring.rotate"
# Format octet and key id stand before the sealed value (services/vault/core/envelope.hpp).
KEYS_USED = ("SELECT count(DISTINCT substring(sealed from 2 for 4)) FROM vault.secret_version "
             "WHERE path ~ 'turn/'")


class Keeper(threading.Thread):
    """Puts one secret after the other, and reads one that was acknowledged before."""

    def __init__(self, stack, number):
        super().__init__(daemon=True)
        self.stack, self.tag, self.chance = stack, f"turn/{number}", random.Random(number)
        self.values, self.count, self.reads, self.is_over, self.error = {}, 0, 0, False, None
        self.refused, self.turn, self.may_go = "", threading.Lock(), threading.Event()
        self.may_go.set()
        self.start()

    def run(self):
        try:
            while not self.is_over:
                self.may_go.wait()
                with self.turn:
                    self.put()
                    self.read()
        except Exception as error:  # reported by the main thread
            self.error = error

    @contextlib.contextmanager
    def paused(self):
        """Between two turns."""
        self.may_go.clear()
        try:
            with self.turn:
                yield
        finally:
            self.may_go.set()

    def put(self):
        self.count += 1
        path, value = f"{self.tag}/{self.count}", f"value {self.count} of {self.tag}"
        done = self.stack.command("secret", "put", path, text=value)
        if done.returncode == 0:
            self.values[path] = value
        self.refused = done.stderr.strip()

    def read(self):
        if not self.values:
            return
        path = self.chance.choice(list(self.values))
        done = self.stack.command("secret", "get", path)
        if done.returncode == 0:
            equal(done.stdout, self.values[path], f"value of {path}")
            self.reads += 1
        check(done.returncode != 3, f"{path} is not known any more")

    def wait_more(self):
        """Until one more was acknowledged, and one more was read."""
        values, reads = len(self.values), self.reads
        try:
            wait_for("more secrets", lambda: self.error or
                     (len(self.values) > values and self.reads > reads), 60)
        except Failed as failure:
            raise Failed(f"{failure}: {self.refused}") from failure

    def finish(self):
        self.is_over = True
        self.join(60)
        if self.error:
            raise self.error


def keys(stack):
    return int(stack.ask("vault", "status")["keys"])


def key_row(stack):
    return stack.sql("SELECT md5(keyring) FROM vault.seal")


def begin_rotation(stack):
    return subprocess.Popen([stack.bin / "lepton", "vault", "rotate", "--timeout", "60"],
                            env=stack.environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end_rotation(rotation, statuses=(0,)):
    said, _ = rotation.communicate(timeout=90)
    check(rotation.returncode in statuses,
          f"exit status {rotation.returncode} of the rotation ({said.strip()})")
    return rotation.returncode


def kill_at_random(stack, keepers):
    """How many rotations there were until the vault had fallen during one. Whoever asks a vault
    that has just begun anew may be told that it is sealed, and then does not know."""
    for count in range(KILL_TRIES):
        before, rotation = keys(stack), begin_rotation(stack)
        time.sleep(random.uniform(0.0, 0.1))  # any moment while it is asked for will do
        if rotation.poll() is None:
            break
        end_rotation(rotation)
    else:
        raise Failed(f"{KILL_TRIES} rotations were over before the vault could fall")
    stack.kill("vault")
    status = end_rotation(rotation, (0, SEALED))
    wait_for("open vault", stack.vault_is_open, 30, 0.1)
    made = keys(stack) - before
    check(made in ((1,) if status == 0 else (0, 1)), f"{made} keys more after status {status}")
    for keeper in keepers:
        keeper.wait_more()
    return count + made


def is_in_flight(gate):
    """Its audit entry is on its way to PostgreSQL, as octets or in hexadecimal."""
    return gate.holds(ACTION.encode()) or gate.holds(ACTION.encode().hex().encode())


def cut_off_in_flight(stack, keepers, gate):
    """A rotation whose commit is held by the shut gate, and how many it took: one commit is on its
    way at a time, and another may have come first. Nobody asks for anything else meanwhile."""
    for count in range(1, TRIES + 1):
        with contextlib.ExitStack() as pause:
            for keeper in keepers:
                pause.enter_context(keeper.paused())
            gate.shut()
            rotation, end = begin_rotation(stack), time.monotonic() + IN_FLIGHT_S
            while time.monotonic() < end:
                if is_in_flight(gate):
                    return rotation, count
        gate.open()
        end_rotation(rotation)
    raise Failed(f"none of {TRIES} rotations was the next to be committed")


def kill_before_the_answer(stack, holder, keepers, gate):
    """The vault stands still while PostgreSQL stores the key, and is no more then. How many
    rotations there were."""
    wait_for("standby of the vault", lambda: standbys(stack, "vault") == 1, 20, 0.1)
    rotation, count = cut_off_in_flight(stack, keepers, gate)
    holder.signal(signal.SIGSTOP)
    before = key_row(stack)
    gate.open()
    wait_for("new key in PostgreSQL", lambda: key_row(stack) != before, 3)
    check(rotation.poll() is None, "the rotation was answered before it was cut off")
    holder.kill()
    end_rotation(rotation, (0, SEALED))
    return count


def judge(stack, keepers, turns):
    """`turns`: how many keys each round made. The vault begins anew once more, with what is
    stored alone."""
    stack.kill("vault")
    wait_for("open vault", stack.vault_is_open, 30, 0.1)
    made = sum(turns)
    equal(keys(stack), 1 + made, "keys in the keyring")
    acknowledged = {path: value for keeper in keepers for path, value in keeper.values.items()}
    for path, value in acknowledged.items():
        equal(stack.run("secret", "get", path), value, f"value of {path} after all")
    used = 1 + sum(turn > 0 for turn in turns)  # something was put in each round
    check(stack.number(KEYS_USED) >= used, f"values lie under fewer keys than {used}: {turns}")
    wait_for("entries of the rotations", lambda: entries(stack) >= made, 20)
    stack.run("audit", "verify")
    equal(entries(stack), made, "entries of rotations")
    print(f"{made} rotations, each audited once; "
          f"{sum(keeper.count for keeper in keepers)} puts, {len(acknowledged)} acknowledged, "
          f"{sum(keeper.reads for keeper in keepers)} read meanwhile, all of them afterwards")


def entries(stack):
    return stack.number("SELECT count(*) FROM auditor.entry WHERE outcome = 'done' AND "
                        f"action = '{ACTION}'")


def rotate_all(stack, holder, keepers, gate):
    """How many keys each round made: the one with a kill at random, none or more."""
    turns = []
    for number in range(ROTATIONS):
        for keeper in keepers:
            keeper.wait_more()
        if number == 2:
            turns.append(kill_before_the_answer(stack, holder, keepers, gate))
        elif number == 4:
            turns.append(kill_at_random(stack, keepers))
        else:
            end_rotation(begin_rotation(stack))
            turns.append(1)
    for keeper in keepers:
        keeper.wait_more()
    return turns


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        gate = Gate(stack)
        holder = Standby(stack, "vault", "behind-gate", gate.url_of(stack, "vault"))
        holder.wait_standing_by()
        kill_and_take_over(stack, "vault", holder)
        wait_for("open vault", stack.vault_is_open, 30, 0.1)
        equal(keys(stack), 1, "keys at first")
        keepers = [Keeper(stack, number) for number in range(KEEPERS)]
        turns = rotate_all(stack, holder, keepers, gate)
        for keeper in keepers:
            keeper.finish()
        judge(stack, keepers, turns)
        gate.close()


if __name__ == "__main__":
    run_test(test)

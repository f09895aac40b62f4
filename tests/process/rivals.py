#!/usr/bin/env python3
"""The same question to others: three drivers outside NATS JetStream and Redis streams, both with
their default settings, add messages and write down what they were told; the server is killed with
-9 at random moments and started again at once; history.py, the checker of chaos.py, reads what was
acknowledged and what is there. Its kills leave the kernel's cache alone, so that what a server has
only written survives; how often each one asks for the disk is therefore counted, too. Before, each
server is asked without any kill: then nothing may be missing, and each message must stand at the
place of which its driver was told, or it is the drivers that are wrong.

usage: rivals.py [--kills N] [--seed S]
Needs Debian's nats-server and redis-server (programs only, their services may be off)."""

import argparse
import base64
import itertools
import json
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from chaos import PAUSES_S
from foreign import free_port
from history import ACKNOWLEDGED, UNKNOWN, Found, Request, judge
from stack import check, equal, run_test, skip, wait_for

DRIVERS, REQUEST_S, PAUSE_S, COUNTED_S = 3, 10.0, 0.005, 2.0
CONTROL_S, ACKNOWLEDGED_MIN = 10.0, 1000  # fewer answers prove nothing
SYNCS = "fsync,fdatasync,msync,sync_file_range"


class Lines:
    """A connection of lines and counted blocks, as both protocols have it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=2)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server has gone")
        return line[:-2]

    def block(self, size):
        data = self.file.read(size + 2)
        if len(data) != size + 2:
            raise ConnectionError("the server has gone")
        return data[:-2]

    def close(self):
        self.file.close()
        self.socket.close()


class Nats:
    """The line protocol of NATS, and the JSON API of JetStream on it. With `ids` each message says
    which one it is, and the server drops what it has seen within two minutes. Each connection has a
    subject of its own for its answers: who shared one would take those of others for its own."""
    connections = itertools.count()
    NO_MESSAGE, NO_STREAM = 10037, 10059

    def __init__(self, port, ids):
        self.lines, self.ids, self.last = Lines(port), ids, 0
        self.inbox = f"answers.{next(self.connections)}"
        self.lines.line()  # INFO
        self.lines.send(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'
                        + f"SUB {self.inbox} 1\r\nPING\r\n".encode())
        while self.lines.line() != b"PONG":
            pass

    @staticmethod
    def command(folder, port):
        return ["nats-server", "-js", "-sd", folder, "-a", "127.0.0.1", "-p", str(port)]

    def ask(self, subject, body, headers=b""):
        if headers:
            head = b"NATS/1.0\r\n" + headers + b"\r\n\r\n"
            self.lines.send(f"HPUB {subject} {self.inbox} {len(head)} "
                            f"{len(head) + len(body)}\r\n".encode() + head + body + b"\r\n")
        else:
            self.lines.send(f"PUB {subject} {self.inbox} {len(body)}\r\n".encode() + body + b"\r\n")
        return self.answer()

    def answer(self):
        while True:
            words = self.lines.line().split()
            if words[0] == b"MSG":
                equal(words[1].decode(), self.inbox, "subject of an answer")
                return json.loads(self.lines.block(int(words[-1])))
            if words[0] == b"HMSG":  # nobody serves the subject yet
                self.lines.block(int(words[-1]))
                raise ConnectionError("JetStream is not ready")
            if words[0] == b"PING":
                self.lines.send(b"PONG\r\n")

    def create(self):
        made = self.ask("$JS.API.STREAM.CREATE.CHAOS",
                        json.dumps({"name": "CHAOS", "subjects": ["chaos"]}).encode())
        check("error" not in made, f"no stream: {made}")
        equal(made["config"]["storage"], "file", "where the stream is kept by default")

    def add(self, key):
        """The place in the stream that the server says it has."""
        done = self.ask("chaos", key.encode(), f"Nats-Msg-Id: {key}".encode() if self.ids else b"")
        if "error" in done:
            raise ConnectionError(done["error"])
        equal(done.get("stream"), "CHAOS", f"stream of the answer {done}")
        check(done["seq"] > self.last, f"after {self.last} the answer {done}: not that of {key}")
        self.last = done["seq"]
        return str(done["seq"])

    def all(self):
        info = self.ask("$JS.API.STREAM.INFO.CHAOS", b"")
        if "error" in info:
            check(info["error"]["err_code"] == self.NO_STREAM, f"no state of the stream: {info}")
            print("the stream itself is gone", flush=True)
            return []
        state = info["state"]
        numbers = range(state["first_seq"], state["last_seq"] + 1)
        found = [found for found in map(self.get, numbers) if found]
        equal(len(found), state["messages"], "messages that can be read, and that are counted")
        return found

    def get(self, number):
        """Its place and its text; None where a message was dropped."""
        one = self.ask("$JS.API.STREAM.MSG.GET.CHAOS", json.dumps({"seq": number}).encode())
        if "error" in one:
            check(one["error"]["err_code"] == self.NO_MESSAGE, f"message {number}: {one}")
            return None
        return str(one["message"]["seq"]), base64.b64decode(one["message"]["data"]).decode()


class Redis:
    """RESP. As it comes: a snapshot now and then."""
    options = ()

    def __init__(self, port, _):
        self.lines = Lines(port)

    @classmethod
    def command(cls, folder, port):
        return ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder,
                *cls.options]

    def ask(self, *words):
        self.lines.send(f"*{len(words)}\r\n".encode() + b"".join(
            f"${len(word)}\r\n{word}\r\n".encode() for word in words))
        return self.read()

    def read(self):
        line = self.lines.line()
        kind, rest = line[:1], line[1:]
        if kind == b"-":  # loading, for example
            raise ConnectionError(rest.decode())
        if kind == b"$":
            return self.lines.block(int(rest)).decode() if int(rest) >= 0 else None
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return rest.decode()

    def create(self):
        self.ask("PING")

    def add(self, key):
        return self.ask("XADD", "chaos", "*", "key", key)

    def all(self):
        return [(place, fields[1]) for place, fields in self.ask("XRANGE", "chaos", "-", "+")]


class RedisWithLog(Redis):
    """With the append-only file, which is synced each second."""
    options = ("--appendonly", "yes")


class Server:
    def __init__(self, kind, ids):
        self.kind, self.ids = kind, ids
        self.folder = tempfile.mkdtemp(prefix="lepton-rival-", dir="/tmp")
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.kind.command(self.folder, self.port), cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connect(self):
        try:
            return self.kind(self.port, self.ids)
        except (OSError, ValueError):
            return None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.start()

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Driver(threading.Thread):
    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.name_ = server, name
        self.requests, self.is_over, self.error = [], False, None
        self.start()

    def run(self):
        try:
            for number in itertools.count():
                if self.is_over:
                    return
                request = Request("put", f"{self.name_}-{number}")
                self.requests.append(request)
                request.answer = self.add(request.key)
                request.outcome = ACKNOWLEDGED if request.answer else UNKNOWN
                time.sleep(PAUSE_S)
        except Exception as error:  # reported by the main thread
            self.error = error

    connection = None

    def add(self, key):
        """Again until it is acknowledged, as our own client does; after the limit nobody knows.
        The place that the server tells, or nothing."""
        end = time.monotonic() + REQUEST_S
        while time.monotonic() < end:
            try:
                self.connection = self.connection or self.server.connect()
                if self.connection:
                    return self.connection.add(key)
            except (OSError, ValueError):
                self.connection.lines.close()
                self.connection = None
            time.sleep(0.02)
        return ""


def count_syncs(server, drivers):
    """Requests to the disk, and acknowledged messages, in the same short time."""
    def acknowledged():
        return sum(r.outcome == ACKNOWLEDGED for d in drivers for r in list(d.requests))
    before = acknowledged()
    trace = subprocess.Popen(["strace", "-f", "-qq", "-e", f"trace={SYNCS}", "-p",
                              str(server.process.pid)], stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    time.sleep(COUNTED_S)
    trace.terminate()
    text = trace.communicate(timeout=10)[1]
    return text.count("sync("), acknowledged() - before


def drive(kind, ids, disturb):
    """What was asked, what is there in the end, and what count_syncs says."""
    server = Server(kind, ids)
    try:
        first = wait_for("answer of the server", server.connect, 20, 0.1)
        wait_for("stream", lambda: ready(first), 20, 0.1)
        drivers = [Driver(server, f"c{number}") for number in range(DRIVERS)]
        counted = count_syncs(server, drivers)
        disturb(server)
        for driver in drivers:
            driver.is_over = True
        for driver in drivers:
            driver.join(30)
            check(not driver.is_alive(), "a driver does not end")
            if driver.error:
                raise driver.error
        requests = [request for driver in drivers for request in driver.requests]
        return requests, read_all(server), counted
    finally:
        server.stop()


def judge_all(name, requests, found):
    """The verdict, without audit entries, which nobody here writes; and how many acknowledged
    messages are there, but not at the place of which their driver was told."""
    entries = [("vault.secret.put", key, "") for _, key in set(found)]
    verdict = judge(requests, Found([], [(key, 1) for _, key in found], entries))
    for kind in ("lost", "doubled"):
        setattr(verdict, kind, [one for one in getattr(verdict, kind)
                                if not one.startswith("audit")])
    check(not verdict.unexplained, f"{name}: {verdict.unexplained[:5]}")
    check(verdict.acknowledged > ACKNOWLEDGED_MIN,
          f"{name}: only {verdict.acknowledged} were acknowledged: that proves nothing")
    places, keys = set(found), {key for _, key in found}
    moved = [f"{r.key} at {r.answer}" for r in requests if r.outcome == ACKNOWLEDGED and
             r.key in keys and (r.answer, r.key) not in places]
    return verdict, moved


def control(name, kind, ids):
    requests, found, _ = drive(kind, ids, lambda _: time.sleep(CONTROL_S))
    verdict, moved = judge_all(name, requests, found)
    check(verdict.is_good() and not verdict.unknown and not moved,
          f"{name}, without a kill: {verdict.text()}, {len(moved)} elsewhere than told "
          f"({(verdict.lost + verdict.doubled + moved)[:5]}): the drivers are wrong")
    print(f"{name}: no kill, {verdict.text()}, each where its driver was told", flush=True)


def run_one(name, kind, ids, arguments):
    chance = random.Random(arguments.seed)

    def kills(server):
        for _ in range(arguments.kills):
            time.sleep(chance.uniform(*PAUSES_S))
            server.kill()
    control(name, kind, ids)
    requests, found, (syncs, messages) = drive(kind, ids, kills)
    verdict, moved = judge_all(name, requests, found)
    print(f"{name}: {arguments.kills} kills, {verdict.acknowledged} acknowledged, "
          f"{verdict.unknown} unknown, {len(verdict.lost)} lost, {len(verdict.doubled)} doubled, "
          f"{len(moved)} elsewhere than told; {syncs} syncs for {messages} acknowledged messages",
          flush=True)


def ready(connection):
    try:
        connection.create()
        return True
    except (OSError, ValueError):
        return False


def read_all(server):
    def read():
        try:
            connection = server.connect()
            return connection and [connection.all()]
        except (OSError, ValueError):
            return None
    return wait_for("the whole stream", read, 60, 0.2)[0]


def test():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name in ("nats-server", "redis-server", "strace"):
        if not shutil.which(name):
            skip(f"{name} is not installed; try: apt-get install {name}")
    for name in ("nats-server", "redis-server"):
        print(subprocess.run([name, "--version"], capture_output=True, check=True,
                             text=True).stdout.strip(), flush=True)
    run_one("NATS JetStream", Nats, False, arguments)
    run_one("NATS JetStream, each message with an id", Nats, True, arguments)
    run_one("Redis streams", Redis, False, arguments)
    run_one("Redis streams, append-only file", RedisWithLog, False, arguments)


if __name__ == "__main__":
    run_test(test)

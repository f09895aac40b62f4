"""Standby: a second instance of a service, started by a test with the settings of the first, how it
takes over and hands back, and a gate between an instance and PostgreSQL that can be shut: bytes
stop, nobody is told."""

import contextlib
import re
import select
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

from ends import LISTENING, sockets_of, table
from stack import Failed, check, equal, send_signal, wait_for, words_of

TAKEOVER_LIMIT_S = 5.0


class Standby:
    """One more instance, below the folder of the stack, so that the stack ends it if need be."""

    def __init__(self, stack, service, name="standby", url=None, environment=None,
                 metrics=None, program=None):
        self.stack, self.service = stack, service
        folder = stack.folder / name
        folder.mkdir()
        config = folder / f"{service}.yaml"
        text = (stack.state / f"config/{service}.yaml").read_text()
        if url:
            own = folder / "database.url"
            own.write_text(url)
            own.chmod(0o600)
            text = re.sub("(?m)^database_url_file:.*", f"database_url_file: {own}", text)
        if metrics:
            text = re.sub("(?m)^metrics_endpoint:.*", f"metrics_endpoint: {metrics}", text)
        config.write_text(text)
        config.chmod(0o600)
        self.log_file = folder / f"{service}.log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([*stack.prefix,
                                             stack.bin / (program or f"lepton-{service}"),
                                             "--config", config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=folder,
                                            env=stack.environment | (environment or {}))

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace")

    def wait_standing_by(self):
        try:
            wait_for("word of the standby", lambda: "standby: schema" in self.log(), 10)
        except Failed as failure:
            raise Failed(f"{failure}: {self.log()}") from failure
        check(self.process.poll() is None, f"the standby has ended: {self.log()}")
        return self

    def serves(self):
        return "serves at" in self.log()

    def signal(self, number):
        check(self.process.poll() is None, f"the instance has ended: {self.log()}")
        check(send_signal(self.pid, number, self.stack.is_ours), "the instance is not ours")

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        self.process.wait(20)


def listens(pid):
    """Whether the process has a listening TCP socket."""
    check(words_of(pid), f"process {pid} is gone")
    own = sockets_of(pid)
    return any(state == LISTENING and inode in own for state, inode in table(pid).values())


def epoch(stack, service):
    return stack.number(f"SELECT epoch FROM {service}.lease")


def standbys(stack, service):
    lines = {line["service"]: line for line in stack.ask("status")["services"]}
    return int(lines[service].get("standbys", 0))


def took_over(stack, service, before, began, standby):
    wait_for(f"takeover of {service}", standby.serves, 15, 0.01)
    taken_s = time.monotonic() - began
    equal(epoch(stack, service), before + 1, f"epoch of {service}")
    check(taken_s < TAKEOVER_LIMIT_S, f"{service} was taken over after {taken_s:.2f} s only")
    return taken_s


def kill_and_take_over(stack, service, standby):
    """How long nobody served."""
    before, began = epoch(stack, service), time.monotonic()
    stack.kill(service)
    return took_over(stack, service, before, began, standby)


def hand_back(stack, service, standby):
    """The supervised one, which waits by now, serves again as soon as the other has stopped."""
    before = epoch(stack, service)
    wait_for(f"supervised {service}", lambda: stack.pid(service), 15)
    standby.stop()
    equal(standby.process.returncode, 0, f"end of the standby of {service}")
    wait_for(f"next holder of {service}", lambda: epoch(stack, service) == before + 1, 10)
    wait_for("health of everything", lambda: stack.command("status").returncode == 0, 20, 0.1)


def readable(end):
    return bool(select.select([end], [], [], 0)[0])


class Gate(threading.Thread):
    """PostgreSQL's unix socket once more, in a folder of its own, with a door that can be shut."""

    def __init__(self, stack, name="gate"):
        super().__init__(daemon=True)
        self.server = str(stack.folder / "run/postgres/.s.PGSQL.5432")
        self.folder = stack.folder / name
        self.folder.mkdir()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / ".s.PGSQL.5432"))
        self.listener.listen(64)
        self.is_open = threading.Event()
        self.is_open.set()
        self.is_over, self.clients = False, []
        self.start()

    def url_of(self, stack, service):
        """The service's own address, through this gate."""
        text = (stack.state / f"database/{service}.url").read_text().strip()
        own = urllib.parse.quote(str(self.folder), safe="")
        url, count = re.subn(r"([?&]host=)[^&]*", lambda found: found[1] + own, text)
        equal(count, 1, "hosts in the address of the database")
        return url

    def shut(self):
        self.is_open.clear()

    def holds(self, needle):
        """Whether bytes that were sent through the shut gate have it in them."""
        with contextlib.suppress(OSError):
            return any(needle in client.recv(1 << 18, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                       for client in self.clients if client.fileno() >= 0 and readable(client))
        return False

    def open(self):
        self.is_open.set()

    def close(self):
        self.is_over = True
        self.open()
        self.join(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self):
        waiting = selectors.DefaultSelector()
        waiting.register(self.listener, selectors.EVENT_READ, None)
        while not self.is_over:
            self.is_open.wait()
            for key, _ in waiting.select(0.02):
                if not self.is_open.is_set():
                    break
                if key.data is None:
                    self.pair_up(waiting)
                elif key.fileobj.fileno() >= 0:
                    self.carry(waiting, key.fileobj, key.data)

    def pair_up(self, waiting):
        client, _ = self.listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.server)
        except OSError:
            client.close()
            server.close()
            return
        self.clients.append(client)
        waiting.register(client, selectors.EVENT_READ, server)
        waiting.register(server, selectors.EVENT_READ, client)

    @staticmethod
    def carry(waiting, source, target):
        try:
            data = source.recv(65536)
            target.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (source, target):
                waiting.unregister(end)
                end.close()

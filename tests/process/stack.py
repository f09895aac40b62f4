"""Stack: one control plane of its own for a test with real processes: `lepton up` in a temporary
folder, on ports that are free, through the same commands that people use. A context manager that
leaves nothing behind. Each wait is for a state and has a limit. Only processes that belong to the
temporary folder are ever signalled, through a descriptor of the process, so that a pid that was
used again is never hit.

environment: LEPTON_BIN is the folder of the programs."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
PORTS = 4 * 5 + 1 + 16  # doors and metrics of each service, metrics of the node, entrances
SERVICES = ("vault", "auditor", "deployer", "scaler", "monitor")
ENDED = {"succeeded", "failed", "cancelled", "refused"}


class Failed(Exception):
    """A sentence that says what is wrong."""


def check(good, sentence):
    if not good:
        raise Failed(sentence)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: expected {wanted!r}, got {got!r}")


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def wait_for(what, condition, limit_s=30.0, pause_s=0.02):
    """The first result of `condition` that is true."""
    deadline = time.monotonic() + limit_s
    while not (result := condition()):
        check(time.monotonic() < deadline, f"after {limit_s:g} s there is still no {what}")
        time.sleep(pause_s)
    return result


def run_test(test):
    """Exit status 0, or 1 with a sentence."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    try:
        test()
    except Failed as failure:
        sys.exit(f"FAILED after {time.monotonic() - begin:.1f} s: {failure}")
    print(f"passed in {time.monotonic() - begin:.1f} s")


def programs():
    folder = pathlib.Path(os.environ.get("LEPTON_BIN", ROOT / "build/release/bin")).resolve()
    if not (folder / "lepton").is_file():
        sys.exit(f"there is no program {folder}/lepton; build, or name the folder by LEPTON_BIN")
    return folder


def free_ports():
    """The first of so many ports that nobody listens on now, and a lock that keeps them from other
    stacks until it is closed."""
    for base in range(22000, 60000, PORTS):
        lock = open(f"/tmp/lepton-test-ports-{base}", "wb")  # left open: it is the lock
        with contextlib.ExitStack() as sockets:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for port in range(base, base + PORTS):
                    sockets.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                lock.close()
                continue
            return base, lock
    raise Failed(f"no {PORTS} free ports in a row")


def words_of(pid):
    try:
        return (pathlib.Path("/proc") / str(pid) / "cmdline").read_bytes().decode(
            errors="replace").split("\0")
    except OSError:
        return []


def processes():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def status_fields(pid):
    """From the state on, as proc(5) lists them; nothing when it is gone or a zombie."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields


def start_ticks(pid):
    """With the pid, the identity of a process."""
    fields = status_fields(pid)
    return int(fields[19]) if fields else None


def parent_of(pid):
    fields = status_fields(pid)
    return int(fields[1]) if fields else None


def send_signal(pid, number, belongs):
    """Whether it was sent: only to a process that `belongs` says is ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not belongs(pid):
            return False
        signal.pidfd_send_signal(descriptor, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)


class Stack:
    def __init__(self, prefix=(), up=()):
        """`prefix` goes before each command, for example a network namespace."""
        self.bin = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lepton-test-", dir="/tmp"))
        # PostgreSQL and tasks run as other users and must pass through.
        self.folder.chmod(0o711)
        self.state = self.folder / "state"
        self.prefix, self.up_options = list(prefix), list(up)
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("LEPTON_")}
        self.environment |= {"LEPTON_STATE": str(self.state),
                             "LEPTON_RUN": str(self.folder / "run"),
                             "LEPTON_SQL": str(ROOT / "schemas/sql")}
        self.base, self.ports_lock = free_ports()

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.show_logs()
        down = self.command("down")
        for pid in self.leftovers():
            send_signal(pid, signal.SIGKILL, self.is_ours)
        with contextlib.suppress(Failed):
            wait_for("end of all processes", lambda: not self.leftovers(), 20)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.ports_lock.close()
        if kind is None:
            equal(down.returncode, 0, f"lepton down ({down.stderr.strip()})")

    def up(self):
        return self.run("up", "--detach", "--port-base", str(self.base), *self.up_options)

    # Commands.

    def command(self, *words, text=None, environment=None, limit_s=150):
        return subprocess.run([*self.prefix, self.bin / "lepton", *map(str, words)],
                              input=text or "", env=self.environment | (environment or {}),
                              cwd=ROOT, text=True, capture_output=True, check=False,
                              timeout=limit_s)

    def run(self, *words, text=None, limit_s=150):
        """Standard output of a command that must succeed."""
        done = self.command(*words, text=text, limit_s=limit_s)
        check(done.returncode == 0, f"lepton {' '.join(map(str, words))} ended with "
              f"{done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def ask(self, *words, text=None):
        return json.loads(self.run(*words, "-o", "json", text=text))

    def apply(self, spec):
        return self.ask("apply", "-f", "-", "-y", text=json.dumps(spec))["job"]

    def job(self, job):
        return self.ask("job", "show", job)

    def wait_job(self, job, states, limit_s=30):
        def reached():
            view = self.job(job)
            check(view["state"] in states or view["state"] not in ENDED,
                  f"job {job} is {view['state']}: {view['why']}")
            return view if view["state"] in states else None
        return wait_for(f"job {job} in {states}", reached, limit_s, 0.1)

    def cancel(self, job):
        self.run("job", "cancel", job, "-y")
        return self.wait_job(job, {"cancelled"})

    def vault_is_open(self):
        """Names of secrets are told by a sealed vault, too."""
        done = self.command("vault", "status", "-o", "json")
        return done.returncode == 0 and not json.loads(done.stdout)["sealed"]

    # The database, as its administrator.

    def admin(self, program, *words):
        """A client program of PostgreSQL; finished, not checked."""
        return subprocess.run([program, "-w", "-h", self.folder / "run/postgres", "-U",
                               "lepton_admin", "-d", "lepton", *words], capture_output=True,
                              check=False, timeout=60)

    def sql(self, query):
        """Rows as tuples of text; None while PostgreSQL does not answer."""
        done = self.admin("psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", query)
        if done.returncode == 2:
            return None
        check(done.returncode == 0, f"{query}: {done.stderr.decode().strip()}")
        return [tuple(line.split("\t")) for line in done.stdout.decode().splitlines()]

    def number(self, query):
        """Of one row with one column; -1 while PostgreSQL does not answer."""
        rows = self.sql(query)
        return int(rows[0][0]) if rows else -1

    def counter(self, name):
        """Of the deployer's page of metrics; None where it is not there."""
        port = self.base + 3 * len(SERVICES) + SERVICES.index("deployer")
        done = subprocess.run([*self.prefix, "curl", "-sS", "--max-time", "5",
                               f"http://127.0.0.1:{port}/metrics"], check=False,
                              capture_output=True, text=True)
        found = re.search(rf'what="{name}"\}} (\d+)', done.stdout)
        return int(found[1]) if found else None

    # Processes.

    def is_ours(self, pid):
        return any(str(self.folder) in word for word in words_of(pid))

    def leftovers(self):
        return [pid for pid in processes() if pid != os.getpid() and self.is_ours(pid)]

    def join(self, name, prefix=()):
        """`lepton node join` of one more machine, as a person would do it; its own Stack, which
        goes with this one."""
        token = self.ask("token", "create", "--policy", "node", "--subject", name)["text"]
        context = dict(line.split(": ", 1) for line in
                       (self.state / "client.yaml").read_text().splitlines())
        other = Stack(prefix=prefix)
        other.folder.rmdir()
        other.folder = self.folder  # removed, and its processes ended, with this one
        other.environment |= {"LEPTON_STATE": str(self.folder / name),
                              "LEPTON_RUN": str(self.folder / name / "run")}
        doors = [word for service, option, key in (("deployer", "--deployer", "--server-key"),
                                                   ("monitor", "--monitor", "--monitor-key"))
                 for word in (option, context[f"{service}_endpoint"].strip('"'),
                              key, context[f"{service}_key"].strip('"'))]
        other.run("node", "join", "-", *doors, "--name", name, text=token)
        return other

    def pid(self, name):
        """Of a service, the node or the postmaster; None while there is none."""
        if name == "postgres":
            wanted = ["-D", str(self.state / "postgres")]
        else:
            wanted = ["--config", str(self.state / f"config/{name}.yaml")]
        # A fork of PostgreSQL shows the postmaster's words for a moment.
        parent = self.supervisor()
        found = [pid for pid in processes()
                 if words_of(pid)[1:3] == wanted and parent_of(pid) == parent]
        return found[0] if found else None

    def supervisor(self):
        return int((self.state / "up.lock").read_text())

    def kill(self, name):
        """With -9; its pid."""
        pid = self.pid(name)
        check(pid is not None, f"there is no process of {name} to kill")
        check(send_signal(pid, signal.SIGKILL, self.is_ours), f"{name} was gone before the kill")
        return pid

    def show_logs(self):
        for log in sorted((self.state / "log").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-25:]
            print(f"--- {log.name}", *lines, sep="\n", file=sys.stderr)

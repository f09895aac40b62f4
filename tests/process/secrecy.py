#!/usr/bin/env python3
"""A secret whose value is a canary reaches the environment of the one task that asks for it, and is
found nowhere else: not in a dump of the database, its data files or its write-ahead log, not in any
file below the state and run folders (logs, settings, records of attempts), not in the words or the
environment of another process, not in the memory of a process that does not pass it on, not in the
audit log, and not on the loopback wire. As itself, in hexadecimal or in base64. The root key and
the administrator's token are looked for too, outside the files that hold them."""

import base64
import collections
import contextlib
import hashlib
import os
import pathlib
import secrets
import socket
import threading

from stack import (Stack, check, equal, parent_of, processes, run_test, skip, wait_for,
                   words_of)

CHUNK = 1 << 20
# The vault opens it, the deployer carries it to the node (in CURVE), the node hands it to the task.
PASS_IT_ON = ("vault", "deployer", "node")


def forms(value):
    """What it may look like; base64 has three alignments, of which the middle is constant."""
    raw = value.encode()
    found = {"plain": raw, "hexadecimal": raw.hex().encode(),
             "UTF-16": value.encode("utf-16-le")}
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + raw)
        found[f"base64 at {shift}"] = text[4 if shift else 0:-4]
    return found


def form_in(data, needles):
    return next((form for form, needle in needles.items() if needle in data), None)


def form_in_file(path, needles):
    overlap = max(map(len, needles.values())) - 1
    tail = b""
    with open(path, "rb") as source:
        while chunk := source.read(CHUNK):
            if form := form_in(tail + chunk, needles):
                return form
            tail = chunk[-overlap:]
    return None


class Wire(threading.Thread):
    """Every packet of the loopback interface while it is open; where that is not allowed, none, and
    the test counts as skipped in the end."""

    def __init__(self, needles):
        super().__init__(daemon=True)
        self.needles, self.found, self.octets, self.socket = needles, None, 0, None
        with contextlib.suppress(PermissionError, AttributeError):
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            opened.bind(("lo", 0))
            opened.settimeout(0.2)
            self.socket = opened
        self.over = threading.Event()

    def run(self):
        while self.socket and not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                packet = self.socket.recv(1 << 17)
                self.octets += len(packet)
                self.found = self.found or form_in(packet, self.needles)

    def is_open(self):
        return self.socket is not None

    def stop(self):
        self.over.set()
        self.join()
        if self.socket:
            self.socket.close()


def check_files(stack, needles, allowed=()):
    """How many files were read."""
    count = 0
    for path in stack.folder.rglob("*"):
        if not path.is_file() or path in allowed:
            continue
        with contextlib.suppress(FileNotFoundError):  # PostgreSQL removes files of its own
            form = form_in_file(path, needles)
            check(form is None, f"{path.relative_to(stack.folder)} holds it ({form})")
            count += 1
    return count


def check_database(stack, needles):
    dump = stack.admin("pg_dump")
    equal(dump.returncode, 0, f"pg_dump ({dump.stderr.decode().strip()})")
    check(b"COPY vault.secret_version" in dump.stdout, "the dump does not hold the vault's rows")
    # The columns of octets are in hexadecimal there, as one of the forms is.
    equal(form_in(dump.stdout, needles), None, "found in the dump")
    stack.sql("CHECKPOINT")  # from memory into the data files


def check_processes(needles, task):
    """Words and environment of all; those of the task must hold it."""
    for pid in processes():
        for name in ("cmdline", "environ"):
            try:
                data = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue  # it ended, or is another account's
            form = form_in(data, needles)
            if (pid, name) == (task, "environ"):
                equal(form, "plain", "the secret in the task's environment")
            else:
                check(form is None, f"{name} of process {pid} holds it ({form})")


def memory_of(pid, rights=("rw-p",)):
    """What a process may write, area by area; less where it ends meanwhile."""
    with contextlib.suppress(OSError):
        areas = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for area in areas:
                bounds, its_rights = area.split()[:2]
                if its_rights not in rights:
                    continue
                first, end = (int(bound, 16) for bound in bounds.split("-"))
                with contextlib.suppress(OSError):  # one of the kernel's own
                    memory.seek(first)
                    yield memory.read(end - first)


def check_memory(stack, needles):
    """How many octets were looked through, those that PostgreSQL shares once. Root only."""
    check(any(form_in(area, needles) for area in memory_of(os.getpid())),
          "the search does not find what this process holds")
    postmaster, seen = stack.pid("postgres"), collections.Counter()
    pass_it_on = {stack.pid(name) for name in PASS_IT_ON}
    ours = [pid for pid in processes() if stack.is_ours(pid) or parent_of(pid) == postmaster]
    for pid in {*ours, stack.supervisor()} - pass_it_on - {os.getpid()}:
        words = " ".join(words_of(pid))
        for area in memory_of(pid, ("rw-p", "rw-s") if pid == postmaster else ("rw-p",)):
            seen[pid] += len(area)
            form = form_in(area, needles)
            check(form is None, f"the memory of process {pid} ({words}) holds it ({form})")
    for name in ("monitor", "scaler", "auditor", "postgres"):
        check(seen[stack.pid(name)] > 1 << 20, f"the memory of {name} was not looked through")
    return sum(seen.values())


def check_detector(stack, needles):
    """A search that finds nothing proves something only if it finds what is there."""
    planted = stack.folder / "planted"
    for form, needle in needles.items():
        planted.write_bytes(b"y" * (CHUNK - len(needle) // 2) + needle + b"y")
        check(form_in_file(planted, needles) is not None, f"the search does not find {form}")
    planted.unlink()


def start_task(stack, canary):
    """It proves by a digest that it was given the value, and stays."""
    job = stack.apply({"name": "reader", "secrets": {"CANARY": "vault://ml/canary"},
                       "command": ["/bin/sh", "-c", "printf '%s %s\\n' \"$$\" \"$(printf %s "
                                   "\"$CANARY\" | sha256sum)\"; exec /bin/sleep 1800"],
                       "max_duration": "1h", "resources": {"cpus": "100m", "memory": "64MiB"}})
    stack.wait_job(job, {"running"})
    line = wait_for("line in its log", lambda: stack.run("job", "logs", job).split(), 20)
    equal(line[1], hashlib.sha256(canary.encode()).hexdigest(), "digest of what the task was given")
    return job, int(line[0])


def check_audit(stack, needles, job):
    reads = stack.ask("audit", "sql", "SELECT action, outcome, detail FROM secret_reads")
    actions = [read["action"] for read in reads]
    check("vault.secret.get" in actions and "vault.secret.resolve" in actions,
          f"the reads of the secret are not in the audit log: {actions}")
    for words in (["audit", "tail", "-o", "json"],
                  ["audit", "sql", "SELECT * FROM audit_log"], ["job", "show", job, "-o", "json"],
                  ["secret", "list", "-o", "json"]):
        equal(form_in(stack.run(*words).encode(), needles), None, f"found in {' '.join(words)}")


def check_everywhere(stack, canary, job, task):
    needles = forms(canary)
    check_processes(needles, task)
    check_database(stack, needles)
    check_audit(stack, needles, job)
    octets = check_memory(stack, needles) if os.geteuid() == 0 else 0
    count = check_files(stack, needles)
    check(count > 500, f"only {count} files were read; is PostgreSQL's folder among them?")
    print(f"not in {count} files, the dump, the audit log, the words and environments of other "
          f"processes, or {octets >> 20} MiB of memory")
    for name in ("vault.key", "admin.token", "node.token"):
        file = stack.state / name
        text = file.read_text().strip()
        equal(file.stat().st_mode & 0o777, 0o600, f"mode of {name}")
        check_files(stack, forms(text), allowed=(file,))
        check_processes(forms(text), None)


def test():
    canary = "canary-" + secrets.token_hex(24)
    with Stack(up=["--node-name", "here"]) as stack:
        check_detector(stack, forms(canary))
        wire = Wire(forms(canary))
        wire.start()
        stack.run("secret", "put", "ml/canary", text=canary)
        equal(stack.run("secret", "get", "ml/canary"), canary, "the value that was put")
        job, task = start_task(stack, canary)
        check_everywhere(stack, canary, job, task)
        # Kept across lives: what a crash leaves behind is looked through too.
        for name in ("vault", "deployer", "node"):
            old = stack.kill(name)
            wait_for(f"new {name}", lambda: stack.pid(name) not in (None, old))
        wait_for("open vault", lambda: stack.command("secret", "get", "ml/canary").stdout == canary)
        wait_for("deployer", lambda: stack.command("job", "show", job).returncode == 0)
        check_everywhere(stack, canary, job, task)
        stack.cancel(job)
        wire.stop()
        equal(wire.found, None, "found on the wire")
        if wire.is_open():
            check(wire.octets > 10_000, f"only {wire.octets} octets were seen on the wire")
        check_files(stack, forms(canary))
        stack.run("audit", "verify")
    if not wire.is_open():
        skip("the wire and memory were not looked at, for root only can see packets (AF_PACKET) "
             "and the memory of services; all else has passed")


if __name__ == "__main__":
    run_test(test)

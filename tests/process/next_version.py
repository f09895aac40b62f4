#!/usr/bin/env python3
"""Version N of the vault beside version N+1 (next/: an added field in a request and in two replies,
an added message, a migration), while everything else is of version N. The migration comes under
the running programs; N+1 takes over from N, N from N+1; a client of N+1 speaks to both. Jobs that
need secrets go on all the while. In the end the old version is not started any more, says why, and
what it names as the cure is one: the next version starts, and everything is there."""

import json
import pathlib
import shutil
import subprocess
import threading

from stack import ROOT, Stack, check, equal, run_test, wait_for
from standby import Standby, hand_back, kill_and_take_over

NEXT = pathlib.Path(__file__).resolve().parent / "next"
KEPT = "kept-beside-the-next-version"
FOR_THE_MOMENT = {6, 7}  # exit statuses: send it again


def spec(name, script):
    return {"name": name, "command": ["/bin/sh", "-c", script],
            "resources": {"cpus": "100m", "memory": "64MiB"}, "secrets": {"T": "vault://ml/kept"}}


class Work(threading.Thread):
    """Jobs that need a secret, one after the other, each to its end; and the secret is read."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.is_over, self.error = stack, False, None
        self.jobs, self.refused = [], 0
        self.start()

    def run(self):
        try:
            while not self.is_over:
                self.once()
        except Exception as error:  # reported by the main thread
            self.error = error

    def once(self):
        wanted = spec(f"work-{len(self.jobs)}-{self.refused}", f'test "$T" = {KEPT}')
        applied = self.tried("apply", "-f", "-", "-y", "-o", "json", text=json.dumps(wanted))
        if applied:
            job = json.loads(applied)["job"]
            equal(self.stack.wait_job(job, {"succeeded"}, 60)["round"], 1, f"attempts of {job}")
            self.jobs.append(job)
        read = self.tried("secret", "get", "ml/kept")
        check(read in (None, KEPT), f"the secret reads {read!r}")

    def tried(self, *words, text=None):
        """Standard output, or None where it was refused for the moment."""
        done = self.stack.command(*words, text=text)
        if done.returncode == 0:
            return done.stdout
        check(done.returncode in FOR_THE_MOMENT,
              f"{words} ended with {done.returncode}: {done.stderr.strip()}")
        self.refused += 1
        return None

    def goes_on(self):
        """Until a job has been through that was begun after this call."""
        enough = len(self.jobs) + 2
        wait_for("work that ends well", lambda: self.error or len(self.jobs) >= enough, 60)
        if self.error:
            raise self.error

    def finish(self):
        self.is_over = True
        self.join(120)
        check(not self.is_alive(), "the work does not end")
        if self.error:
            raise self.error


class Secrets:
    """Everything that was put, by whichever version, and the note that it must have."""

    def __init__(self, stack):
        self.stack, self.values = stack, {}

    def put(self, path, value):
        self.stack.run("secret", "put", path, text=value)
        self.values[path] = value

    def put_noted(self, path, value, note):
        """By the next version's client; the note in the answer."""
        told = asked_next(self.stack, "put", f"secret/{path}", note, text=value)
        self.values[path] = value
        return told

    def read(self):
        for path, value in self.values.items():
            equal(self.stack.run("secret", "get", path), value, f"the secret {path}")
        listed = self.stack.ask("secret", "list")["secrets"]
        equal({line["path"] for line in listed}, {f"secret/{path}" for path in self.values},
              "secrets in the list")
        check(all("note" not in line for line in listed), f"this version knows notes: {listed}")


def by_next(stack, *words, text=""):
    return subprocess.run([stack.bin / "lepton-next", *map(str, words)], env=stack.environment,
                          input=text, capture_output=True, text=True, check=False, timeout=60)


def asked_next(stack, *words, text=""):
    done = by_next(stack, *words, text=text)
    equal(done.returncode, 0, f"lepton-next {words[0]} ({done.stderr.strip()})")
    return done.stdout.rstrip("\n")


def notes(stack):
    return dict(stack.sql("SELECT path, note FROM vault.secret WHERE note <> ''"))


def check_next_client(stack, secrets, path, value):
    """At a vault of this version: its added field is passed over, its added message refused."""
    equal(secrets.put_noted(path, value, "passed over"), "", "note in the answer")
    done = by_next(stack, "note", "secret/ml/kept", "lost")
    equal((done.returncode, done.stderr.strip()),
          (3, "vault knows no request 'vault.secret.note'"), "the added message at this version")


def only_in_next(stack):
    """Nothing of the next version is in a released program."""
    holders = [name for name in ("lepton", "lepton-vault", "lepton-deployer", "lepton-vault-next")
               if b"NotedVault" in (stack.bin / name).read_bytes()]
    equal(holders, ["lepton-vault-next"], "programs that hold the next version's vault")


def newer_sql(stack):
    """The folder of migrations of the next version, and what the vault's last one is called."""
    folder = stack.folder / "sql"
    shutil.copytree(ROOT / "schemas/sql", folder)
    number = len(list((folder / "vault").iterdir())) + 1
    shutil.copy(NEXT / "notes.sql", folder / f"vault/{number:04}_notes.sql")
    return folder, f"vault/{number:04}_notes"


def next_client_at_this_version(stack, secrets):
    pid = stack.pid("vault")
    check_next_client(stack, secrets, "ml/early", "early")
    secrets.read()
    equal(stack.pid("vault"), pid, "the vault's process")


def migrate(stack, secrets, folder, label):
    pids = {service: stack.pid(service) for service in ("vault", "deployer", "auditor")}
    applied = asked_next(stack, "migrate", stack.folder / "run/postgres", folder)
    equal(applied, f"vault: {label}", "migrations applied under the running programs")
    secrets.put("ml/migrated", "put by this version over the newer schema")
    secrets.put("ml/early", "again")
    secrets.read()
    equal({service: stack.pid(service) for service in pids}, pids, "processes")


def next_takes_over(stack, work, secrets):
    following = Standby(stack, "vault", "next", program="lepton-vault-next").wait_standing_by()
    taken_s = kill_and_take_over(stack, "vault", following)
    wait_for("open vault", stack.vault_is_open, 20)
    work.goes_on()
    secrets.put("ml/late", "put by this version's client at the next vault")
    secrets.read()
    equal(secrets.put_noted("ml/noted", "noted", "for training"), "for training", "note")
    check("values with their versions for" in following.log(),
          f"no job had its secrets from the next vault: {following.log()}")
    stack.run("vault", "rotate")
    secrets.read()
    print(f"the next vault took over after {taken_s:.2f} s; {len(work.jobs)} jobs so far")
    return following


def added_message(stack, secrets):
    equal(asked_next(stack, "note", "secret/ml/kept", "for every job"), "for every job", "note")
    absent = by_next(stack, "note", "secret/ml/absent", "nothing")
    equal((absent.returncode, absent.stderr.strip()), (3, "there is no secret secret/ml/absent"),
          "note of no secret")
    wait_for("entry of the added message", lambda: stack.number(
        "SELECT count(*) FROM auditor.entry WHERE action = 'vault.secret.note' "
        "AND outcome = 'done' AND resource = 'secret/ml/kept'") == 1, 20)
    equal(notes(stack), {"secret/ml/kept": "for every job", "secret/ml/noted": "for training"},
          "notes")
    secrets.read()


def this_takes_back(stack, work, secrets, following):
    """The supervised vault, of this version, goes on where the next one was."""
    hand_back(stack, "vault", following)
    wait_for("open vault", stack.vault_is_open, 20)
    work.goes_on()
    secrets.read()
    secrets.put("ml/noted", "put by this version after the next one")
    check_next_client(stack, secrets, "ml/kept", KEPT)
    equal(notes(stack), {"secret/ml/kept": "for every job", "secret/ml/noted": "for training"},
          "notes, which this version neither reads nor writes")
    work.goes_on()


def old_start_is_refused(stack, label):
    stack.run("down")
    refused = stack.command("up", "--detach", "--port-base", stack.base, *stack.up_options)
    equal(refused.returncode, 5, f"exit status of an old start ({refused.stderr.strip()})")
    sentence = (f"schema vault has migration {label}, which this program does not know: the "
                "database is newer; run the newer version of the program")
    check(sentence in refused.stderr, f"the refusal is another: {refused.stderr}")


def next_release(stack, folder):
    """The programs of the next version, with its migrations, as `lepton up` finds them."""
    programs = stack.folder / "bin"
    programs.mkdir()
    for program in stack.bin.glob("lepton*"):
        (programs / program.name).symlink_to(program)
    (programs / "lepton-vault").unlink()
    (programs / "lepton-vault").symlink_to(stack.bin / "lepton-vault-next")
    (programs / "lepton").unlink()
    shutil.copy(stack.bin / "lepton", programs / "lepton")  # it looks beside itself
    stack.bin = programs
    stack.environment["LEPTON_SQL"] = str(folder)
    stack.up()
    running = pathlib.Path(f"/proc/{stack.pid('vault')}/exe").readlink().name
    equal(running, "lepton-vault-next", "the vault that runs")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        only_in_next(stack)
        folder, label = newer_sql(stack)
        secrets = Secrets(stack)
        secrets.put("ml/kept", KEPT)
        end = stack.folder / "end"
        through = stack.apply(spec("through", f'until test -e {end}; do sleep 0.2; done; '
                                              f'test "$T" = {KEPT}'))
        stack.wait_job(through, {"running"})
        work = Work(stack)
        work.goes_on()
        next_client_at_this_version(stack, secrets)
        migrate(stack, secrets, folder, label)
        following = next_takes_over(stack, work, secrets)
        added_message(stack, secrets)
        this_takes_back(stack, work, secrets, following)
        work.finish()
        end.touch()
        equal(stack.wait_job(through, {"succeeded"})["round"], 1, "attempts of the long job")
        print(f"{len(work.jobs)} jobs with a secret, none restarted; {work.refused} requests "
              "refused for the moment")
        stack.run("audit", "verify")
        old_start_is_refused(stack, label)
        next_release(stack, folder)
        secrets.read()
        equal(asked_next(stack, "note", "secret/ml/noted", "for good"), "for good", "note")
        stack.wait_job(stack.apply(spec("after", f'test "$T" = {KEPT}')), {"succeeded"}, 60)
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

#!/usr/bin/env python3
"""Faults at random moments on a whole stack at work: kill -9 of the holder or the standby of each
service, of two nodes, of runners and of PostgreSQL, and SIGSTOP past a lease. The work is jobs,
some from working folders, some with secrets, commands beside them, other sizes, and a service that
is scaled. A driver outside the product writes down each request before it is sent, and its answer;
in the end the checker (history.py) reads that and the database: nothing acknowledged is lost,
nothing happened twice.

usage: chaos.py [--kills N] [--seed S]
  --kills N  how many kills (default 60), about one in 1.2 s; stops come on top, one to six or seven
  --seed S   which faults, when and whom; printed at the start"""

import argparse
import collections
import itertools
import json
import random
import signal
import threading
import time

from fleet import NODES, second_instances, second_node
from found import SERVICE, await_ends, check_blame, found_in
from history import ACKNOWLEDGED, REFUSED, SLEEPER_S, UNKNOWN, Request, judge
from stack import (SERVICES, Failed, Stack, check, processes, run_test, send_signal, wait_for,
                   words_of)

DRIVERS = 3
PAUSE_S = 0.25  # of a driver between two requests: more jobs than the node can start prove no more
# A lease of a service has lapsed after 4 s, and one of a task, 3 s, so that it may start elsewhere.
FROZEN_S, NODE_FROZEN_S = 5.0, 9.0
FULL, MOVE_TRIES_MAX = 60, 5  # so many kills and more meet each kind of case
PAUSES_S = (0.05, 1.2)  # between two faults: the next one often falls into a recovery
# The supervisor gives up on what ends more than five times within 60 s.
SUPERVISED_MAX, SUPERVISED_S = 4, 66.0
FINAL_ERRORS = (2, 3, 4)  # exit status: bad usage, not found, denied: it can never take effect
# The lock of a file lives as long as a process of the attempt: a second one at the same time shows.
BEGIN = ('flock -n 9 || echo "twice $LEPTON_ATTEMPT_ID" >&9; echo "start $LEPTON_ATTEMPT_ID" >&9; ')
# A task without its secret fails by itself, which nothing may (found.py).
MARK = ('cd "$PLACE"; exec 9>>"$JOB"; ' + BEGIN + 'test "$BOX" = "$WANTED" || exit 9; '
        'sleep "$SECONDS_LONG" && echo "end $LEPTON_ATTEMPT_ID" >&9')
REPLICA = 'cd "$PLACE"; exec 9>>"$LEPTON_TASK_ID"; ' + BEGIN + 'exec sleep 3600'
SMALL = {"cpus": "10m", "memory": "16MiB"}


class History:
    """One line for each request before it is sent, one for its end."""

    def __init__(self, file):
        self.file, self.lock, self.numbers = open(file, "a", buffering=1), threading.Lock(), \
            itertools.count()

    def note(self, **what):
        with self.lock:
            self.file.write(json.dumps(what | {"at": round(time.monotonic(), 3)}) + "\n")

    @staticmethod
    def read(file):
        requests = {}
        for line in open(file, encoding="utf-8"):
            row = json.loads(line)
            if "kind" in row:
                requests[row["n"]] = Request(row["kind"], row["key"], value=row["value"],
                                             sent_at=row["at"], ended_at=row["at"])
            else:
                asked = requests[row["n"]]
                asked.outcome, asked.answer, asked.ended_at = \
                    row["outcome"], row["answer"], row["at"]
        return list(requests.values())


class Driver(threading.Thread):
    def __init__(self, stack, history, place, number, seed):
        super().__init__()
        self.stack, self.history, self.place = stack, history, place
        self.chance, self.tag = random.Random(f"{seed} driver {number}"), f"c{number}"
        self.jobs, self.sleepers, self.is_over, self.error = [], [], False, None
        self.box = None  # a secret of its own that is stored for certain

    def run(self):
        try:
            while not self.is_over:
                self.act()
        except Exception as error:  # reported by the main thread
            self.error = error

    def act(self):
        turn = self.chance.random()
        if turn < 0.55:
            self.submit()
        elif turn < 0.67 and self.jobs:
            self.cancel()
        elif turn < 0.75 and self.jobs:
            self.run_command()
        elif turn < 0.81 and self.jobs:
            name, job = self.chance.choice(self.jobs[-5:] + self.sleepers)
            cpu = self.chance.randint(1, 40)
            self.send("resize", name, "job", "resize", job, "--cpu", f"{cpu}m", value=cpu)
        elif turn < 0.87:
            replicas = self.chance.randint(1, 3)
            self.send("scale", SERVICE, "service", "scale", SERVICE, replicas, value=replicas)
        else:
            number = next(self.history.numbers)
            path = f"chaos/{self.tag}/{number}"
            if self.send("put", path, "secret", "put", path, text=f"value {number}"):
                self.box = path, f"value {number}"

    def cancel(self):
        """Of what would never end by itself, so that a lost one shows, or of what may be ending."""
        jobs = self.chance.choice((self.jobs, self.sleepers)) if self.sleepers else self.jobs
        name, job = jobs.pop()
        self.send("cancel", name, "job", "cancel", job, "-y")

    def submit(self):
        name = f"{self.tag}-{next(self.history.numbers)}"
        seconds = self.chance.choice((0, 0, 1, 1, 4, SLEEPER_S))
        spec = {"name": name, "command": ["/bin/sh", "-c", MARK], "max_duration": "48h",
                "env": {"PLACE": str(self.place), "JOB": name,
                        "SECONDS_LONG": str(seconds)},
                "lease": self.chance.choice(("3s", "30s")), "stop_grace": "1s",
                "retry": {"on": ["interruption"], "backoff": "1s"},
                "resources": SMALL}
        if self.chance.random() < 0.3:
            spec |= {"workdir": str(self.folder(name)), "command": ["/bin/sh", "mark.sh"]}
        if self.box and self.chance.random() < 0.3:
            path, value = self.box
            spec |= {"secrets": {"BOX": f"vault://{path}"}}
            spec["env"]["WANTED"] = value
        answer = self.send("submit", name, "apply", "-f", "-", "-y", "-o", "json",
                           text=json.dumps(spec), value=seconds)
        if answer:
            jobs = self.sleepers if seconds == SLEEPER_S else self.jobs
            jobs.append((name, json.loads(answer)["job"]))

    def folder(self, name):
        """One that nobody has sent before."""
        folder = self.stack.folder / f"code-{name}"
        folder.mkdir()
        (folder / "mark.sh").write_text(MARK + f"\n# {name}\n")
        return folder

    def run_command(self):
        """One line in a file of its own, if it runs at all."""
        _, job = self.jobs[-1]
        key = f"exec-{next(self.history.numbers)}"
        script = f"echo ran >> {self.place}/{key}"
        self.send("exec", key, "exec", job, "--", "/bin/sh", "-c", script)

    def send(self, kind, key, *words, text=None, value=None):
        number = next(self.history.numbers)
        self.history.note(n=number, kind=kind, key=key, value=value)
        done = self.stack.command(*words, "--timeout", "10", text=text)
        outcome = (ACKNOWLEDGED if done.returncode == 0 else
                   REFUSED if done.returncode in FINAL_ERRORS else UNKNOWN)
        time.sleep(PAUSE_S)
        acknowledged = done.stdout if outcome == ACKNOWLEDGED else ""
        answer = json.loads(acknowledged)["job"] if kind == "submit" and acknowledged else ""
        self.history.note(n=number, outcome=outcome, answer=answer, status=done.returncode,
                          said=done.stderr.strip()[-300:])
        return acknowledged


class Faults:
    def __init__(self, stack, fleet, nodes, seed):
        self.stack, self.fleet, self.nodes = stack, fleet, nodes
        self.chance = random.Random(f"{seed} faults")
        self.done, self.supervised = collections.Counter(), collections.defaultdict(list)
        self.frozen = []

    def may_fall(self, name):
        recent = [at for at in self.supervised[name] if time.monotonic() - at < SUPERVISED_S]
        self.supervised[name] = recent
        return len(recent) < SUPERVISED_MAX

    def is_supervised(self, name, pid):
        return pid == self.stack.pid("node" if name == f"node {NODES[0]}" else name)

    def send(self, name, pid, number, what):
        supervised = pid is not None and self.is_supervised(name, pid)
        if pid is None or (supervised and not self.may_fall(name)):
            return False
        if supervised:
            self.supervised[name].append(time.monotonic())
        if not send_signal(pid, number, self.stack.is_ours):
            return False
        self.done[f"{what} {name}"] += 1
        return True

    def holder(self, service):
        rows = self.stack.sql(f"SELECT process FROM {service}.lease_beat")
        mark = rows[0][0].split() if rows else []
        return int(mark[2]) if len(mark) == 4 else None

    def instance(self, service):
        if self.chance.random() < 0.75:
            return self.holder(service)
        return self.chance.choice((self.fleet.members[service].pid, self.stack.pid(service)))

    def runner(self):
        found = [pid for pid in processes() if self.stack.is_ours(pid)
                 and (words_of(pid) or [""])[0].endswith("lepton-runner")]
        return self.chance.choice(found) if found else None

    def node(self):
        """Name and pid."""
        name = self.chance.choice(NODES)
        pid = self.stack.pid("node") if name == NODES[0] else self.nodes.members[name].pid
        return f"node {name}", pid

    def one(self):
        turn = self.chance.random()
        service = self.chance.choice(SERVICES)
        if turn < 0.50:
            return self.send(service, self.instance(service), signal.SIGKILL, "kill")
        if turn < 0.65:
            if self.chance.random() < 0.4:
                return self.freeze(*self.node(), NODE_FROZEN_S)
            return self.freeze(service, self.holder(service), FROZEN_S)
        if turn < 0.75:
            return self.send(*self.node(), signal.SIGKILL, "kill")
        if turn < 0.90:
            return self.send("runner", self.runner(), signal.SIGKILL, "kill")
        return self.send("postgres", self.stack.pid("postgres"), signal.SIGKILL, "kill")

    def freeze(self, name, pid, for_s):
        if not self.send(name, pid, signal.SIGSTOP, "freeze"):
            return False
        self.frozen.append(threading.Timer(for_s, send_signal,
                                           (pid, signal.SIGCONT, self.stack.is_ours)))
        self.frozen[-1].start()
        return True

    def count(self, what):
        return sum(times for name, times in self.done.items() if name.startswith(what))

    def run(self, kills):
        """As many of them, and what is stopped meanwhile; a node also for work that moves."""
        while self.count("kill ") < kills:
            time.sleep(self.chance.uniform(*PAUSES_S))
            self.one()
            for fleet in (self.fleet, self.nodes):
                if fleet.error:
                    raise fleet.error
            check(words_of(self.stack.supervisor()), "`lepton up` has given up")
        self.thaw()
        for _ in range(MOVE_TRIES_MAX if kills >= FULL else 0):
            if moves(self.stack)[2]:
                break
            other = NODES[1]  # which nobody gives up on
            self.freeze(*self.node(), NODE_FROZEN_S) or \
                self.freeze(f"node {other}", self.nodes.members[other].pid, NODE_FROZEN_S)
            self.thaw()

    def thaw(self):
        for timer in self.frozen:
            timer.join()


def serve(stack, place):
    """A service whose replicas know when they are two, and that the scaler has taken over."""
    stack.run("service", "apply", "-", text=json.dumps({
        "type": "service", "name": SERVICE, "command": ["/bin/sh", "-c", REPLICA],
        "env": {"PLACE": str(place)}, "resources": SMALL, "replicas": {"min": 1, "max": 3},
        "scale": {"policy": "threshold", "signal": "cpu", "per_replica": 0.5},
        "lease": "10s", "stop_grace": "1s"}))
    wait_for("scaler that knows the service",
             lambda: stack.command("service", "explain", SERVICE).returncode == 0)


def end_service(stack):
    """Once as many replicas are ready as are wanted in the end."""
    def steady():
        shown = stack.command("service", "show", SERVICE, "-o", "json")
        line = json.loads(shown.stdout)["line"] if shown.returncode == 0 else {}
        return line and line["ready"] == line["wanted"]
    wait_for("steady service", steady, 90, 0.3)
    stack.run("service", "remove", SERVICE, "-y")


def counted(requests):
    """The acknowledged ones by kind; cancels of what would never have ended by themselves apart."""
    endless = {r.key for r in requests if r.kind == "submit" and r.value == SLEEPER_S}
    kinds = collections.Counter(
        "cancel of endless work" if r.kind == "cancel" and r.key in endless else r.kind
        for r in requests if r.outcome == ACKNOWLEDGED)
    return sorted(kinds.items())


def settle(stack, file, place):
    """The verdict, when work has ended and the auditor has caught up."""
    wait_for("health of everything", lambda: stack.command("status").returncode == 0, 60, 0.3)
    end_service(stack)
    requests = History.read(file)
    await_ends(stack, requests)
    check_blame(stack)
    print("acknowledged: " + ", ".join(f"{kind} {n}" for kind, n in counted(requests)))
    boxes = stack.number("SELECT count(*) FROM deployer.job JOIN deployer.job_run USING (job) "
                         "WHERE state = 'succeeded' AND spec::text LIKE '%vault://chaos/%'")
    print(f"jobs that had their secret and succeeded: {boxes}")
    wait_for("caught up auditor", lambda: stack.number(
        "SELECT " + " + ".join(f"(SELECT count(*) FROM {service}.event WHERE stream = 'audit')"
                               for service in SERVICES if service != "auditor")) == 0, 60, 0.3)
    return judge(requests, found_in(stack, place))


def drive(stack, nodes, arguments, file, place):
    history, fleet = History(file), second_instances(stack)
    faults = Faults(stack, fleet, nodes, arguments.seed)
    drivers = [Driver(stack, history, place, n, arguments.seed) for n in range(DRIVERS)]
    for thread in (fleet, *drivers):
        thread.start()
    try:
        faults.run(arguments.kills)
    finally:
        for driver in drivers:
            driver.is_over = True
        for driver in drivers:
            driver.join()
        fleet.stop()
    for driver in drivers:
        if driver.error:
            raise driver.error
    print(f"faults: {faults.count('kill ')} kills and {faults.count('freeze ')} stops", flush=True)
    return faults.done


def moves(stack):
    """How many jobs were placed, were so more than once, and at both nodes."""
    rows = stack.sql("SELECT job, string_agg(nodes ->> 0, ' ' ORDER BY number) FROM "
                     "deployer.decision WHERE kind = 'place' AND job <> '' GROUP BY job") or []
    places = [where.split() for _, where in rows]
    return (len(places), sum(len(nodes) > 1 for nodes in places),
            sum(len(set(nodes)) > 1 for nodes in places))


def check_moves(stack, kills):
    """Two attempts at once are likeliest where the next one starts at the other node."""
    placed, again, moved = moves(stack)
    print(f"{placed} jobs were placed, {again} of them more than once, {moved} at both nodes")
    check(kills < FULL or moved, "nothing was started again at the other node")


def show(verdict, done, file):
    print(", ".join(f"{what} {times}" for what, times in sorted(done.items())))
    print(f"{verdict.text()}; {verdict.again} jobs were done again, since that was lost")
    for title in ("lost", "doubled", "unexplained"):
        for line in getattr(verdict, title)[:20]:
            print(f"  {title}: {line}")
    if not verdict.is_good():
        print(*file.read_text().splitlines()[-60:], sep="\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    return parser.parse_args()


def test():
    arguments = parse()
    print(f"seed {arguments.seed}, {arguments.kills} kills", flush=True)
    with Stack(up=["--node-name", "here"]) as stack:
        place, file = stack.folder / "marks", stack.folder / "history.jsonl"
        place.mkdir()
        place.chmod(0o777)  # tasks run as another user
        serve(stack, place)
        nodes = second_node(stack, arguments.seed)
        nodes.start()
        try:
            begin = time.monotonic()
            done = drive(stack, nodes, arguments, file, place)
            print(f"faults took {time.monotonic() - begin:.1f} s", flush=True)
            verdict = settle(stack, file, place)
            check_moves(stack, arguments.kills)
        except Failed as failure:
            raise Failed(f"seed {arguments.seed}: {failure}") from failure
        finally:
            nodes.stop()
        show(verdict, done, file)
        check(verdict.is_good(), f"seed {arguments.seed}: {verdict.text()}")
        check(verdict.acknowledged > arguments.kills, "too little was acknowledged to prove much")
        counts = dict(counted(History.read(file)))
        for kind in ("cancel of endless work", "resize", "scale"):
            check(arguments.kills < FULL or counts.get(kind), f"no {kind} was acknowledged")
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

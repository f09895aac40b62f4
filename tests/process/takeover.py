#!/usr/bin/env python3
"""A second instance of each service waits as a standby and serves nothing. It takes over within 5 s
when the first is killed, stands still, or is cut off from PostgreSQL alone, with a higher epoch;
the first one does nothing more, and nothing that was acknowledged is lost or doubled. An instance
that only cannot confirm its lease refuses, and goes on when nobody has taken over."""

import pathlib
import signal
import socket
import threading
import time

import serving
from stack import Failed, Stack, check, equal, run_test, send_signal, wait_for
from standby import Gate, Standby, listens

TAKEOVER_LIMIT_S = 5.0
SPEC = {"command": ["/bin/true"], "resources": {"cpus": "100m", "memory": "64MiB"},
        "pool": "nowhere"}


class Submitter(threading.Thread):
    """Submits one job after the other, and keeps what was acknowledged: name, job, when."""

    def __init__(self, stack, tag):
        super().__init__(daemon=True)
        self.stack, self.tag = stack, tag
        self.sent, self.acknowledged, self.is_over, self.error = 0, [], False, None
        self.refusals = []  # exit status, sentence
        self.start()

    def run(self):
        try:
            while not self.is_over:
                self.submit()
        except Exception as error:  # reported by the main thread
            self.error = error

    def submit(self):
        name = f"{self.tag}-{self.sent}"
        self.sent += 1
        done = self.stack.command("apply", "-f", "-", "-y", "-o", "json",
                                  text=str(SPEC | {"name": name}).replace("'", '"'))
        if done.returncode == 0:
            self.acknowledged.append((name, time.monotonic()))
        else:
            self.refusals.append((done.returncode, done.stderr.strip()))

    def wait_more(self, since, limit_s=30):
        """When the first request after that moment was acknowledged."""
        wait_for("acknowledged submit",
                 lambda: self.acknowledged and self.acknowledged[-1][1] > since, limit_s)
        return next(at for _, at in self.acknowledged if at > since)

    def finish(self):
        self.is_over = True
        self.join(60)
        if self.error:
            raise self.error
        stored = [name for (name,) in self.stack.sql(
            f"SELECT name FROM deployer.job WHERE name LIKE '{self.tag}-%'")]
        equal(len(set(stored)), len(stored), "jobs with names of their own")
        lost = {name for name, _ in self.acknowledged} - set(stored)
        equal(sorted(lost), [], "acknowledged jobs that are lost")
        print(f"  {self.sent} submits, {len(self.acknowledged)} acknowledged, {len(stored)} stored")


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


def hand_back(stack, service, standby):
    """The supervised one, which waits by now, serves again as soon as the other has stopped."""
    before = epoch(stack, service)
    wait_for(f"supervised {service}", lambda: stack.pid(service), 15)
    standby.stop()
    equal(standby.process.returncode, 0, f"end of the standby of {service}")
    wait_for(f"next holder of {service}", lambda: epoch(stack, service) == before + 1, 10)
    wait_for("health of everything", lambda: stack.command("status").returncode == 0, 20, 0.1)


def kill_each(stack):
    for service in ("deployer", "auditor", "vault", "monitor"):
        standby = Standby(stack, service, f"kill-{service}").wait_standing_by()
        check(not listens(standby.pid), f"the standby of {service} has a door open")
        wait_for(f"standby of {service} in the status", lambda: standbys(stack, service) == 1, 10)
        before, began = epoch(stack, service), time.monotonic()
        stack.kill(service)
        taken_s = took_over(stack, service, before, began, standby)
        check(listens(standby.pid), f"{service} serves without a door")
        print(f"{service} killed: its standby serves after {taken_s:.2f} s")
        hand_back(stack, service, standby)


def serve_on(stack):
    """No request is lost while who decides about a service changes, and the next one goes on."""
    if not pathlib.Path("/usr/sbin/haproxy").exists():
        return
    load = serving.Load(serving.apply(stack, "one")["port"])
    replicas = [replica["job"] for replica in serving.steady(stack)["replicas"]]
    load.start()
    for service in ("scaler", "deployer"):
        standby = Standby(stack, service, f"serve-{service}").wait_standing_by()
        before, began = epoch(stack, service), time.monotonic()
        stack.kill(service)
        took_over(stack, service, before, began, standby)
        load.goes_on()
        if service == "deployer":
            equal([replica["job"] for replica in serving.steady(stack)["replicas"]], replicas,
                  "replicas after the takeover")
            serving.apply(stack, "two")
            serving.steady(stack)
        hand_back(stack, service, standby)
    load.end()
    equal((load.lost[:3], load.seen), ([], {"one", "two"}), "requests lost, versions that answered")
    print(f"a service served on: {load.good} requests, none lost")
    stack.run("service", "remove", "web", "-y")


def wait_for_a_port(stack):
    """What a predecessor has left open is waited for: its sockets close a moment after its end."""
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        metrics = f"127.0.0.1:{occupied.getsockname()[1]}"
        standby = Standby(stack, "scaler", "late-port", metrics=metrics).wait_standing_by()
        stack.kill("scaler")
        wait_for("word that it waits", lambda: "waits for a port" in standby.log()
                 or standby.process.poll() is not None, 15)
        check(standby.process.poll() is None, f"it has ended: {standby.log()}")
    wait_for("takeover when the port is free", standby.serves, 15)
    hand_back(stack, "scaler", standby)


def freeze(stack):
    standby = Standby(stack, "deployer", "freeze").wait_standing_by()
    submits = Submitter(stack, "freeze")
    submits.wait_more(time.monotonic())
    before, pid, began = epoch(stack, "deployer"), stack.pid("deployer"), time.monotonic()
    check(send_signal(pid, signal.SIGSTOP, stack.is_ours), "the deployer is gone")
    taken_s = took_over(stack, "deployer", before, began, standby)
    check(stack.pid("deployer") != pid, "the instance that stood still was not ended")
    served_s = submits.wait_more(began + taken_s) - began
    print(f"deployer stopped by SIGSTOP: serves after {taken_s:.2f} s, stores after "
          f"{served_s:.2f} s")
    submits.finish()
    hand_back(stack, "deployer", standby)


def refusal(stack):
    done = stack.command("job", "list", "--timeout", "1")
    return done.stderr if done.returncode != 0 else ""


def cut_off(stack):
    gate = Gate(stack)
    holder = Standby(stack, "deployer", "behind-gate", gate.url_of(stack, "deployer"))
    holder.wait_standing_by()
    before, began = epoch(stack, "deployer"), time.monotonic()
    stack.kill("deployer")
    took_over(stack, "deployer", before, began, holder)

    # Nobody else is there: it refuses, and goes on with its lease.
    wait_for("supervised standby", lambda: stack.pid("deployer"), 10)
    standby = stack.pid("deployer")
    check(send_signal(standby, signal.SIGSTOP, stack.is_ours), "the standby is gone")
    before = epoch(stack, "deployer")
    gate.shut()
    wait_for("refusal", lambda: "no other instance has taken over" in refusal(stack), 20)
    check(holder.process.poll() is None, "it ended although nobody has taken over")
    gate.open()
    wait_for("answer", lambda: not refusal(stack), 20)
    equal(epoch(stack, "deployer"), before, "epoch after the cut")
    wait_for("word that it goes on", lambda: "goes on" in holder.log(), 5)

    # With a standby: that one takes over, and this one is no more.
    check(send_signal(standby, signal.SIGCONT, stack.is_ours), "the standby is gone")
    submits = Submitter(stack, "cut")
    submits.wait_more(time.monotonic())
    before, began = epoch(stack, "deployer"), time.monotonic()
    gate.shut()
    wait_for("takeover", lambda: epoch(stack, "deployer") == before + 1, 10, 0.01)
    taken_s = time.monotonic() - began
    wait_for("end of the instance that was cut off", lambda: holder.process.poll() is not None, 5)
    served_s = submits.wait_more(began + taken_s) - began
    print(f"deployer cut off from PostgreSQL: taken over after {taken_s:.2f} s, stores after "
          f"{served_s:.2f} s")
    check(taken_s < TAKEOVER_LIMIT_S, f"taken over after {taken_s:.2f} s only")
    submits.finish()
    gate.close()


def replaced(stack):
    """The sentence and the exit status of an instance that learns that another has taken over."""
    holder = Standby(stack, "deployer", "replaced").wait_standing_by()
    before, began = epoch(stack, "deployer"), time.monotonic()
    stack.kill("deployer")
    took_over(stack, "deployer", before, began, holder)
    stack.sql("WITH b AS (UPDATE deployer.lease_beat SET epoch = epoch + 1, process = '') "
              "UPDATE deployer.lease SET epoch = epoch + 1, holder = 'a third one'")
    equal(holder.process.wait(10), 3, "exit status of an instance that was replaced")
    check("another instance has taken over" in holder.log(), f"its last words: {holder.log()}")
    wait_for("supervised deployer", lambda: not refusal(stack), 10)


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        for part in (kill_each, serve_on, wait_for_a_port, freeze, cut_off, replaced):
            try:
                part(stack)
            except Failed as failure:
                raise Failed(f"{part.__name__}: {failure}") from failure
        stack.run("audit", "verify")


if __name__ == "__main__":
    run_test(test)

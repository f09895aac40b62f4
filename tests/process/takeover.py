#!/usr/bin/env python3
"""A second instance of each service waits as a standby and serves nothing. It takes over within 5 s
when the first is killed or stands still, with a higher epoch, or is cut off from PostgreSQL alone;
the first one does nothing more, and nothing that was acknowledged is lost or doubled. One that is
continued after it was replaced, with a change on its way, writes nothing. An instance that only
cannot confirm its lease refuses, and goes on when nobody has taken over.

usage: takeover.py [PART]...  (default: all)"""

import json
import pathlib
import signal
import socket
import sys
import time

import serving
from continued import continued
from stack import (SERVICES, Failed, Stack, check, equal, run_test, send_signal, skip, start_ticks,
                   wait_for)
from standby import (TAKEOVER_LIMIT_S, Gate, Standby, epoch, hand_back, kill_and_take_over, listens,
                     standbys, took_over)
from submitter import SPEC, Submitter

HAPROXY = pathlib.Path("/usr/sbin/haproxy")
# What each answers when it serves again.
QUESTIONS = {"auditor": ["audit", "tail"], "vault": ["secret", "get", "frozen"],
             "scaler": ["service", "explain", "frozen"], "monitor": ["alert", "list"]}


def kill_each(stack):
    for service in SERVICES:
        standby = Standby(stack, service, f"kill-{service}").wait_standing_by()
        check(not listens(standby.pid), f"the standby of {service} has a door open")
        wait_for(f"standby of {service} in the status", lambda: standbys(stack, service) == 1, 10)
        taken_s = kill_and_take_over(stack, service, standby)
        check(listens(standby.pid), f"{service} serves without a door")
        print(f"{service} killed: its standby serves after {taken_s:.2f} s")
        hand_back(stack, service, standby)


def serve_on(stack):
    """No request is lost while who decides about a service changes, and the next one goes on."""
    if not HAPROXY.exists():
        print("SKIPPED: a service that serves on, since HAProxy is not installed")
        return
    load = serving.Load(serving.apply(stack, "one")["port"])
    replicas = [replica["job"] for replica in serving.steady(stack)["replicas"]]
    load.start()
    for service in ("scaler", "deployer"):
        standby = Standby(stack, service, f"serve-{service}").wait_standing_by()
        kill_and_take_over(stack, service, standby)
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


def freeze_others(stack):
    """All at one time: none needs another one for it."""
    stack.run("secret", "put", "frozen", text="kept")
    stack.run("service", "autoscale", "frozen", "--max", "3")
    standing = {service: Standby(stack, service, f"freeze-{service}").wait_standing_by()
                for service in QUESTIONS}
    before = {service: epoch(stack, service) for service in QUESTIONS}
    lives = {service: (stack.pid(service), start_ticks(stack.pid(service)))
             for service in QUESTIONS}
    began = {}
    for service, (pid, _) in lives.items():
        check(send_signal(pid, signal.SIGSTOP, stack.is_ours), f"the {service} is gone")
        began[service] = time.monotonic()
    for service, (pid, ticks) in lives.items():
        taken_s = took_over(stack, service, before[service], began[service], standing[service])
        check(start_ticks(pid) != ticks, f"the {service} that stood still was not ended")
        print(f"{service} stopped by SIGSTOP: serves after {taken_s:.2f} s")
    for service, words in QUESTIONS.items():
        wait_for(f"answer of {service}", lambda asked=words:
                 stack.command(*asked).returncode == 0, 20, 0.1)
    equal(stack.run("secret", "get", "frozen"), "kept", "the secret of before")
    for service, standby in standing.items():
        hand_back(stack, service, standby)


def open_after_two_falls(stack):
    """Right after the start: who serves next falls as soon as it is open (that nobody looked at it
    before is made sure of by Up.AVaultThatFellBeforeAnybodyLookedIsUnsealedAgain)."""
    before = epoch(stack, "vault")
    standby = Standby(stack, "vault", "twice").wait_standing_by()
    stack.kill("vault")
    wait_for("standby that serves", standby.serves, 10)
    wait_for("open vault", stack.vault_is_open, 20)
    wait_for("next standby of the vault", lambda: stack.pid("vault"), 10)
    standby.kill()
    wait_for("next holder of the vault", lambda: epoch(stack, "vault") == before + 2, 10)
    wait_for("open vault after two falls", stack.vault_is_open, 20, 0.1)


def submit(stack, name, *words):
    return stack.command("apply", "-f", "-", "-y", *words, text=json.dumps(SPEC | {"name": name}))


def count_jobs(stack, name):
    return stack.number(f"SELECT count(*) FROM deployer.job WHERE name = '{name}'")


def put(stack, name, *words):
    return stack.command("secret", "put", name, *words, text="value")


def count_secrets(stack, name):
    return stack.number(f"SELECT count(*) FROM vault.secret_version WHERE path ~ '{name}$'")


def continue_replaced(stack):
    continued(stack, "deployer", submit, count_jobs)
    continued(stack, "vault", put, count_secrets)
    equal((count_jobs(stack, "first-deployer"), count_secrets(stack, "first-vault")), (1, 1),
          "changes of before that were acknowledged")


def refusal(stack):
    done = stack.command("job", "list", "--timeout", "1")
    return done.stderr if done.returncode != 0 else ""


def cut_off(stack):
    gate = Gate(stack)
    holder = Standby(stack, "deployer", "behind-gate", gate.url_of(stack, "deployer"))
    holder.wait_standing_by()
    kill_and_take_over(stack, "deployer", holder)

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
    kill_and_take_over(stack, "deployer", holder)
    stack.sql("WITH b AS (UPDATE deployer.lease_beat SET epoch = epoch + 1, process = '') "
              "UPDATE deployer.lease SET epoch = epoch + 1, holder = 'a third one'")
    equal(holder.process.wait(10), 3, "exit status of an instance that was replaced")
    check("another instance has taken over" in holder.log(), f"its last words: {holder.log()}")
    wait_for("supervised deployer", lambda: not refusal(stack), 10)


# A stack for each half: the supervisor gives up on what ends more than five times within 60 s.
HALVES = ((kill_each, serve_on, wait_for_a_port, freeze, freeze_others),
          (open_after_two_falls, continue_replaced, cut_off, replaced))


def run_half(parts):
    with Stack(up=["--node-name", "here"]) as stack:
        for part in parts:
            begin = time.monotonic()
            try:
                part(stack)
            except Failed as failure:
                raise Failed(f"{part.__name__}: {failure}") from failure
            print(f"{part.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
        stack.run("audit", "verify")


def test():
    chosen = sys.argv[1:]
    for half in HALVES:
        if parts := [part for part in half if not chosen or part.__name__ in chosen]:
            run_half(parts)
    if not HAPROXY.exists() and not chosen:
        skip("all has passed but what needs HAProxy, which is not installed")


if __name__ == "__main__":
    run_test(test)

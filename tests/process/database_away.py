#!/usr/bin/env python3
"""PostgreSQL is away for a minute. Every change is refused by its service, not by the patience of
who asks: at once, with the exit status for "not now" and a sentence that names PostgreSQL. No
service ends, the task that runs keeps running; and when PostgreSQL may start again, everything
serves again by itself: what was acknowledged is there once, and what was refused in that time is
not.

usage: database_away.py [SECONDS]"""

import re
import signal
import sys
import time

from kill_during_replay import start_process
from stack import SERVICES, Stack, check, equal, run_test, send_signal, start_ticks, wait_for
from submitter import SPEC, Submitter

AWAY_S = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
# What a client waits is far more than what an answer may take, its own start included: it shows
# that the service has answered. NOT_NOW is the status for that; its own patience gives another.
TIMEOUT_S, ANSWER_LIMIT_S, NOT_NOW = 10, 5.0, 6
CHANGES = ("apply", "secret")
ASKED = (("apply", "-f", "-", "-y"), ("secret", "put", "away/key", "--stdin"), ("job", "list"),
         ("node", "list"), ("audit", "tail"), ("service", "list"))


def ask(stack, number):
    """The longest of one round of requests, seconds; changes must be refused."""
    longest = 0.0
    for words in ASKED:
        begin = time.monotonic()
        spec = str(SPEC | {"name": f"refused-{number}"}).replace("'", '"')
        done = stack.command(*words, "--timeout", TIMEOUT_S, text=spec)
        took_s = time.monotonic() - begin
        longest = max(longest, took_s)
        said = f"{' '.join(words)}: {done.returncode} after {took_s:.2f} s: {done.stderr.strip()}"
        check(took_s < ANSWER_LIMIT_S, f"too late: {said}")
        check(done.returncode in ((NOT_NOW,) if words[0] in CHANGES else (0, NOT_NOW)),
              f"another status than {NOT_NOW}: {said}")
        check(done.returncode == 0 or re.search("error: .*(PostgreSQL|the database is away)",
                                                done.stderr),
              f"no sentence that names the database: {said}")
    return longest


def lives(stack):
    """Pid and start of each service."""
    pids = {service: stack.pid(service) for service in SERVICES}
    return {service: (pid, pid and start_ticks(pid)) for service, pid in pids.items()}


def hold_away(stack, pid, begun):
    """Nobody starts PostgreSQL, or a service, again while the supervisor is held."""
    supervisor, before = stack.supervisor(), lives(stack)
    check(all(number for number, _ in before.values()), f"a service is missing: {before}")
    check(send_signal(supervisor, signal.SIGSTOP, lambda it: it == supervisor), "no supervisor")
    rounds, longest = 0, 0.0
    try:
        stack.kill("postgres")
        end = time.monotonic() + AWAY_S
        wait_for("PostgreSQL that is gone", lambda: stack.number("SELECT 1") < 0, 10)
        while time.monotonic() < end:
            longest = max(longest, ask(stack, rounds))
            rounds += 1
            equal(start_ticks(pid), begun, "start of the task that ran before")
        equal(lives(stack), before, "pid and start of each service while PostgreSQL is away")
    finally:
        send_signal(supervisor, signal.SIGCONT, lambda it: it == supervisor)
    check(rounds > 0, "nothing was asked")
    print(f"{rounds} rounds of {len(ASKED)} requests in {AWAY_S:.0f} s; none took longer than "
          f"{longest:.2f} s")
    return before


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        job, pid, begun = start_process(stack)
        submits = Submitter(stack, "away")
        submits.wait_more(time.monotonic())
        before = hold_away(stack, pid, begun)
        back = time.monotonic()
        print(f"a job is stored again after {submits.wait_more(back) - back:.2f} s")
        wait_for("health of everything", lambda: stack.command("status").returncode == 0, 30, 0.1)
        print(f"everything serves again after {time.monotonic() - back:.2f} s")
        wait_for("open vault", stack.vault_is_open, 20, 0.1)
        submits.finish()
        equal(stack.number("SELECT count(*) FROM deployer.job WHERE name LIKE 'refused-%'"), 0,
              "jobs that were refused")
        equal(start_ticks(pid), begun, "start of the task at the end")
        equal(lives(stack), before, "pid and start of each service at the end")
        equal(stack.job(job)["round"], 1, "rounds of the task")
        # What reads for the auditor may still pause before it looks for the database again.
        wait_for("log that proves itself",
                 lambda: stack.command("audit", "verify").returncode == 0, 20, 0.1)


if __name__ == "__main__":
    run_test(test)

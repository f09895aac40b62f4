#!/usr/bin/env python3
"""PostgreSQL is away for a minute. Every request is refused within its time, with a sentence and
the exit status for "not now"; the task that runs keeps running; and when PostgreSQL may start
again, everything serves again by itself: what was acknowledged is there once, and what was refused
in that time is not.

usage: database_away.py [SECONDS]"""

import signal
import sys
import time

from kill_during_replay import start_process
from stack import Stack, check, equal, run_test, send_signal, start_ticks, wait_for
from submitter import SPEC, Submitter

AWAY_S = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
TIMEOUT_S = 3
# A client waits for its answer, not for ever; its own start is in it, too.
SLACK_S = 3.0
ASKED = (("apply", "-f", "-", "-y"), ("secret", "put", "away/key", "--stdin"), ("job", "list"),
         ("node", "list"), ("audit", "tail"), ("service", "list"))


def ask(stack, number):
    """The longest of one round of requests, seconds; changes must be refused."""
    longest = 0.0
    for words in ASKED:
        begin = time.monotonic()
        spec = str(SPEC | {"name": f"refused-{number}"}).replace("'", '"')
        done = stack.command(*words, "--timeout", TIMEOUT_S, text=spec)
        longest = max(longest, time.monotonic() - begin)
        if words[0] in ("apply", "secret"):
            check(done.returncode in (6, 7), f"{words[0]}: ended with {done.returncode}: "
                  f"{done.stdout} {done.stderr}")
        check(done.returncode == 0 or "error: " in done.stderr, f"no sentence: {done.stderr}")
    return longest


def hold_away(stack, pid, begun):
    """Nobody starts PostgreSQL again while the supervisor is held."""
    supervisor = stack.supervisor()
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
    finally:
        send_signal(supervisor, signal.SIGCONT, lambda it: it == supervisor)
    print(f"{rounds} rounds of {len(ASKED)} requests in {AWAY_S:.0f} s; none took longer than "
          f"{longest:.2f} s")
    check(longest < TIMEOUT_S + SLACK_S, f"a request took {longest:.2f} s")


def test():
    with Stack(up=["--node-name", "here"]) as stack:
        job, pid, begun = start_process(stack)
        submits = Submitter(stack, "away")
        submits.wait_more(time.monotonic())
        hold_away(stack, pid, begun)
        back = time.monotonic()
        print(f"a job is stored again after {submits.wait_more(back) - back:.2f} s")
        wait_for("health of everything", lambda: stack.command("status").returncode == 0, 30, 0.1)
        print(f"everything serves again after {time.monotonic() - back:.2f} s")
        wait_for("open vault", stack.vault_is_open, 20, 0.1)
        submits.finish()
        equal(stack.number("SELECT count(*) FROM deployer.job WHERE name LIKE 'refused-%'"), 0,
              "jobs that were refused")
        equal(start_ticks(pid), begun, "start of the task at the end")
        equal(stack.job(job)["round"], 1, "rounds of the task")
        # What reads for the auditor may still pause before it looks for the database again.
        wait_for("log that proves itself",
                 lambda: stack.command("audit", "verify").returncode == 0, 20, 0.1)


if __name__ == "__main__":
    run_test(test)

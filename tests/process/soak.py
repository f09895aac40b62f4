#!/usr/bin/env python3
"""Load and faults for minutes or hours, and what they leave behind in every process: memory,
descriptors, threads, and the size of every table. The first third of the time kills a service, the
node or PostgreSQL every half minute; the rest is load alone, in which nothing may grow but what is
kept for ever (jobs, their audit entries) and the answers to requests, kept for a day; and those by
so many bytes for each job only (growth.py). Run by scripts/soak; the last line is a JSON object.

usage: soak.py [--minutes N] [--seed S]"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

from growth import growth, judge_lives, judge_processes, judge_tables, table_growth
from stack import ROOT, SERVICES, Stack, check, equal, run_test, wait_for

KILL_EVERY_S = 30
SAMPLE_EVERY_S, TABLES_EVERY_S = 2, 5
QUIET_AFTER_S = 20  # what the last kill has begun anew, and what has piled up, is done by then
SIZES = """SELECT schemaname || '.' || relname, pg_total_relation_size(relid)
FROM pg_stat_user_tables"""
# Counted one by one: what must come to nothing, and what is kept for a while.
COUNTED = ("event", "request", "inbox", "stream", "cursor", "commit_marker", "lease", "lease_beat")
ROWS = " UNION ALL ".join(f"SELECT '{service}.{table}', count(*) FROM {service}.{table}"
                          for service in SERVICES for table in COUNTED) + \
    " UNION ALL SELECT 'deployer.node', count(*) FROM deployer.node"


def sizes(pid):
    """Memory in KiB, descriptors, threads; nothing when it is gone."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return (int(fields["VmRSS"].split()[0]), len(list((folder / "fd").iterdir())),
                int(fields["Threads"]))
    except (OSError, KeyError):
        return None


class Watch(threading.Thread):
    """Samples every process of the stack, by life: a new pid is a new row."""

    def __init__(self, stack, quiet_from):
        super().__init__(daemon=True)
        self.stack, self.next_look, self.error = stack, quiet_from, None
        self.is_quiet = False  # nobody is killed any more
        self.quiet = collections.defaultdict(set)  # the pids of then, by name
        self.lives, self.tables, self.jobs, self.ends = {}, [], 0, threading.Event()

    def run(self):
        try:
            self.watch()
        except Exception as error:  # reported by the main thread
            self.error = error

    def watch(self):
        while not self.ends.wait(SAMPLE_EVERY_S):
            pids = {name: self.stack.pid(name) for name in (*SERVICES, "node", "postgres")}
            pids["up"] = self.stack.supervisor()
            for name, pid in pids.items():
                if self.is_quiet:
                    self.quiet[name].add(pid)
                found = sizes(pid) if pid else None
                if found:
                    self.lives.setdefault((name, pid), []).append((self.jobs, *found))
            self.look_at_tables()

    def look_at_tables(self):
        """Once it is quiet; PostgreSQL may be away for a moment before."""
        if time.monotonic() < self.next_look:
            return
        self.next_look, self.is_quiet = time.monotonic() + TABLES_EVERY_S, True
        sizes_now, rows = self.stack.sql(SIZES), self.stack.sql(ROWS)
        check(sizes_now and rows, "PostgreSQL does not answer although nobody has killed it")
        self.tables.append((self.jobs, {name: int(size) for name, size in sizes_now},
                            {name: int(count) for name, count in rows}))


def replay(stack, watch, number, total):
    """One round of load; what it found wrong."""
    words = ["replay", "--nodes", ROOT / "examples/trace/nodes.csv", "--pods",
             ROOT / "examples/trace/pods.csv", "--pool", f"soak-{number}", "--window", "16"]
    done = stack.command(*words, "-o", "json")
    if done.returncode == 6 and not done.stdout and not watch.is_quiet:
        total["rounds_refused"] = total.get("rounds_refused", 0) + 1  # PostgreSQL has just fallen
        return
    check(done.stdout, f"replay {number} ended with {done.returncode}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    for key in ("placed", "refused", "failed", "audit_missing", "audit_doubled"):
        total[key] = total.get(key, 0) + report[key]
    watch.jobs += report["pods"]


class Killer(threading.Thread):
    """A victim every half minute, the last half a minute before `until`; load runs beside."""

    def __init__(self, stack, chance, begin, until):
        super().__init__(daemon=True)
        self.stack, self.chance, self.victims, self.error = stack, chance, [], None
        self.times = [begin + n * KILL_EVERY_S for n in range(int((until - begin) / KILL_EVERY_S))]

    def run(self):
        try:
            for at in self.times:
                time.sleep(max(0, at - time.monotonic()))
                self.kill(self.chance.choice([*SERVICES, "node", "postgres"]))
        except Exception as error:  # reported by the main thread
            self.error = error

    def kill(self, victim):
        wait_for(f"process of {victim}", lambda: self.stack.pid(victim), KILL_EVERY_S)
        self.stack.kill(victim)
        self.victims.append(victim)


def raise_first(*threads):
    for thread in threads:
        if thread.error:
            raise thread.error


def judge(report, lives):
    return ([f"{report['total'][key]} {key}" for key in ("failed", "audit_missing",
                                                         "audit_doubled") if report["total"][key]]
            + judge_lives(lives) + judge_processes(report["processes"])
            + judge_tables(report["tables"]))


def quiet_lives(watch):
    """By name the growth of the life that was there while nobody was killed."""
    return {name: growth(watch.lives[name, pid]) for name, pids in watch.quiet.items()
            for pid in pids if (name, pid) in watch.lives}


def largest(tables):
    """Of the sizes the twelve largest, of the rows those that there are."""
    sizes_now = sorted(tables["bytes"].items(), key=lambda entry: -entry[1][1])[:12]
    rows = {name: both for name, both in tables["rows"].items() if max(both) > 10}
    return {"jobs": tables["jobs"], "bytes": dict(sizes_now), "rows": rows}


def soak(minutes, seed):
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    with Stack(up=["--node-name", "here"]) as stack:
        begin = time.monotonic()
        end, calm = begin + minutes * 60, begin + minutes * 20
        watch, total = Watch(stack, calm + QUIET_AFTER_S), {}
        killer = Killer(stack, random.Random(seed), begin, calm)
        watch.start()
        killer.start()
        number = 0
        while time.monotonic() < end:
            replay(stack, watch, number := number + 1, total)
            raise_first(killer, watch)
        killer.join()
        watch.ends.set()
        watch.join()
        stack.run("audit", "verify", limit_s=1800)  # of a log that may be very long
        raise_first(killer, watch)
        equal(len(killer.victims), len(killer.times), "kills")
        check(len(watch.tables) >= 4, "the quiet part is too short; give it more minutes")
        report = {"minutes": minutes, "seed": seed, "rounds": number, "jobs": watch.jobs,
                  "kills": len(killer.victims), "total": total, "processes": quiet_lives(watch),
                  "tables": table_growth(watch.tables)}
        wrong = judge(report, watch.quiet)
        print(*wrong, sep="\n", file=sys.stderr)
        report["tables"] = largest(report["tables"])
        check(not wrong, f"something grew or was lost: {json.dumps(report)}")
        return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="scripts/soak --help says more")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    try:
        kept = []
        run_test(lambda: kept.append(soak(options.minutes, options.seed)))
        print(json.dumps(kept[0]))
    except subprocess.TimeoutExpired as late:
        sys.exit(f"FAILED: no end of {late.cmd}")

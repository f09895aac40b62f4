#!/usr/bin/env python3
"""Load and faults for minutes or hours, and what they leave behind in every process: memory,
descriptors, threads, and the size of every table. The first third of the time kills a service, the
node or PostgreSQL every half minute; the rest is load alone, in which nothing may grow but what is
kept for ever (jobs, their audit entries) and the answers to requests, kept for a day; and those by
so many bytes for each job only (growth.py). Run by scripts/soak; the last line is a JSON object.

usage: soak.py [--minutes N] [--seed S]"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

from growth import growth, judge_processes, judge_tables, table_growth
from stack import ROOT, SERVICES, Stack, check, run_test, wait_for

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


def kills(stack, chance, until, done):
    """Until `until` a victim every half minute; a round of load runs beside."""
    while time.monotonic() + KILL_EVERY_S < until:
        victim = chance.choice([*SERVICES, "node", "postgres"])
        wait_for(f"process of {victim}", lambda name=victim: stack.pid(name), 60)
        stack.kill(victim)
        done.append(victim)
        time.sleep(KILL_EVERY_S)


def judge(report):
    return ([f"{report['total'][key]} {key}" for key in ("failed", "audit_missing",
                                                         "audit_doubled") if report["total"][key]]
            + judge_processes(report["processes"]) + judge_tables(report["tables"]))


def longest_lives(watch):
    longest = {}
    for (name, _), samples in watch.lives.items():
        if len(samples) > len(longest.get(name, [])):
            longest[name] = samples
    return {name: growth(samples) for name, samples in longest.items()}


def largest(tables):
    """Of the sizes the twelve largest, of the rows those that there are."""
    sizes_now = sorted(tables["bytes"].items(), key=lambda entry: -entry[1][1])[:12]
    rows = {name: both for name, both in tables["rows"].items() if max(both) > 10}
    return {"jobs": tables["jobs"], "bytes": dict(sizes_now), "rows": rows}


def soak(minutes, seed):
    chance = random.Random(seed)
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    with Stack(up=["--node-name", "here"]) as stack:
        begin = time.monotonic()
        end, calm = begin + minutes * 60, begin + minutes * 20
        watch, victims, total = Watch(stack, calm + QUIET_AFTER_S), [], {}
        watch.start()
        killer = threading.Thread(target=kills, args=(stack, chance, calm, victims), daemon=True)
        killer.start()
        number = 0
        while time.monotonic() < end:
            replay(stack, watch, number := number + 1, total)
        killer.join()
        watch.ends.set()
        watch.join()
        stack.run("audit", "verify", limit_s=1800)  # of a log that may be very long
        if watch.error:
            raise watch.error
        check(len(watch.tables) >= 4, "the quiet part is too short; give it more minutes")
        report = {"minutes": minutes, "seed": seed, "rounds": number, "jobs": watch.jobs,
                  "kills": len(victims), "total": total, "processes": longest_lives(watch),
                  "tables": table_growth(watch.tables)}
        wrong = judge(report)
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

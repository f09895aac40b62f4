#!/usr/bin/env python3
"""Load and faults for minutes or hours, and what they leave behind in every process: memory,
descriptors, threads, and the size of every table. The first third of the time kills a service, the
node or PostgreSQL every half minute; the rest is load alone, in which nothing may grow but what is
kept for ever (jobs, their audit entries). Run by scripts/soak; the last line is a JSON object.

usage: soak.py [--minutes N] [--seed S]"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

from stack import ROOT, SERVICES, Stack, check, run_test, wait_for

KILL_EVERY_S = 30
SAMPLE_EVERY_S = 2
# A job that has ended stays in the deployer's memory and in its tables, with its history.
MEMORY_PER_JOB_KIB = 8
MEMORY_SLACK_KIB = 48 * 1024
HANDLES_SLACK = 12
TABLES = """SELECT schemaname || '.' || relname, pg_total_relation_size(relid), n_live_tup
FROM pg_stat_user_tables WHERE n_live_tup > 0 ORDER BY 2 DESC LIMIT 12"""


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

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.lives, self.jobs, self.ends = stack, {}, 0, threading.Event()

    def run(self):
        while not self.ends.wait(SAMPLE_EVERY_S):
            pids = {name: self.stack.pid(name) for name in (*SERVICES, "node", "postgres")}
            pids["up"] = self.stack.supervisor()
            for name, pid in pids.items():
                found = sizes(pid) if pid else None
                if found:
                    self.lives.setdefault((name, pid), []).append((self.jobs, *found))


def growth(samples):
    """Of one life, from the first quarter of its samples to the last: what it has too much."""
    quarter = max(1, len(samples) // 4)
    first, last = samples[:quarter], samples[-quarter:]
    jobs = last[-1][0] - first[-1][0]
    memory_kib = min(s[1] for s in last) - max(s[1] for s in first)
    return {"jobs": jobs, "memory_kib": max(0, memory_kib), "first_kib": first[-1][1],
            "last_kib": last[-1][1],
            "descriptors": max(s[2] for s in last) - max(s[2] for s in first),
            "threads": max(s[3] for s in last) - max(s[3] for s in first)}


def replay(stack, watch, number, total):
    """One round of load; what it found wrong."""
    words = ["replay", "--nodes", ROOT / "examples/trace/nodes.csv", "--pods",
             ROOT / "examples/trace/pods.csv", "--pool", f"soak-{number}", "--window", "16"]
    done = stack.command(*words, "-o", "json")
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


def tables(stack):
    return {name: {"bytes": int(size), "rows": int(rows)}
            for name, size, rows in stack.sql(TABLES)}


def judge(report):
    wrong = [f"{report['total'][key]} {key}" for key in ("failed", "audit_missing", "audit_doubled")
             if report["total"][key]]
    for name, life in report["processes"].items():
        allowed = MEMORY_SLACK_KIB + life["jobs"] * MEMORY_PER_JOB_KIB
        if life["memory_kib"] > allowed:
            wrong.append(f"{name} has grown by {life['memory_kib']} KiB in {life['jobs']} jobs")
        for what in ("descriptors", "threads"):
            if life[what] > HANDLES_SLACK:
                wrong.append(f"{name} holds {life[what]} more {what}")
    return wrong


def soak(minutes, seed):
    chance = random.Random(seed)
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    with Stack(up=["--node-name", "here"]) as stack:
        begin = time.monotonic()
        end, calm = begin + minutes * 60, begin + minutes * 20
        watch, victims, total = Watch(stack), [], {}
        watch.start()
        killer = threading.Thread(target=kills, args=(stack, chance, calm, victims), daemon=True)
        killer.start()
        number = 0
        while time.monotonic() < end:
            replay(stack, watch, number := number + 1, total)
        killer.join()
        stack.run("audit", "verify", limit_s=1800)  # of a log that may be very long
        watch.ends.set()
        watch.join()
        longest = {}
        for (name, _), samples in watch.lives.items():
            if len(samples) > len(longest.get(name, [])):
                longest[name] = samples
        report = {"minutes": minutes, "seed": seed, "rounds": number, "jobs": watch.jobs,
                  "kills": len(victims), "total": total,
                  "processes": {name: growth(samples) for name, samples in longest.items()},
                  "tables": tables(stack)}
        wrong = judge(report)
        print(*wrong, sep="\n", file=sys.stderr)
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

"""Growth: what processes and tables have at the end of a soak that they had not before, and whether
that is too much. Pure; growth_test.py shows that it sees what grows.

A sample of a process is (jobs so far, memory in KiB, descriptors, threads), one of the tables
(jobs so far, {name: bytes}, {name: rows}). Compared are the medians of the first and of the last
quarter, so that one odd sample says nothing."""

import re
import statistics

# What the deployer keeps of the jobs that ended last.
MEMORY_PER_JOB_KIB, MEMORY_JOBS = {"deployer": 5}, 100_000
MEMORY_SLACK_KIB = 6 * 1024
HANDLES_SLACK = 12
# Kept for ever, or as answers to repeated requests for 24 h: so much for each job that was done.
KEPT = re.compile(r"deployer\.(job|job_run|request)|"
                  r"auditor\.(entry(_\d+)*|merkle_node|checkpoint|head)")
BYTES_PER_JOB = 7 * 1024
# Kept up to a number of rows (services/deployer/decisions/decision_log.hpp), or new with each job
# and gone at once, so that a minute of them waits for the vacuum; their rows are counted.
BOUNDED = {"deployer.decision": 256 << 20, "deployer.event": 128 << 20, "deployer.node": 64 << 20}
# Rows that are replaced again and again lie beside each other until they are vacuumed.
TABLE_SLACK_BYTES = 2 << 20
ROWS_SLACK = 200
REQUESTS_PER_JOB = 1.1


def middle(samples, value):
    return statistics.median(value(sample) for sample in samples)


def ends(samples):
    quarter = max(1, len(samples) // 4)
    return samples[:quarter], samples[-quarter:]


def growth(samples):
    """Of one life of a process."""
    first, last = ends(samples)
    changes = [middle(last, lambda s, n=n: s[n]) - middle(first, lambda s, n=n: s[n])
               for n in range(4)]
    return dict(zip(("jobs", "memory_kib", "descriptors", "threads"), map(int, changes))) | {
        "first_kib": first[0][1], "last_kib": last[-1][1]}


def table_growth(samples):
    """Of the quiet part: what each table and the rows of each watched one have become."""
    first, last = ends(samples)

    def change(kind):
        names = sorted({name for sample in samples for name in sample[kind]})
        return {name: [int(middle(part, lambda s, n=name: s[kind].get(n, 0)))
                       for part in (first, last)] for name in names}
    return {"jobs": int(middle(last, lambda s: s[0]) - middle(first, lambda s: s[0])),
            "bytes": change(1), "rows": change(2)}


def judge_processes(lives):
    wrong = []
    for name, life in lives.items():
        jobs = min(life["jobs"], MEMORY_JOBS)
        allowed = MEMORY_SLACK_KIB + jobs * MEMORY_PER_JOB_KIB.get(name, 0)
        if life["memory_kib"] > allowed:
            wrong.append(f"{name} has grown by {life['memory_kib']} KiB in {life['jobs']} jobs")
        wrong += [f"{name} holds {life[what]} more {what}" for what in ("descriptors", "threads")
                  if life[what] > HANDLES_SLACK]
    return wrong


def judge_lives(lives):
    """Of the quiet part, by name: the pids that were seen, None where there was no process."""
    return [f"{name} was not one process while nobody killed it: {sorted(pids, key=str)}"
            for name, pids in sorted(lives.items()) if len(pids) != 1 or None in pids]


def judge_tables(tables):
    jobs, kept = tables["jobs"], 0
    wrong = [] if jobs > 0 else ["no job was done in the quiet part"]
    for name, (first, last) in tables["bytes"].items():
        if KEPT.fullmatch(name):
            kept += last - first
        elif last > BOUNDED.get(name, first + TABLE_SLACK_BYTES):
            wrong.append(f"table {name} has grown by {last - first} bytes to {last}")
    if kept > TABLE_SLACK_BYTES + jobs * BYTES_PER_JOB:
        wrong.append(f"{kept} bytes were stored for {jobs} jobs")
    for name, (first, last) in tables["rows"].items():
        allowed = ROWS_SLACK + (jobs * REQUESTS_PER_JOB if KEPT.fullmatch(name) else 0)
        if last - first > allowed:
            wrong.append(f"table {name} has {last - first} rows more after {jobs} jobs")
    return wrong

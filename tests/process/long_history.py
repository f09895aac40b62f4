#!/usr/bin/env python3
"""Jobs that have ended are kept for ever, and the deployer's next life must not read them all: it
reads what has not ended, the newest, and whom these refer to. The view that says so is given a
window of 1,000 jobs here instead of 100,000; then the deployer falls, with 6,000 jobs behind it.

usage: long_history.py"""

from stack import Stack, check, equal, run_test, wait_for

WINDOW, PAST = 1_000, 6_000
SPEC = {"resources": {"cpus": "100m", "memory": "64MiB"}}
# Of one ended job as many copies that came after it; `{}` is what is copied.
COPY = """INSERT INTO deployer.job
  SELECT 'past-' || n, owner, 'past', pool, spec, policies, token, last + n, submitted_at_ms + n,
         '', '[]', NULL
  FROM deployer.job, generate_series(1, {past}) n, (SELECT max(queue_order) AS last
                                                    FROM deployer.job) newest
  WHERE job = '{job}'"""
COPY_RUN = """INSERT INTO deployer.job_run
  SELECT 'past-' || n, state, run, allocations, started_at_ms, finished_at_ms + n, why
  FROM deployer.job_run, generate_series(1, {past}) n WHERE job = '{job}'"""


def narrow(stack):
    """The view as it is, with another number in it."""
    view = "\n".join(row[0] for row in
                     stack.sql("SELECT pg_get_viewdef('deployer.job_in_use'::regclass)"))
    check(view.count("100000") == 1, f"the view has no window of 100,000: {view}")
    narrowed = view.replace("100000", str(WINDOW))
    stack.sql(f"CREATE OR REPLACE VIEW deployer.job_in_use AS {narrowed}")


def age(stack, job):
    """Thousands of jobs come and end after all that is there."""
    stack.sql(COPY.format(past=PAST, job=job))
    stack.sql(COPY_RUN.format(past=PAST, job=job))


def restart(stack):
    old = stack.kill("deployer")
    wait_for("new deployer", lambda: stack.pid("deployer") not in (None, old), 20)
    wait_for("its page of metrics", lambda: stack.counter("jobs"), 20)


def apply(stack, name, script, **more):
    return stack.apply(SPEC | {"name": name, "command": ["/bin/sh", "-c", script]} | more)


def test():
    with Stack() as stack:
        narrow(stack)
        done = apply(stack, "done", "true")
        lost = apply(stack, "lost", "true")
        for job in (done, lost):
            stack.wait_job(job, {"succeeded"})
        gate = stack.folder / "gate"
        waits = f"while ! test -e {gate}; do sleep 0.1; done"
        runs = apply(stack, "runs", waits)
        after = apply(stack, "after", "true", after=[f"{done}:ok", f"{runs}:ok"])
        array = apply(stack, "array", f"test $LEPTON_ARRAY_INDEX = 0 || {{ {waits}; }}", array=2)
        later = apply(stack, "later", "true", after=[f"{runs}:ok"], array=2)
        stack.wait_job(runs, {"running"})
        wait_for("half of the array", lambda: "1 succeeded" in stack.job(array)["why"], 30)
        age(stack, lost)
        restart(stack)
        kept = stack.counter("jobs")
        check(WINDOW <= kept <= WINDOW + 20, f"the new life has {kept} jobs in memory")
        equal(stack.number("SELECT count(*) FROM deployer.job WHERE name = 'past'"), PAST, "rows")
        equal(stack.job(f"past-{PAST}")["state"], "succeeded", "the newest of the past")
        refused = stack.command("job", "show", lost)
        check(refused.returncode != 0 and "no job" in refused.stderr,
              f"a job that nobody refers to is shown: {refused.stderr}")
        check("1 succeeded" in stack.job(array)["why"], f"the array: {stack.job(array)['why']}")
        gate.touch()
        for job in (runs, after, array, later):
            stack.wait_job(job, {"succeeded"})
        next_job = apply(stack, "next", "true")
        equal(stack.number(f"""SELECT count(*) FROM deployer.job a, deployer.job b
                               WHERE a.queue_order = b.queue_order AND a.job < b.job"""), 0,
              "numbers of the queue that were given twice")
        stack.wait_job(next_job, {"succeeded"})
        print(f"{kept} of {PAST + 9} jobs were read by the new life")


if __name__ == "__main__":
    run_test(test)

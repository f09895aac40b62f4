"""Found: what is there after the last fault, for the checker of histories: rows of the services and
entries of the audit log, once the work has ended."""

from history import ACKNOWLEDGED, ENDED, SLEEPER_S, Found
from stack import Failed, equal, wait_for

SERVICE = "web"  # scaled by drivers; its replicas are no jobs of theirs


def jobs_in(stack):
    return stack.sql("SELECT j.job, j.name, r.state FROM deployer.job j "
                     f"JOIN deployer.job_run r USING (job) WHERE j.name !~ '^{SERVICE}-'")


def found_in(stack, place):
    secrets = stack.sql("SELECT regexp_replace(path, '^secret/', ''), version "
                        "FROM vault.secret_version WHERE path ~ '^(secret/)?chaos/'")
    entries = stack.sql(
        "SELECT action, CASE action WHEN 'deployer.job.submit' THEN detail::jsonb ->> 'job' "
        "WHEN 'vault.secret.put' THEN regexp_replace(resource, '^secret/', '') "
        "ELSE regexp_replace(resource, '^.*/', '') END, request_id FROM auditor.entry "
        "WHERE outcome = 'done' AND action IN ('deployer.job.submit', 'deployer.job.cancel', "
        "'deployer.job.resize', 'scaler.service.scale', 'vault.secret.put')")
    marks = {file.name: file.read_text().splitlines() for file in place.iterdir()}
    return Found(jobs_in(stack), secrets, entries, marks, rounds_in(stack), *sizes_in(stack),
                 targets_in(stack))


def rounds_in(stack):
    """Of each job, replicas too, and how many of them were tried again."""
    rows = stack.sql("SELECT job, run ->> 'round', (run ->> 'interruptions')::int + "
                     "(run ->> 'failures')::int + (run ->> 'preemptions')::int "
                     "FROM deployer.job_run")
    return {job: (int(rounds), int(again)) for job, rounds, again in rows}


def sizes_in(stack):
    """Of each job at first and now, and what nodes have refused."""
    rows = stack.sql("SELECT j.name, j.spec -> 'resources' ->> 'cpu_milli', COALESCE(r.size ->> "
                     "'cpu_milli', j.spec -> 'resources' ->> 'cpu_milli') "
                     "FROM deployer.job j JOIN deployer.job_run r USING (job)")
    back = stack.sql("SELECT regexp_replace(resource, '^.*/', ''), detail::jsonb ->> 'size' FROM "
                     "auditor.entry WHERE action = 'deployer.job.resized' AND outcome = 'failed'")
    return ({name: (int(first), int(now)) for name, first, now in rows},
            [(name, round(1000 * float(words.split(" to ")[1].split()[0])))
             for name, words in back])


def targets_in(stack):
    changes = [(by == "scaler.service.scale", int(was), int(to)) for by, was, to in stack.sql(
        "SELECT action, detail::jsonb ->> 'from', detail::jsonb ->> 'wanted' FROM auditor.entry "
        "WHERE outcome = 'done' AND action IN ('scaler.service.put', 'scaler.service.scale', "
        f"'scaler.service.scaled') AND resource ~ '/{SERVICE}$' ORDER BY sequence")]
    wanted = stack.number(f"SELECT wanted FROM scaler.scaling WHERE service = '{SERVICE}'")
    return {SERVICE: (wanted, changes)}


def check_blame(stack):
    """Nothing that runs here fails by itself: what has failed was lost with what it ran on. Not so
    a task that is hit itself, since it still has the name of the runner that launches it."""
    equal(stack.sql("SELECT job, why FROM deployer.job_run WHERE state = 'failed' AND "
                    "run -> 'ending' ->> 'cause' IS DISTINCT FROM 'interruption' AND "
                    "why <> 'ended by signal 9'"),
          [], "jobs that have failed by another cause than a loss")


def await_ends(stack, requests):
    """Of all jobs but those that run for ever and that nobody has cancelled for certain, and of all
    changes of size. A job that never comes to it is told by the verdict."""
    told = {r.key for r in requests if r.kind == "cancel" and r.outcome == ACKNOWLEDGED}
    endless = {r.key for r in requests if r.kind == "submit" and r.value == SLEEPER_S} - told

    def are_over():
        return not [1 for _, name, state in jobs_in(stack)
                    if state not in ENDED and name not in endless] and stack.number(
                        "SELECT count(*) FROM deployer.job_run WHERE resizing IS NOT NULL") == 0
    try:
        wait_for("end of all jobs", are_over, 90, 0.3)
    except Failed as failure:
        print(f"{failure}: {stack.sql('SELECT state, count(*) FROM deployer.job_run GROUP BY 1')}")
        equal(stack.sql("SELECT job FROM deployer.job_run WHERE resizing IS NOT NULL"), [],
              "jobs whose change of size never ends")

"""Continued: a holder of a lease that stands still with a change on its way to PostgreSQL, is
replaced by an instance that takes it for one on another machine and so cannot end it, and goes on.
Its change reaches PostgreSQL then, and must not be written, nor anything else by it."""

import signal

from stack import Failed, check, equal, send_signal, wait_for
from standby import Gate, Standby, epoch, kill_and_take_over, standbys

# Of which process each row of the schema comes, and under which epoch: a setting of the session
# tells the old one apart. The rights of the service are not enough to write this down.
WATCH = """
CREATE SCHEMA IF NOT EXISTS watched;
CREATE TABLE IF NOT EXISTS watched.row (
  instance text, place text, at timestamptz DEFAULT clock_timestamp());
CREATE OR REPLACE FUNCTION watched.note() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO watched.row (instance, place)
  VALUES (COALESCE(current_setting('lepton.instance', true), ''), TG_TABLE_NAME);
  RETURN NULL;
END $$;
GRANT USAGE ON SCHEMA watched TO PUBLIC;
DO $$ DECLARE place text; BEGIN
  FOR place IN SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' LOOP
    EXECUTE format('CREATE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON {schema}.%I '
                   'FOR EACH ROW EXECUTE FUNCTION watched.note()', place);
  END LOOP;
END $$;
"""
FORGET = """DO $$ DECLARE place text; BEGIN
  FOR place IN SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' LOOP
    EXECUTE format('DROP TRIGGER watched ON {schema}.%I', place);
  END LOOP;
END $$; DROP SCHEMA watched CASCADE"""
TRIES = 5
ELSEWHERE = "another-boot pid:[1] 1 1"  # as common/store/process_mark.hpp writes it


def written(stack, more="true"):
    return stack.number(f"SELECT count(*) FROM watched.row WHERE instance = 'old' AND {more}")


def errors(stack):
    """Of transactions that PostgreSQL refused at their guard (common/store/writer.cpp)."""
    logs = (stack.state / "postgres/log").glob("*")
    return sum(log.read_text(errors="replace").count("division by zero") for log in logs)


def holder_behind(stack, service, gate):
    holder = Standby(stack, service, f"continued-{service}", gate.url_of(stack, service),
                     environment={"PGOPTIONS": "-c lepton.instance=old"}).wait_standing_by()
    kill_and_take_over(stack, service, holder)
    wait_for(f"next standby of {service}", lambda: standbys(stack, service) == 1, 20, 0.1)
    return holder


def stand_still_with(stack, service, gate, holder, change):
    """The name of a change that nobody sends again: the one who asked for it has given up. One
    commit is on its way at a time, and another may have come first: then once more."""
    for number in range(TRIES):
        name = f"in-flight-{service}-{number}"
        gate.shut()
        done = change(stack, name, "--timeout", "1")
        check(done.returncode in (6, 7), f"a change behind a shut gate: {done.returncode}")
        if gate.holds(name.encode()):
            holder.signal(signal.SIGSTOP)
            stack.sql(f"UPDATE {service}.lease_beat SET process = '{ELSEWHERE}'")
            return name
        gate.open()
        wait_for("health of everything", lambda: stack.command("status").returncode == 0, 20, 0.1)
    raise Failed(f"none of {TRIES} changes was the next to be committed")


def continued(stack, service, change, count):
    """`change` asks for one by name, and `count` tells how many there are of that name."""
    gate = Gate(stack, f"gate-{service}")
    holder = holder_behind(stack, service, gate)
    stack.sql(WATCH.replace("{schema}", service))
    wait_for("first change", lambda: change(stack, f"first-{service}").returncode == 0, 20, 0.1)
    check(written(stack, "place = 'commit_marker'") > 0, "rows of the old one are not noticed")
    before, refused = epoch(stack, service), errors(stack)
    name = stand_still_with(stack, service, gate, holder, change)
    wait_for(f"takeover of {service}", lambda: epoch(stack, service) == before + 1, 10, 0.01)
    gate.open()
    holder.signal(signal.SIGCONT)
    wait_for("refusal by PostgreSQL", lambda: errors(stack) > refused, 5)
    equal(holder.process.wait(10), 3, f"exit status of the {service} that went on")
    check("another instance has taken over" in holder.log(), f"its last words: {holder.log()}")
    wait_for("health of everything", lambda: stack.command("status").returncode == 0, 20, 0.1)
    after = f"at > (SELECT taken_at FROM {service}.lease WHERE epoch = {before + 1})"
    equal(written(stack, after), 0, f"rows that the replaced {service} has written")
    equal(count(stack, name), 0, "changes that were on their way")
    equal(epoch(stack, service), before + 1, f"epoch of {service} after all")
    print(f"{service} replaced and continued: {errors(stack) - refused} transactions refused, "
          f"0 rows written; {written(stack)} before")
    stack.sql(FORGET.replace("{schema}", service))
    gate.close()

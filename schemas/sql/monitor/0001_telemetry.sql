-- What nodes measure (minutes and hours, in partitions that come and go), the states of nodes, and
-- alerts by rules that are rows. The service adds changes and alters none.

CREATE TABLE node (
  node text PRIMARY KEY,
  boot_id text NOT NULL,
  last jsonb NOT NULL
);

CREATE TABLE node_change (
  node text NOT NULL,
  number bigint NOT NULL CHECK (number > 0),
  at_ms bigint NOT NULL,
  before text NOT NULL,
  state text NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (node, number)
);
CREATE INDEX node_change_time ON node_change (at_ms);

-- A minute may be written twice: a monitor that was restarted within it knows the rest of it only.
CREATE TABLE rollup_minute (
  node text NOT NULL,
  series text NOT NULL,
  part text NOT NULL,
  at_ms bigint NOT NULL,
  samples bigint NOT NULL CHECK (samples > 0),
  mean double precision NOT NULL,
  low double precision NOT NULL,
  high double precision NOT NULL,
  PRIMARY KEY (node, series, part, at_ms)
) PARTITION BY RANGE (at_ms);
CREATE TABLE rollup_hour (LIKE rollup_minute INCLUDING ALL) PARTITION BY RANGE (at_ms);

-- Times for which nobody made a partition, as when a clock was wrong for days.
CREATE TABLE rollup_minute_other PARTITION OF rollup_minute DEFAULT;
CREATE TABLE rollup_hour_other PARTITION OF rollup_hour DEFAULT;
CREATE INDEX rollup_hour_other_time ON rollup_hour_other (at_ms);

CREATE TABLE alert_rule (
  name text PRIMARY KEY,
  series text NOT NULL,
  side text NOT NULL,
  threshold double precision NOT NULL,
  window_ms bigint NOT NULL,
  pending_ms bigint NOT NULL,
  resolve_ms bigint NOT NULL,
  severity text NOT NULL,
  summary text NOT NULL,
  enabled boolean NOT NULL
);

-- What a fresh installation begins with.
INSERT INTO alert_rule VALUES
  ('node-silent', 'silence_s', 'above', 15, 1000, 0, 15000, 'critical',
   'The node has not reported; what runs there goes on until its leases end.', true),
  ('disk-nearly-full', 'disk_use', 'above', 0.95, 60000, 120000, 120000, 'warning',
   'The disk with the state folder of the node is nearly full.', true),
  ('memory-nearly-full', 'memory_use', 'above', 0.97, 60000, 120000, 120000, 'warning',
   'The node has hardly any memory left; the kernel may end tasks.', true),
  ('gpu-hot', 'gpu_temperature_celsius', 'above', 90, 60000, 60000, 120000, 'warning',
   'The GPU is near the temperature at which it slows down.', true);

-- Those that fire now; one row each, gone when resolved.
CREATE TABLE alert_firing (
  rule text NOT NULL,
  node text NOT NULL,
  part text NOT NULL,
  change jsonb NOT NULL,
  PRIMARY KEY (rule, node, part)
);

CREATE TABLE alert_change (
  rule text NOT NULL,
  node text NOT NULL,
  part text NOT NULL,
  since_ms bigint NOT NULL,
  state text NOT NULL,
  at_ms bigint NOT NULL,
  value double precision,
  threshold double precision NOT NULL,
  severity text NOT NULL,
  summary text NOT NULL,
  PRIMARY KEY (rule, node, part, since_ms, state)
);
CREATE INDEX alert_change_time ON alert_change (at_ms);

-- One row, replaced by the service about once an hour: it asks for upkeep at that time. The service
-- has no right to make or drop tables; the function below has, and does this one thing.
CREATE TABLE upkeep (
  id bigint PRIMARY KEY CHECK (id = 0),
  at_ms bigint NOT NULL
);

-- Makes partitions for [at, at + ahead) and drops those that ended before `keep_from`. What cannot
-- be done now, because somebody reads there or rows lie in the default partition, waits for the
-- next time.
CREATE FUNCTION keep_partitions(parent text, span_ms bigint, at_ms bigint, ahead int,
                                keep_from bigint)
RETURNS void LANGUAGE plpgsql SET search_path = :schema, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
  first_ms bigint;
  old record;
BEGIN
  FOR i IN -1 .. ahead LOOP
    first_ms := (at_ms / span_ms + i) * span_ms;
    CONTINUE WHEN to_regclass(parent || '_' || first_ms) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                     parent || '_' || first_ms, parent, first_ms, first_ms + span_ms);
    EXCEPTION WHEN lock_not_available OR check_violation THEN
      RAISE LOG 'partition % of % waits', first_ms, parent;
    END;
  END LOOP;
  FOR old IN
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent::regclass AND c.relname ~ ('^' || parent || '_[0-9]+$')
      AND substr(c.relname, length(parent) + 2)::bigint + span_ms <= keep_from
  LOOP
    BEGIN
      EXECUTE format('DROP TABLE %I', old.name);
    EXCEPTION WHEN lock_not_available THEN
      RAISE LOG 'partition % stays for now', old.name;
    END;
  END LOOP;
  EXECUTE format('DELETE FROM %I WHERE at_ms < $1', parent || '_other') USING keep_from;
END
$$;

-- Minutes are kept for 15 days in partitions of a day, hours for 400 days in partitions of 30 days,
-- changes of states and alerts for 400 days.
CREATE FUNCTION do_upkeep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = :schema, pg_temp AS $$
DECLARE
  day constant bigint := 86400000;
BEGIN
  PERFORM keep_partitions('rollup_minute', day, NEW.at_ms, 2, NEW.at_ms - 15 * day);
  PERFORM keep_partitions('rollup_hour', 30 * day, NEW.at_ms, 1, NEW.at_ms - 400 * day);
  DELETE FROM node_change WHERE at_ms < NEW.at_ms - 400 * day;
  DELETE FROM alert_change WHERE at_ms < NEW.at_ms - 400 * day;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION keep_partitions(text, bigint, bigint, int, bigint), do_upkeep() FROM PUBLIC;
CREATE TRIGGER upkeep AFTER INSERT OR UPDATE ON upkeep FOR EACH ROW EXECUTE FUNCTION do_upkeep();

GRANT SELECT, INSERT, UPDATE, DELETE ON node, alert_rule, alert_firing TO :service_role;
GRANT SELECT, INSERT ON node_change, alert_change TO :service_role;
GRANT SELECT, INSERT, UPDATE ON rollup_minute, rollup_hour, upkeep TO :service_role;

-- For people's SQL. A condition on at_ms reads only the days it speaks of; one on `at` reads all.
CREATE VIEW minutes AS
SELECT node, series, part, to_timestamp(at_ms / 1000.0) AS at, samples, mean, low, high, at_ms
FROM rollup_minute;
CREATE VIEW hours AS
SELECT node, series, part, to_timestamp(at_ms / 1000.0) AS at, samples, mean, low, high, at_ms
FROM rollup_hour;
CREATE VIEW node_states AS
SELECT node, number, to_timestamp(at_ms / 1000.0) AS at, before AS state_before, state, reason,
       at_ms
FROM node_change;
CREATE VIEW alerts AS
SELECT rule, node, part, to_timestamp(since_ms / 1000.0) AS since, state,
       to_timestamp(at_ms / 1000.0) AS at, value, threshold, severity, summary, at_ms
FROM alert_change;
CREATE VIEW alert_rules AS
SELECT name, series, side, threshold, window_ms, pending_ms, resolve_ms, severity, summary, enabled
FROM alert_rule;

GRANT USAGE ON SCHEMA :schema TO lepton_reader;
GRANT SELECT ON minutes, hours, node_states, alerts, alert_rules TO lepton_reader;

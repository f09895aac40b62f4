-- What was decided, and everything that it was decided from: each row holds what happened since the
-- one before it (steps, msgpack), so that any decision can be made again from the snapshot before
-- it. Written by the deployer alone, which drops what is older than the decisions it keeps.

CREATE TABLE decision (
  number bigint PRIMARY KEY,
  at_ms bigint NOT NULL,
  kind text NOT NULL,
  job text NOT NULL,
  pool text NOT NULL,
  policy text NOT NULL,
  nodes jsonb NOT NULL,
  victims jsonb NOT NULL,
  why text NOT NULL,
  terms jsonb NOT NULL,
  steps bytea NOT NULL
);
CREATE INDEX decision_job ON decision (job, number);

-- Where the numbers stand, and the rows at which a snapshot begins.
CREATE TABLE decision_log (
  log text PRIMARY KEY,
  next bigint NOT NULL,
  snapshots jsonb NOT NULL
);

GRANT SELECT, INSERT, DELETE ON decision TO :service_role;
GRANT SELECT, INSERT, UPDATE ON decision_log TO :service_role;

-- For people: why each job went where it went, and why others wait.
CREATE VIEW decisions AS
  SELECT number, to_timestamp(at_ms / 1000.0) AS at, kind, job, pool, policy, nodes, victims, why,
         terms
  FROM decision
  WHERE job <> '';
GRANT USAGE ON SCHEMA :schema TO lepton_reader;
GRANT SELECT ON decisions TO lepton_reader;

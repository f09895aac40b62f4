-- What was asked for, how it goes, and the nodes. Written by the deployer alone.

CREATE TABLE job (
  job text PRIMARY KEY,
  owner text NOT NULL,
  name text NOT NULL,
  pool text NOT NULL,
  spec jsonb NOT NULL,
  policies jsonb NOT NULL,
  token text NOT NULL,
  queue_order bigint NOT NULL,
  submitted_at_ms bigint NOT NULL
);

-- Replaced at each step of a job's life; the low fill factor keeps most updates within the page.
CREATE TABLE job_run (
  job text PRIMARY KEY,
  state text NOT NULL,
  run jsonb NOT NULL,
  allocations jsonb NOT NULL,
  started_at_ms bigint NOT NULL,
  finished_at_ms bigint NOT NULL,
  why text NOT NULL
) WITH (fillfactor = 60);

CREATE TABLE node (
  node text PRIMARY KEY,
  pool text NOT NULL,
  engine text NOT NULL,
  state text NOT NULL,
  capacity jsonb NOT NULL,
  labels jsonb NOT NULL,
  queue_order bigint NOT NULL,
  boot_id text NOT NULL,
  joined_at_ms bigint NOT NULL
);

GRANT SELECT, INSERT ON job TO :service_role;
GRANT SELECT, INSERT, UPDATE ON job_run TO :service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON node TO :service_role;

-- Commands that people run beside tasks: a row while one runs. Written by the deployer alone.

CREATE TABLE exec (
  exec text PRIMARY KEY,
  job text NOT NULL,
  path text NOT NULL,
  attempt text NOT NULL,
  node text NOT NULL,
  person text NOT NULL,
  started_at_ms bigint NOT NULL
);

GRANT SELECT, INSERT, DELETE ON exec TO :service_role;

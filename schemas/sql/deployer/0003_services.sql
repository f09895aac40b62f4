-- Services: what is wanted, every revision of it, and the replicas. Written by the deployer alone.

CREATE TABLE service (
  service text PRIMARY KEY,
  revision bigint NOT NULL,
  template_number bigint NOT NULL,
  proven bigint NOT NULL,
  wanted bigint NOT NULL CHECK (wanted >= 0),
  port bigint NOT NULL,
  replicas_made bigint NOT NULL,
  failures bigint NOT NULL,
  not_before_ms bigint NOT NULL,
  stalled text NOT NULL,
  scaling_due boolean NOT NULL,
  scaled boolean NOT NULL,
  removing boolean NOT NULL
);

CREATE TABLE service_revision (
  service text NOT NULL,
  revision bigint NOT NULL,
  template_number bigint NOT NULL,
  spec jsonb NOT NULL,
  owner text NOT NULL,
  policies jsonb NOT NULL,
  token text NOT NULL,
  applied_at_ms bigint NOT NULL,
  note text NOT NULL,
  PRIMARY KEY (service, revision)
);

CREATE TABLE service_replica (
  job text PRIMARY KEY,
  service text NOT NULL,
  number bigint NOT NULL,
  template_number bigint NOT NULL,
  round bigint NOT NULL,
  ready boolean NOT NULL,
  ready_at_ms bigint NOT NULL,
  drain_until_ms bigint NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON service TO :service_role;
GRANT SELECT, INSERT, DELETE ON service_revision TO :service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON service_replica TO :service_role;

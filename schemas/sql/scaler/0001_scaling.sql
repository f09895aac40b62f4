-- How services are scaled, and every change of a number of replicas with its reason. The service
-- adds decisions and changes none.

CREATE TABLE scaling (
  service text PRIMARY KEY,
  settings jsonb NOT NULL,
  wanted bigint NOT NULL CHECK (wanted >= 0),
  number bigint NOT NULL CHECK (number >= 0),
  changes jsonb NOT NULL,
  removed boolean NOT NULL
);

CREATE TABLE scale_decision (
  service text NOT NULL,
  number bigint NOT NULL,
  at_ms bigint NOT NULL,
  policy text NOT NULL,
  before bigint NOT NULL,
  wanted bigint NOT NULL,
  proposed bigint NOT NULL,
  bound text NOT NULL,
  reason text NOT NULL,
  signal text NOT NULL,
  value double precision,
  per_replica double precision NOT NULL,
  ready bigint NOT NULL,
  starting bigint NOT NULL,
  silent bigint NOT NULL,
  PRIMARY KEY (service, number)
);
CREATE INDEX scale_decision_time ON scale_decision (at_ms);

GRANT SELECT, INSERT, UPDATE ON scaling TO :service_role;
GRANT SELECT, INSERT ON scale_decision TO :service_role;

-- For people's SQL.
CREATE VIEW scale_decisions AS
SELECT service, number, to_timestamp(at_ms / 1000.0) AS at, policy, before AS replicas_before,
       wanted AS replicas, proposed, bound, reason, signal, value, per_replica, ready, starting,
       silent, at_ms
FROM scale_decision;
CREATE VIEW scaled_services AS
SELECT service, wanted AS replicas, number AS changes, settings
FROM scaling WHERE NOT removed;

GRANT USAGE ON SCHEMA :schema TO lepton_reader;
GRANT SELECT ON scale_decisions, scaled_services TO lepton_reader;

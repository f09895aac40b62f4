-- The tables that the platform keeps in the schema of every service, in the transactions of that
-- service. The migrator sets search_path and replaces the names of the schema and of the role.

-- Which instance may write. Every transaction locks the row FOR SHARE at its own epoch (which needs
-- the right to update), so that an instance that was replaced cannot commit any more.
CREATE TABLE lease (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  epoch bigint NOT NULL CHECK (epoch > 0),
  holder text NOT NULL,
  taken_at timestamptz NOT NULL
);

-- The last transaction of each writer: settles what became of a COMMIT without an answer.
-- The low fill factor keeps every update within the page.
CREATE TABLE commit_marker (
  writer text PRIMARY KEY,
  seq bigint NOT NULL
) WITH (fillfactor = 10);

-- Mutations and their answers under (authenticated caller, request id).
CREATE TABLE request (
  caller text NOT NULL,
  request_id text NOT NULL,
  body_hash bytea NOT NULL,
  reply bytea NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (caller, request_id)
);
CREATE INDEX request_at_ms ON request (at_ms);

-- Events on their way to consumers; dropped when every registered one has acknowledged them.
CREATE TABLE event (
  stream text NOT NULL,
  seq bigint NOT NULL,
  topic text NOT NULL,
  body bytea NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (stream, seq)
);

-- How far each consumer has acknowledged a stream of this service.
CREATE TABLE cursor (
  consumer text NOT NULL,
  stream text NOT NULL,
  acked bigint NOT NULL,
  PRIMARY KEY (consumer, stream)
);

-- The streams of this service: the epoch changes when a stream starts anew.
CREATE TABLE stream (
  name text PRIMARY KEY,
  epoch bigint NOT NULL,
  head bigint NOT NULL
);

-- The last event of other services whose effect is in this schema: makes each effect happen once.
CREATE TABLE inbox (
  sender text NOT NULL,
  stream text NOT NULL,
  epoch bigint NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (sender, stream)
);

GRANT USAGE ON SCHEMA :schema TO :service_role;
GRANT SELECT, INSERT, UPDATE ON lease, commit_marker, stream, inbox TO :service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON request, cursor TO :service_role;
GRANT SELECT, INSERT, DELETE ON event TO :service_role;

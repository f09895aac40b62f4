-- The audit log: entries, the nodes of their Merkle tree, the signed checkpoints. The service may
-- add and read, and neither change nor remove; the tables belong to the owner role, which no
-- service uses.

-- One row for each event of a service. `detail` is text, because the hash of the leaf is over its
-- exact octets; views give it as jsonb. The time is in the key only because PostgreSQL wants the
-- partition column there; that a sequence is given once is held by the leaf's row in merkle_node.
CREATE TABLE entry (
  sequence bigint NOT NULL CHECK (sequence >= 0),
  source text NOT NULL,
  stream text NOT NULL,
  epoch bigint NOT NULL,
  source_seq bigint NOT NULL,
  at_ms bigint NOT NULL,
  actor text COLLATE "C" NOT NULL,
  action text NOT NULL,
  resource text COLLATE "C" NOT NULL,
  outcome text NOT NULL,
  request_id text NOT NULL,
  detail text NOT NULL,
  PRIMARY KEY (sequence, at_ms)
) PARTITION BY RANGE (at_ms);

-- Who did it, and what was done to it. More indexes would slow the appends; a search by anything
-- else should name a time, so that it reads few months.
CREATE INDEX entry_actor ON entry (actor, at_ms);
CREATE INDEX entry_resource ON entry (resource, at_ms);

-- One partition for each month (UTC); what lies outside goes to the default one.
DO $$
DECLARE
  month timestamp;
  first_ms bigint;
  next_ms bigint;
BEGIN
  FOR month IN SELECT generate_series('2026-01-01'::timestamp, '2030-12-01', '1 month') LOOP
    first_ms := extract(epoch FROM month) * 1000;
    next_ms := extract(epoch FROM month + interval '1 month') * 1000;
    EXECUTE format('CREATE TABLE %I PARTITION OF entry FOR VALUES FROM (%s) TO (%s)',
                   'entry_' || to_char(month, 'YYYY_MM'), first_ms, next_ms);
  END LOOP;
END
$$;
CREATE TABLE entry_other PARTITION OF entry DEFAULT;

-- Complete nodes; level 0 holds the leaf hashes, one for each sequence.
CREATE TABLE merkle_node (
  level bigint NOT NULL CHECK (level BETWEEN 0 AND 62),
  index bigint NOT NULL CHECK (index >= 0),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, index)
);

CREATE TABLE checkpoint (
  size bigint PRIMARY KEY CHECK (size > 0),
  text text NOT NULL,
  at_ms bigint NOT NULL
);

-- Where the appender stands: one row, replaced at each append. The service holds it against the
-- signature in it.
CREATE TABLE head (
  id bigint PRIMARY KEY CHECK (id = 0),
  size bigint NOT NULL,
  edge bytea NOT NULL,
  checkpoint text NOT NULL
) WITH (fillfactor = 10);

GRANT SELECT, INSERT ON entry, merkle_node, checkpoint TO :service_role;
GRANT SELECT, INSERT, UPDATE ON head TO :service_role;

-- For people's SQL. A condition on at_ms reads only the months it speaks of; one on `at` reads
-- all.
CREATE VIEW audit_log AS
SELECT sequence, to_timestamp(at_ms / 1000.0) AS at, source, actor, action, resource, outcome,
       request_id, detail::jsonb AS detail, at_ms
FROM entry;

-- One row for each job that was submitted: from its submit to its end. Times are of the newest
-- such entry, so that a job that was tried again shows where it ran last.
CREATE VIEW job_history AS
WITH event AS (
  SELECT sequence, at_ms, actor, action, resource, request_id, detail::jsonb AS detail
  FROM entry
  WHERE source = 'deployer' AND action LIKE 'deployer.job.%' AND outcome <> 'denied'
), step AS (
  SELECT *, detail ->> 'job' AS job FROM event WHERE detail ? 'job'
)
SELECT job,
       max(resource) AS resource,
       max(actor) FILTER (WHERE action = 'deployer.job.submit') AS submitted_by,
       to_timestamp(min(at_ms) FILTER (WHERE action = 'deployer.job.submit') / 1000.0)
         AS submitted_at,
       to_timestamp(max(at_ms) FILTER (WHERE action = 'deployer.job.placed') / 1000.0) AS placed_at,
       to_timestamp(max(at_ms) FILTER (WHERE action IN (
         'deployer.job.succeeded', 'deployer.job.failed', 'deployer.job.cancelled',
         'deployer.job.refused')) / 1000.0) AS ended_at,
       substr(max(action) FILTER (WHERE action IN (
         'deployer.job.succeeded', 'deployer.job.failed', 'deployer.job.cancelled',
         'deployer.job.refused')), length('deployer.job.') + 1) AS ending,
       (array_agg(detail ->> 'node' ORDER BY sequence DESC)
         FILTER (WHERE action = 'deployer.job.placed'))[1] AS node,
       count(*) FILTER (WHERE action = 'deployer.job.placed') AS placements,
       (array_agg(detail ->> 'why' ORDER BY sequence DESC) FILTER (WHERE detail ? 'why'))[1] AS why,
       min(sequence) AS first_sequence,
       max(sequence) AS last_sequence
FROM step
GROUP BY job;

-- What somebody asked for and was not allowed.
CREATE VIEW denials AS
SELECT sequence, to_timestamp(at_ms / 1000.0) AS at, source, actor, action, resource, request_id,
       detail::jsonb AS detail, at_ms
FROM entry
WHERE outcome = 'denied';

-- Every time that values of secrets left the vault, or were asked for in vain.
CREATE VIEW secret_reads AS
SELECT sequence, to_timestamp(at_ms / 1000.0) AS at, actor, action, resource, outcome, request_id,
       detail::jsonb AS detail, at_ms
FROM entry
WHERE source = 'vault' AND action IN ('vault.secret.get', 'vault.secret.resolve');

-- The tree as it stands, and the hash of each leaf computed again from its row: where the two
-- differ, the row or the tree was changed.
CREATE VIEW audit_tree AS SELECT level, index, hash FROM merkle_node;
CREATE VIEW audit_checkpoints AS
SELECT size, to_timestamp(at_ms / 1000.0) AS at, text FROM checkpoint;
CREATE VIEW audit_leaves AS
SELECT sequence, at_ms,
       sha256('\x00'::bytea || convert_to(E'lepton-audit-entry/1\n', 'UTF8')
         || int2send(1::smallint) || int4send(8) || int8send(sequence)
         || int2send(2::smallint) || int4send(octet_length(source)) || convert_to(source, 'UTF8')
         || int2send(3::smallint) || int4send(octet_length(stream)) || convert_to(stream, 'UTF8')
         || int2send(4::smallint) || int4send(8) || int8send(epoch)
         || int2send(5::smallint) || int4send(8) || int8send(source_seq)
         || int2send(6::smallint) || int4send(8) || int8send(at_ms)
         || int2send(7::smallint) || int4send(octet_length(actor)) || convert_to(actor, 'UTF8')
         || int2send(8::smallint) || int4send(octet_length(action)) || convert_to(action, 'UTF8')
         || int2send(9::smallint) || int4send(octet_length(resource))
         || convert_to(resource, 'UTF8')
         || int2send(10::smallint) || int4send(octet_length(outcome)) || convert_to(outcome, 'UTF8')
         || int2send(11::smallint) || int4send(octet_length(request_id))
         || convert_to(request_id, 'UTF8')
         || int2send(12::smallint) || int4send(octet_length(detail))
         || convert_to(detail, 'UTF8')) AS hash
FROM entry;

GRANT USAGE ON SCHEMA :schema TO lepton_reader;
GRANT SELECT ON audit_log, job_history, denials, secret_reads, audit_tree, audit_checkpoints,
  audit_leaves TO lepton_reader;

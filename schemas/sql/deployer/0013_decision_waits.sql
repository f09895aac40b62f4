-- Why a job waits, in columns: how many nodes each rule rejects, the node that lacks least and what
-- it lacks, and, where its places are kept, when it starts at the latest and after whose end.

ALTER TABLE decision ADD COLUMN waits jsonb;

CREATE OR REPLACE VIEW decisions AS
  SELECT number, to_timestamp(at_ms / 1000.0) AS at, kind, job, pool, policy, nodes, victims, why,
         terms, waits -> 'rejected' AS rejected, nullif(waits ->> 'nearest', '') AS nearest,
         waits -> 'lacks' AS lacks,
         to_timestamp(nullif((waits ->> 'starts_by_ms')::bigint, 0) / 1000.0) AS starts_by,
         nullif(waits ->> 'starts_after', '') AS starts_after
  FROM decision
  WHERE job <> '';

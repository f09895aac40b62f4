-- Jobs that have ended are kept for ever, and a new life of the deployer needs few of them: those
-- that have not ended, the newest ones, and whom these refer to (their array, whom they wait for,
-- whom they join). The deployer reads no others when it starts.

CREATE INDEX job_queue_order ON job (queue_order);
CREATE INDEX job_array_of ON job (array_of) WHERE array_of <> '';
CREATE INDEX job_run_open ON job_run (job) WHERE finished_at_ms = 0;

CREATE VIEW job_in_use AS
  WITH open AS MATERIALIZED (
    SELECT job.job, job.array_of, job.waits_for, job.worker_of
    FROM job_run JOIN job USING (job)
    WHERE job_run.finished_at_ms = 0
  ), wanted AS (
    SELECT wait ->> 'job' AS job FROM open, jsonb_array_elements(open.waits_for) AS wait
  )
  SELECT job FROM open
  UNION
  SELECT job FROM job WHERE queue_order >= (SELECT max(queue_order) FROM job) - 100000
  UNION
  SELECT job FROM service_replica
  UNION
  SELECT worker_of ->> 'base' FROM open WHERE worker_of IS NOT NULL
  UNION
  SELECT job FROM wanted
  UNION
  SELECT job FROM job
  WHERE array_of <> ''
    AND array_of IN (SELECT array_of FROM open UNION SELECT job FROM wanted);

GRANT SELECT ON job_in_use TO :service_role;

-- A job has a row of its run from the moment at which it is taken in: job_in_use finds by it what
-- has not ended. Members of an array that had not started had none before.

INSERT INTO job_run (job, state, run, allocations, started_at_ms, finished_at_ms, why)
  SELECT job, 'queued', '{"state": "queued"}', '[]', 0, 0, ''
  FROM job
  WHERE NOT EXISTS (SELECT FROM job_run WHERE job_run.job = job.job);

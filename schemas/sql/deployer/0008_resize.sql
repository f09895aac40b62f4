-- The size of a job's tasks where people have changed it, and a change that is on its way.

ALTER TABLE job_run ADD COLUMN size jsonb;
ALTER TABLE job_run ADD COLUMN resizing jsonb;

-- Workers of elastic jobs: of which job, which number, and which of its rounds.

ALTER TABLE job ADD COLUMN worker_of jsonb;

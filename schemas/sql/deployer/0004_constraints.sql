-- What people say of nodes, and jobs that belong to an array or wait for others.

ALTER TABLE node ADD COLUMN marked_labels jsonb NOT NULL DEFAULT '{}';
ALTER TABLE node ADD COLUMN taints jsonb NOT NULL DEFAULT '[]';
ALTER TABLE job ADD COLUMN array_of text NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN waits_for jsonb NOT NULL DEFAULT '[]';

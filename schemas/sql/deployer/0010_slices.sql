-- Parts of machines that placement sees as nodes of their own: of which slice, where, and what they
-- hold there.

ALTER TABLE node ADD COLUMN slice jsonb;

-- Those that begin later: their places are kept. Written by the deployer alone.

CREATE TABLE planned_slice (
  name text PRIMARY KEY,
  wanted jsonb NOT NULL,
  places jsonb NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON planned_slice TO :service_role;

-- Working folders that people send along with their jobs. Written by the deployer alone.

CREATE TABLE folder_chunk (
  owner text NOT NULL,
  hash text NOT NULL,
  size bigint NOT NULL CHECK (size > 0),
  stored_at_ms bigint NOT NULL,
  PRIMARY KEY (owner, hash)
);

-- Apart from folder_chunk, which is read as a whole at each start. What people send is packed
-- already as often as not: another try costs time and saves nothing.
CREATE TABLE folder_data (
  owner text NOT NULL,
  hash text NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (owner, hash)
);

ALTER TABLE folder_data ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE folder (
  owner text NOT NULL,
  folder text NOT NULL,
  chunks bytea NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  used_at_ms bigint NOT NULL,
  PRIMARY KEY (owner, folder)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON folder_chunk, folder_data, folder TO :service_role;

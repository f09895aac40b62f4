-- What the GPUs of all nodes with one value of a label may draw together. Written by the deployer.

CREATE TABLE power_cap (
  key text NOT NULL,
  value text NOT NULL,
  cap_watts bigint NOT NULL,
  PRIMARY KEY (key, value)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON power_cap TO :service_role;

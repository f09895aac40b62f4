-- What owners are owed in a pool. Written by the deployer alone.

CREATE TABLE quota (
  pool text NOT NULL,
  owner text NOT NULL,
  gpu_milli bigint NOT NULL CHECK (gpu_milli >= 0),
  cpu_milli bigint NOT NULL CHECK (cpu_milli >= 0),
  gpu_milli_max bigint NOT NULL CHECK (gpu_milli_max >= 0),
  weight bigint NOT NULL CHECK (weight BETWEEN 1 AND 1000),
  PRIMARY KEY (pool, owner)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON quota TO :service_role;

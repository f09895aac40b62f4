-- The holder of the lease moves this row about every second, so that a standby sees that it lives.
-- A row of its own, for `lease` is locked by every transaction that writes. Both epochs change in
-- one statement. `process` is empty after the holder gave the lease back.
CREATE TABLE lease_beat (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  epoch bigint NOT NULL CHECK (epoch > 0),
  beats bigint NOT NULL,
  process text NOT NULL
) WITH (fillfactor = 10);
INSERT INTO lease_beat (epoch, beats, process) SELECT epoch, 0, '' FROM lease;

GRANT SELECT, INSERT, UPDATE ON lease_beat TO :service_role;

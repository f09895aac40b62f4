-- Ports that replicas have left and to which an entrance may still lead: given to nobody until the
-- balancer has been seen to lead there no more. Written by the deployer alone.

CREATE TABLE vacated_port (
  attempt text PRIMARY KEY,
  node text NOT NULL,
  port bigint NOT NULL,
  address text NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON vacated_port TO :service_role;

-- Everything that must stay secret stands here sealed; services/vault/core/envelope.hpp has the
-- format.

CREATE TABLE seal (
  name text PRIMARY KEY CHECK (name = 'main'),
  keyring bytea NOT NULL,
  signing_key bytea NOT NULL,
  public_key bytea NOT NULL,
  revision bigint NOT NULL
);

CREATE TABLE secret (
  path text PRIMARY KEY,
  latest bigint NOT NULL
);

CREATE TABLE secret_version (
  path text NOT NULL,
  version bigint NOT NULL,
  created_at_ms bigint NOT NULL,
  created_by text NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (path, version)
);

CREATE TABLE token (
  token text PRIMARY KEY,
  subject text NOT NULL,
  policies jsonb NOT NULL,
  key text NOT NULL,
  issued_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL,
  parent text NOT NULL,
  revoked boolean NOT NULL
);

CREATE TABLE policy (
  name text PRIMARY KEY,
  rules jsonb NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON seal, secret TO :service_role;
GRANT SELECT, INSERT, DELETE ON secret_version TO :service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON token, policy TO :service_role;

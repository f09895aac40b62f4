-- Exporters that the monitor reads itself, and rules that look at one of their samples.

CREATE TABLE scrape_target (
  name text PRIMARY KEY,
  url text NOT NULL,
  keep jsonb NOT NULL,
  every_ms bigint NOT NULL,
  timeout_ms bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON scrape_target TO :service_role;

ALTER TABLE alert_rule ADD COLUMN sample text NOT NULL DEFAULT '';
CREATE OR REPLACE VIEW alert_rules AS
SELECT name, series, side, threshold, window_ms, pending_ms, resolve_ms, severity, summary, enabled,
       sample
FROM alert_rule;

CREATE VIEW scrape_targets AS
SELECT name, url, keep, every_ms, timeout_ms FROM scrape_target;
GRANT SELECT ON scrape_targets TO lepton_reader;

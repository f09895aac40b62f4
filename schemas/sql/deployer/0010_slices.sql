-- Parts of machines that placement sees as nodes of their own: of which slice, where, and what they
-- hold there.

ALTER TABLE node ADD COLUMN slice jsonb;

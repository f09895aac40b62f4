-- What the next version of the vault adds, under the next number of its schema. The version before
-- writes the same rows, without this column.

ALTER TABLE secret ADD COLUMN note text NOT NULL DEFAULT '';

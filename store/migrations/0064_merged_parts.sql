-- A part of a reading that is stored fills it and has no row of its own; the balance counts it.

ALTER TABLE ledger ADD COLUMN merged integer NOT NULL DEFAULT 0;
ALTER TABLE ledger_day ADD COLUMN merged bigint NOT NULL DEFAULT 0;
ALTER TABLE ledger_total ADD COLUMN merged bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN ledger.merged IS 'parts that filled readings which were stored already';

-- Of the rows that are there nothing was merged, and the old constraints held for them.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger DROP CONSTRAINT ledger_check;
ALTER TABLE ledger ADD CONSTRAINT ledger_check CHECK (received = stored + merged + duplicate + rejected) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_day DROP CONSTRAINT ledger_day_check;
ALTER TABLE ledger_day ADD CONSTRAINT ledger_day_check
    CHECK (received = stored + merged + duplicate + rejected) NOT VALID;
COMMENT ON COLUMN ledger_device.outcome IS 'duplicate, merged, or the reason of a rejection';

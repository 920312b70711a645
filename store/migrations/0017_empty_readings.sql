-- Readings that were stored and hold no measurement at all: their names are none of their kind's.

ALTER TABLE ledger ADD COLUMN empty integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN ledger.empty IS 'of the stored ones, those without any measurement';

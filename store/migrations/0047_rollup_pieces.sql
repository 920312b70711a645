-- Pieces are some devices of a week, or all days of some devices.
-- No table of readings is touched; these hold a few rows.
-- squawk-ignore adding-not-nullable-field
ALTER TABLE rollup_backfill ADD COLUMN device_id integer NOT NULL DEFAULT 0;
ALTER TABLE rollup_zone ADD COLUMN device_id integer;
COMMENT ON COLUMN rollup_backfill.device_id IS 'of the week before that: made up to this device';
COMMENT ON COLUMN rollup_zone.device_id IS 'days are being made in this zone anew, up to this device; NULL: all are';

-- Backups that were made, and which of them were restored elsewhere and compared. One row each: a few hundred a year.

CREATE TABLE backup (
    id uuid PRIMARY KEY,
    made_at timestamptz NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    verified_at timestamptz,
    verify_s double precision
);
COMMENT ON TABLE backup IS 'what nabd backup make has made, as far as this database knows';
COMMENT ON COLUMN backup.id IS 'stands in manifest.json';
COMMENT ON COLUMN backup.verified_at IS 'when it was last restored into a fresh server and had every row; NULL: never';
COMMENT ON COLUMN backup.verify_s IS 'how many seconds that took';

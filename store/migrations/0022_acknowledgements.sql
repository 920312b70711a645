-- An acknowledgement can be taken back, by whoever gave it in error, and lapses: when the severity rises, or with time.

ALTER TABLE alert_note DROP CONSTRAINT alert_note_type_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE alert_note ADD CONSTRAINT alert_note_type_check CHECK (
    type IN ('acknowledged', 'unacknowledged', 'lapsed', 'comment', 'inhibited', 'surfaced')
);
COMMENT ON COLUMN alert_note.body IS 'the text of a comment, the alert that explains this one, why an acknowledgement lapsed';

-- An acknowledgement can be taken back, by whoever gave it in error, and lapses: when the severity rises, or with time.

-- Widened at once below.
-- squawk-ignore ban-drop-constraint
ALTER TABLE alert_note DROP CONSTRAINT alert_note_type_check;
ALTER TABLE alert_note ADD CONSTRAINT alert_note_type_check CHECK (
    type IN ('acknowledged', 'unacknowledged', 'lapsed', 'comment', 'inhibited', 'surfaced')
) NOT VALID;
COMMENT ON COLUMN alert_note.body IS 'the text of a comment, the alert that explains this one, why an acknowledgement lapsed';

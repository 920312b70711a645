-- An alert may be assigned to a person.

ALTER TABLE alert ADD COLUMN assignee_id integer;
-- Empty so far, and nobody writes while a migration runs: nobody waits for the check.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE alert ADD CONSTRAINT alert_assignee FOREIGN KEY (assignee_id) REFERENCES person (id) ON DELETE SET NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_assignee ON alert (assignee_id, id) WHERE assignee_id IS NOT NULL;
COMMENT ON COLUMN alert.assignee_id IS 'whose work it is; NULL: nobody''s';

-- Widened at once below.
-- squawk-ignore ban-drop-constraint
ALTER TABLE alert_note DROP CONSTRAINT alert_note_type_check;
ALTER TABLE alert_note ADD CONSTRAINT alert_note_type_check CHECK (
    type IN (
        'acknowledged', 'unacknowledged', 'lapsed', 'comment', 'inhibited', 'surfaced', 'assigned', 'unassigned'
    )
) NOT VALID;
COMMENT ON COLUMN alert_note.body IS
'the text of a comment, the alert that explains this one, why an acknowledgement lapsed, the number of the assignee';

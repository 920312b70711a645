-- Who did something is a principal: texts of former times stay as names of principals, the same text as the same one.

INSERT INTO principal (kind, name)
SELECT DISTINCT 'former', said.author
FROM (
    SELECT acknowledged_by AS author FROM alert
    UNION
    SELECT author FROM alert_note
    UNION
    SELECT author FROM rule_change
    UNION
    SELECT author FROM rule_shadow
    UNION
    SELECT author FROM maintenance_window
) AS said
WHERE said.author IS NOT NULL;

ALTER TABLE alert ADD COLUMN acknowledger_id integer;
ALTER TABLE alert_note ADD COLUMN author_id integer;
ALTER TABLE rule_change ADD COLUMN author_id integer;
ALTER TABLE rule_shadow ADD COLUMN author_id integer;
ALTER TABLE maintenance_window ADD COLUMN author_id integer;
COMMENT ON COLUMN alert_note.author_id IS 'NULL: the platform noticed it';

UPDATE alert SET acknowledger_id = p.id FROM principal AS p
WHERE p.kind = 'former' AND p.name = alert.acknowledged_by;
UPDATE alert_note SET author_id = p.id FROM principal AS p
WHERE p.kind = 'former' AND p.name = alert_note.author AND alert_note.author <> '';
UPDATE rule_change SET author_id = p.id FROM principal AS p
WHERE p.kind = 'former' AND p.name = rule_change.author;
UPDATE rule_shadow SET author_id = p.id FROM principal AS p
WHERE p.kind = 'former' AND p.name = rule_shadow.author;
UPDATE maintenance_window SET author_id = p.id FROM principal AS p
WHERE p.kind = 'former' AND p.name = maintenance_window.author;

-- It is made anew after the migrations, with the acknowledger's name.
-- squawk-ignore ban-drop-view
DROP VIEW IF EXISTS v_alert;
-- squawk-ignore ban-drop-column
ALTER TABLE alert DROP COLUMN acknowledged_by;
-- squawk-ignore ban-drop-column
ALTER TABLE alert_note DROP COLUMN author;
-- squawk-ignore ban-drop-column
ALTER TABLE rule_change DROP COLUMN author;
-- squawk-ignore ban-drop-column
ALTER TABLE rule_shadow DROP COLUMN author;
-- squawk-ignore ban-drop-column
ALTER TABLE maintenance_window DROP COLUMN author;

-- Few rows beside the readings, and nobody writes while a migration runs: nobody waits for the checks.
-- squawk-ignore adding-not-nullable-field
ALTER TABLE rule_change ALTER COLUMN author_id SET NOT NULL;
-- squawk-ignore adding-not-nullable-field
ALTER TABLE rule_shadow ALTER COLUMN author_id SET NOT NULL;
-- squawk-ignore adding-not-nullable-field
ALTER TABLE maintenance_window ALTER COLUMN author_id SET NOT NULL;
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE alert ADD CONSTRAINT alert_acknowledger FOREIGN KEY (acknowledger_id) REFERENCES principal (id);
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE alert_note ADD CONSTRAINT alert_note_author FOREIGN KEY (author_id) REFERENCES principal (id);
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE rule_change ADD CONSTRAINT rule_change_author FOREIGN KEY (author_id) REFERENCES principal (id);
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE rule_shadow ADD CONSTRAINT rule_shadow_author FOREIGN KEY (author_id) REFERENCES principal (id);
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE maintenance_window ADD CONSTRAINT maintenance_window_author FOREIGN KEY (author_id) REFERENCES principal (id);

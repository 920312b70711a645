-- The severities that a rule can give its alerts, lowest first, written when it is applied.

ALTER TABLE rule ADD COLUMN severities text [] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN rule.severities IS 'lowest first; empty where an older version did not write them down';

UPDATE rule SET severities = ARRAY(
    SELECT severity FROM unnest(ARRAY['warning', 'minor', 'major', 'critical']) AS severity
    WHERE definition -> 'levels' ? severity OR definition -> family ->> 'severity' = severity
);

-- What other statements ask of a rule, written when it is applied: its definition is parsed by the program alone.

ALTER TABLE rule ADD COLUMN family text NOT NULL DEFAULT 'stream';
ALTER TABLE rule ADD COLUMN suppress_by text [] NOT NULL DEFAULT '{}';
ALTER TABLE rule ADD COLUMN settle interval NOT NULL DEFAULT '5 minutes';
ALTER TABLE rule ADD COLUMN labels jsonb NOT NULL DEFAULT '{}';
ALTER TABLE rule ADD COLUMN measurement text;
ALTER TABLE rule ADD COLUMN reaches double precision;
COMMENT ON COLUMN rule.family IS 'stream, or the family of a sweep rule: silent, children_down, not_refreshed, ...';
COMMENT ON COLUMN rule.suppress_by IS 'rules whose open alert explains one of this rule';
COMMENT ON COLUMN rule.settle IS 'how long an alert waits for one of suppress_by, and after it ended';
COMMENT ON COLUMN rule.labels IS 'what readers see instead of a name: sentence by language by name';
COMMENT ON COLUMN rule.measurement IS 'what a sweep rule judges; NULL where it judges none, or several';
COMMENT ON COLUMN rule.reaches IS 'the level that a forecast rule foresees; NULL for the others';

UPDATE rule SET
    family = CASE
        WHEN definition ? 'children_down' THEN 'children_down'
        WHEN definition ? 'not_refreshed' THEN 'not_refreshed'
        WHEN definition ? 'neighbours' THEN 'neighbours'
        WHEN definition ? 'forecast' THEN 'forecast'
        WHEN definition ? 'silent' THEN 'silent'
        ELSE 'stream'
    END,
    suppress_by = CASE
        WHEN jsonb_typeof(definition -> 'suppress_by') = 'array'
            THEN ARRAY(SELECT jsonb_array_elements_text(definition -> 'suppress_by'))
        ELSE '{}'
    END,
    settle = coalesce(definition ->> 'settle', '5m')::interval,
    labels = coalesce(definition -> 'labels', '{}'),
    measurement = coalesce(
        definition -> 'not_refreshed' ->> 'measurement',
        definition -> 'neighbours' ->> 'measurement',
        definition -> 'forecast' ->> 'measurement'
    ),
    reaches = (definition -> 'forecast' ->> 'reaches')::float8;

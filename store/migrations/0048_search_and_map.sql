-- Search finds what is said, and not the codes of the languages it is said in; the map finds a street by its position.

-- Computed anew once. No table of readings is touched.
-- squawk-ignore ban-drop-column
ALTER TABLE ground_feature DROP COLUMN searched;
-- squawk-ignore ban-drop-column
ALTER TABLE alert DROP COLUMN searched;
ALTER TABLE ground_feature ADD COLUMN searched text
-- squawk-ignore adding-field-with-default
GENERATED ALWAYS AS (folded(name || ' ' || jsonb_path_query_array(title, '$.*')::text)) STORED;
ALTER TABLE alert ADD COLUMN searched text
-- squawk-ignore adding-field-with-default
GENERATED ALWAYS AS (folded(rule || ' ' || jsonb_path_query_array(summary, '$.*')::text)) STORED;
COMMENT ON COLUMN ground_feature.searched IS 'code and names in every language as search compares them';
COMMENT ON COLUMN alert.searched IS 'rule and sentences as search compares them';

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX device_position ON device (lon, lat) WHERE retired_at IS NULL AND installed_at IS NOT NULL;

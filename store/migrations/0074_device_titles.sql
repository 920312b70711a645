-- What people of each language call a device, beside its one title; search finds all of them.

ALTER TABLE device ADD COLUMN titles jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN device.titles IS 'what it is called by language, where that is not the title';

-- Computed anew once. No table of readings is touched.
-- squawk-ignore ban-drop-column
ALTER TABLE device DROP COLUMN searched;
ALTER TABLE device ADD COLUMN searched text
-- squawk-ignore adding-field-with-default
GENERATED ALWAYS AS (folded(
    name || ' ' || title || coalesce(' ' || (titles ->> 'ar'), '')
    || coalesce(' ' || (titles ->> 'fr'), '') || coalesce(' ' || (titles ->> 'en'), '')
)) STORED;
COMMENT ON COLUMN device.searched IS 'name and titles as search compares them';

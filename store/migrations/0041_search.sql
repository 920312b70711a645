-- Search that does not ask how something is spelt: digits of either script, hamza, ta marbuta, marks, accents, case.

CREATE OR REPLACE FUNCTION folded(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(
    lower(regexp_replace(
        normalize(said, NFKD), '[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]', '', 'g'
    )),
    'ٱىیکة٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
    'اييكه01234567890123456789'
);
COMMENT ON FUNCTION folded IS 'a text as search compares it; devices/texts/folding.py does the same';

-- Computed once when something is named, not for every row of every search. No table of
-- readings is touched; these are written anew once.
-- squawk-ignore adding-field-with-default
ALTER TABLE device ADD COLUMN searched text GENERATED ALWAYS AS (folded(name || ' ' || title)) STORED;
-- squawk-ignore adding-field-with-default
ALTER TABLE ground_feature ADD COLUMN searched text GENERATED ALWAYS AS (folded(name || ' ' || title::text)) STORED;
-- squawk-ignore adding-field-with-default
ALTER TABLE work_order ADD COLUMN searched text GENERATED ALWAYS AS (folded(title)) STORED;
-- squawk-ignore adding-field-with-default
ALTER TABLE alert ADD COLUMN searched text GENERATED ALWAYS AS (folded(rule || ' ' || summary::text)) STORED;
COMMENT ON COLUMN device.searched IS 'name and title as search compares them';
COMMENT ON COLUMN ground_feature.searched IS 'code and names in every language as search compares them';
COMMENT ON COLUMN work_order.searched IS 'the title as search compares it';
COMMENT ON COLUMN alert.searched IS 'rule and sentences as search compares them';

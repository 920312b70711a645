-- People are told of work, and get reports by e-mail.

ALTER TABLE notifier ADD COLUMN work_xid xid8 NOT NULL DEFAULT '0';
ALTER TABLE notifier ADD COLUMN work_event_id bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN notifier.work_xid IS 'with work_event_id: the last event of work that was read, in the order of work events';
-- What happened before anybody was told of work is not told.
UPDATE notifier SET work_xid = newest.xid, work_event_id = newest.id
FROM (SELECT xid, id FROM work_event ORDER BY xid DESC, id DESC LIMIT 1) AS newest;

ALTER TABLE delivery ADD COLUMN topic text;
ALTER TABLE delivery ADD COLUMN order_id bigint;
ALTER TABLE delivery ADD COLUMN about jsonb;
ALTER TABLE delivery ADD CONSTRAINT delivery_topic CHECK (topic IN ('work', 'weekly-report', 'audit-heads')) NOT VALID;
ALTER TABLE delivery ADD CONSTRAINT delivery_order_id FOREIGN KEY (order_id) REFERENCES work_order (id) NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX delivery_order ON delivery (order_id) WHERE order_id IS NOT NULL;
COMMENT ON COLUMN delivery.occasion IS 'NULL: it is about a topic, or failing_channel, not about alerts';
COMMENT ON COLUMN delivery.topic IS 'what it is about other than alerts';
COMMENT ON COLUMN delivery.about IS 'of a topic: event of work with its number, municipality and week, or month';

-- Widened at once.
-- squawk-ignore ban-drop-constraint
ALTER TABLE delivery DROP CONSTRAINT delivery_occasion_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_occasion_check CHECK (
    occasion IN ('opened', 'worse', 'reminder', 'resolved', 'assigned')
) NOT VALID;

CREATE TABLE subscription (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    topic text NOT NULL CHECK (topic IN ('weekly-report', 'audit-heads')),
    municipality_id integer REFERENCES municipality (id),
    told_for date NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (topic <> 'weekly-report' OR municipality_id IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (person_id, topic, municipality_id)
);
COMMENT ON TABLE subscription IS 'what people get by e-mail again and again';
COMMENT ON COLUMN subscription.municipality_id IS 'NULL: all municipalities';
COMMENT ON COLUMN subscription.told_for IS 'first day of the last week or month that was told, or was over when it began';

-- How far the escalation of each alert is, and who was told what: every delivery with its attempts.

CREATE TABLE notifier (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    owner uuid,
    batch bigint NOT NULL DEFAULT 0,
    xid xid8 NOT NULL DEFAULT '0',
    event_id bigint NOT NULL DEFAULT 0,
    alive_at timestamptz
);
COMMENT ON TABLE notifier IS 'which process tells people of alerts, and up to which event it has read them';
COMMENT ON COLUMN notifier.batch IS 'increased with every batch of events, so that a process that lost the row writes nothing';
COMMENT ON COLUMN notifier.xid IS 'with event_id: the last event that was read, in the order of alert events';

-- What happened before there was a notifier is not told.
INSERT INTO notifier (xid, event_id)
SELECT coalesce(newest.xid, '0'), coalesce(newest.id, 0)
FROM (SELECT 1) AS one
LEFT JOIN (
    (SELECT xid, id FROM transition ORDER BY xid DESC, id DESC LIMIT 1)
    UNION ALL
    (SELECT xid, id FROM alert_note ORDER BY xid DESC, id DESC LIMIT 1)
) AS newest ON true
ORDER BY newest.xid DESC NULLS LAST, newest.id DESC
LIMIT 1;

CREATE TABLE escalation (
    alert_id bigint PRIMARY KEY REFERENCES alert (id),
    state text NOT NULL CHECK (state IN ('waiting', 'telling', 'acknowledged', 'ending', 'ended')),
    occasion text NOT NULL CHECK (occasion IN ('opened', 'worse', 'reminder', 'resolved')),
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    plan jsonb,
    step integer NOT NULL DEFAULT 0,
    next_at timestamptz,
    waits_for text,
    began_at timestamptz NOT NULL
);
CREATE INDEX escalation_due ON escalation (next_at) WHERE next_at IS NOT NULL;
COMMENT ON COLUMN escalation.occasion IS 'what is said next';
COMMENT ON COLUMN escalation.severity IS 'the highest so far: only above it the alert is worse';
COMMENT ON COLUMN escalation.plan IS 'what the route asked for when the alert was told; NULL: not told yet';
COMMENT ON COLUMN escalation.step IS 'of the plan, the next one';
COMMENT ON COLUMN escalation.next_at IS 'our time at which something is due; NULL: nothing, unless something happens to the alert';
COMMENT ON COLUMN escalation.waits_for IS 'why nobody is told at present';
COMMENT ON COLUMN escalation.began_at IS 'observed: what happened then is told late when more than minutes have passed';

CREATE TABLE delivery (
    id uuid PRIMARY KEY,
    call_id uuid NOT NULL,
    person_id integer NOT NULL REFERENCES principal (id),
    channel text NOT NULL,
    address text NOT NULL,
    occasion text CHECK (occasion IN ('opened', 'worse', 'reminder', 'resolved')),
    failing_channel text,
    group_key text,
    group_until timestamptz,
    digest boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('planned', 'sending', 'delivered', 'refused', 'given-up', 'not-needed')),
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    ambiguous boolean NOT NULL DEFAULT false,
    answer text,
    created_at timestamptz NOT NULL,
    handed_over_at timestamptz
);
CREATE INDEX delivery_due ON delivery (channel, due_at) WHERE state = 'planned';
CREATE INDEX delivery_sending ON delivery (id) WHERE state = 'sending';
CREATE INDEX delivery_group ON delivery (group_key, group_until) WHERE group_key IS NOT NULL;
CREATE INDEX delivery_call ON delivery (call_id);
CREATE INDEX delivery_ambiguous ON delivery (id) WHERE ambiguous;
CREATE INDEX delivery_newest ON delivery (created_at);
COMMENT ON COLUMN delivery.id IS 'the message''s id, the same in every attempt';
COMMENT ON COLUMN delivery.call_id IS 'the same for all channels by which one person is told one thing';
COMMENT ON COLUMN delivery.occasion IS 'NULL: it is about failing_channel, not about alerts';
COMMENT ON COLUMN delivery.group_until IS 'until when what follows in the group waits for one digest';
COMMENT ON COLUMN delivery.due_at IS 'our time of the next attempt';
COMMENT ON COLUMN delivery.ambiguous IS 'an attempt ended without an answer: the message may have arrived';
COMMENT ON COLUMN delivery.answer IS 'the last one of the service, or why nothing was sent';

CREATE TABLE delivery_alert (
    delivery_id uuid NOT NULL REFERENCES delivery (id),
    alert_id bigint NOT NULL REFERENCES alert (id),
    needed boolean NOT NULL DEFAULT true,
    PRIMARY KEY (delivery_id, alert_id)
);
CREATE INDEX delivery_alert_alert ON delivery_alert (alert_id);
COMMENT ON TABLE delivery_alert IS 'which alerts a message is about';
COMMENT ON COLUMN delivery_alert.needed IS 'false: the alert ended, or somebody acknowledged it, before this was said';

CREATE TABLE delivery_attempt (
    delivery_id uuid NOT NULL REFERENCES delivery (id),
    number integer NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    answer text,
    PRIMARY KEY (delivery_id, number)
);
COMMENT ON TABLE delivery_attempt IS 'written before the attempt is made; without an end nobody knows what became of it';

CREATE TABLE channel_state (
    channel text PRIMARY KEY,
    answered_at timestamptz NOT NULL,
    answer text NOT NULL,
    failing_since timestamptz,
    told_at timestamptz
);
COMMENT ON COLUMN channel_state.failing_since IS 'the first failure since the last delivery; NULL: the last one was handed over';
COMMENT ON COLUMN channel_state.told_at IS 'when administrators were told that it fails';

-- Work orders: who goes to a device, for which alerts, until when, and what they found and did there.

CREATE TABLE work_order (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer NOT NULL REFERENCES municipality (id),
    device_id integer NOT NULL REFERENCES device (id),
    origin text NOT NULL CHECK (origin IN ('alert', 'person', 'rule', 'plan')),
    plan_id bigint,
    rule text,
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    title text NOT NULL,
    state text NOT NULL CHECK (
        state IN ('open', 'assigned', 'accepted', 'on-the-way', 'in-progress', 'done', 'cancelled')
    ),
    assignee_id integer,
    team_id integer,
    author_id integer NOT NULL REFERENCES principal (id),
    created_at timestamptz NOT NULL,
    response_due_at timestamptz,
    repair_due_at timestamptz,
    accepted_at timestamptz,
    arrived_at timestamptz,
    ended_at timestamptz,
    reopened integer NOT NULL DEFAULT 0,
    verification text CHECK (verification IN ('waiting', 'verified', 'failed')),
    verify_until timestamptz,
    verified_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT work_order_assignee FOREIGN KEY (assignee_id) REFERENCES person (id) ON DELETE SET NULL,
    CONSTRAINT work_order_team FOREIGN KEY (team_id) REFERENCES team (id) ON DELETE SET NULL
);
CREATE INDEX work_order_open ON work_order (municipality_id, id) WHERE state NOT IN ('done', 'cancelled');
CREATE INDEX work_order_device ON work_order (device_id, id);
CREATE INDEX work_order_assignee ON work_order (assignee_id, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX work_order_created ON work_order (municipality_id, created_at);
CREATE INDEX work_order_verifying ON work_order (verify_until) WHERE verification = 'waiting';
COMMENT ON COLUMN work_order.municipality_id IS 'of the device when the order was made';
COMMENT ON COLUMN work_order.origin IS 'what it was made from: an alert by a person, a rule by itself, a preventive plan, nothing but a person';
COMMENT ON COLUMN work_order.rule IS 'of the first alert; NULL: it was not made from one';
COMMENT ON COLUMN work_order.title IS 'what is to be done, in words of its author; empty: what its alerts say';
COMMENT ON COLUMN work_order.author_id IS 'the system''s number where no person made it';
COMMENT ON COLUMN work_order.response_due_at IS 'until when somebody has to accept it, by the working calendar; NULL: no deadline';
COMMENT ON COLUMN work_order.repair_due_at IS 'until when it has to be done, by the working calendar; NULL: no deadline';
COMMENT ON COLUMN work_order.accepted_at IS 'first time; NULL: not yet';
COMMENT ON COLUMN work_order.arrived_at IS 'first time that work began; NULL: not yet';
COMMENT ON COLUMN work_order.ended_at IS 'when it was reported done, the last time, or cancelled; NULL: it is open, or open again';
COMMENT ON COLUMN work_order.reopened IS 'how often it was reported done although its condition went on';
COMMENT ON COLUMN work_order.verification IS 'whether readings show the repair; NULL: nothing to verify, or not done yet';

CREATE TABLE work_order_alert (
    order_id bigint NOT NULL REFERENCES work_order (id),
    alert_id bigint NOT NULL REFERENCES alert (id),
    PRIMARY KEY (order_id, alert_id)
);
CREATE INDEX work_order_alert_alert ON work_order_alert (alert_id);
COMMENT ON TABLE work_order_alert IS 'the alerts that an order is about: the first, and what the device raised meanwhile';

CREATE TABLE work_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    order_id bigint NOT NULL REFERENCES work_order (id),
    type text NOT NULL CHECK (
        type IN (
            'created', 'assigned', 'unassigned', 'accepted', 'declined', 'on-the-way', 'in-progress', 'done',
            'cancelled', 'reopened', 'verified', 'comment', 'alert-added', 'photo-added', 'response-near',
            'response-missed', 'repair-near', 'repair-missed'
        )
    ),
    author_id integer REFERENCES principal (id),
    body jsonb NOT NULL DEFAULT '{}',
    happened_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX work_event_order ON work_event (order_id, id);
CREATE INDEX work_event_newest ON work_event (xid, id);
COMMENT ON TABLE work_event IS 'what happened to an order; whoever tells people of it reads here, in the order (xid, id)';
COMMENT ON COLUMN work_event.author_id IS 'NULL: the platform itself';
COMMENT ON COLUMN work_event.happened_at IS 'by the clock of who did it, which may have had no network; never after created_at';

CREATE TABLE work_report (
    order_id bigint NOT NULL REFERENCES work_order (id),
    number integer NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    found text NOT NULL,
    done text NOT NULL,
    parts jsonb NOT NULL DEFAULT '[]',
    checklist jsonb NOT NULL DEFAULT '[]',
    reported_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, number)
);
COMMENT ON TABLE work_report IS 'what somebody found and did; one more each time that a reopened order is done again';
COMMENT ON COLUMN work_report.parts IS 'what was used: [{"name": …, "quantity": …, "unit": …}]';
COMMENT ON COLUMN work_report.checklist IS 'the answers: [{"item": …, "answer": "yes" | "no" | "not-applicable", "remark": …}]';

CREATE TABLE work_photo (
    id uuid PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES work_order (id),
    author_id integer NOT NULL REFERENCES principal (id),
    media_type text NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    width integer NOT NULL,
    height integer NOT NULL,
    size integer NOT NULL,
    sha256 text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (order_id, sha256)
);
COMMENT ON TABLE work_photo IS 'photos of a report; the files lie in the directory of photos, by id';
COMMENT ON COLUMN work_photo.size IS 'bytes of the file';

CREATE TABLE alert_hold (
    device_id integer NOT NULL REFERENCES device (id),
    holder text NOT NULL,
    from_at timestamptz NOT NULL,
    until_at timestamptz,
    PRIMARY KEY (device_id, holder)
);
COMMENT ON TABLE alert_hold IS 'devices that somebody works on: what they raise meanwhile is recorded and not told';
COMMENT ON COLUMN alert_hold.holder IS 'who holds them back, such as work order 12';
COMMENT ON COLUMN alert_hold.until_at IS 'not included; NULL: until it is taken back';

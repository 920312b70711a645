-- How messages are answered: by a signed link, or by the code of an SMS; and that somebody cannot come.

CREATE TABLE signing_key (
    purpose text PRIMARY KEY,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE signing_key IS 'random keys that links are signed with; deleting one ends every link';

CREATE TABLE answer_offer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id uuid NOT NULL UNIQUE,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    alerts bigint [] NOT NULL,
    code text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    answered_at timestamptz,
    answer text CHECK (answer IN ('acknowledge', 'decline')),
    CHECK ((answered_at IS NULL) = (answer IS NULL))
);
CREATE INDEX answer_offer_person ON answer_offer (person_id, code);
CREATE INDEX answer_offer_expires_at ON answer_offer (expires_at);
COMMENT ON TABLE answer_offer IS 'which alerts a message lets a person answer, once, until it expires';
COMMENT ON COLUMN answer_offer.delivery_id IS 'the message: every attempt to send it offers the same answer';
COMMENT ON COLUMN answer_offer.code IS 'what an SMS is answered with, beside the number that it comes from';

-- Both take more than before.
-- squawk-ignore ban-drop-constraint
ALTER TABLE alert_note DROP CONSTRAINT alert_note_type_check;
ALTER TABLE alert_note ADD CONSTRAINT alert_note_type_check CHECK (
    type IN (
        'acknowledged', 'unacknowledged', 'lapsed', 'comment', 'inhibited', 'surfaced', 'assigned', 'unassigned',
        'declined'
    )
) NOT VALID;

-- squawk-ignore ban-drop-constraint
ALTER TABLE token DROP CONSTRAINT token_scopes_check;
ALTER TABLE token ADD CONSTRAINT token_scopes_check CHECK (scopes <@ '{metrics,sms-answers}') NOT VALID;

-- Browsers that people let wake them: messages of the channel web-push go there.

CREATE TABLE push_subscription (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    endpoint text NOT NULL UNIQUE CHECK (length(endpoint) <= 2000),
    p256dh bytea NOT NULL CHECK (octet_length(p256dh) = 65),
    auth bytea NOT NULL CHECK (octet_length(auth) = 16),
    browser text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    failed_at timestamptz
);
CREATE INDEX push_subscription_person ON push_subscription (person_id);
COMMENT ON TABLE push_subscription IS 'a browser of a person that takes messages, until its push service knows it no more';
COMMENT ON COLUMN push_subscription.endpoint IS 'address at the push service; whoever knows it could send there, with our key';
COMMENT ON COLUMN push_subscription.p256dh IS 'public key of the browser, an uncompressed point of P-256';
COMMENT ON COLUMN push_subscription.auth IS 'secret of the browser that messages are encrypted with too';
COMMENT ON COLUMN push_subscription.browser IS 'what it is called for its person: Firefox, Android';
COMMENT ON COLUMN push_subscription.last_used_at IS 'when the push service last took a message';
COMMENT ON COLUMN push_subscription.failed_at IS 'when it last did not; NULL: it has taken one since, or none was sent';

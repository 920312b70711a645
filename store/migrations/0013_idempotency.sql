-- What a repeated command is answered: the work it asks for is done once, across restarts and processes of the API.

CREATE TABLE idempotency_key (
    route text NOT NULL,
    key text NOT NULL,
    request_digest bytea NOT NULL,
    answer jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (route, key)
);
CREATE INDEX idempotency_key_created ON idempotency_key (created_at);
COMMENT ON TABLE idempotency_key IS 'commands that were sent with an Idempotency-Key, for a day; written with the work itself';
COMMENT ON COLUMN idempotency_key.request_digest IS 'SHA-256 of the body: the same key with another body is refused';
COMMENT ON COLUMN idempotency_key.answer IS 'NULL only within the transaction that does the work';

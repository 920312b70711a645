-- What devices sign in with at the broker. Its files are made from this table; nothing here signs in by itself.

CREATE TABLE device_credential (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device (id),
    form text NOT NULL CHECK (form IN ('password', 'certificate')),
    username text NOT NULL CHECK (length(username) BETWEEN 1 AND 64),
    password_hash text,
    serial text,
    fingerprint text,
    made_at timestamptz NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    not_after timestamptz,
    ends_at timestamptz,
    ending text CHECK (ending IN ('rotated', 'revoked')),
    disconnected_at timestamptz,
    CHECK ((form = 'password') = (password_hash IS NOT NULL)),
    CHECK ((form = 'certificate') = (serial IS NOT NULL AND fingerprint IS NOT NULL AND not_after IS NOT NULL)),
    CHECK ((ends_at IS NULL) = (ending IS NULL))
);
CREATE UNIQUE INDEX device_credential_current ON device_credential (device_id, form) WHERE ends_at IS NULL;
CREATE UNIQUE INDEX device_credential_serial ON device_credential (serial);
CREATE INDEX device_credential_device ON device_credential (device_id, id);
COMMENT ON TABLE device_credential IS 'passwords (hashed) and certificates of devices; rows stay as the record of who had what';
COMMENT ON COLUMN device_credential.username IS 'what the hardware called itself on the wire when it was made; it works while that is so';
COMMENT ON COLUMN device_credential.password_hash IS 'PBKDF2-SHA512 as mosquitto writes it: $7$iterations$salt$hash';
COMMENT ON COLUMN device_credential.not_after IS 'the end that a certificate itself names';
COMMENT ON COLUMN device_credential.ends_at IS 'from when it does not work: rotated (after the overlap) or revoked; NULL: it is the current one';
COMMENT ON COLUMN device_credential.disconnected_at IS 'when a session that this certificate had opened was ended at the broker';

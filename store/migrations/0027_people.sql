-- People, what they may do where, and how they and programs show who they are.

CREATE TABLE person (
    id integer PRIMARY KEY REFERENCES principal (id),
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    display_name text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'fr', 'ar')),
    phone text,
    email text,
    channels jsonb NOT NULL DEFAULT '{}',
    calendar text,
    password_hash text,
    totp_secret text,
    totp_step bigint NOT NULL DEFAULT 0,
    recovery_codes bytea [] NOT NULL DEFAULT '{}',
    disabled_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON COLUMN person.channels IS 'how to reach them: address or name by channel';
COMMENT ON COLUMN person.calendar IS 'the working calendar that they keep; NULL: that of their municipality';
COMMENT ON COLUMN person.password_hash IS 'argon2id with its parameters; NULL: they sign in by a link only';
COMMENT ON COLUMN person.totp_step IS 'the half minute of the last code that was taken: none is taken twice';
COMMENT ON COLUMN person.recovery_codes IS 'SHA-256 of each random code that is still good';

CREATE TABLE membership (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    municipality_id integer REFERENCES municipality (id),
    role text NOT NULL CHECK (role IN ('viewer', 'technician', 'operator', 'admin', 'ministry')),
    UNIQUE NULLS NOT DISTINCT (person_id, municipality_id, role)
);
COMMENT ON COLUMN membership.municipality_id IS 'NULL: all municipalities, also those to come';

CREATE TABLE session (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    former_hash bytea,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz NOT NULL,
    address text NOT NULL,
    user_agent text NOT NULL
);
CREATE UNIQUE INDEX session_former_hash ON session (former_hash) WHERE former_hash IS NOT NULL;
CREATE INDEX session_person ON session (person_id);
COMMENT ON COLUMN session.hash IS 'SHA-256 of the random 256-bit id in the browser''s cookie';
COMMENT ON COLUMN session.former_hash IS 'of the id before the last rotation: requests under way still carry it';

CREATE TABLE sign_in_link (
    hash bytea PRIMARY KEY,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_link_person ON sign_in_link (person_id);
COMMENT ON TABLE sign_in_link IS 'links that sign a person in, once; a used one is deleted';

ALTER TABLE token ADD COLUMN principal_id integer;
ALTER TABLE token ADD COLUMN role text CHECK (role IN ('viewer', 'technician', 'operator', 'admin', 'ministry'));
ALTER TABLE token ADD COLUMN municipality_id integer;
ALTER TABLE token ADD COLUMN scopes text [] NOT NULL DEFAULT '{}' CHECK (scopes <@ '{metrics}');
ALTER TABLE token ADD COLUMN last_used_at timestamptz;
ALTER TABLE token ADD COLUMN revoked_at timestamptz;
ALTER TABLE token ADD COLUMN created_by integer;
COMMENT ON COLUMN token.role IS 'what it may do, in municipality_id; NULL: only what scopes say';
COMMENT ON COLUMN token.municipality_id IS 'NULL: all municipalities';
COMMENT ON COLUMN token.last_used_at IS 'written once a minute at most';

-- Tokens of former times had all rights for ever; they keep the rights for another 90 days.
DO $$
DECLARE
    kept integer;
    made integer;
BEGIN
    FOR kept IN SELECT id FROM token ORDER BY id LOOP
        INSERT INTO principal (kind) VALUES ('token') RETURNING id INTO made;
        UPDATE token SET
            principal_id = made, role = 'admin', expires_at = least(expires_at, now() + interval '90 days')
        WHERE id = kept;
    END LOOP;
END
$$;

-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX token_principal_one ON token (principal_id);

-- A handful of rows: nobody waits for the checks.
-- squawk-ignore adding-not-nullable-field
ALTER TABLE token ALTER COLUMN principal_id SET NOT NULL;
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE token ADD CONSTRAINT token_principal FOREIGN KEY (principal_id) REFERENCES principal (id);
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE token ADD CONSTRAINT token_municipality FOREIGN KEY (municipality_id) REFERENCES municipality (id);
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE token ADD CONSTRAINT token_created_by FOREIGN KEY (created_by) REFERENCES principal (id);

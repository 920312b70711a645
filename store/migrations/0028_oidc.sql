-- People who sign in at another site (OpenID Connect), and sign-ins there that have begun.

CREATE TABLE oidc_person (
    person_id integer PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    issuer text NOT NULL,
    subject text NOT NULL,
    UNIQUE (issuer, subject)
);
COMMENT ON COLUMN oidc_person.subject IS 'who it is at the issuer: never changes, unlike name and e-mail';

CREATE TABLE oidc_sign_in (
    hash bytea PRIMARY KEY,
    browser_hash bytea NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX oidc_sign_in_expires_at ON oidc_sign_in (expires_at);
COMMENT ON TABLE oidc_sign_in IS 'a sign-in that has begun; deleted when the browser comes back';
COMMENT ON COLUMN oidc_sign_in.hash IS 'SHA-256 of the random state that comes back with the browser';
COMMENT ON COLUMN oidc_sign_in.browser_hash IS 'SHA-256 of what stands in the cookie of the browser that began';

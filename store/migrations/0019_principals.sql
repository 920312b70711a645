-- Who did something: a person, a token, the command line of this machine, the platform itself, or a name of former times.

CREATE TABLE principal (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('person', 'token', 'command', 'platform', 'former')),
    name text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX principal_name ON principal (kind, name) WHERE name IS NOT NULL;
COMMENT ON COLUMN principal.name IS 'NULL for people and tokens, whose names stand in their own tables';

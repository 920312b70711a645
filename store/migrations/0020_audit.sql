-- Every change of state, by whom, when, from where, before and after: rows that are added and never changed.

-- The platform itself has the same number everywhere, so that no process needs to look it up.
INSERT INTO principal (id, kind, name) OVERRIDING SYSTEM VALUE VALUES (0, 'platform', 'nabd');

CREATE TABLE audit_chain (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer,
    month date NOT NULL CHECK (extract(DAY FROM month) = 1),
    rows bigint NOT NULL DEFAULT 0,
    head text NOT NULL DEFAULT repeat('0', 64),
    expired_at timestamptz,
    UNIQUE NULLS NOT DISTINCT (municipality_id, month)
);
COMMENT ON TABLE audit_chain IS 'one chain of rows per municipality and month; its row is locked by whoever adds to it';
COMMENT ON COLUMN audit_chain.municipality_id IS 'NULL: changes that concern the whole platform';
COMMENT ON COLUMN audit_chain.month IS 'its first day, UTC';
COMMENT ON COLUMN audit_chain.head IS 'hash of the chain''s last row, zeros before the first';
COMMENT ON COLUMN audit_chain.expired_at IS 'when the rows of the month were deleted as a whole; head and number stay';

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id integer NOT NULL REFERENCES audit_chain (id),
    number bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    principal_id integer NOT NULL REFERENCES principal (id),
    address text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    before json,
    after json,
    previous text NOT NULL,
    hash text NOT NULL,
    UNIQUE (chain_id, number)
);
CREATE INDEX audit_subject ON audit (subject, id);
COMMENT ON TABLE audit IS 'changes of state; people stand in it by number, their names in their own table only';
COMMENT ON COLUMN audit.number IS 'place in the chain, from 1';
COMMENT ON COLUMN audit.address IS 'from where: an address of the network, or the name of the machine of a command line';
COMMENT ON COLUMN audit.action IS 'noun and verb, such as device.retire';
COMMENT ON COLUMN audit.before IS 'canonical JSON (RFC 8785) of what was changed, as it was; NULL: it was not there';
COMMENT ON COLUMN audit.previous IS 'hash of the row before it in the chain, zeros in the first';
COMMENT ON COLUMN audit.hash IS 'SHA-256 of the canonical JSON of every other field, in hexadecimal digits';

-- Rows may go only with their whole month, once it is over and its chain says that it has expired.
CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op = 'DELETE' AND tg_table_name = 'audit' THEN
        IF EXISTS (
            SELECT FROM audit_chain
            WHERE
                id = old.chain_id AND expired_at IS NOT NULL
                AND month < date_trunc('month', now() AT TIME ZONE 'UTC')
        ) THEN
            RETURN old;
        END IF;
    ELSIF tg_op = 'UPDATE' AND tg_table_name = 'audit_chain' THEN
        IF
            (new.id, new.month) = (old.id, old.month)
            AND new.municipality_id IS NOT DISTINCT FROM old.municipality_id
            AND new.rows >= old.rows
            AND (old.expired_at IS NULL OR (new.rows, new.head, new.expired_at) = (old.rows, old.head, old.expired_at))
        THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit only grows; `nabd audit expire` deletes whole months'
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_chain_only_grows BEFORE UPDATE OR DELETE ON audit_chain
FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_chain_not_emptied BEFORE TRUNCATE ON audit_chain
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- Not even the owner of the tables, though who is master of the database can take it back: hence the chains.
REVOKE UPDATE, TRUNCATE ON audit FROM PUBLIC, current_user;
REVOKE DELETE, TRUNCATE ON audit_chain FROM PUBLIC, current_user;

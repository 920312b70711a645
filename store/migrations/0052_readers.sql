-- Accounts of the database that read the views v_* and nothing else: whose rows each sees, and what is refused to it.

CREATE TABLE database_reader (
    role name NOT NULL,
    municipality_id integer REFERENCES municipality (id),
    ours boolean NOT NULL DEFAULT false,
    UNIQUE NULLS NOT DISTINCT (role, municipality_id)
);
COMMENT ON TABLE database_reader IS 'which accounts see what in the views v_*; the owner sees all, anybody else nothing';
COMMENT ON COLUMN database_reader.municipality_id IS 'NULL: all of them, and what belongs to none';
COMMENT ON COLUMN database_reader.ours IS 'made by keep_reader: it is granted every view; others keep what they were granted';

-- Whoever could read some of the views until now still sees all of their rows, in these views and no others.
INSERT INTO database_reader (role)
SELECT DISTINCT r.rolname
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
INNER JOIN pg_roles AS r ON acl.grantee = r.oid
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'v\_%'
    AND acl.privilege_type = 'SELECT' AND acl.grantee <> c.relowner;

CREATE TABLE readable_view (name name PRIMARY KEY);
COMMENT ON TABLE readable_view IS 'the views v_* that cut rows to their reader; filled by migrate. Others are granted to nobody';

CREATE FUNCTION grant_readers() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    reader name;
    view name;
BEGIN
    -- A view of a kind that is gone, or of an operator's own, may have a body that asks nobody who reads.
    FOR reader, view IN
        SELECT DISTINCT database_reader.role, c.relname
        FROM database_reader
        INNER JOIN pg_roles ON database_reader.role = pg_roles.rolname
        CROSS JOIN readable_view
        INNER JOIN pg_class AS c ON readable_view.name = c.relname
        WHERE
            database_reader.ours AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
            AND c.reloptions @> ARRAY['security_barrier=true']
    LOOP
        EXECUTE format('GRANT SELECT ON public.%I TO %I', view, reader);
    END LOOP;
END
$$;
COMMENT ON FUNCTION grant_readers IS 'let accounts that keep_reader made read the readable views';

CREATE FUNCTION offer_views(views text []) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM readable_view WHERE name <> ALL (views);
    INSERT INTO readable_view (name) SELECT unnest(views) ON CONFLICT DO NOTHING;
    PERFORM grant_readers();
END
$$;
COMMENT ON FUNCTION offer_views IS 'say which views are readable, and let readers read them; every migration ends with it';

CREATE FUNCTION refuse_to_readers() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    locking text;
    large text;
BEGIN
    -- Left by PostgreSQL to everybody who may connect: temporary tables, advisory locks, large objects.
    IF has_database_privilege('public', current_database(), 'TEMPORARY') THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE WARNING 'advisory locks and large objects stay open to everybody: only a superuser can refuse them';
        RETURN;
    END IF;
    -- Locks are let go of by everybody, who has only those of his own: pools of connections do so at each return.
    SELECT
        string_agg(p.oid::regprocedure::text, ', ') FILTER (WHERE p.proname ~ '^pg_'),
        string_agg(p.oid::regprocedure::text, ', ') FILTER (WHERE p.proname ~ '^lo')
    INTO locking, large
    FROM pg_proc AS p
    WHERE
        p.pronamespace = 'pg_catalog'::regnamespace
        AND (
            p.proname ~ '^pg_(try_)?advisory_(xact_)?lock' OR p.proname ~ '^lo_'
            OR p.proname IN ('loread', 'lowrite')
        );
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s, %s FROM PUBLIC', locking, large);
    -- Rounds of work take an advisory lock, as the owner of our tables.
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION %s TO %I', locking,
        (SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c WHERE c.oid = 'public.municipality'::regclass)
    );
END
$$;
COMMENT ON FUNCTION refuse_to_readers IS
'take from everybody what no reader needs; advisory locks are left to the owner of table municipality';

CREATE FUNCTION keep_reader(reader name, municipality text, password text) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
    sees integer;
    made boolean := false;
BEGIN
    SELECT m.id INTO sees FROM public.municipality AS m WHERE m.name = keep_reader.municipality;
    IF sees IS NULL AND keep_reader.municipality IS NOT NULL THEN
        RAISE EXCEPTION 'there is no municipality %', keep_reader.municipality;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
        EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', reader);
        made := true;
    ELSIF NOT EXISTS (SELECT FROM database_reader AS r WHERE r.role = reader AND r.ours) AND reader !~ '^nabd_(local_)?grafana' THEN
        RAISE EXCEPTION 'role % exists and is not a reader of ours', reader;
    END IF;
    DELETE FROM database_reader WHERE role = reader AND municipality_id IS DISTINCT FROM sees;
    INSERT INTO database_reader (role, municipality_id, ours) VALUES (reader, sees, true)
    ON CONFLICT (role, municipality_id) DO UPDATE SET ours = true;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L CONNECTION LIMIT 20', reader, password);
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', reader);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = ''30s''', reader);
    EXECUTE format('ALTER ROLE %I SET lock_timeout = ''5s''', reader);
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''60s''', reader);
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', reader);
    PERFORM grant_readers();
    RETURN made;
END
$$;
COMMENT ON FUNCTION keep_reader IS 'make an account that reads one municipality, NULL: all, or bring it to that; true: it is new';

REVOKE EXECUTE ON FUNCTION grant_readers, offer_views, refuse_to_readers, keep_reader FROM PUBLIC;

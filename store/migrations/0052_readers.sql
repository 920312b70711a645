-- Accounts of the database that read the views v_* and nothing else: whose rows each sees, and what is refused to it.

CREATE TABLE database_reader (
    role name NOT NULL,
    municipality_id integer REFERENCES municipality (id),
    UNIQUE NULLS NOT DISTINCT (role, municipality_id)
);
COMMENT ON TABLE database_reader IS 'which accounts see what in the views v_*; the owner sees all, anybody else nothing';
COMMENT ON COLUMN database_reader.municipality_id IS 'NULL: all of them, and what belongs to none';

-- Whoever could read the views until now still reads all of them.
INSERT INTO database_reader (role)
SELECT DISTINCT acl.grantee::regrole::name
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'v\_%'
    AND acl.privilege_type = 'SELECT' AND acl.grantee NOT IN (0, c.relowner);

CREATE FUNCTION grant_readers() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    reader name;
    view name;
BEGIN
    FOR reader, view IN
        SELECT DISTINCT database_reader.role, pg_views.viewname
        FROM database_reader
        INNER JOIN pg_roles ON database_reader.role = pg_roles.rolname
        CROSS JOIN pg_views
        WHERE pg_views.schemaname = 'public' AND pg_views.viewname LIKE 'v\_%'
    LOOP
        EXECUTE format('GRANT SELECT ON public.%I TO %I', view, reader);
    END LOOP;
END
$$;
COMMENT ON FUNCTION grant_readers IS 'let all readers read views that are new; every migration ends with it';

CREATE FUNCTION refuse_to_readers() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    callable text;
BEGIN
    -- Left by PostgreSQL to everybody who may connect: temporary tables, advisory locks, large objects.
    IF has_database_privilege('public', current_database(), 'TEMPORARY') THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE WARNING 'advisory locks and large objects stay open to everybody: only a superuser can refuse them';
        RETURN;
    END IF;
    SELECT string_agg(p.oid::regprocedure::text, ', ') INTO callable
    FROM pg_proc AS p
    WHERE
        p.pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')
        AND (p.proname ~ '^pg_(try_)?advisory_' OR p.proname ~ '^lo_' OR p.proname IN ('loread', 'lowrite'));
    IF callable IS NOT NULL THEN
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', callable);
    END IF;
END
$$;
COMMENT ON FUNCTION refuse_to_readers IS 'take from everybody what no reader needs and nothing of ours uses';

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
    ELSIF NOT EXISTS (SELECT FROM database_reader WHERE role = reader) AND reader !~ '^nabd_grafana' THEN
        RAISE EXCEPTION 'role % exists and is not a reader of ours', reader;
    END IF;
    DELETE FROM database_reader WHERE role = reader AND municipality_id IS DISTINCT FROM sees;
    INSERT INTO database_reader (role, municipality_id) VALUES (reader, sees) ON CONFLICT DO NOTHING;
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

REVOKE EXECUTE ON FUNCTION grant_readers, refuse_to_readers, keep_reader FROM PUBLIC;

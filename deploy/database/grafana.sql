-- Grafana's own account: it reads the v_* views and nothing else, neither tokens nor raw tables. Run after
-- every migration (views may be new), as the owner of the views; safe to run again.
-- The password comes as a setting of the session: PGOPTIONS='-c nabd.grafana_password=...'

DO $$
DECLARE
    view name;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nabd_grafana') THEN
        CREATE ROLE nabd_grafana LOGIN;
    END IF;
    EXECUTE format('ALTER ROLE nabd_grafana PASSWORD %L', current_setting('nabd.grafana_password'));
    ALTER ROLE nabd_grafana SET default_transaction_read_only = on;
    ALTER ROLE nabd_grafana SET statement_timeout = '30s';
    -- Left by PostgreSQL to everybody who may connect: temporary tables. It needs none.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    GRANT USAGE ON SCHEMA public TO nabd_grafana;
    FOR view IN
        SELECT viewname FROM pg_views WHERE schemaname = 'public' AND viewname LIKE 'v\_%'
    LOOP
        EXECUTE format('GRANT SELECT ON public.%I TO nabd_grafana', view);
    END LOOP;
END
$$;

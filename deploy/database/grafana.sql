-- The account of the Grafana that docker-compose.yml runs: it reads the v_* views of all municipalities and nothing
-- else, neither tokens nor raw tables. Grafanas that `nabd grafana sync` looks after have accounts of their own
-- (nabd_grafana...). Run after the first migration, as the owner of the views; safe to run again.
-- The password comes as a setting of the session: PGOPTIONS='-c nabd.grafana_password=...'

-- Advisory locks are left to the owner of table municipality. Where Nabd's processes use another role than that:
-- GRANT EXECUTE ON FUNCTION pg_try_advisory_lock(bigint) TO that_role.
SELECT refuse_to_readers();
SELECT keep_reader('nabd_local_grafana', NULL, current_setting('nabd.grafana_password'));

-- Grafana's own account: it reads the v_* views of all municipalities and nothing else, neither tokens nor raw
-- tables. Run after the first migration, as the owner of the views; safe to run again.
-- The password comes as a setting of the session: PGOPTIONS='-c nabd.grafana_password=...'

SELECT refuse_to_readers();
SELECT keep_reader('nabd_grafana', NULL, current_setting('nabd.grafana_password'));

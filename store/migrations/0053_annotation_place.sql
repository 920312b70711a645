-- Alerts that are posted to servers of Grafana as annotations, where those do not read this database.

CREATE TABLE annotation_place (
    server text NOT NULL,
    organisation text NOT NULL,
    xid xid8 NOT NULL,
    event_id bigint NOT NULL,
    PRIMARY KEY (server, organisation)
);
COMMENT ON TABLE annotation_place IS 'up to which event, in the order of alert events, an organisation of a server has the annotations of alerts';

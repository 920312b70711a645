"""Whose rows an account of the database sees, and the views v_* of what is not readings.

An account sees the municipalities that table database_reader names for it, or for a role whose rights it has;
the owner sees all, anybody else nothing. Every view that is granted joins `readable_municipality`, or asks
`reads_all` where rows belong to no municipality, and is a security barrier: a condition of the reader's never
sees a row that he may not. Row security would refuse compressed chunks.
"""

from __future__ import annotations

from collections.abc import Mapping

_SEEN = """\
CREATE OR REPLACE VIEW seen_municipality AS
SELECT r.municipality_id
FROM database_reader AS r
INNER JOIN pg_roles AS a ON r.role = a.rolname
WHERE pg_has_role(current_user, a.oid, 'USAGE')"""
"""By number; NULL stands for all. A query computes it once, however many rows it reads."""

_READS_ALL = """\
CREATE OR REPLACE VIEW reads_all AS
SELECT true AS yes
WHERE
    EXISTS (SELECT FROM seen_municipality AS s WHERE s.municipality_id IS NULL)
    OR pg_has_role(
        current_user, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = 'municipality'::regclass), 'USAGE'
    )"""

_READABLE = """\
CREATE OR REPLACE VIEW readable_municipality AS
SELECT m.id, m.name, m.title, m.time_zone, m.lat, m.lon
FROM municipality AS m
WHERE
    EXISTS (SELECT FROM reads_all)
    OR m.id = ANY(ARRAY(SELECT s.municipality_id FROM seen_municipality AS s))"""
"""An array, which is computed once and handed to parallel workers; IN would keep what joins it from them."""

_MUNICIPALITY = """\
CREATE OR REPLACE VIEW v_municipality WITH (security_barrier) AS
SELECT m.id AS municipality_id, m.name AS municipality, m.title, m.time_zone, m.lat, m.lon
FROM readable_municipality AS m"""

_WORK = """\
CREATE OR REPLACE VIEW v_work WITH (security_barrier) AS
SELECT
    o.id AS order_id,
    d.name AS device,
    m.name AS municipality,
    g.name AS district,
    d.kind,
    o.origin,
    o.rule,
    o.severity,
    o.title,
    o.state,
    p.name AS assignee,
    t.name AS team,
    o.created_at,
    o.response_due_at,
    o.repair_due_at,
    o.accepted_at,
    o.arrived_at,
    o.ended_at,
    o.reopened,
    o.verification
FROM work_order AS o
INNER JOIN readable_municipality AS m ON o.municipality_id = m.id
INNER JOIN device AS d ON o.device_id = d.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id AND g.municipality_id = m.id
LEFT JOIN person AS p ON o.assignee_id = p.id
LEFT JOIN team AS t ON o.team_id = t.id"""

_REJECTION = """\
CREATE OR REPLACE VIEW v_rejection WITH (security_barrier) AS
SELECT
    r.id AS rejection_id, r.received_at, r.device, m.name AS municipality, r.reason, r.pointer, r.replayed_at
FROM rejection AS r
LEFT JOIN device AS d ON r.device = d.name
LEFT JOIN readable_municipality AS m ON d.municipality_id = m.id
WHERE m.id IS NOT NULL OR EXISTS (SELECT FROM reads_all)"""

_SHARD = """\
CREATE OR REPLACE VIEW v_shard WITH (security_barrier) AS
SELECT s.name AS shard, s.batch, s.alive_at, s.caught_up_at
FROM shard AS s
WHERE EXISTS (SELECT FROM reads_all)"""

_DELIVERY = """\
CREATE OR REPLACE VIEW v_delivery WITH (security_barrier) AS
SELECT d.channel, d.occasion, d.state, d.attempts, d.created_at, d.handed_over_at
FROM delivery AS d
WHERE EXISTS (SELECT FROM reads_all)"""

FIRST: Mapping[str, str] = {
    "seen_municipality": _SEEN,
    "reads_all": _READS_ALL,
    "readable_municipality": _READABLE,
}
"""What the other views ask; by name, in the order in which they are made. Granted to nobody."""

VIEWS: Mapping[str, str] = {
    "v_municipality": _MUNICIPALITY,
    "v_work": _WORK,
    "v_rejection": _REJECTION,
    "v_shard": _SHARD,
    "v_delivery": _DELIVERY,
}

OFFER = "SELECT offer_views($1::text [])"
"""The views that are there are granted to all readers of ours with it."""

MUNICIPALITY_AT = """\
CASE
        WHEN d.moved_at > {instant} THEN coalesce((
            SELECT moved.municipality_id
            FROM device_move AS moved
            WHERE moved.device_id = d.id AND moved.moved_at > {instant}
            ORDER BY moved.moved_at
            LIMIT 1
        ), d.municipality_id)
        ELSE d.municipality_id
    END"""
"""In which municipality device d was at an instant. As function municipality_at, which would read
tables as the reader, who has no right to: a view reads them for him."""

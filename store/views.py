"""The SQL views v_*: what Grafana and other clients may rely on, the same in both editions.

Built after every migrate from the tables as they then are. Must not know editions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from store.readers import seen
from store.readers.seen import MUNICIPALITY_AT
from store.tables import Column, Resolution, Table

DEVICE = """\
CREATE OR REPLACE VIEW v_device WITH (security_barrier) AS
SELECT
    d.id AS device_id,
    d.name AS device,
    m.name AS municipality,
    d.kind,
    coalesce(p.name, b.relays [1]) AS parent,
    d.title,
    d.lat,
    d.lon,
    d.attributes,
    d.retired_at,
    d.retired_reason,
    o.online,
    o.changed_at AS online_changed_at,
    l.observed_at,
    l.received_at,
    l.interval_s,
    l.quality,
    l.measurements,
    CASE
        WHEN d.retired_at IS NOT NULL THEN 'retired'
        WHEN d.installed_at IS NULL THEN 'planned'
        ELSE 'installed'
    END AS life,
    d.installed_at,
    b.relays,
    g.name AS district,
    g.title AS district_title,
    s.name AS street,
    s.title AS street_title
FROM device AS d
INNER JOIN readable_municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN ground_feature AS s ON d.street_id = s.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN (
    SELECT relay.device_id, array_agg(gateway.name ORDER BY gateway.name COLLATE "C") AS relays
    FROM relay
    INNER JOIN device AS gateway ON relay.gateway_id = gateway.id
    GROUP BY relay.device_id
) AS b ON d.id = b.device_id
LEFT JOIN presence AS o ON d.id = o.device_id
LEFT JOIN latest AS l ON d.id = l.device_id"""

PRINCIPAL = """\
CREATE OR REPLACE VIEW named_principal AS
SELECT
    p.id,
    coalesce(p.name, nullif(w.display_name, ''), w.name, t.name, '') AS name
FROM principal AS p
LEFT JOIN person AS w ON p.id = w.id
LEFT JOIN token AS t ON p.id = t.principal_id"""
"""By what name a principal is shown; the only place that says so."""

ALERT = f"""\
CREATE OR REPLACE VIEW v_alert WITH (security_barrier) AS
SELECT
    a.id AS alert_id,
    d.name AS device,
    m.name AS municipality,
    d.kind,
    a.rule,
    a.rule_version,
    a.state,
    a.severity,
    a.opened_at,
    a.detected_at,
    a.resolved_at,
    a.acknowledged_at,
    w.name AS acknowledged_by,
    a.summary,
    a.evidence,
    d.lat,
    d.lon,
    a.inhibited_by,
    a.held_until,
    g.name AS district,
    q.name AS assigned_to
FROM alert AS a
LEFT JOIN named_principal AS w ON a.acknowledger_id = w.id
LEFT JOIN person AS q ON a.assignee_id = q.id
INNER JOIN device AS d ON a.device_id = d.id
INNER JOIN readable_municipality AS m
    ON m.id = {MUNICIPALITY_AT.format(instant="a.opened_at")}
LEFT JOIN ground_feature AS g ON d.district_id = g.id AND g.municipality_id = m.id"""  # noqa: S608 - constants

LEDGER = """\
CREATE OR REPLACE VIEW v_ledger WITH (security_barrier) AS
SELECT
    l.day,
    l.shard,
    l.source,
    sum(l.batches)::bigint AS batches,
    sum(l.messages)::bigint AS messages,
    sum(l.received)::bigint AS received,
    sum(l.stored)::bigint AS stored,
    sum(l.duplicate)::bigint AS duplicate,
    sum(l.rejected)::bigint AS rejected,
    sum(l.undated)::bigint AS undated,
    sum(l.empty)::bigint AS empty,
    sum(l.merged)::bigint AS merged
FROM (
    SELECT
        date_trunc('day', b.received_at, 'UTC') AS day,
        b.shard,
        b.source,
        1::bigint AS batches,
        b.messages::bigint AS messages,
        b.received::bigint AS received,
        b.stored::bigint AS stored,
        b.duplicate::bigint AS duplicate,
        b.rejected::bigint AS rejected,
        b.undated::bigint AS undated,
        b.empty::bigint AS empty,
        b.merged::bigint AS merged
    FROM ledger AS b
    UNION ALL
    SELECT
        d.began_at, d.shard, d.source, d.batches, d.messages, d.received, d.stored, d.duplicate, d.rejected,
        d.undated, d.empty, d.merged
    FROM ledger_day AS d
) AS l
WHERE EXISTS (SELECT FROM reads_all)
GROUP BY 1, 2, 3"""
"""By day, batches that are no longer in table ledger included."""

FIRST = ("observed_at", "received_at", "quality", "boot", "seq", "extra")
"""Columns every kind has; measurements follow in the table's order, so that a new one is always last."""


def statements(tables: Iterable[tuple[Table, Sequence[str]]]) -> dict[str, str]:
    """Return CREATE OR REPLACE statements by view, for tables with the column names they have now."""
    stored = [(table, names) for table, names in tables if table.resolution is Resolution.READING]
    readings = {f"v_{table.kind}": _readings(table, names) for table, names in stored}
    counters = {f"v_{table.kind}_counters": _counters(table) for table, _ in stored if _counting(table)}
    named = {"named_principal": PRINCIPAL, "v_device": DEVICE, "v_alert": ALERT, "v_ledger": LEDGER}
    return {**seen.FIRST, **named, **seen.VIEWS, **readings, **counters}


def _counting(table: Table) -> list[Column]:
    return [column for column in table.columns if column.counter_bit is not None]


def _counters(table: Table) -> str:
    """Return the view of how much counters grew since the reading before; one that fell counts from 0."""
    lines = ",\n    ".join(_counter(table, column) for column in _counting(table))
    return f"""\
CREATE OR REPLACE VIEW v_{table.kind}_counters WITH (security_barrier) AS
SELECT
    r.device_id,
    d.name AS device,
    m.name AS municipality,
    r.observed_at,
    c.counter,
    c.value,
    CASE WHEN c.value < c.before THEN c.value ELSE c.value - c.before END AS grown
FROM {table.name} AS r
INNER JOIN device AS d ON r.device_id = d.id
INNER JOIN readable_municipality AS m
    ON m.id = {MUNICIPALITY_AT.format(instant="r.observed_at")}
CROSS JOIN LATERAL (VALUES
    {lines}
) AS c (counter, value, before, mark)
WHERE c.value IS NOT NULL AND r.quality & c.mark = 0"""  # noqa: S608


def _counter(table: Table, column: Column) -> str:
    assert column.counter_bit is not None
    name, mark = column.name, 1 << column.counter_bit
    return (
        f"('{name}', r.{name}, (SELECT p.{name} FROM {table.name} AS p"  # noqa: S608
        f" WHERE p.device_id = r.device_id AND p.observed_at < r.observed_at AND p.{name} IS NOT NULL"
        f" AND p.quality & {mark}::bigint = 0 ORDER BY p.observed_at DESC LIMIT 1), {mark}::bigint)"
    )


def _readings(table: Table, names: Sequence[str]) -> str:
    declared = [n for n in names if table.column(n) and n not in FIRST and n != "device_id"]
    columns = ",\n    ".join(f"r.{name}" for name in (*FIRST, *declared))
    return f"""\
CREATE OR REPLACE VIEW v_{table.kind} WITH (security_barrier) AS
SELECT
    r.device_id,
    d.name AS device,
    m.name AS municipality,
    {columns}
FROM {table.name} AS r
INNER JOIN device AS d ON r.device_id = d.id
INNER JOIN readable_municipality AS m
    ON m.id = {MUNICIPALITY_AT.format(instant="r.observed_at")}"""  # noqa: S608

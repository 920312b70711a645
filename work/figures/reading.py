"""Reads what figures are made of: one statement for orders, one for alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.registry import registry
from devices.registry.errors import Invalid
from devices.time_zones import zone_named
from store.connection import Connection
from work.figures.facts import AlertCounts, FigureGroup, MunicipalityFigures, OrderFacts
from work.figures.shaping import shaped
from work.figures.span import FigurePeriod, PeriodKind, cut
from work.order import Verification, WorkState


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresQuery:
    """Which figures are asked for. until_at: not included."""

    municipality: str
    from_at: datetime
    until_at: datetime
    by: FigureGroup | None = None
    per: PeriodKind | None = None


_ORDERS = """
SELECT team.name AS team, district.name AS district, device.kind, o.rule, o.state, o.created_at,
    o.response_due_at, o.repair_due_at, o.accepted_at, o.ended_at, o.verification, o.verified_at,
    CASE
        WHEN o.state = 'done' AND o.verification = 'failed' AND o.verify_until IS NOT NULL
            THEN coalesce(o.verified_at, o.verify_until)
    END AS failed_at,
    ARRAY(
        SELECT e.happened_at FROM work_event AS e
        WHERE e.order_id = o.id AND e.type = 'done' ORDER BY e.id
    ) AS reported,
    ARRAY(
        SELECT e.happened_at FROM work_event AS e
        WHERE e.order_id = o.id AND e.type = 'reopened' ORDER BY e.id
    ) AS reopened
FROM work_order AS o
INNER JOIN municipality AS town ON o.municipality_id = town.id
INNER JOIN device ON o.device_id = device.id
LEFT JOIN team ON o.team_id = team.id
LEFT JOIN ground_feature AS district
    ON device.district_id = district.id AND district.municipality_id = town.id
WHERE town.name = $1 AND o.created_at < $3
    AND (
        o.ended_at IS NULL
        OR greatest(o.ended_at, o.verified_at, o.verify_until, o.response_due_at, o.repair_due_at) >= $2
    )
ORDER BY o.id
"""
# Alerts that are no longer kept were counted by day: what opened and has not ended by then was open.
_ALERTS = """
SELECT period.n::int - 1 AS period, district.name AS district, device.kind, alert.rule,
    count(*) FILTER (WHERE alert.opened_at >= period.from_at AND alert.opened_at < period.until_at) AS opened,
    count(*) FILTER (
        WHERE alert.resolved_at >= period.from_at AND alert.resolved_at < period.until_at
    ) AS resolved,
    count(*) FILTER (
        WHERE alert.resolved_at IS NULL OR alert.resolved_at >= period.until_at
    ) AS still_open
FROM unnest($2::timestamptz [], $3::timestamptz []) WITH ORDINALITY AS period (from_at, until_at, n)
INNER JOIN alert
    ON alert.opened_at < period.until_at
    AND (alert.resolved_at IS NULL OR alert.resolved_at >= period.from_at)
INNER JOIN device ON alert.device_id = device.id
INNER JOIN municipality AS town ON town.id = CASE
    WHEN device.moved_at > alert.opened_at THEN municipality_at(device, alert.opened_at)
    ELSE device.municipality_id
END
LEFT JOIN ground_feature AS district
    ON device.district_id = district.id AND district.municipality_id = town.id
WHERE town.name = $1
GROUP BY period.n, district.name, device.kind, alert.rule
UNION ALL
SELECT period.n::int - 1, nullif(day.district, ''), day.kind, day.rule,
    coalesce(sum(day.opened) FILTER (WHERE day.began_at >= period.from_at), 0)::bigint,
    coalesce(sum(day.resolved) FILTER (WHERE day.began_at >= period.from_at), 0)::bigint,
    sum(day.opened - day.resolved)::bigint
FROM unnest($2::timestamptz [], $3::timestamptz []) WITH ORDINALITY AS period (from_at, until_at, n)
INNER JOIN municipality AS town ON town.name = $1
INNER JOIN alert_day AS day ON town.id = day.municipality_id AND day.began_at < period.until_at
WHERE period.from_at <= (
    SELECT max(last.began_at) FROM alert_day AS last WHERE last.municipality_id = town.id
)
GROUP BY period.n, day.district, day.kind, day.rule
"""


async def read_figures(connection: Connection, asked: FiguresQuery, now: datetime) -> MunicipalityFigures:
    """Return the figures of a municipality, up to the present.

    Raises:
        NotFound: there is no such municipality.
        Invalid: nothing lies between the instants, or too many periods do.
    """
    town = await registry.get_municipality(connection, asked.municipality)
    span = FigurePeriod(from_at=asked.from_at, until_at=min(asked.until_at, now))
    if span.from_at >= span.until_at:
        raise Invalid("from", "is an instant before `until`, and before the present")
    try:
        periods = cut(span, asked.per, zone_named(town.time_zone))
    except ValueError as error:
        raise Invalid("per", str(error)) from None
    orders = await orders_of(connection, town.name, span)
    alerts = [] if asked.by is FigureGroup.TEAM else await alerts_of(connection, town.name, periods)
    return MunicipalityFigures(
        municipality=town.name,
        time_zone=town.time_zone,
        from_at=span.from_at,
        until_at=span.until_at,
        by=asked.by,
        per=asked.per,
        figures=await asyncio.to_thread(shaped, periods, orders, alerts, asked.by),
    )


async def orders_of(connection: Connection, municipality: str, span: FigurePeriod) -> list[OrderFacts]:
    """Return the orders of a municipality that were open in a span, or of which something was known in it."""
    rows = await connection.fetch(_ORDERS, municipality, span.from_at, span.until_at)
    return [
        OrderFacts(
            **{
                **dict(row),
                "state": WorkState(row["state"]),
                "verification": row["verification"] and Verification(row["verification"]),
            }
        )
        for row in rows
    ]


async def alerts_of(
    connection: Connection, municipality: str, periods: Sequence[FigurePeriod]
) -> list[AlertCounts]:
    """Return how many alerts of a municipality opened and ended in each of some periods."""
    begins, ends = [p.from_at for p in periods], [p.until_at for p in periods]
    return [AlertCounts(**dict(row)) for row in await connection.fetch(_ALERTS, municipality, begins, ends)]

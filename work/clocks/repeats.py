"""Repeat offenders: devices that had several orders in a while, by rule. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.instants import to_datetime
from store.connection import Connection

WITHIN = timedelta(days=90)
LEAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatOffender:
    """A device that somebody goes to again and again.

    rule: None: orders that were not made from an alert. orders: how many, without cancelled and preventive
    ones. reopened: how often one of them was reported done although its condition went on.
    """

    municipality: str
    device: str
    kind: str
    rule: str | None
    orders: int
    reopened: int
    first_at: datetime
    last_at: datetime
    last_order: int


_LIST = """
SELECT municipality.name AS municipality, device.name AS device, device.kind, o.rule, count(*) AS orders,
    sum(o.reopened)::integer AS reopened, min(o.created_at) AS first_at, max(o.created_at) AS last_at,
    max(o.id) AS last_order
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
INNER JOIN municipality ON o.municipality_id = municipality.id
WHERE o.created_at >= $1 AND o.state <> 'cancelled' AND o.origin <> 'plan'
    AND ($2::text IS NULL OR municipality.name = $2)
    AND ($3::text [] IS NULL OR municipality.name = ANY($3))
GROUP BY municipality.name, device.name, device.kind, o.rule
HAVING count(*) >= $4
ORDER BY count(*) DESC, device.name, o.rule
LIMIT $5
"""


async def list_repeats(
    connection: Connection,
    *,
    now: int,
    municipality: str | None = None,
    least: int = LEAST,
    within: timedelta = WITHIN,
    towns: Sequence[str] | None = None,
    limit: int = 100,
) -> list[RepeatOffender]:
    """Return devices with so many orders of a rule, the most first.

    Args:
        now: microseconds since 1970-01-01Z.
        least: so many orders at least.
        within: made in this time before now.
        towns: only in these municipalities; None: in all.
    """
    since = to_datetime(now) - within
    rows = await connection.fetch(_LIST, since, municipality, towns, least, limit)
    return [RepeatOffender(**dict(row)) for row in rows]

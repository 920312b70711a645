"""How devices stand now: each with its newest values and its open alerts, filtered, sorted and by page.

Must not know rules or screens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerts.overview.standing import STANDING, STATUSES, DeviceFilter, arguments
from devices.kinds import Kinds
from store.connection import Connection


class StandingStatus(StrEnum):
    """What a list of devices can be narrowed to."""

    SILENT = "silent"
    ALERTING = "alerting"
    OK = "ok"
    NONE = "none"


class StandingOrder(StrEnum):
    """What stands first: names, the worst, who was heard longest ago, the highest or lowest value."""

    NAME = "name"
    WORST = "worst"
    HEARD = "heard"
    HIGHEST = "highest"
    LOWEST = "lowest"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingFilter:
    """Which devices; all that is named applies.

    status: `alerting` are those with open alerts that are not silent, `none` those that were never heard.
    measurement: a name; above, below: only those whose newest value is so.
    """

    devices: DeviceFilter
    status: StandingStatus | None = None
    measurement: str | None = None
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStanding:
    """One device as it stands.

    status: one of STATUSES. alerts: how many are open. lat, lon: where it was put. Times and values are of
    its newest reading, None where there is none. key: what it is sorted by, before its name.
    """

    name: str
    title: str
    titles: Mapping[str, str]
    kind: str
    municipality: str
    district: str | None
    district_title: Mapping[str, str]
    street: str | None
    street_title: Mapping[str, str]
    lat: float | None
    lon: float | None
    status: str
    alerts: int
    observed_at: datetime | None
    received_at: datetime | None
    quality: int
    measurements: Mapping[str, Any]
    key: float


_RANKS: Mapping[StandingStatus, list[int]] = {
    StandingStatus.ALERTING: [STATUSES.index(one) for one in ("critical", "major", "minor", "warning")],
    **{one: [STATUSES.index(one)] for one in (StandingStatus.SILENT, StandingStatus.OK, StandingStatus.NONE)},
}

# $1 to $10 as in STANDING, $11 ranks or NULL, $12 measurement, $13 above, $14 below, $15 order, $16 and $17
# key and name of the last one before this page or NULL, $18 how many. Never heard is worse than well.
_PAGE = f"""
{STANDING},

stood AS (
    SELECT s.id, s.name, s.rank, s.alerts, l.received_at,
        CASE
            WHEN $12::text IS NOT NULL AND jsonb_typeof(l.measurements -> $12) = 'number'
                THEN (l.measurements -> $12)::float8
        END AS value
    FROM standing AS s
    LEFT JOIN latest AS l ON s.id = l.device_id
    WHERE $11::integer [] IS NULL OR s.rank = ANY($11)
),

sorted AS (
    SELECT
        stood.*,
        coalesce(
            CASE $15::text
                WHEN 'worst' THEN CASE stood.rank WHEN 6 THEN 4.5 ELSE stood.rank END
                WHEN 'heard' THEN extract(epoch FROM stood.received_at)
                WHEN 'highest' THEN -stood.value
                WHEN 'lowest' THEN stood.value
                ELSE 0
            END::float8,
            'infinity'
        ) AS key
    FROM stood
    WHERE ($13::float8 IS NULL OR stood.value > $13) AND ($14::float8 IS NULL OR stood.value < $14)
),

chosen AS (
    SELECT sorted.*
    FROM sorted
    WHERE $16::float8 IS NULL OR (sorted.key, sorted.name) > ($16, $17::text)
    ORDER BY sorted.key, sorted.name
    LIMIT $18
)

SELECT
    d.name, d.title, d.titles, d.kind, m.name AS municipality, g.name AS district,
    coalesce(g.title, '{{}}') AS district_title, s.name AS street, coalesce(s.title, '{{}}') AS street_title,
    d.lat, d.lon, c.rank, c.alerts, l.observed_at, l.received_at, coalesce(l.quality, 0) AS quality,
    coalesce(l.measurements, '{{}}') AS measurements, c.key
FROM chosen AS c
INNER JOIN device AS d ON c.id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN ground_feature AS s ON d.street_id = s.id
LEFT JOIN latest AS l ON d.id = l.device_id
ORDER BY c.key, c.name
"""  # noqa: S608 - a constant of this room


async def list_standings(
    connection: Connection,
    kinds: Kinds,
    chosen: StandingFilter,
    *,
    order: StandingOrder = StandingOrder.NAME,
    past: tuple[float, str] | None = None,
    limit: int = 100,
) -> list[DeviceStanding]:
    """Return a page of devices. What has no value stands last.

    Args:
        past: key and name of the last one of the page before.
    """
    key, name = past or (None, None)
    rows = await connection.fetch(
        _PAGE,
        *arguments(kinds, chosen.devices, only_declared=False),
        None if chosen.status is None else _RANKS[chosen.status],
        chosen.measurement,
        chosen.above,
        chosen.below,
        order,
        key,
        name,
        limit,
    )
    return [_standing(dict(row)) for row in rows]


def _standing(row: dict[str, Any]) -> DeviceStanding:
    return DeviceStanding(status=STATUSES[row.pop("rank")], **row)

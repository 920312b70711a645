"""What is known of each installed device at this moment: place, newest reading, rules whose alerts are open.

Reads only. Must not know HTTP, nor what becomes of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from store.connection import Connection

PAGE = 1000
"""Devices that are read at once."""

Lend = Callable[[], AbstractAsyncContextManager[Connection]]
"""Lends a connection for one page: who reads slowly keeps none from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """One installed device.

    observed_at and what follows of its newest reading: None and nothing before the first. alerts: rules, of
    which an alert is open. district, street: their names by language.
    """

    id: int
    name: str
    kind: str
    municipality: str
    title: str
    lat: float | None
    lon: float | None
    attributes: Mapping[str, Any]
    parent: str | None
    installed_at: datetime
    district: Mapping[str, str]
    street: Mapping[str, str]
    observed_at: datetime | None = None
    received_at: datetime | None = None
    quality: int = 0
    measurements: Mapping[str, Any] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDevices:
    """Which installed devices are meant; None: any. within: municipalities that the reader may see."""

    kinds: Sequence[str] | None = None
    names: Sequence[str] | None = None
    municipality: str | None = None
    within: Sequence[str] | None = None


_WANTED = """
WHERE
    d.retired_at IS NULL AND d.installed_at IS NOT NULL
    AND ($1::text [] IS NULL OR d.kind = ANY($1))
    AND ($2::text [] IS NULL OR d.name = ANY($2))
    AND ($3::text IS NULL OR m.name = $3)
    AND ($4::text [] IS NULL OR m.name = ANY($4))
"""

_NOW = f"""
WITH open_rules AS (
    SELECT a.device_id, array_agg(a.rule ORDER BY a.rule) AS rules
    FROM alert AS a
    WHERE a.state = 'firing'
    GROUP BY a.device_id
)
SELECT
    d.id, d.name, d.kind, m.name AS municipality, d.title, d.lat, d.lon, d.attributes, p.name AS parent,
    d.installed_at, coalesce(g.title, '{{}}') AS district, coalesce(s.title, '{{}}') AS street,
    l.observed_at, l.received_at, coalesce(l.quality, 0) AS quality,
    coalesce(l.measurements, '{{}}') AS measurements, coalesce(o.rules, '{{}}') AS alerts
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN ground_feature AS s ON d.street_id = s.id
LEFT JOIN latest AS l ON d.id = l.device_id
LEFT JOIN open_rules AS o ON d.id = o.device_id
{_WANTED}
    AND ($5::text IS NULL OR d.name > $5)
ORDER BY d.name
LIMIT $6 OFFSET $7
"""  # noqa: S608 - constants of this file

_COUNT = f"""
SELECT count(*)
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
{_WANTED}
"""  # noqa: S608 - constants of this file


async def devices_now(
    connection: Connection,
    wanted: WantedDevices,
    *,
    after: str | None = None,
    limit: int = PAGE,
    offset: int = 0,
) -> list[DeviceNow]:
    """Return a page of devices by name, the first one after `after`."""
    rows = await connection.fetch(_NOW, *_arguments(wanted), after, limit, offset)
    return [DeviceNow(**{**dict(row), "alerts": tuple(row["alerts"])}) for row in rows]


async def count_devices(connection: Connection, wanted: WantedDevices) -> int:
    """Return how many devices are meant."""
    count: int = await connection.fetchval(_COUNT, *_arguments(wanted))
    return count


async def every_device(lend: Lend, wanted: WantedDevices) -> AsyncIterator[list[DeviceNow]]:
    """Yield all devices that are meant, by name, a page at a time."""
    after: str | None = None
    while True:
        async with lend() as connection:
            page = await devices_now(connection, wanted, after=after)
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1].name


def _arguments(wanted: WantedDevices) -> tuple[object, ...]:
    return wanted.kinds, wanted.names, wanted.municipality, wanted.within

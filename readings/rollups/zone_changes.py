"""Days of municipalities whose time zone was changed: made anew from the hours that are kept.

Some devices at a time; where it has come to is stored with them. Days older than hours stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import asyncpg
import numpy as np

from devices.instants import to_microseconds
from devices.kinds.kind import Kind
from readings.kept.tables import days_of, hours_of
from readings.rollups import roll_up, source, storing
from readings.rollups.holding import HOUR_US
from readings.rollups.hours import Spans
from readings.rollups.local_days import days_of_spans
from store.connection import Connection

DAY = timedelta(hours=25)
DEVICES = 20
"""In one transaction: two years of them are 15,000 days."""

_NOTE = """
INSERT INTO rollup_zone AS known (municipality_id, time_zone)
SELECT m.id, m.time_zone FROM municipality AS m
ON CONFLICT (municipality_id) DO UPDATE SET time_zone = excluded.time_zone, device_id = 0
WHERE known.time_zone <> excluded.time_zone
"""

_CHANGED = """
SELECT municipality_id, device_id FROM rollup_zone
WHERE device_id IS NOT NULL
ORDER BY municipality_id
LIMIT 1
FOR UPDATE
"""

_DEVICES = """
SELECT id, kind FROM device WHERE municipality_id = $1 AND id > $2 ORDER BY id LIMIT $3
"""

_ON = "UPDATE rollup_zone SET device_id = $2 WHERE municipality_id = $1"


async def make_piece(connection: Connection, kinds: Iterable[Kind]) -> bool:
    """Notice changed time zones and make the days of some devices anew; tell whether there were any."""
    async with connection.transaction():
        if not await roll_up.is_our_turn(connection):
            return False
        await connection.execute(_NOTE)
        changed = await connection.fetchrow(_CHANGED)
        if changed is None:
            return False
        town, after = changed["municipality_id"], changed["device_id"]
        devices = await connection.fetch(_DEVICES, town, after, DEVICES)
        for kind in kinds:
            await _make_days(connection, kind, [d["id"] for d in devices if d["kind"] == kind.name])
        await connection.execute(_ON, town, devices[-1]["id"] if devices else None)
    return True


async def _make_days(connection: Connection, kind: Kind, ids: list[int]) -> None:
    kept = await connection.fetch(_kept_sql(kind), ids)
    if not kept:
        return
    spans = _spans(kept)
    known = await source.rollup_devices(connection, kind, spans.device_id)
    days = days_of_spans(spans, known.zones)
    # A day that began before the first hour which is kept stays, unless it is the device's first.
    since = {r["device_id"]: r["since"] if r["begun"] < r["since"] - DAY else r["begun"] - DAY for r in kept}
    whole = [day for day in days if day.since >= since[day.device_id]]
    first = {day.device_id: day.since for day in reversed(whole)}
    await connection.execute(_drop_sql(kind), list(first), list(first.values()))
    slowest = known.slowest_s(np.array([day.device_id for day in whole], dtype=np.int32))
    await storing.store_days(connection, kind, whole, slowest.tolist())


def _kept_sql(kind: Kind) -> str:
    return (
        "SELECT d.id AS device_id, a.at AS since, z.at AS until, b.at AS begun"  # noqa: S608 - checked names
        " FROM unnest($1::integer []) AS d (id)"
        f" CROSS JOIN LATERAL (SELECT g.at FROM {days_of(kind).name} AS g WHERE g.device_id = d.id"
        " ORDER BY g.at LIMIT 1) AS b"
        f" CROSS JOIN LATERAL (SELECT h.at FROM {hours_of(kind).name} AS h WHERE h.device_id = d.id"
        " ORDER BY h.at LIMIT 1) AS a"
        f" CROSS JOIN LATERAL (SELECT h.at FROM {hours_of(kind).name} AS h WHERE h.device_id = d.id"
        " ORDER BY h.at DESC LIMIT 1) AS z ORDER BY d.id"
    )


def _drop_sql(kind: Kind) -> str:
    return (
        f"DELETE FROM {days_of(kind).name} AS d USING unnest($1::integer [], $2::timestamptz [])"  # noqa: S608
        " AS t (device_id, since) WHERE d.device_id = t.device_id AND d.at >= t.since - INTERVAL '12 hours'"
    )


def _spans(kept: list[asyncpg.Record]) -> Spans:
    return Spans(
        device_id=np.array([row["device_id"] for row in kept], dtype=np.int32),
        since=np.array([to_microseconds(row["since"]) // HOUR_US for row in kept]),
        until=np.array([to_microseconds(row["until"]) // HOUR_US + 1 for row in kept]),
    )

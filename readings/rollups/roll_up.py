"""Bring hours and days up to date with the readings that batches have marked.

One transaction takes marks, computes their hours wholly from stored readings and makes their days anew:
killed at any point, the marks are still there, and doing it twice changes nothing.
"""

from __future__ import annotations

import asyncio

import numpy as np

from devices.kinds.kind import Kind
from readings.rollups import marks, source, storing
from readings.rollups.hours import Spans, hours
from readings.rollups.local_days import days_of_spans
from readings.rollups.marks import Touched
from readings.rollups.source import RollupDevices
from readings.rollups.spans import groups, spans_of
from store.connection import Connection

MARKS = 60
"""Batches whose marks are taken at once."""
READINGS = 50_000
"""Readings that are in memory at once, about."""

_TURN = "SELECT one FROM rollup_turn FOR UPDATE SKIP LOCKED"


async def roll_up(connection: Connection, kind: Kind, most: int = MARKS) -> int:
    """Bring what the oldest marks of a kind name up to date; return how many spans of hours those were.

    Zero as well while another process is at it: only one is at a time.
    """
    async with connection.transaction():
        if not await is_our_turn(connection):
            return 0
        touched = await marks.take(connection, kind.name, most)
        if touched is None:
            return 0
        return await _bring_up_to_date(connection, kind, touched)


async def is_our_turn(connection: Connection) -> bool:
    """Tell whether nobody else changes rollups; nobody does until the present transaction ends."""
    return await connection.fetchval(_TURN) is not None


async def _bring_up_to_date(connection: Connection, kind: Kind, touched: Touched) -> int:
    known = await source.rollup_devices(connection, kind, touched.device_id)
    registered = np.isin(touched.device_id, list(known.attributes))
    touched = Touched(
        device_id=touched.device_id[registered],
        first=touched.first[registered],
        last=touched.last[registered],
    )
    later = await source.next_that_look_back(
        connection, kind, touched.device_id.tolist(), touched.last.tolist()
    )
    touched = _with(touched, later)
    if not len(touched):
        return 0
    spans = spans_of(touched, known.reach_us(touched.device_id))
    await make(connection, kind, known, spans)
    return len(spans)


def _with(touched: Touched, later: list[tuple[int, int]]) -> Touched:
    if not later:
        return touched
    device_id, at = (np.array(values) for values in zip(*later, strict=True))
    return Touched(
        device_id=np.append(touched.device_id, device_id.astype(np.int32)),
        first=np.append(touched.first, at),
        last=np.append(touched.last, at),
    )


async def make(connection: Connection, kind: Kind, known: RollupDevices, spans: Spans) -> None:
    """Make the hours of some spans from the readings that are stored, and the days that these lie in."""
    reach = known.reach_us(spans.device_id)
    fastest_s = np.minimum(known.slowest_s(spans.device_id), min(r.every_s for r in kind.reporting))
    likely = ((spans.until - spans.since) * 3600 + reach / 5e5) / fastest_s
    # Devices that seldom speak have more hours than readings.
    likely = np.maximum(likely, spans.until - spans.since)
    for group in groups(spans, likely.astype(np.int64), READINGS):
        some = spans.take(group)
        rows = await source.rows_around(connection, kind, some, reach[group])
        # In a thread: sweep rules are judged by the same process meanwhile.
        found = await asyncio.to_thread(hours, rows, known.paces(rows), some)
        await storing.store_hours(connection, kind, found, some)
    days = days_of_spans(spans, known.zones)
    slowest = known.slowest_s(np.array([day.device_id for day in days], dtype=np.int32))
    await storing.store_days(connection, kind, days, slowest.tolist())

"""Those readings of one device that draw its lines: few, and none that is not a reading.

Reads page by page and keeps instants and numbers alone. Must not know HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from devices.instants import MICROSECOND, to_datetime, to_microseconds
from devices.kinds.kind import Kind
from readings.buckets.largest_triangles import largest_triangles
from readings.history import Reading, readings, readings_at
from readings.stored.export import PAGE, Lend

Line = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Instants in microseconds, and what was measured then."""


async def drawn_readings(
    lend: Lend,
    kind: Kind,
    device_id: int,
    *,
    measurements: Sequence[str],
    start: datetime,
    end: datetime,
    points: int,
) -> list[Reading]:
    """Return the readings in [start, end) that draw each measurement with at most so many points.

    Args:
        lend: lends a connection for one page.
        measurements: numbers and booleans; what is suspect draws nothing.
        points: of one measurement; all that draw any are returned, oldest first.
    """
    lines = await _lines(lend, kind, device_id, measurements, start, end)
    instants = await asyncio.to_thread(_chosen, list(lines.values()), points)
    found: list[Reading] = []
    for first in range(0, len(instants), PAGE):
        async with lend() as connection:
            found += await readings_at(
                connection,
                kind,
                device_id,
                measurements=measurements,
                instants=instants[first : first + PAGE],
            )
    return found


async def _lines(
    lend: Lend, kind: Kind, device_id: int, measurements: Sequence[str], start: datetime, end: datetime
) -> Mapping[str, Line]:
    parts: dict[str, list[Line]] = {name: [] for name in measurements}
    since: datetime | None = start
    while since is not None:
        async with lend() as connection:
            page = await readings(
                connection, kind, device_id, measurements=measurements, start=since, end=end, limit=PAGE
            )
        for name, line in (await asyncio.to_thread(_each, list(parts), page)).items():
            parts[name].append(line)
        since = page[-1].observed_at + MICROSECOND if len(page) == PAGE else None
    return {
        name: (np.concatenate([at for at, _ in lines]), np.concatenate([value for _, value in lines]))
        for name, lines in parts.items()
    }


def _each(names: Sequence[str], page: Sequence[Reading]) -> dict[str, Line]:
    return {name: _line(name, page) for name in names}


def _line(name: str, page: Sequence[Reading]) -> Line:
    good = [
        (to_microseconds(one.observed_at), float(value))
        for one in page
        if (value := one.values[name]) is not None and name not in one.suspect
    ]
    return np.array([at for at, _ in good], dtype=np.int64), np.array([value for _, value in good])


def _chosen(lines: Sequence[Line], points: int) -> list[datetime]:
    kept = [at[largest_triangles(at, value, points)] for at, value in lines]
    return [to_datetime(at) for at in np.unique(np.concatenate(kept)).tolist()]

"""For whom the `when` of a sweep rule is closed: local time, days and sun, by municipality.

A sweep looks at now, not at readings, so what of `when` needs a reading is refused (rules.loading.reader).
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np

from devices.instants import to_datetime
from rules.context import sun
from rules.definition.definition import Gate
from store.connection import Connection

_MUNICIPALITIES = "SELECT id, time_zone, weekend, lat, lon FROM municipality ORDER BY id"
_DEVICES = "SELECT id FROM device WHERE municipality_id = ANY($1::int [])"


async def closed_for(connection: Connection, gate: Gate, now: int) -> list[int]:
    """Return the ids of the devices in municipalities where the gate is closed.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    if gate.local_from_min is None and gate.days is None and gate.sun is None:
        return []
    rows = await connection.fetch(_MUNICIPALITIES)
    closed = [row["id"] for row in rows if not _is_open(gate, row, now)]
    if not closed:
        return []
    return [row["id"] for row in await connection.fetch(_DEVICES, closed)]


def _is_open(gate: Gate, municipality: asyncpg.Record, now: int) -> bool:
    local = to_datetime(now).astimezone(ZoneInfo(municipality["time_zone"]))
    weekend = local.isoweekday() in municipality["weekend"]
    return (
        is_within(gate, local)
        and (gate.days is None or weekend == (gate.days == "weekend"))
        and (gate.sun is None or _is_day(municipality, now) in (gate.sun == "day", None))
    )


def is_within(gate: Gate, local: datetime) -> bool:
    """Tell whether a local time lies in the gate's span, which may pass midnight."""
    start, end = gate.local_from_min, gate.local_to_min
    if start is None or end is None:
        return True
    minute = local.hour * 60 + local.minute
    return start <= minute < end if start <= end else minute >= start or minute < end


def _is_day(municipality: asyncpg.Record, now: int) -> bool | None:
    """Tell whether the sun is up, None where nobody knows where the municipality lies."""
    if municipality["lat"] is None or municipality["lon"] is None:
        return None
    lat, lon = np.array([municipality["lat"]]), np.array([municipality["lon"]])
    return bool(sun.elevation_deg(np.array([now]), lat, lon)[0] >= sun.HORIZON_DEG)

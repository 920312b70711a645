"""Stores how often devices really report, where that differs from their kind: table `device_pace`.

What is learned is in the evaluator's state; the table is for whoever else waits for readings: the newest
values, and through them every sweep. Must not know how it is learned (rules.context.memory.pace).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from devices.instants import to_datetime
from rules.engine.state import PacedDevices
from store.connection import Connection

_NEWS = 0.1
"""By so much a pace must have changed to be written again."""

_KNOWN = """
SELECT device_pace.device_id, device_pace.pace
FROM device_pace
INNER JOIN device ON device_pace.device_id = device.id
WHERE device.kind = $1
"""


async def stored_paces(connection: Connection, kind: str) -> dict[int, float]:
    """Return the pace of each device of a kind that has one of its own."""
    return {row["device_id"]: row["pace"] for row in await connection.fetch(_KNOWN, kind)}


_KEEP = """
INSERT INTO device_pace (device_id, pace, learned_at)
SELECT learned.device_id, learned.pace, $3
FROM unnest($1::integer [], $2::float8 []) AS learned (device_id, pace)
INNER JOIN device ON learned.device_id = device.id
ORDER BY learned.device_id
ON CONFLICT (device_id) DO UPDATE SET pace = excluded.pace, learned_at = excluded.learned_at
"""

_FORGET = "DELETE FROM device_pace WHERE device_id = ANY($1::integer [])"


async def keep_paces(
    connection: Connection, known: Mapping[int, float], paced: PacedDevices | None, now: int
) -> dict[int, float]:
    """Store what changed, inside the batch's transaction; return it, with 1 for the kind's own pace.

    Args:
        known: what is stored.
        paced: the devices of the batch; None when all keep their kind's interval and had no other before.
        now: microseconds since 1970-01-01Z.
    """
    if paced is None:
        return {}
    before = np.array([known.get(device, 1.0) for device in paced.device_id.tolist()])
    changed = np.flatnonzero(np.abs(paced.pace / before - 1.0) > _NEWS)
    news = dict(zip(paced.device_id[changed].tolist(), paced.pace[changed].tolist(), strict=True))
    own = {device: pace for device, pace in news.items() if pace != 1.0}
    if own:
        await connection.execute(_KEEP, list(own), list(own.values()), to_datetime(now))
    if len(own) < len(news):
        await connection.execute(_FORGET, [device for device in news if device not in own])
    return news

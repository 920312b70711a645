"""Newest readings that the last owner of a shard had not flushed yet, restored from the readings."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from devices.instants import to_microseconds
from ingest.commit.latest import LatestBuffer
from ingest.decide.directory import Directory
from readings import latest, replay
from readings.replay import ReceiveSpan
from store.connection import Connection

LOOK_BACK = timedelta(seconds=30)
"""A flush is a few seconds late at most: what it lacks was received within this of the newest flushed one."""

_SINCE = """
SELECT l.newest - $1::interval AS received, min(ledger.oldest_observed_at) AS observed,
    max(ledger.received_at) AS until
FROM (
    SELECT max(latest.received_at) AS newest
    FROM latest
    INNER JOIN device ON latest.device_id = device.id
    INNER JOIN municipality ON device.municipality_id = municipality.id
    WHERE municipality.shard = $2
) AS l
INNER JOIN ledger ON ledger.shard = $2 AND ledger.received_at > l.newest - $1::interval
GROUP BY l.newest
"""


async def restore(connection: Connection, directory: Directory, shard: str) -> None:
    """Write the newest readings of a shard that were committed shortly before a kill and never flushed."""
    since = await connection.fetchrow(_SINCE, LOOK_BACK, shard)
    if since is None or since["observed"] is None:
        return
    span = ReceiveSpan(
        start=to_microseconds(since["received"]),
        end=to_microseconds(since["until"]) + 1,
        oldest=to_microseconds(since["observed"]),
        rows=0,
    )
    towns = [town.id for town in directory.registry.municipalities.values() if town.shard == shard]
    own = directory.columns.ids[np.isin(directory.columns.municipality_id, towns)]
    buffer = LatestBuffer()
    for kind in directory.kinds.values():
        every = [m.name for m in kind.measurements]
        rows = await replay.columns(connection, kind, span, measurements=every)
        buffer.add(rows.take(np.isin(rows.device_id, own)))
    while buffer.waiting:
        await latest.flush(connection, buffer.rows(directory))
        buffer.flushed()

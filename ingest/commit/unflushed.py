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
FROM (SELECT max(received_at) AS newest FROM latest) AS l
INNER JOIN ledger ON ledger.received_at > l.newest - $1::interval
GROUP BY l.newest
"""


async def restore(connection: Connection, directory: Directory) -> None:
    """Write the newest readings that were committed shortly before a kill and never flushed."""
    since = await connection.fetchrow(_SINCE, LOOK_BACK)
    if since is None or since["observed"] is None:
        return
    span = ReceiveSpan(
        start=to_microseconds(since["received"]),
        end=to_microseconds(since["until"]) + 1,
        oldest=to_microseconds(since["observed"]),
        rows=0,
    )
    registered = np.fromiter(directory.registry.devices, dtype=np.int32)
    buffer = LatestBuffer()
    for kind in directory.kinds.values():
        every = [m.name for m in kind.measurements]
        rows = await replay.columns(connection, kind, span, measurements=every)
        buffer.add(rows.take(np.isin(rows.device_id, registered)))
    while buffer.waiting:
        await latest.flush(connection, buffer.rows(directory))
        buffer.flushed()

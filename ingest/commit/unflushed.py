"""Newest readings that the last owner of a shard had not flushed yet, restored from the readings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.instants import to_microseconds
from ingest.commit.latest import LatestBuffer
from ingest.decide.directory import Directory
from readings import latest, replay
from store.connection import Connection
from store.copy import columns_of
from store.tables import ColumnType

LOOK_BACK, LOOK_BACK_A_DEVICE = timedelta(seconds=30), timedelta(microseconds=200)
"""How late a flush is at most, also of a fleet that takes many pieces: what is stored lacks nothing that was
received longer than this before the newest of it."""

_SINCE = """
SELECT l.newest - $1::interval AS received, max(ledger.received_at) AS until
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

_FLUSHED = "SELECT device_id, received_at FROM latest WHERE received_at > $1"
_TYPES: Final = {"device_id": ColumnType.INTEGER, "received_at": ColumnType.TIME}


async def restore(connection: Connection, directory: Directory, shard: str) -> None:
    """Write the newest readings of a shard that were committed shortly before a kill and never flushed."""
    columns = directory.columns
    back = LOOK_BACK + len(columns.ids) * LOOK_BACK_A_DEVICE
    since = await connection.fetchrow(_SINCE, back, shard)
    if since is None:
        return
    towns = [town.id for town in directory.registry.municipalities.values() if town.shard == shard]
    flushed = np.full(columns.id_bound, np.iinfo(np.int64).max)
    flushed[columns.ids[np.isin(columns.municipality_id, towns)]] = np.iinfo(np.int64).min
    stored = await columns_of(connection, _FLUSHED, since["received"], types=_TYPES)
    here = stored["device_id"] < len(flushed)
    ids = stored["device_id"][here]
    flushed[ids] = np.maximum(flushed[ids], stored["received_at"][here])
    buffer = await _not_flushed(connection, directory, flushed, since["received"], since["until"])
    while buffer.waiting:
        await latest.flush(connection, buffer.rows(directory))
        buffer.flushed()


async def _not_flushed(
    connection: Connection,
    directory: Directory,
    flushed: NDArray[np.int64],
    since: datetime,
    until: datetime,
) -> LatestBuffer:
    """Return the newest of what was received of each device after what is flushed of it.

    Args:
        flushed: by device id, microseconds.
    """
    buffer = LatestBuffer()
    for window in await replay.windows(connection, to_microseconds(since), to_microseconds(until) + 1):
        for kind in directory.kinds.values():
            every = [m.name for m in kind.measurements]
            rows = await replay.columns(connection, kind, window, measurements=every)
            known = rows.device_id < len(flushed)
            rows = rows if known.all() else rows.take(known)
            buffer.add(rows.take(rows.received_at > flushed[rows.device_id]))
    return buffer

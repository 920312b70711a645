"""Newest readings that the last owner of a shard had not flushed yet, restored from the readings."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.instants import to_datetime, to_microseconds
from ingest.commit.latest import FLUSH_BEHIND_S, PIECES, LatestBuffer, pieces_of
from ingest.decide.directory import Directory
from readings import latest, replay
from store.connection import Connection
from store.copy import columns_of
from store.tables import ColumnType

MARGIN_US = 30_000_000
"""For what is not seen in the ledger: readings waited before they became a batch, a flush began late."""
_GAP_US = round(FLUSH_BEHIND_S / PIECES * 1e6)
"""So far apart are pieces of a flush at most, until the next batch."""
_BATCHES_A_PIECE = 100

_NEWEST = """
SELECT max(latest.received_at)
FROM latest
INNER JOIN device ON latest.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE municipality.shard = $1
"""

_BATCHES = "SELECT received_at FROM ledger WHERE shard = $1 ORDER BY batch DESC LIMIT $2"

_FLUSHED = "SELECT device_id, received_at FROM latest WHERE received_at > $1"
_TYPES: Final = {"device_id": ColumnType.INTEGER, "received_at": ColumnType.TIME}


async def restore(connection: Connection, directory: Directory, shard: str) -> None:
    """Write the newest readings of a shard that were committed shortly before a kill and never flushed."""
    columns = directory.columns
    newest = await connection.fetchval(_NEWEST, shard)
    # Whatever is received is flushed with the flush that is on, or the one after it.
    pieces = 2 * pieces_of(len(columns.ids))
    rows = await connection.fetch(_BATCHES, shard, pieces * _BATCHES_A_PIECE)
    if newest is None or not rows:
        return
    # Clocks may have been set back.
    received = np.maximum.accumulate([to_microseconds(row["received_at"]) for row in reversed(rows)])
    since = to_datetime(_oldest(received, to_microseconds(newest), pieces) - MARGIN_US)
    towns = [town.id for town in directory.registry.municipalities.values() if town.shard == shard]
    flushed = np.full(columns.id_bound, np.iinfo(np.int64).max)
    flushed[columns.ids[np.isin(columns.municipality_id, towns)]] = np.iinfo(np.int64).min
    stored = await columns_of(connection, _FLUSHED, since, types=_TYPES)
    here = stored["device_id"] < len(flushed)
    ids = stored["device_id"][here]
    flushed[ids] = np.maximum(flushed[ids], stored["received_at"][here])
    buffer = await _not_flushed(connection, directory, flushed, since, to_datetime(int(received[-1])))
    while buffer.waiting:
        await latest.flush(connection, buffer.rows(directory))
        buffer.flushed()


def _oldest(received: NDArray[np.int64], newest: int, pieces: int) -> int:
    """Return the latest instant since which so many pieces have been flushed, however slow batches were.

    Args:
        received: of batches, ascending, microseconds.
        newest: of what is flushed.
    """
    batch = int(received.searchsorted(newest, side="right")) - 1
    for _ in range(pieces):
        if batch <= 0:
            break
        # One was due when the batch before this one was committed, or that one would have flushed it.
        batch = min(int(received.searchsorted(received[batch - 1] - _GAP_US)), batch - 1)
    return min(int(received[max(batch, 0)]), newest - pieces * _GAP_US)


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

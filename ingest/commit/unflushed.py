"""Newest readings that the last owner of a shard had not flushed yet, restored from the readings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from devices.instants import to_microseconds
from devices.kinds.kind import Kind
from ingest.decide.directory import Directory
from readings import latest
from readings.latest import LatestColumns, expected_interval
from readings.tables import table_of
from store.connection import Connection

LOOK_BACK = timedelta(seconds=30)
"""A flush is a few seconds late at most: what it lacks was received within this of the newest flushed one."""

_SINCE = """
SELECT l.newest - $1::interval AS received, (
    SELECT min(ledger.oldest_observed_at) FROM ledger WHERE ledger.received_at > l.newest - $1::interval
) AS observed
FROM (SELECT max(received_at) AS newest FROM latest) AS l
"""


async def restore(connection: Connection, directory: Directory) -> None:
    """Write the newest readings that were committed shortly before a kill and never flushed."""
    since = await connection.fetchrow(_SINCE, LOOK_BACK)
    if since is None or since["received"] is None or since["observed"] is None:
        return
    for kind in directory.kinds.values():
        rows = await connection.fetch(_query(kind), since["received"], since["observed"])
        known = [row for row in rows if row["device_id"] in directory.registry.devices]
        await latest.flush(connection, _columns(kind, known, directory))


def _query(kind: Kind) -> str:
    names = ", ".join(m.name for m in kind.measurements)
    return (
        f"SELECT DISTINCT ON (device_id) device_id, observed_at, received_at, quality, {names}"  # noqa: S608
        f" FROM {table_of(kind).name} WHERE received_at > $1 AND observed_at >= $2"
        " ORDER BY device_id, observed_at DESC"
    )


def _columns(kind: Kind, rows: list[Any], directory: Directory) -> LatestColumns:
    measured = [{m.name: row[m.name] for m in kind.measurements if row[m.name] is not None} for row in rows]
    return LatestColumns(
        device_id=[row["device_id"] for row in rows],
        observed_at=[to_microseconds(row["observed_at"]) for row in rows],
        received_at=[to_microseconds(row["received_at"]) for row in rows],
        interval_s=[
            expected_interval(kind, values, directory.device(row["device_id"]).attributes)
            for row, values in zip(rows, measured, strict=True)
        ],
        quality=[row["quality"] for row in rows],
        measurements=measured,
    )

"""Hours and days of readings that were stored before there were rollups: made backwards, a piece at a time.

A piece is a week of some devices; where it has come to is stored with it. Readings stored since are marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from readings.rollups import roll_up, source
from readings.rollups.holding import HOUR_US
from readings.rollups.hours import Spans
from readings.tables import table_name
from store.connection import Connection

WEEK = timedelta(days=7)
AHEAD = timedelta(days=1)
"""How far a device's clock may run ahead of ours in what is stored."""

_BEGIN = """
INSERT INTO rollup_backfill (kind, before, oldest, newest) VALUES ($1, $2, $3, $2)
ON CONFLICT (kind) DO NOTHING
"""

_BEHIND = """
SELECT before, oldest, device_id FROM rollup_backfill WHERE kind = $1 AND before > oldest FOR UPDATE
"""

_DEVICES = "SELECT id FROM device WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3"

_ON = "UPDATE rollup_backfill SET device_id = $2, before = $3 WHERE kind = $1"


async def begin(connection: Connection, kind: Kind, now: int) -> None:
    """Note how far back a kind's readings go, where that is not known yet."""
    if await connection.fetchval("SELECT true FROM rollup_backfill WHERE kind = $1", kind.name):
        return
    newest = to_datetime(now) + AHEAD
    oldest: datetime | None = await connection.fetchval(_oldest_sql(kind), kind.name)
    await connection.execute(_BEGIN, kind.name, newest, min(oldest or newest, newest))


def _oldest_sql(kind: Kind) -> str:
    # Of each device by its index: there is none of instants alone.
    return (
        "SELECT min(r.observed_at) FROM device AS d CROSS JOIN LATERAL ("  # noqa: S608 - a checked name
        f"SELECT o.observed_at FROM {table_name(kind.name)} AS o WHERE o.device_id = d.id"
        " ORDER BY o.observed_at LIMIT 1) AS r WHERE d.kind = $1"
    )


async def make_piece(connection: Connection, kind: Kind) -> bool:
    """Make the next piece; tell whether there was one. One process at a time."""
    async with connection.transaction():
        if not await roll_up.is_our_turn(connection):
            return False
        behind = await connection.fetchrow(_BEHIND, kind.name)
        if behind is None:
            return False
        before, after = behind["before"], behind["device_id"]
        most = _devices_a_piece(kind)
        ids = [row["id"] for row in await connection.fetch(_DEVICES, kind.name, after, most)]
        if ids:
            await _make(connection, kind, ids, max(before - WEEK, behind["oldest"]), before)
        if len(ids) == most:
            await connection.execute(_ON, kind.name, ids[-1], before)
        else:
            await connection.execute(_ON, kind.name, 0, before - WEEK)
    return True


def _devices_a_piece(kind: Kind) -> int:
    fastest_s = min(r.every_s for r in kind.reporting)
    # A device that seldom speaks still has an hour for each hour.
    every_s = min(fastest_s, HOUR_US / 1e6)
    return max(1, int(roll_up.READINGS * every_s / WEEK.total_seconds()))


async def _make(connection: Connection, kind: Kind, ids: list[int], since: datetime, until: datetime) -> None:
    device_id = np.array(ids, dtype=np.int32)
    spans = Spans(
        device_id=device_id,
        since=np.full(len(ids), to_microseconds(since) // HOUR_US),
        until=np.full(len(ids), -(-to_microseconds(until) // HOUR_US)),
    )
    known = await source.rollup_devices(connection, kind, device_id)
    await roll_up.make(connection, kind, known, spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupProgress:
    """How far rollups of a kind are: their history, of which `share` (0 to 1) is made; batches that wait."""

    kind: str
    share: float
    made_from: datetime
    oldest: datetime
    waiting: int


_PROGRESS = """
SELECT b.kind, b.before, b.oldest, b.newest, (
    SELECT count(*) FROM rollup_mark AS m WHERE m.kind = b.kind
) AS waiting
FROM rollup_backfill AS b
ORDER BY b.kind
"""


async def progress(connection: Connection) -> list[RollupProgress]:
    """Return how far rollups are, by kind."""
    return [_progress(dict(row)) for row in await connection.fetch(_PROGRESS)]


def _progress(row: dict[str, Any]) -> RollupProgress:
    made_from = max(row["before"], row["oldest"])
    whole = row["newest"] - row["oldest"]
    share = (row["newest"] - made_from) / whole if whole else 1.0
    return RollupProgress(
        kind=row["kind"], share=share, made_from=made_from, oldest=row["oldest"], waiting=row["waiting"]
    )

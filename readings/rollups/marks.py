"""Which hours hold new readings: noted in the batch that stores them, taken when the hours are made.

`RollupMarks` is a batch consumer in the sense of ingest.commit.consumers; must not know ingest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.instants import to_datetime
from devices.registry.registry import Registry
from readings.rollups.holding import HOUR_US, Ints
from readings.rollups.hours import keys
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Devices with new readings, an hour each, (n,): when the first and the last of them were observed."""

    device_id: NDArray[np.int32]
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.first)


_MARK = """
INSERT INTO rollup_mark (kind, device_ids, first_us, last_us, marked_at) VALUES ($1, $2, $3, $4, $5)
"""


async def mark(connection: Connection, kind: str, touched: Touched, now: int) -> None:
    """Have the hours of some readings brought up to date, once the present transaction has committed."""
    await connection.execute(
        _MARK,
        kind,
        touched.device_id.tolist(),
        touched.first.tolist(),
        touched.last.tolist(),
        to_datetime(now),
    )


def touched_by(columns: Columns) -> Touched:
    """Return which devices' hours some readings lie in."""
    order = np.lexsort((columns.observed_at, columns.device_id))
    device_id, at = columns.device_id[order], columns.observed_at[order]
    begins = np.flatnonzero(np.diff(keys(device_id, at // HOUR_US), prepend=-1))
    ends = np.append(begins[1:], len(at)) - 1
    return Touched(device_id=device_id[begins], first=at[begins], last=at[ends])


class RollupMarks:
    """Notes in every batch which hours its new readings lie in: one small row a kind."""

    async def load(self, connection: Connection, shard: str, registry: Registry | None = None) -> None:
        """Nothing is kept in memory."""

    async def reload(self, connection: Connection, registry: Registry | None = None) -> None:
        """Nothing depends on the registry."""

    def foresee(self, columns: Columns) -> None:
        """There is nothing to compute ahead."""

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        """Mark the hours of the new rows."""
        for rows in columns:
            await mark(connection, rows.kind.name, touched_by(rows), now)

    def committed(self) -> None:
        """The marks are there."""

    def rolled_back(self) -> None:
        """The marks are gone with the rows."""


_TAKE = """
DELETE FROM rollup_mark
WHERE id IN (SELECT id FROM rollup_mark WHERE kind = $1 ORDER BY id LIMIT $2)
RETURNING device_ids, first_us, last_us
"""


async def take(connection: Connection, kind: str, most: int) -> Touched | None:
    """Take the oldest marks of a kind out, back if the transaction fails; None where there are none."""
    rows = await connection.fetch(_TAKE, kind, most)
    if not rows:
        return None
    return _each_hour_once(
        np.concatenate([np.array(row["device_ids"], dtype=np.int32) for row in rows]),
        np.concatenate([np.array(row["first_us"], dtype=np.int64) for row in rows]),
        np.concatenate([np.array(row["last_us"], dtype=np.int64) for row in rows]),
    )


def _each_hour_once(device_id: NDArray[np.int32], first: Ints, last: Ints) -> Touched:
    hours = keys(device_id, first // HOUR_US)
    order = np.argsort(hours, kind="stable")
    begins = np.flatnonzero(np.diff(hours[order], prepend=-1))
    return Touched(
        device_id=device_id[order][begins],
        first=np.minimum.reduceat(first[order], begins),
        last=np.maximum.reduceat(last[order], begins),
    )


_OLDEST = "SELECT min(marked_at) FROM rollup_mark WHERE kind = ANY($1)"


async def oldest_mark(connection: Connection, kinds: Iterable[str]) -> datetime | None:
    """Return since when readings of some kinds wait for their hours, None where none do.

    Kinds that are no longer declared are nobody's to roll up.
    """
    found: datetime | None = await connection.fetchval(_OLDEST, list(kinds))
    return found

"""What evaluation needs from the database: stored readings and open alerts.

Must not know how rules are evaluated.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.columns import MISSING, Columns
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind, ValueType
from rules.engine.snapshot import OpenAlert
from store.connection import Connection

CHUNK = 5_000

_OLDEST = """
SELECT min(oldest_observed_at) FROM ledger WHERE shard = $1 AND batch > $2
"""

_OLDEST_SINCE = """
SELECT min(oldest_observed_at) FROM ledger WHERE shard = $1 AND received_at >= $2
"""


async def readings(
    connection: Connection, kind: Kind, *, observed_from: Any, after: int, before: int | None = None
) -> AsyncGenerator[Columns, None]:
    """Yield stored readings in arrival order, received after one instant and before another (microseconds).

    `observed_from` bounds the partitions that are read.
    """
    names = [m.name for m in kind.measurements]
    query = (
        # Names of a kind are checked by its declaration; they cannot be parameters.
        f"SELECT device_id, observed_at, received_at, quality, {', '.join(names)} FROM {kind.name}_reading"  # noqa: S608
        " WHERE observed_at >= $1 AND received_at > $2 AND ($3::timestamptz IS NULL OR received_at < $3)"
        " ORDER BY received_at, observed_at"
    )
    limit = None if before is None else to_datetime(before)
    async with connection.transaction():
        cursor = await connection.cursor(query, observed_from, to_datetime(after), limit)
        while rows := await cursor.fetch(CHUNK):
            yield _columns(kind, rows)


def _columns(kind: Kind, rows: Sequence[asyncpg.Record]) -> Columns:
    n = len(rows)
    values: dict[str, Any] = {}
    for m in kind.measurements:
        found = [row[m.name] for row in rows]
        if m.type is ValueType.TEXT:
            values[m.name] = np.array([*found, None], dtype=object)[:-1]
        else:
            values[m.name] = np.array([np.nan if v is None else float(v) for v in found], dtype=np.float64)
    return Columns(
        kind=kind,
        device_id=np.array([row["device_id"] for row in rows], dtype=np.int32),
        observed_at=np.array([to_microseconds(row["observed_at"]) for row in rows], dtype=np.int64),
        received_at=np.array([to_microseconds(row["received_at"]) for row in rows], dtype=np.int64),
        quality=np.array([row["quality"] for row in rows], dtype=np.int64),
        boot=np.full(n, MISSING, dtype=np.int64),
        seq=np.full(n, MISSING, dtype=np.int64),
        values=values,
        extra=np.full(n, None, dtype=object),
        message=np.arange(n, dtype=np.int32),
    )


async def oldest_after_batch(connection: Connection, shard: str, batch: int) -> Any:
    """Return the oldest observed_at of batches after one, None when they stored nothing."""
    return await connection.fetchval(_OLDEST, shard, batch)


async def oldest_since(connection: Connection, shard: str, received_at: int) -> Any:
    """Return the oldest observed_at of batches received since an instant, None when there is none."""
    return await connection.fetchval(_OLDEST_SINCE, shard, to_datetime(received_at))


_OPEN_ALERTS = """
SELECT alert.rule, alert.device_id, alert.severity
FROM alert
INNER JOIN device ON alert.device_id = device.id
WHERE alert.state = 'firing' AND device.kind = $1
"""


async def open_alerts(connection: Connection, kind: str) -> list[OpenAlert]:
    """Return what fires on devices of a kind."""
    return [
        OpenAlert(rule=row["rule"], device_id=row["device_id"], severity=Severity(row["severity"]))
        for row in await connection.fetch(_OPEN_ALERTS, kind)
    ]

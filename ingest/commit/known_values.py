"""The last values of devices as a new owner of the shard knows them: from the newest stored readings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from devices.instants import to_microseconds
from devices.kinds.kind import Kind
from ingest.decide.last_values import LastValues
from store.connection import Connection

_LOAD = """
SELECT latest.device_id, (latest.measurements ->> $2)::float8 AS value, latest.observed_at,
    (latest.quality >> $3::int) & 1 = 1 AS marked
FROM latest
INNER JOIN device ON latest.device_id = device.id
WHERE device.kind = $1 AND latest.measurements ? $2
"""


async def load(connection: Connection, kinds: Iterable[Kind]) -> dict[str, LastValues]:
    """Return the last values of all devices, by kind."""
    found = {kind.name: LastValues(kind) for kind in kinds}
    for kind, known in found.items():
        for measurement in known.watched:
            rows = await connection.fetch(_LOAD, kind, measurement.name, measurement.bit)
            known.remember(
                measurement.name,
                np.array([r["device_id"] for r in rows], dtype=np.int32),
                np.array([r["value"] for r in rows], dtype=np.float64),
                np.array([to_microseconds(r["observed_at"]) for r in rows], dtype=np.int64),
                np.array([r["marked"] for r in rows], dtype=np.bool_),
            )
    return found

"""The last values of devices as a new owner of the shard knows them: from the newest stored readings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from devices.kinds.kind import Kind
from ingest.decide.last_values import LastValues
from store.connection import Connection
from store.copy import columns_of
from store.tables import ColumnType

_LOAD = """
SELECT latest.device_id, (latest.measurements ->> $2)::float8 AS value, latest.observed_at,
    (latest.quality >> $3::int) & 1 = 1 AS marked
FROM latest
INNER JOIN device ON latest.device_id = device.id
WHERE device.kind = $1 AND latest.measurements ->> $2 IS NOT NULL
"""
_TYPES: Final = {
    "device_id": ColumnType.INTEGER,
    "value": ColumnType.NUMBER,
    "at": ColumnType.TIME,
    "marked": ColumnType.BOOLEAN,
}


async def load(connection: Connection, kinds: Iterable[Kind]) -> dict[str, LastValues]:
    """Return the last values of all devices, by kind."""
    found = {kind.name: LastValues(kind) for kind in kinds}
    for kind, known in found.items():
        for measurement in known.watched:
            asked = (kind, measurement.name, measurement.bit)
            rows = await columns_of(connection, _LOAD, *asked, types=_TYPES)
            known.remember(measurement.name, *(rows[name] for name in _TYPES))
    return found

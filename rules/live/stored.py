"""What evaluation needs from the database beside readings: how far back to look, and open alerts.

Must not know how rules are evaluated.
"""

from __future__ import annotations

from datetime import datetime

from alerts.transition import Severity
from devices.instants import to_datetime
from rules.engine.snapshot import OpenAlert
from store.connection import Connection

_OLDEST = """
SELECT min(oldest_observed_at) FROM ledger WHERE shard = $1 AND batch > $2
"""

_OLDEST_SINCE = """
SELECT min(oldest_observed_at) FROM ledger WHERE shard = $1 AND received_at >= $2
"""


async def oldest_after_batch(connection: Connection, shard: str, batch: int) -> datetime | None:
    """Return the oldest observed_at of batches after one, None when they stored nothing."""
    oldest: datetime | None = await connection.fetchval(_OLDEST, shard, batch)
    return oldest


async def oldest_since(connection: Connection, shard: str, received_at: int) -> datetime | None:
    """Return the oldest observed_at of batches received since an instant, None when there is none."""
    oldest: datetime | None = await connection.fetchval(_OLDEST_SINCE, shard, to_datetime(received_at))
    return oldest


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

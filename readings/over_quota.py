"""Which devices sent more than they may, by the ledger. Must not know what quotas are."""

from __future__ import annotations

from datetime import datetime

from store.connection import Connection

OVER = "quota"
"""The outcome in the ledger."""

_BY_DEVICE = """
SELECT counted.device, sum(counted.readings)::bigint AS messages
FROM ledger_device AS counted
INNER JOIN ledger ON ledger.shard = counted.shard AND ledger.batch = counted.batch
WHERE counted.outcome = $1 AND ledger.received_at >= $2
GROUP BY counted.device
ORDER BY messages DESC, counted.device
"""


async def by_device(connection: Connection, since: datetime) -> dict[str, int]:
    """Return how many messages of each device were over its quota since an instant, most first."""
    rows = await connection.fetch(_BY_DEVICE, OVER, since)
    return {row["device"]: row["messages"] for row in rows}

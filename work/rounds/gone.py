"""Orders about devices that are gone: retired, or moved to another municipality. Nobody is sent there.

What somebody has accepted stays: they may be taking the device away, and report it. Must not know who retires
or moves devices.
"""

from __future__ import annotations

from functools import partial

import asyncpg

from devices.registry.errors import RegistryError
from store.audit import PLATFORM
from store.connection import Connection
from work.attempts import Attempts
from work.change import WorkStep
from work.steps import cancel

AT_ONCE = 100
"""Orders that are cancelled in one round, at most."""

_GONE = """
SELECT o.id, o.version, device.retired_at IS NOT NULL AS retired
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
WHERE o.state IN ('open', 'assigned')
    AND (device.retired_at IS NOT NULL OR device.municipality_id <> o.municipality_id)
ORDER BY o.id
LIMIT $1
"""


async def cancel_gone(connection: Connection, now: int, attempts: Attempts) -> int:
    """Cancel the orders that nobody has accepted of devices that are gone, and return how many.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    rows = await connection.fetch(_GONE, AT_ONCE)
    done = [
        await attempts.attempt("cancel", row["id"], now, partial(_cancel, connection, row, now))
        for row in rows
    ]
    return sum(map(bool, done))


async def _cancel(connection: Connection, row: asyncpg.Record, now: int) -> bool:
    reason = "the device was retired" if row["retired"] else "the device is in another municipality now"
    try:
        return await cancel(
            connection, row["id"], reason, WorkStep(by=PLATFORM, now=now, version=row["version"])
        )
    except RegistryError:  # somebody was faster
        return False

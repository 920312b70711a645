"""How long the answers to repeated requests are kept; see api.idempotency.

Apart from it, so that housekeeping starts without the web framework.
"""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from store.connection import Connection

REMEMBERED = timedelta(hours=24)
"""How long a repeat gets the first answer, at least."""

_FORGET = "DELETE FROM idempotency_key WHERE created_at < $1"


async def forget(connection: Connection, now: int) -> None:
    """Delete what is older than REMEMBERED; `now` is in microseconds since 1970-01-01Z."""
    await connection.execute(_FORGET, to_datetime(now) - REMEMBERED)

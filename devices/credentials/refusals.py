"""Sign-ins that the broker refused: kept by the minute, and summed up for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.connection import Connection

KEPT = timedelta(days=30)
WINDOW = timedelta(minutes=10)
MANY = 20
"""So many within the window are found: a device with a wrong password tries every few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSignIns:
    """How many sign-ins were refused since an instant, and from which addresses most, most first."""

    count: int
    addresses: tuple[str, ...]


_ADD = """
INSERT INTO refused_sign_in AS there (minute, address, client, count)
SELECT date_trunc('minute', $1::timestamptz), r.address, r.client, r.count
FROM unnest($2::text [], $3::text [], $4::bigint []) AS r (address, client, count)
ON CONFLICT (minute, address, client) DO UPDATE SET count = there.count + excluded.count
"""
_FORGET = "DELETE FROM refused_sign_in WHERE minute < $1"


async def add(connection: Connection, counts: Mapping[tuple[str, str], int], now: datetime) -> None:
    """Keep how often each address was refused as each client just now; forget what is older than KEPT."""
    addresses = [address for address, _ in counts]
    clients = [client for _, client in counts]
    await connection.execute(_ADD, now, addresses, clients, list(counts.values()))
    await connection.execute(_FORGET, now - KEPT)


_SINCE = """
SELECT address, sum(count)::bigint AS count FROM refused_sign_in WHERE minute > $1
GROUP BY address ORDER BY count DESC, address
"""


async def since(connection: Connection, instant: datetime) -> RefusedSignIns:
    """Return what was refused since an instant."""
    rows = await connection.fetch(_SINCE, instant)
    named = tuple(row["address"] for row in rows if row["address"])
    return RefusedSignIns(count=sum(row["count"] for row in rows), addresses=named[:5])


async def recent(connection: Connection, now: datetime) -> RefusedSignIns:
    """Return what was refused within the last WINDOW."""
    return await since(connection, now - WINDOW)

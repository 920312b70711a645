"""Sign-ins that the broker refused: kept by the minute, and summed up for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.connection import Connection

KEPT = timedelta(days=30)
WINDOW = timedelta(minutes=10)
MOST_A_MINUTE = 50
MANY = 20
"""So many within the window are found: a device with a wrong password tries every few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSignIns:
    """How many sign-ins were refused since an instant, and from which addresses most, most first."""

    count: int
    addresses: tuple[str, ...]


# Those of this minute that have no row yet get one while there are fewer than $5; the rest are nobody's.
_ADD = """
WITH said AS (
    SELECT
        r.address, r.client, r.count, there.minute IS NOT NULL AS known,
        row_number() OVER (PARTITION BY there.minute IS NULL ORDER BY r.count DESC) AS place
    FROM unnest($2::text [], $3::text [], $4::bigint []) AS r (address, client, count)
    LEFT JOIN refused_sign_in AS there
        ON there.minute = date_trunc('minute', $1::timestamptz)
        AND r.address = there.address AND r.client = there.client
),

kept AS (
    SELECT
        said.address, said.client, said.count,
        said.known OR said.place + (
            SELECT count(*) FROM refused_sign_in AS of_minute
            WHERE of_minute.minute = date_trunc('minute', $1::timestamptz)
        ) <= $5 AS named
    FROM said
)

INSERT INTO refused_sign_in AS there (minute, address, client, count)
SELECT
    date_trunc('minute', $1::timestamptz),
    CASE WHEN kept.named THEN kept.address ELSE '' END AS address,
    CASE WHEN kept.named THEN kept.client ELSE '' END AS client,
    sum(kept.count)
FROM kept
GROUP BY 1, 2, 3
ON CONFLICT (minute, address, client) DO UPDATE SET count = there.count + excluded.count
"""
_FORGET = "DELETE FROM refused_sign_in WHERE minute < $1"


async def add(connection: Connection, counts: Mapping[tuple[str, str], int], now: datetime) -> None:
    """Keep how often each address was refused as each client just now; forget what is older than KEPT.

    At most MOST_A_MINUTE are told apart: client ids are a stranger's to choose.
    """
    addresses = [address for address, _ in counts]
    clients = [client for _, client in counts]
    await connection.execute(_ADD, now, addresses, clients, list(counts.values()), MOST_A_MINUTE)
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

"""What readings themselves say was stored, of a device or in a municipality, and which numbers are missing.

Beside it stands what the ledger says of theirs that was not stored. Reads only; it may take long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from devices.instants import EPOCH
from devices.kinds import STRUCTURAL, Kinds
from devices.registry.registry import Device
from readings.ledger import DUPLICATE, FOREVER, MERGED, Totals
from readings.tables import table_name
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceGap:
    """Sequence numbers `first`..`last` of one start (boot) of a device that are not stored.

    `after`, `before`: observed_at of the stored readings around them.
    """

    boot: int
    first: int
    last: int
    after: datetime
    before: datetime


_OUTCOMES = """
SELECT o.outcome, sum(o.readings) AS readings
FROM ledger AS l
INNER JOIN ledger_device AS o ON l.shard = o.shard AND l.batch = o.batch
WHERE
    l.received_at >= $1 AND l.received_at < $2
    AND ($3::text IS NULL OR o.device = $3)
    AND (
        $4::integer IS NULL OR $4 = (
            SELECT CASE
                WHEN d.moved_at > l.received_at THEN municipality_at(d, l.received_at) ELSE d.municipality_id
            END
            FROM device AS d
            WHERE d.name = o.device
        )
    )
GROUP BY o.outcome
ORDER BY o.outcome
"""


_COUNT = """
SELECT count(*)
FROM {table} AS r
INNER JOIN device AS d ON r.device_id = d.id
WHERE
    r.received_at >= $1 AND r.received_at < $2
    AND ($3::integer IS NULL OR r.device_id = $3)
    AND (
        $4::integer IS NULL OR $4 = CASE
            WHEN d.moved_at > r.observed_at THEN municipality_at(d, r.observed_at) ELSE d.municipality_id
        END
    )
"""


async def count_readings(
    connection: Connection,
    kinds: Kinds,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    device_id: int | None = None,
    municipality_id: int | None = None,
    empty: bool = False,
) -> int:
    """Return how many rows the tables of the given kinds hold; reads them all, so it can take long.

    Args:
        empty: only those that hold no measurement at all.
    """
    counted = 0
    for kind in kinds.values():
        query = _COUNT.format(table=table_name(kind.name))
        if empty:
            columns = ", ".join(f'r."{m.name}"' for m in kind.measurements)
            query = f"{query} AND num_nonnulls({columns}) = 0"
        counted += await connection.fetchval(
            query, since or EPOCH, until or FOREVER, device_id, municipality_id
        )
    return counted


async def of_device(
    connection: Connection,
    kinds: Kinds,
    device: Device,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Totals:
    """Return one device's totals: stored is counted from its readings, received is the sum."""
    own = {device.kind: kinds[device.kind]} if device.kind in kinds else {}
    bounds = (since or EPOCH, until or FOREVER)
    stored = await count_readings(connection, own, since=since, until=until, device_id=device.id)
    empty = await count_readings(connection, own, since=since, until=until, device_id=device.id, empty=True)
    outcomes = await connection.fetch(_OUTCOMES, *bounds, device.name, None)
    return _summed(stored, empty, {row["outcome"]: row["readings"] for row in outcomes})


async def of_municipality(
    connection: Connection,
    kinds: Kinds,
    municipality_id: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Totals:
    """Return the totals of what registered devices sent in a municipality, counted like those of one."""
    bounds = (since or EPOCH, until or FOREVER)
    stored = await count_readings(
        connection, kinds, since=since, until=until, municipality_id=municipality_id
    )
    empty = await count_readings(
        connection, kinds, since=since, until=until, municipality_id=municipality_id, empty=True
    )
    outcomes = await connection.fetch(_OUTCOMES, *bounds, None, municipality_id)
    return _summed(stored, empty, {row["outcome"]: row["readings"] for row in outcomes})


def _summed(stored: int, empty: int, outcomes: dict[str, int]) -> Totals:
    duplicate, merged = outcomes.pop(DUPLICATE, 0), outcomes.pop(MERGED, 0)
    rejected = sum(outcomes.values())
    return Totals(
        received=stored + merged + duplicate + rejected,
        stored=stored,
        merged=merged,
        duplicate=duplicate,
        rejected=rejected,
        empty=empty,
        reasons=outcomes,
    )


_GAPS = """
SELECT boot, previous + 1 AS first, seq - 1 AS last, previous_at AS after, observed_at AS before
FROM (
    SELECT
        boot, seq, observed_at,
        lag(seq) OVER numbered AS previous, lag(observed_at) OVER numbered AS previous_at
    FROM {table}
    WHERE device_id = $1 AND boot IS NOT NULL AND seq IS NOT NULL AND observed_at >= $2
    WINDOW numbered AS (PARTITION BY boot ORDER BY seq)
) AS numbered
WHERE seq > previous + 1
ORDER BY before DESC, first DESC
LIMIT $3
"""


async def gaps(
    connection: Connection, device: Device, *, since: datetime | None = None, limit: int = 100
) -> list[SequenceGap]:
    """Return the device's missing sequence numbers, the most recent first.

    A rejected reading is a gap too, and a merged part: its number was received, but is not stored. Numbers
    before the first or after the last stored reading of a start cannot be seen.
    """
    if device.kind in STRUCTURAL:
        return []
    query = _GAPS.format(table=table_name(device.kind))
    return [SequenceGap(**row) for row in await connection.fetch(query, device.id, since or EPOCH, limit)]

"""The ledger: every reading received is stored, merged, a duplicate, or rejected with a reason.

Ingest writes one row per batch, and per device only what was not stored; what was stored of a device is
counted from its readings. Must not know how batches are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devices.instants import EPOCH, to_datetime
from devices.storable import storable
from readings.rejections import DEVICE_LIMIT
from store.connection import Connection

DUPLICATE = "duplicate"
"""The outcome of a reading that was stored already."""
MERGED = "merged"
"""The outcome of a part that filled a stored reading; every other outcome is a reason of rejection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """What became of the readings of one batch. Times are microseconds since 1970-01-01Z.

    `by_device` counts per (device, outcome), the outcome being `duplicate`, `merged` or a reason of
    rejection.
    `undated` readings, and `empty` ones without any measurement, are among those stored; an undecodable
    message counts as one reading received.
    """

    shard: str
    batch: int
    source: str
    received_at: int
    oldest_observed_at: int | None
    messages: int
    received: int
    stored: int
    duplicate: int
    rejected: int
    undated: int
    merged: int = 0
    empty: int = 0
    by_device: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts of readings; `reasons` splits `rejected`. `messages` is None where only readings are known."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    merged: int = 0
    undated: int | None = None
    empty: int | None = None
    messages: int | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    counted: int | None = None
    """Rows in the tables of readings, where they were counted."""
    dropped: bool = False
    """Whether some were received so long ago that tables may have dropped them: fewer rows are no loss."""

    @property
    def balanced(self) -> bool:
        """Tell whether nothing is unaccounted for: each sum agrees, and the tables where counted."""
        return (
            self.received == self.stored + self.merged + self.duplicate + self.rejected
            and self.rejected == sum(self.reasons.values())
            and (self.counted in (None, self.stored) or (self.dropped and self._lacks_rows))
        )

    @property
    def _lacks_rows(self) -> bool:
        return self.counted is not None and self.counted < self.stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The totals of batches received from `start` on, until the next period."""

    start: datetime
    totals: Totals


_BATCH = """
WITH batch AS (
    INSERT INTO ledger (
        shard, batch, source, received_at, oldest_observed_at,
        messages, received, stored, merged, duplicate, rejected, undated, empty
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    RETURNING shard, batch
)

INSERT INTO ledger_device (shard, batch, device, outcome, readings)
SELECT b.shard, b.batch, r.device, r.outcome, r.readings
FROM batch AS b
CROSS JOIN unnest($14::text [], $15::text [], $16::integer []) AS r (device, outcome, readings)
"""


async def record(connection: Connection, counts: BatchCounts) -> None:
    """Write the ledger of one batch, inside its transaction."""
    oldest = counts.oldest_observed_at
    by_device: Counter[tuple[str, str]] = Counter()
    for (device, outcome), readings in counts.by_device.items():
        by_device[storable(device, DEVICE_LIMIT), outcome] += readings
    await connection.execute(
        _BATCH,
        counts.shard,
        counts.batch,
        counts.source,
        to_datetime(counts.received_at),
        None if oldest is None else to_datetime(oldest),
        counts.messages,
        counts.received,
        counts.stored,
        counts.merged,
        counts.duplicate,
        counts.rejected,
        counts.undated,
        counts.empty,
        [device for device, _ in by_device],
        [outcome for _, outcome in by_device],
        list(by_device.values()),
    )


_PERIODS = """
WITH counted AS (
    SELECT received_at, messages, received, stored, merged, duplicate, rejected, undated, empty
    FROM ledger
    WHERE received_at >= $1 AND received_at < $2
    UNION ALL
    SELECT began_at, messages, received, stored, merged, duplicate, rejected, undated, empty
    FROM ledger_day
    WHERE began_at >= $1 AND began_at < $2
),

batches AS (
    SELECT
        date_bin($3, received_at, 'epoch'::timestamptz) AS start,
        sum(messages)::bigint AS messages, sum(received)::bigint AS received, sum(stored)::bigint AS stored,
        sum(merged)::bigint AS merged, sum(duplicate)::bigint AS duplicate, sum(rejected)::bigint AS rejected,
        sum(undated)::bigint AS undated, sum(empty)::bigint AS empty
    FROM counted
    GROUP BY 1
),

reasons AS (
    SELECT l.received_at, o.outcome, o.readings
    FROM ledger AS l
    INNER JOIN ledger_device AS o ON l.shard = o.shard AND l.batch = o.batch
    WHERE l.received_at >= $1 AND l.received_at < $2 AND o.outcome NOT IN ('duplicate', 'merged')
    UNION ALL
    SELECT began_at, outcome, readings
    FROM ledger_day_outcome
    WHERE began_at >= $1 AND began_at < $2
),

outcomes AS (
    SELECT
        date_bin($3, received_at, 'epoch'::timestamptz) AS start,
        outcome, sum(readings)::bigint AS readings
    FROM reasons
    GROUP BY 1, 2
)

SELECT
    b.start, b.messages, b.received, b.stored, b.merged, b.duplicate, b.rejected, b.undated, b.empty,
    coalesce(jsonb_object_agg(o.outcome, o.readings) FILTER (WHERE o.outcome IS NOT NULL), '{}') AS reasons
FROM batches AS b
LEFT JOIN outcomes AS o ON b.start = o.start
GROUP BY b.start, b.messages, b.received, b.stored, b.merged, b.duplicate, b.rejected, b.undated, b.empty
ORDER BY b.start
"""

FOREVER = datetime(9999, 1, 1, tzinfo=EPOCH.tzinfo)


async def by_period(
    connection: Connection,
    *,
    every: timedelta,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Period]:
    """Return the platform's totals per period of receive time, the oldest first, empty periods left out.

    Of batches that are no longer kept one by one, each counts at the beginning of its day (UTC).

    Args:
        connection: the database.
        every: length of a period; whole days start at midnight UTC.
        since: from this receive time on.
        until: before this receive time.
    """
    periods = []
    for row in await connection.fetch(_PERIODS, since or EPOCH, until or FOREVER, every):
        sums = dict(row)
        start = sums.pop("start")
        periods.append(Period(start=start, totals=Totals(**sums)))
    return periods


_TOTAL = """
WITH counted AS (
    SELECT messages, received, stored, merged, duplicate, rejected, undated, empty
    FROM ledger
    WHERE received_at >= $1 AND received_at < $2
    UNION ALL
    SELECT messages, received, stored, merged, duplicate, rejected, undated, empty
    FROM ledger_day
    WHERE began_at >= $1 AND began_at < $2
),

reasons AS (
    SELECT o.outcome, o.readings
    FROM ledger AS l
    INNER JOIN ledger_device AS o ON l.shard = o.shard AND l.batch = o.batch
    WHERE l.received_at >= $1 AND l.received_at < $2 AND o.outcome NOT IN ('duplicate', 'merged')
    UNION ALL
    SELECT outcome, readings
    FROM ledger_day_outcome
    WHERE began_at >= $1 AND began_at < $2
)

SELECT
    coalesce(sum(messages), 0)::bigint AS messages, coalesce(sum(received), 0)::bigint AS received,
    coalesce(sum(stored), 0)::bigint AS stored, coalesce(sum(merged), 0)::bigint AS merged,
    coalesce(sum(duplicate), 0)::bigint AS duplicate, coalesce(sum(rejected), 0)::bigint AS rejected,
    coalesce(sum(undated), 0)::bigint AS undated,
    coalesce(sum(empty), 0)::bigint AS empty,
    (
        SELECT coalesce(jsonb_object_agg(summed.outcome, summed.readings), '{}')
        FROM (SELECT outcome, sum(readings)::bigint AS readings FROM reasons GROUP BY outcome) AS summed
    ) AS reasons
FROM counted
"""


async def total(
    connection: Connection, *, since: datetime | None = None, until: datetime | None = None
) -> Totals:
    """Return the platform's totals of the batches received from `since` until before `until`."""
    row = await connection.fetchrow(_TOTAL, since or EPOCH, until or FOREVER)
    assert row is not None
    return Totals(**row)


_FIRST = "SELECT least((SELECT min(began_at) FROM ledger_day), (SELECT min(received_at) FROM ledger))"


async def first_received(connection: Connection) -> datetime | None:
    """Return when the first batch of all was received; of one that is kept by day only, its day."""
    first: datetime | None = await connection.fetchval(_FIRST)
    return first

"""Calendar buckets of one device, summarised from its readings themselves.

Reads only. Table and column names come from the kind's declaration, whose grammar (a-z, 0-9, _) needs no
quoting; values are always parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from devices.kinds.kind import Kind, Measurement, ValueType
from readings.buckets import bucket_columns
from readings.buckets.summary import ReadingBucket, summary_of
from readings.history import STATEMENT_TIMEOUT_S
from readings.tables import table_name
from store.connection import Connection


async def raw_buckets(
    connection: Connection,
    kind: Kind,
    device_id: int,
    *,
    measurements: Sequence[str],
    start: datetime,
    end: datetime,
    starts: Sequence[datetime],
) -> list[ReadingBucket]:
    """Return a summary per bucket of the readings observed in [start, end), oldest first.

    Args:
        starts: where buckets begin; the first not after `start`.
    """
    rows = await connection.fetch(
        _buckets_sql(kind, measurements),
        device_id,
        start,
        end,
        starts,
        timeout=STATEMENT_TIMEOUT_S,
    )
    return [
        ReadingBucket(
            at=row["at"],
            readings=row["readings"],
            values={name: summary_of(row, f"m{i}") for i, name in enumerate(measurements)},
        )
        for row in rows
    ]


_BUCKET = "width_bucket(observed_at, $4::timestamptz [])"
"""Which of the bounds in the fourth parameter a reading's bucket starts at."""


def _buckets_sql(kind: Kind, measurements: Sequence[str]) -> str:
    declared = [kind.measurement(name) for name in measurements]
    summaries = [_summary_sql(m, f"m{i}") for i, m in enumerate(declared)]
    columns = ", ".join(["at", "count(*) AS readings", *summaries])
    beside = [
        part
        for i, m in enumerate(declared)
        for part in bucket_columns.beside(m, f"m{i}", _BUCKET, _before(kind, m))
    ]
    chosen = ", ".join([f"($4::timestamptz [])[{_BUCKET}] AS at", "*", *beside])
    return (
        f"SELECT {columns} FROM (SELECT {chosen} FROM {table_name(kind.name)} "  # noqa: S608 - checked names
        "WHERE device_id = $1 AND observed_at >= $2 AND observed_at < $3) AS r GROUP BY at ORDER BY at"
    )


def _before(kind: Kind, measurement: Measurement) -> str:
    """Return where the last good reading before all buckets is found: from there a counter has grown."""
    return (
        f"FROM {table_name(kind.name)} WHERE device_id = $1 AND observed_at < $2"
        f" AND {bucket_columns.is_good(measurement)} ORDER BY observed_at DESC LIMIT 1"
    )


def _summary_sql(measurement: Measurement, alias: str) -> str:
    column = f'"{measurement.name}"'
    good = f"FILTER (WHERE {bucket_columns.is_good(measurement)})"
    last = f"(array_agg({column} ORDER BY observed_at DESC) {good})[1]"
    count = f"count(*) {good} AS {alias}_count"
    match measurement.type:
        case ValueType.TEXT:
            return f"{count}, {last} AS {alias}_last"
        case ValueType.BOOLEAN:
            number = f"{column}::integer::float8"
            last += "::integer::float8"
        case ValueType.NUMBER:
            number = column
    parts = bucket_columns.extremes(measurement, alias, number, good)
    return f"{count}, {last} AS {alias}_last, {parts}"

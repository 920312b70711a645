"""The stored readings of one device: as they are, or summarised by calendar bucket.

Reads only. Table and column names come from the kind's declaration, whose grammar (a-z, 0-9, _) needs no
quoting; values are always parameters. Must not know HTTP or charts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from devices.kinds.kind import Kind, Measurement, ValueType
from readings import bucket_columns
from readings.calendar import bucket_starts
from readings.tables import table_name

if TYPE_CHECKING:
    import asyncpg

    from store.connection import Connection

Value = float | bool | str | None

STATEMENT_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One stored reading; `suspect` names the values that its quality bits mark."""

    observed_at: datetime
    received_at: datetime
    quality: int
    boot: int | None
    seq: int | None
    values: Mapping[str, Value]
    suspect: tuple[str, ...]
    extra: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One measurement over one bucket, suspect values left out; booleans count as 0 and 1.

    Of a circular measurement `avg` is the mean direction, and the values lie between `min` and `max` on the
    side of it. `grown` is how much a counter grew, resets included; None for others.
    """

    min: float | None
    max: float | None
    avg: float | None
    count: int
    last: float | str | None
    grown: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBucket:
    """One bucket that holds at least one reading: when it starts, how many readings, and their summaries."""

    at: datetime
    readings: int
    values: Mapping[str, Summary]


def suspect(kind: Kind, quality: int) -> tuple[str, ...]:
    """Return the measurements that a reading's quality bits mark."""
    if not quality & kind.measurement_mask:
        return ()
    return tuple(m.name for m in kind.measurements if quality >> m.bit & 1)


async def readings(
    connection: Connection,
    kind: Kind,
    device_id: int,
    *,
    measurements: Sequence[str],
    start: datetime,
    end: datetime,
    limit: int,
) -> list[Reading]:
    """Return the first `limit` readings observed in [start, end), oldest first.

    The next page starts one microsecond after the last reading: instants are unique per device.
    """
    rows = await connection.fetch(
        _readings_sql(kind, measurements), device_id, start, end, limit, timeout=STATEMENT_TIMEOUT_S
    )
    return [_reading(kind, measurements, row) for row in rows]


def _readings_sql(kind: Kind, measurements: Sequence[str]) -> str:
    columns = ", ".join(
        ["observed_at", "received_at", "quality", "boot", "seq", "extra", *_quoted(measurements)]
    )
    return (
        f"SELECT {columns} FROM {table_name(kind.name)} "  # noqa: S608 - names of a checked declaration
        "WHERE device_id = $1 AND observed_at >= $2 AND observed_at < $3 ORDER BY observed_at LIMIT $4"
    )


def _reading(kind: Kind, measurements: Sequence[str], row: asyncpg.Record) -> Reading:
    return Reading(
        observed_at=row["observed_at"],
        received_at=row["received_at"],
        quality=row["quality"],
        boot=row["boot"],
        seq=row["seq"],
        values={name: row[name] for name in measurements},
        suspect=tuple(name for name in suspect(kind, row["quality"]) if name in measurements),
        extra=row["extra"],
    )


async def buckets(
    connection: Connection,
    kind: Kind,
    device_id: int,
    *,
    measurements: Sequence[str],
    start: datetime,
    end: datetime,
    unit: str,
    time_zone: str,
) -> list[ReadingBucket]:
    """Return a summary per calendar bucket of the readings observed in [start, end), oldest first.

    Args:
        connection: the database.
        kind: the device's kind.
        device_id: the registry's number of the device.
        measurements: which of them to summarise.
        start: first instant included.
        end: first instant left out.
        unit: minute, hour or day.
        time_zone: IANA name; decides where hours and days begin.
    """
    rows = await connection.fetch(
        _buckets_sql(kind, measurements),
        device_id,
        start,
        end,
        bucket_starts(unit, start, end, time_zone),
        timeout=STATEMENT_TIMEOUT_S,
    )
    return [
        ReadingBucket(
            at=row["at"],
            readings=row["readings"],
            values={name: _summary(row, f"m{i}") for i, name in enumerate(measurements)},
        )
        for row in rows
    ]


_BUCKET = "width_bucket(observed_at, $4::timestamptz [])"
"""Which of the bounds in the fourth parameter a reading's bucket starts at."""


def _buckets_sql(kind: Kind, measurements: Sequence[str]) -> str:
    declared = [kind.measurement(name) for name in measurements]
    summaries = [_summary_sql(m, f"m{i}") for i, m in enumerate(declared)]
    columns = ", ".join(["at", "count(*) AS readings", *summaries])
    beside = [part for i, m in enumerate(declared) for part in bucket_columns.beside(m, f"m{i}", _BUCKET)]
    chosen = ", ".join([f"($4::timestamptz [])[{_BUCKET}] AS at", "*", *beside])
    return (
        f"SELECT {columns} FROM (SELECT {chosen} FROM {table_name(kind.name)} "  # noqa: S608 - checked names
        "WHERE device_id = $1 AND observed_at >= $2 AND observed_at < $3) AS r GROUP BY at ORDER BY at"
    )


def _summary_sql(measurement: Measurement, alias: str) -> str:
    (column,) = _quoted([measurement.name])
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


def _summary(row: asyncpg.Record, alias: str) -> Summary:
    return Summary(
        count=row[f"{alias}_count"],
        last=row[f"{alias}_last"],
        min=row.get(f"{alias}_min"),
        max=row.get(f"{alias}_max"),
        avg=row.get(f"{alias}_avg"),
        grown=row.get(f"{alias}_grown"),
    )


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]

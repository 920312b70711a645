"""The stored readings of one device as they are.

Reads only. Table and column names come from the kind's declaration, whose grammar (a-z, 0-9, _) needs no
quoting; values are always parameters. Must not know HTTP or charts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from devices.kinds.kind import Kind
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
    with_values: bool = False,
    good: bool = False,
) -> list[Reading]:
    """Return the first `limit` readings observed in [start, end), oldest first.

    The next page starts one microsecond after the last reading: instants are unique per device. with_values:
    only readings in which one of the measurements is. good: only readings in which none of them is suspect.
    """
    query = _readings_sql(kind, measurements, with_values=with_values, good=good)
    rows = await connection.fetch(query, device_id, start, end, limit, timeout=STATEMENT_TIMEOUT_S)
    return [_reading(kind, measurements, row) for row in rows]


async def newest(
    connection: Connection,
    kind: Kind,
    device_id: int,
    *,
    measurements: Sequence[str],
    start: datetime,
    end: datetime,
    limit: int,
    with_values: bool = False,
    good: bool = False,
) -> list[Reading]:
    """Return the last `limit` readings observed in [start, end), newest first; the others as in `readings`.

    The next page ends, exclusively, at the last reading: instants are unique per device.
    """
    query = _readings_sql(kind, measurements, with_values=with_values, good=good, newest=True)
    rows = await connection.fetch(query, device_id, start, end, limit, timeout=STATEMENT_TIMEOUT_S)
    return [_reading(kind, measurements, row) for row in rows]


async def readings_at(
    connection: Connection,
    kind: Kind,
    device_id: int,
    *,
    measurements: Sequence[str],
    instants: Sequence[datetime],
) -> list[Reading]:
    """Return the readings observed at some instants, which are in order; oldest first."""
    if not instants:
        return []
    statement = (
        f"SELECT {_columns(measurements)} FROM {table_name(kind.name)} "  # noqa: S608 - as below
        "WHERE device_id = $1 AND observed_at = ANY($2) AND observed_at >= $3 AND observed_at <= $4"
        " ORDER BY observed_at"
    )
    rows = await connection.fetch(
        statement, device_id, instants, instants[0], instants[-1], timeout=STATEMENT_TIMEOUT_S
    )
    return [_reading(kind, measurements, row) for row in rows]


def _readings_sql(
    kind: Kind, measurements: Sequence[str], *, with_values: bool, good: bool, newest: bool = False
) -> str:
    marks = sum(1 << m.bit for m in kind.measurements if m.name in measurements)
    names = ", ".join(f'"{name}"' for name in measurements)
    return (
        f"SELECT {_columns(measurements)} FROM {table_name(kind.name)} "  # noqa: S608 - names of a checked declaration
        "WHERE device_id = $1 AND observed_at >= $2 AND observed_at < $3"
        + (f" AND num_nonnulls({names}) > 0" if with_values and names else "")
        + (f" AND quality & {marks} = 0" if good else "")
        + f" ORDER BY observed_at {'DESC' if newest else 'ASC'} LIMIT $4"
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


def _columns(measurements: Sequence[str]) -> str:
    measured = (f'"{name}"' for name in measurements)
    return ", ".join(["observed_at", "received_at", "quality", "boot", "seq", "extra", *measured])

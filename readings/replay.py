"""Stored readings as columns, in the order they arrived.

`columns` is as fast as the database can give them: one binary COPY per window of receive time, decoded as one
array; every column is made as wide as any other, so that no row needs Python. `hand_over` does the same with
what may be too much for one window, some rows at a time. `arriving` leaves the connection free in between.

Reads only. Must not know what the readings are wanted for.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from devices.columns import MISSING, Columns
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind, Measurement, ValueType
from readings.tables import table_name
from store.connection import Connection

CHUNK = 5_000
"""Rows that `arriving` yields at a time."""
COPIED = 25_000
"""Rows that `hand_over` gives at a time."""
WINDOW_ROWS = 200_000
"""Readings that are asked for at once, as far as the ledger tells."""
DAY_US = 86_400_000_000
_MINUTE_US = 60_000_000
_AHEAD_US = DAY_US
"""How far a device's clock may run ahead of ours in what is stored; a bound for partitions."""
_BATCH_US = 60 * _MINUTE_US
"""How much later than its first message a batch may enter the ledger."""

_COPY_HEADER, _COPY_TRAILER = 19, 2
"""Bytes before and after the rows of a binary COPY."""
_LIMIT_S = 3_600
"""How long `hand_over` may take: a server that does not answer is given up at some time."""
_EVER_US = to_microseconds(datetime(9999, 1, 1, tzinfo=UTC))
_POSTGRES_EPOCH_US = 946_684_800_000_000
"""2000-01-01Z, from which PostgreSQL counts."""

_LEDGER = """
SELECT date_bin('1 minute', received_at, 'epoch'::timestamptz) AS minute, sum(stored)::bigint AS stored,
    min(oldest_observed_at) AS oldest
FROM ledger
WHERE received_at >= $1 AND received_at < $2
GROUP BY 1
ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveSpan:
    """A span [start, end) of receive time.

    oldest: nothing received in it was observed earlier, None when that is not known. rows: how many
    readings of all kinds it holds at most, 0 when that is not known.
    """

    start: int
    end: int
    oldest: int | None
    rows: int


async def windows(connection: Connection, start: int, end: int, rows: int = WINDOW_ROWS) -> list[ReceiveSpan]:
    """Cut [start, end) of receive time (microseconds) where the ledger says that about `rows` were stored."""
    ledger = await connection.fetch(_LEDGER, to_datetime(start), to_datetime(end + _BATCH_US))
    minutes = [
        (to_microseconds(r["minute"]), r["stored"], to_microseconds(r["oldest"]) if r["oldest"] else None)
        for r in ledger
    ]
    return list(_cut(minutes, start, end, rows))


def _cut(
    minutes: Sequence[tuple[int, int, int | None]], start: int, end: int, rows: int
) -> Iterator[ReceiveSpan]:
    """Yield windows of at most a day; one minute is never cut."""
    position = 0
    while start < end:
        first, stored = position, 0
        until = min(start + DAY_US, end)
        while position < len(minutes) and minutes[position][0] < until:
            if stored and stored + minutes[position][1] > rows:
                until = max(minutes[position][0], start + 1)
                break
            stored += minutes[position][1]
            position += 1
        oldest = _oldest(minutes, max(first - 1, 0), until + _BATCH_US)
        yield ReceiveSpan(start=start, end=until, oldest=oldest, rows=stored)
        start = until


def _oldest(minutes: Sequence[tuple[int, int, int | None]], position: int, until: int) -> int | None:
    oldest: int | None = None
    for minute, _, observed_at in islice(minutes, position, None):
        if minute >= until:
            break
        if observed_at is not None:
            oldest = observed_at if oldest is None else min(oldest, observed_at)
    return oldest


async def columns(
    connection: Connection,
    kind: Kind,
    window: ReceiveSpan,
    *,
    measurements: Collection[str],
    devices: Sequence[int] | None = None,
) -> Columns:
    """Return the readings received in a window by (received_at, observed_at), the order they arrived in.

    Args:
        measurements: those wanted; the others are absent in the result.
        devices: only these, by the registry's number.
    """
    wanted = [m for m in kind.measurements if m.name in measurements]
    words = await _words(connection, kind, wanted, window)
    received: list[bytes] = []

    async def keep(data: bytes) -> None:
        received.append(data)

    await _copy(connection, kind, wanted, window, devices, words, keep)
    rows = memoryview(b"".join(received))[_COPY_HEADER:-_COPY_TRAILER]
    return _of_copy(kind, wanted, words, np.frombuffer(rows, dtype=_row(wanted)))


async def hand_over(
    connection: Connection, kind: Kind, take: Callable[[Columns], None], *, oldest: datetime, after: int
) -> None:
    """Give `take` the readings received after an instant (microseconds), some at a time, in arrival order.

    One statement sorts them all; whatever was observed before `oldest` is not even looked at. It may take an
    hour, what `take` does included: there is the more to read the longer nobody could.
    """
    window = ReceiveSpan(start=after + 1, end=_EVER_US, oldest=to_microseconds(oldest), rows=0)
    wanted = kind.measurements
    row = _row(wanted)
    received, size, skip = [b""], 0, _COPY_HEADER

    def give(data: bytes) -> bytes:
        """Hand over whole rows; return what is left."""
        many = (len(data) - skip) // row.itemsize
        if many > 0:
            rows = np.frombuffer(data, dtype=row, offset=skip, count=many)
            take(_of_copy(kind, wanted, words, rows))
        return data[skip + many * row.itemsize :]

    async def keep(data: bytes) -> None:
        nonlocal received, size, skip
        received.append(data)
        size += len(data)
        if size >= COPIED * row.itemsize + skip:
            received = [give(b"".join(received))]
            size, skip = len(received[0]), 0

    async with _unhurried(connection):
        words = await _words(connection, kind, wanted, window, _LIMIT_S)
        await _copy(connection, kind, wanted, window, None, words, keep, _LIMIT_S)
    give(b"".join(received))


@asynccontextmanager
async def _unhurried(connection: Connection) -> AsyncIterator[None]:
    """Let statements of a transaction take an hour."""
    async with connection.transaction():
        limit = await connection.fetchval("SELECT current_setting('statement_timeout')")
        await connection.execute(f"SET LOCAL statement_timeout = '{_LIMIT_S}s'")
        yield
        # Where this is part of another transaction, the rest of that has its limit again.
        await connection.execute("SELECT set_config('statement_timeout', $1, true)", limit)


async def _words(
    connection: Connection,
    kind: Kind,
    wanted: Sequence[Measurement],
    window: ReceiveSpan,
    limit_s: float | None = None,
) -> dict[str, list[str]]:
    """Return the texts of a window by measurement."""
    return {
        m.name: [
            row[0] for row in await connection.fetch(_words_sql(kind, m), *_bounds(window), timeout=limit_s)
        ]
        for m in wanted
        if m.type is ValueType.TEXT
    }


async def _copy(
    connection: Connection,
    kind: Kind,
    wanted: Sequence[Measurement],
    window: ReceiveSpan,
    devices: Sequence[int] | None,
    words: Mapping[str, list[str]],
    keep: Callable[[bytes], Coroutine[Any, Any, None]],
    limit_s: float | None = None,
) -> None:
    """Pass on a binary COPY of a window, in arrival order."""
    await connection.copy_from_query(
        _readings_sql(kind, wanted),
        *_bounds(window),
        None if devices is None else list(devices),
        *words.values(),
        output=keep,
        format="binary",
        timeout=limit_s,
    )


async def arriving(
    connection: Connection, kind: Kind, *, oldest: datetime, after: int, before: int | None = None
) -> AsyncGenerator[Columns, None]:
    """Yield readings received after one instant and before another (microseconds), in arrival order.

    One statement sorts them all; whatever was observed before `oldest` is not even looked at.
    """
    names = ", ".join(f'"{m.name}"' for m in kind.measurements)
    query = (
        # Names of a kind are checked by its declaration; they cannot be parameters.
        f"SELECT device_id, observed_at, received_at, quality, boot, seq, {names}"  # noqa: S608
        f" FROM {table_name(kind.name)}"
        " WHERE observed_at >= $1 AND received_at > $2 AND ($3::timestamptz IS NULL OR received_at < $3)"
        " ORDER BY received_at, observed_at, device_id"
    )
    limit = None if before is None else to_datetime(before)
    async with connection.transaction():
        cursor = await connection.cursor(query, oldest, to_datetime(after), limit)
        while rows := await cursor.fetch(CHUNK):
            yield of_records(kind, rows)


_WITHIN = """
WHERE observed_at >= $1::timestamptz AND observed_at < $2::timestamptz
    AND received_at >= $3::timestamptz AND received_at < $4::timestamptz
"""


def _bounds(window: ReceiveSpan) -> tuple[datetime, ...]:
    oldest = to_datetime(0 if window.oldest is None else window.oldest)
    end = to_datetime(window.end)
    return oldest, to_datetime(window.end + _AHEAD_US), to_datetime(window.start), end


def _words_sql(kind: Kind, measurement: Measurement) -> str:
    """Return what asks for every text of a window; names of a kind are checked by its declaration."""
    name = measurement.name
    return f'SELECT DISTINCT "{name}" FROM {table_name(kind.name)} {_WITHIN} AND "{name}" IS NOT NULL'  # noqa: S608


def _readings_sql(kind: Kind, wanted: Sequence[Measurement]) -> str:
    """Return what asks for the rows of a window; a text is its place among those of the window, from 1 on."""
    numbers = [f"coalesce(r.{name}, {MISSING})" for name in ("boot", "seq")]
    fields = ["r.device_id", "r.observed_at", "r.received_at", "r.quality", *numbers]
    words: list[str] = []
    for m in wanted:
        column = f'r."{m.name}"'
        match m.type:
            case ValueType.TEXT:
                place = f"w{len(words)}"
                fields.append(f"coalesce({place}.place, 0)::integer")
                # One device may say another text with every reading: joined, they are hashed.
                words.append(
                    f" LEFT JOIN unnest(${6 + len(words)}::text []) WITH ORDINALITY AS {place} (word, place)"
                    f" ON {column} = {place}.word"
                )
            case ValueType.BOOLEAN:
                fields.append(f"coalesce({column}::integer::float8, 'NaN')")
            case ValueType.NUMBER:
                fields.append(f"coalesce({column}, 'NaN')")
    return (
        f"SELECT {', '.join(fields)} FROM {table_name(kind.name)} AS r{''.join(words)} {_WITHIN}"  # noqa: S608
        " AND ($5::integer [] IS NULL OR device_id = ANY($5)) ORDER BY received_at, observed_at, device_id"
    )


def _row(wanted: Sequence[Measurement]) -> np.dtype[Any]:
    """Return a row of a binary COPY, whose fields all have a fixed length."""
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    named = [("device_id", ">i4")]
    named += [(name, ">i8") for name in ("observed_at", "received_at", "quality", "boot", "seq")]
    named += [(f"m_{m.name}", ">i4" if m.type is ValueType.TEXT else ">f8") for m in wanted]
    for name, code in named:
        parts += [(f"{name} length", ">i4"), (name, code)]
    return np.dtype(parts)


def _of_copy(
    kind: Kind, wanted: Sequence[Measurement], words: Mapping[str, list[str]], rows: NDArray[Any]
) -> Columns:
    values: dict[str, NDArray[Any]] = {}
    for m in wanted:
        found = rows[f"m_{m.name}"]
        if m.type is ValueType.TEXT:
            values[m.name] = np.array([None, *words[m.name]], dtype=object)[found]
        else:
            values[m.name] = found.astype(np.float64)
    return _columns(
        kind,
        device_id=rows["device_id"].astype(np.int32),
        observed_at=rows["observed_at"].astype(np.int64) + _POSTGRES_EPOCH_US,
        received_at=rows["received_at"].astype(np.int64) + _POSTGRES_EPOCH_US,
        quality=rows["quality"].astype(np.int64),
        boot=rows["boot"].astype(np.int64),
        seq=rows["seq"].astype(np.int64),
        values=values,
    )


def of_records(kind: Kind, rows: Sequence[asyncpg.Record]) -> Columns:
    """Return rows as columns.

    Args:
        rows: device_id, observed_at, received_at, quality, boot, seq and every measurement in their order.
    """
    if not rows:
        return _empty(kind)
    device_id, observed_at, received_at, quality, boot, seq, *measured = zip(*rows, strict=True)
    values: dict[str, NDArray[Any]] = {}
    for m, found in zip(kind.measurements, measured, strict=True):
        # None becomes NaN, true and false 1.0 and 0.0.
        values[m.name] = np.array(found, dtype=object if m.type is ValueType.TEXT else np.float64)
    return _columns(
        kind,
        device_id=np.array(device_id, dtype=np.int32),
        observed_at=np.array([to_microseconds(at) for at in observed_at], dtype=np.int64),
        received_at=np.array([to_microseconds(at) for at in received_at], dtype=np.int64),
        quality=np.array(quality, dtype=np.int64),
        boot=np.array([MISSING if n is None else n for n in boot], dtype=np.int64),
        seq=np.array([MISSING if n is None else n for n in seq], dtype=np.int64),
        values=values,
    )


def _empty(kind: Kind) -> Columns:
    none = np.zeros(0, dtype=np.int64)
    return _columns(
        kind,
        device_id=none.astype(np.int32),
        observed_at=none,
        received_at=none,
        quality=none,
        boot=none,
        seq=none,
        values={},
    )


def _columns(
    kind: Kind,
    *,
    device_id: NDArray[np.int32],
    observed_at: NDArray[np.int64],
    received_at: NDArray[np.int64],
    quality: NDArray[np.int64],
    boot: NDArray[np.int64],
    seq: NDArray[np.int64],
    values: Mapping[str, NDArray[Any]],
) -> Columns:
    """Return columns in which every measurement that is not among `values` is absent."""
    n = len(device_id)
    absent = np.full(n, np.nan), np.full(n, None, dtype=object)
    return Columns(
        kind=kind,
        device_id=device_id,
        observed_at=observed_at,
        received_at=received_at,
        quality=quality,
        boot=boot,
        seq=seq,
        values={m.name: values.get(m.name, absent[m.type is ValueType.TEXT]) for m in kind.measurements},
        extra=absent[True],
        message=np.arange(n, dtype=np.int32),
    )

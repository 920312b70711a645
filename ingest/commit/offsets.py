"""Stores and loads clock offsets. What they mean is in ingest.decide.clocks."""

from __future__ import annotations

from collections.abc import Sequence

from devices.instants import MICROSECOND, to_datetime
from ingest.decide.clocks import ClockOffset, Offsets
from store.connection import Connection

# Instants are passed as intervals since 1970. In SQL a number times an interval is a float, which loses
# microseconds over 300 years; and asyncpg reads the last microsecond of the year 9999, which devices do send,
# as infinity.
_RECORD = """
INSERT INTO clock_offset (device_id, covers, ahead, created_at)
SELECT
    o.device_id, tstzrange('epoch'::timestamptz + o.first, 'epoch'::timestamptz + o.last, '[]'), o.ahead, $5
FROM unnest($1::integer [], $2::interval [], $3::interval [], $4::interval [])
    AS o (device_id, first, last, ahead)
ON CONFLICT DO NOTHING
"""


async def record(connection: Connection, learnt: Sequence[tuple[int, ClockOffset]], now: int) -> None:
    """Store the offsets that a batch has found, in its transaction."""
    if learnt:
        await connection.execute(
            _RECORD,
            [device_id for device_id, _ in learnt],
            [offset.first * MICROSECOND for _, offset in learnt],
            [offset.last * MICROSECOND for _, offset in learnt],
            [offset.ahead * MICROSECOND for _, offset in learnt],
            to_datetime(now),
        )


_PRUNE = "DELETE FROM clock_offset WHERE upper(covers) - ahead < $1"

_LOAD = """
SELECT
    device_id, lower(covers) - 'epoch'::timestamptz AS first, upper(covers) - 'epoch'::timestamptz AS last,
    ahead
FROM clock_offset
"""


async def load(connection: Connection, oldest: int) -> Offsets:
    """Return every stored offset; drop those of readings observed before `oldest` (microseconds)."""
    await connection.execute(_PRUNE, to_datetime(oldest))
    offsets = Offsets()
    for row in await connection.fetch(_LOAD):
        offset = ClockOffset(
            first=row["first"] // MICROSECOND,
            last=row["last"] // MICROSECOND,
            ahead=row["ahead"] // MICROSECOND,
        )
        offsets.add(row["device_id"], offset)
    return offsets

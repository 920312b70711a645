"""Clock offsets as they are stored. What they mean is in ingest.clocks."""

from __future__ import annotations

from collections.abc import Sequence

from devices.instants import MICROSECOND, to_datetime, to_microseconds
from ingest.clocks import ClockOffset, Offsets
from store.connection import Connection

_RECORD = """
INSERT INTO clock_offset (device_id, covers, ahead, created_at)
SELECT o.device_id, tstzrange(o.first, o.last, '[]'), o.ahead, $5
FROM unnest($1::integer [], $2::timestamptz [], $3::timestamptz [], $4::interval [])
    AS o (device_id, first, last, ahead)
ON CONFLICT DO NOTHING
"""


async def record(connection: Connection, learnt: Sequence[tuple[int, ClockOffset]], now: int) -> None:
    """Store what a batch has learnt, in its transaction."""
    if learnt:
        await connection.execute(
            _RECORD,
            [device_id for device_id, _ in learnt],
            [to_datetime(offset.first) for _, offset in learnt],
            [to_datetime(offset.last) for _, offset in learnt],
            # Not a number times an interval: PostgreSQL multiplies in floats, which 300 years do not fit.
            [offset.ahead * MICROSECOND for _, offset in learnt],
            to_datetime(now),
        )


_LOAD = "SELECT device_id, lower(covers) AS first, upper(covers) AS last, ahead FROM clock_offset"


async def load(connection: Connection) -> Offsets:
    """Return every stored offset."""
    offsets = Offsets()
    for row in await connection.fetch(_LOAD):
        offset = ClockOffset(
            first=to_microseconds(row["first"]),
            last=to_microseconds(row["last"]),
            ahead=row["ahead"] // MICROSECOND,
        )
        offsets.add(row["device_id"], offset)
    return offsets

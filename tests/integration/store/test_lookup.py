"""Looking up what is stored costs the same on the day a partition is empty and when it has grown."""

from __future__ import annotations

import asyncpg

from devices.instants import to_datetime
from store import readings
from store.pool import keep_plans
from tests.databases import now
from tests.integration.rules.town import add_device

MINUTE = 60_000_000
_READ = """
SELECT coalesce(sum(idx_tup_read), 0)::bigint FROM pg_stat_user_indexes WHERE relname LIKE 'bin_reading_%'
"""


async def index_rows_read(connection: asyncpg.Connection) -> int:
    await connection.execute("SELECT pg_stat_force_next_flush()")
    found: int = await connection.fetchval(_READ)
    return found


async def test_lookup_planned_while_nothing_is_stored_reads_only_what_is_asked_for_later(
    connection: asyncpg.Connection,
) -> None:
    device, start = await add_device(connection, "B-1"), now() // MINUTE * MINUTE
    keys = [start - minute * MINUTE for minute in range(3)]
    await connection.execute("ANALYZE bin_reading")
    await keep_plans(connection)
    assert await readings.stored(connection, "bin_reading", ["extra"], [device] * 3, keys) == {}

    await connection.execute(
        "INSERT INTO bin_reading (device_id, observed_at, received_at, quality)"
        " SELECT $1, $2::timestamptz - n * '1 minute'::interval, $2, 0 FROM generate_series(0, 1999) AS n",
        device,
        to_datetime(start),
    )
    before = await index_rows_read(connection)
    found = await readings.stored(connection, "bin_reading", ["extra"], [device] * 3, keys)

    assert set(found) == {(device, key) for key in keys}
    assert await index_rows_read(connection) - before == 3

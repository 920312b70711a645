"""Keep hours and days up to date with readings: first what batches have marked, then the past, in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

from devices.instants import Now
from devices.kinds.kind import Kind
from readings.rollups import backfill, zone_changes
from readings.rollups.roll_up import roll_up
from store.connection import Connection
from store.failures import is_outage
from store.outage import Outage

log = structlog.get_logger(__name__)

EVERY_S = 20.0
"""How often to look for new readings; hours are at most this, and the time of one turn, behind them."""
BREATH_S = 0.2
"""Between two pieces of the past: nobody waits for them."""


async def run(pool: asyncpg.Pool, kinds: Sequence[Kind], now: Now, every_s: float = EVERY_S) -> None:
    """Run until cancelled; an outage of the database postpones it."""
    outage = Outage(log, "database is away; rollups wait", "rolling up again")
    while True:
        try:
            async with pool.acquire() as connection:
                pause_s = BREATH_S if await turn(connection, kinds, now) else every_s
        except Exception as error:  # only an outage is handled here
            if not is_outage(error):
                raise
            outage.lasts(error)
            pause_s = every_s
        else:
            outage.over()
        await asyncio.sleep(pause_s)


async def turn(connection: Connection, kinds: Sequence[Kind], now: Now) -> bool:
    """Roll up everything that is marked, then one piece of the past; tell whether more of that is left."""
    for kind in kinds:
        while await roll_up(connection, kind):
            pass
    more = await zone_changes.make_piece(connection, kinds)
    for kind in kinds:
        await backfill.begin(connection, kind, now())
        more |= await backfill.make_piece(connection, kind)
    return more

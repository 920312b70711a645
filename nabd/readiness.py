"""The checks of /readyz: schema, broker, ingest, notify."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import asyncpg

from api.metrics.platform import Queue
from devices.instants import Now, to_microseconds
from devices.kinds import Kinds
from devices.sources import states
from devices.texts.languages import DEFAULT
from nabd.broker import address, queue
from nabd.settings import Settings
from readings.tables import tables_of
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.migrate import require_migrated

ALIVE_S = states.ALIVE_S
"""Seconds of real time after which an ingest that has not written that it is alive counts as stopped."""

Check = Callable[[], Awaitable[str | None]]


def checks(
    settings: Settings, pool: asyncpg.Pool, declared: Kinds, now: Now, speed: float, waiting: Queue
) -> Mapping[str, Check]:
    """Return the parts by name; each check answers None, or what is wrong."""
    found: dict[str, Check] = {
        "schema": lambda: _schema(pool, declared),
        "ingest": lambda: _ingest(pool, settings.shard, now, speed),
        "notify": lambda: _notify(pool, now, speed),
    }
    if settings.broker is not None:
        broker = address.parse(settings.broker)
        found["broker"] = lambda: _broker(broker, waiting)
    return found


async def _schema(pool: asyncpg.Pool, declared: Kinds) -> str | None:
    try:
        async with pool.acquire() as connection:
            await require_migrated(connection, tables_of(declared.values()))
    except StoreError as error:
        return str(error)
    except DATABASE_ERRORS:
        return "cannot be read: the database is away"
    return None


_OWNERS = """
SELECT name, alive_at FROM shard
WHERE name IN (SELECT shard FROM municipality) OR (name = $1 AND NOT EXISTS (SELECT FROM municipality))
ORDER BY name
"""


async def _ingest(pool: asyncpg.Pool, shard: str, now: Now, speed: float) -> str | None:
    try:
        rows = await pool.fetch(_OWNERS, shard)
    except DATABASE_ERRORS:
        return "unknown: the database is away"
    wrong = []
    for row in rows:
        of_shard = "" if len(rows) == 1 else f"shard {row['name']} "
        if row["alive_at"] is None:
            wrong.append(f"{of_shard}has never run: start `nabd ingest`")
        elif (silent_s := (now() - to_microseconds(row["alive_at"])) / 1e6 / speed) >= ALIVE_S:
            wrong.append(f"{of_shard}silent for {silent_s:.0f} s: read its log")
    return "; ".join(wrong) or None


async def _notify(pool: asyncpg.Pool, now: Now, speed: float) -> str | None:
    try:
        alive_at = await pool.fetchval("SELECT alive_at FROM notifier")
    except DATABASE_ERRORS:
        return "unknown: the database is away"
    if alive_at is None:
        return None  # an installation need not tell anybody
    silent_s = (now() - to_microseconds(alive_at)) / 1e6 / speed
    return None if silent_s < ALIVE_S else f"silent for {silent_s:.0f} s, nobody is told: read its log"


async def _broker(broker: address.BrokerAddress, waiting: Queue) -> str | None:
    try:
        _, writer = await asyncio.open_connection(broker.host, broker.port)
    except OSError as error:
        return f"{broker} cannot be reached: {error.strerror or error}"
    writer.close()
    await writer.wait_closed()
    holds = waiting()
    return queue.near_limit(holds).in_language(DEFAULT) if holds and holds.is_near_limit else None

"""What must be done from time to time beside the sweep.

Partitions, commands, old trials, ledger sums, answers to repeated requests, links in messages, heads of the
audit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import asyncpg
import structlog

from api import idempotency_keys
from devices.commands import sent
from devices.instants import Now
from nabd import clock
from notify.answers import offers
from people.audit import chains
from readings import totals
from rules.trial import shadows
from store.connection import Connection
from store.edition import Edition, stored
from store.failures import is_outage
from store.partitions import keep_partitions
from store.tables import Table

log = structlog.get_logger(__name__)

EVERY_S = 30.0


async def run(
    pool: asyncpg.Pool, tables: Sequence[Table], now: Now, retention: timedelta, *, audit_dir: Path
) -> None:
    """Run until cancelled; an outage of the database postpones it."""
    while True:
        try:
            async with pool.acquire() as connection:
                await sent.expire(connection, now)
                await totals.add_up(connection)
                await shadows.prune(connection, now(), retention)
                await idempotency_keys.forget(connection, now())
                await offers.forget(connection, clock.wall())
                if await stored(connection) is Edition.PLAIN:
                    await keep_partitions(connection, tables, now(), retention)
                await _keep_heads(connection, audit_dir, now())
        except Exception as error:  # only an outage is handled here
            if not is_outage(error):
                raise
            log.warning("housekeeping postponed", error=str(error))
        await asyncio.sleep(EVERY_S)


async def _keep_heads(connection: Connection, directory: Path, now: int) -> None:
    try:
        for file in await chains.keep_heads(connection, directory, now):
            log.info("heads of the audit are kept outside of the database", file=str(file))
    except OSError as error:
        log.warning("heads of the audit cannot be kept: NABD_AUDIT_DIR", error=str(error))

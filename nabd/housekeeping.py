"""What must be done from time to time beside the sweep.

Partitions, commands, ledger sums, heads of the audit, and what is older than it is kept (nabd.retention).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import structlog

from devices.commands import answered
from devices.instants import Now
from nabd import clock
from nabd.retention import keeping
from nabd.retention.classes import RetentionClass
from people.audit import chains
from people.audit.expiry import AUDIT
from readings import totals
from store.connection import Connection
from store.edition import Edition, stored
from store.failures import is_outage
from store.outage import Outage
from store.partitions import keep_partitions
from store.policies import keep_policies
from store.tables import Table

log = structlog.get_logger(__name__)

EVERY_S = 30.0


async def run(
    pool: asyncpg.Pool,
    tables: Sequence[Table],
    now: Now,
    *,
    classes: Sequence[RetentionClass] = (),
    audit_dir: Path,
) -> None:
    """Run until cancelled; an outage of the database postpones it.

    Args:
        pool: the database.
        tables: of readings.
        now: the clock of readings and alerts.
        classes: how long everything else is.
        audit_dir: where heads of the audit are kept.
    """
    outage = Outage(log, "database is away; housekeeping waits", "housekeeping again")
    while True:
        try:
            async with pool.acquire() as connection:
                await answered.expire(connection, now)
                await totals.add_up(connection)
                if await stored(connection) is Edition.PLAIN:
                    await keep_partitions(connection, tables, now())
                elif changed := await keep_policies(connection, tables):
                    log.info("retention is as settings say now", tables=changed)
                # Before months expire: what is kept outside is to know their ends.
                kept = await _keep_heads(connection, audit_dir, now())
                due = [one for one in classes if kept or one.expiring is not AUDIT]
                await keeping.enforce(connection, due, now, clock.wall)
        except Exception as error:  # only an outage is handled here
            if not is_outage(error):
                raise
            outage.lasts(error)
        else:
            outage.over()
        await asyncio.sleep(EVERY_S)


async def _keep_heads(connection: Connection, directory: Path, now: int) -> bool:
    """Keep them and tell whether that could be done."""
    try:
        for file in await chains.keep_heads(connection, directory, now):
            log.info("heads of the audit are kept outside of the database", file=str(file))
    except OSError as error:
        log.warning("heads of the audit cannot be kept: NABD_AUDIT_DIR", error=str(error))
        return False
    return True

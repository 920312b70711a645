"""What becomes due in work as time passes, in rounds: deadlines, verification, orders by rule and by plan.

A round is one transaction, and changes nothing when it is done twice. Of several processes one does it; what
was missed meanwhile is done by the next. Must not know when it is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import structlog

from devices.instants import Now
from devices.kinds import Kinds
from store.connection import Connection
from store.failures import is_outage
from work.clocks import deadlines, verification
from work.preventive import planned
from work.rounds import by_rule

log = structlog.get_logger(__name__)

LOCK = 0x4E616264_776F726B
"""Of the advisory lock: whoever does not get it leaves the round to the other."""
EVERY_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRound:
    """What one round did: numbers of orders. reckoned: those whose deadlines changed."""

    reckoned: int = 0
    warned: int = 0
    waiting: int = 0
    judged: int = 0
    by_rule: int = 0
    planned: int = 0


_TAKE = "SELECT pg_try_advisory_xact_lock($1)"
_NOTIFY = "SELECT pg_notify('nabd_alert', '')"


async def work_round(connection: Connection, kinds: Kinds, now: int) -> WorkRound | None:
    """Do what is due; None where another process does it.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    async with connection.transaction():
        if not await connection.fetchval(_TAKE, LOCK):
            return None
        done = WorkRound(
            reckoned=await deadlines.reckon(connection),
            warned=len(await deadlines.warn(connection, now)),
            waiting=await verification.begin(connection, kinds),
            judged=len(await verification.judge(connection, now)),
            by_rule=len(await by_rule.make_orders(connection, now)),
            planned=len(await planned.make_planned(connection, now)),
        )
        if done.warned:
            await connection.execute(_NOTIFY)
    return done


async def keep_rounds(
    open_database: Callable[[], Awaitable[asyncpg.Connection]],
    kinds: Kinds,
    now: Now,
    *,
    every_s: float = EVERY_S,
) -> None:
    """Do rounds until cancelled, whatever goes wrong in one: people are told of alerts meanwhile."""
    away = False
    while True:
        try:
            connection = await open_database()
            try:
                while True:
                    _log(await work_round(connection, kinds, now()))
                    away = False
                    await asyncio.sleep(every_s)
            finally:
                connection.terminate()
        except Exception as error:
            if not is_outage(error):
                log.exception("a round of work failed; it is tried again")
            elif not away:
                log.warning("database is away; deadlines wait", error=str(error) or type(error).__name__)
            away = True
            await asyncio.sleep(every_s)


def _log(done: WorkRound | None) -> None:
    if done is not None and done != WorkRound():
        log.info("work", **{name: getattr(done, name) for name in WorkRound.__slots__})

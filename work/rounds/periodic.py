"""What becomes due in work as time passes, in rounds: deadlines, verification, orders by rule and by plan.

A round changes nothing when it is done twice. Of several processes one does it; what was missed meanwhile is
done by the next. It is many short transactions, each of a bounded number of rows: nobody waits for a round,
and one order that fails does not stop the others. Must not know when it is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import structlog

from alerts.record import NOTIFY
from devices.instants import Now
from devices.kinds import Kinds
from store.connection import Connection
from store.failures import is_outage
from work.added_alerts import add_alerts
from work.attempts import Attempts
from work.clocks import deadlines, verification
from work.preventive import planned
from work.rounds import by_rule
from work.rounds.gone import cancel_gone

log = structlog.get_logger(__name__)

LOCK = 0x4E616264_776F726B
"""Of the advisory lock: whoever does not get it leaves the round to the other."""
EVERY_S = 3.0


PLANS_EVERY_US = 600_000_000
"""How often devices of plans are looked at; a plan that is new is looked at at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRound:
    """What one round did: numbers of orders.

    gone: of devices that are gone. added: alerts. reckoned: those whose deadlines changed.
    """

    gone: int = 0
    added: int = 0
    reckoned: int = 0
    warned: int = 0
    waiting: int = 0
    judged: int = 0
    by_rule: int = 0
    planned: int = 0


@dataclass(slots=True, kw_only=True)
class RoundState:
    """What one round leaves to the next.

    plans_at: when plans are looked at again, microseconds since 1970-01-01Z. newest_plan: that was seen.
    """

    attempts: Attempts = field(default_factory=Attempts)
    plans_at: int = 0
    newest_plan: int | None = None


_TAKE = "SELECT pg_try_advisory_lock($1)"
_GIVE = "SELECT pg_advisory_unlock($1)"


async def work_round(
    connection: Connection, kinds: Kinds, now: int, state: RoundState | None = None
) -> WorkRound | None:
    """Do what is due; None where another process does it.

    Args:
        now: microseconds since 1970-01-01Z.
        state: None: as in a first round.
    """
    if not await connection.fetchval(_TAKE, LOCK):
        return None
    try:
        return await _phases(connection, kinds, now, state or RoundState())
    finally:
        if not connection.is_closed():  # the lock ends with the connection too
            await connection.execute(_GIVE, LOCK)


async def _phases(connection: Connection, kinds: Kinds, now: int, state: RoundState) -> WorkRound:
    attempts = state.attempts
    phases: dict[str, Callable[[], Awaitable[Any]]] = {
        "gone": partial(cancel_gone, connection, now, attempts),
        "added": partial(add_alerts, connection, now),
        "reckoned": partial(deadlines.reckon, connection),
        "warned": partial(deadlines.warn, connection, now),
        "waiting": partial(verification.begin, connection, kinds),
        "judged": partial(verification.judge, connection, now, attempts),
        "by_rule": partial(by_rule.make_orders, connection, now, attempts),
        "planned": partial(_planned, connection, now, state),
    }
    done = {}
    for number, (name, act) in enumerate(phases.items()):
        found = await attempts.attempt(f"phase {name}", number, now, act) or 0
        done[name] = found if isinstance(found, int) else len(found)
    if done["warned"] or done["added"]:
        await connection.execute(NOTIFY)
    return WorkRound(**done)


async def _planned(connection: Connection, now: int, state: RoundState) -> list[int]:
    newest = await planned.newest_plan(connection)
    if newest == state.newest_plan and now < state.plans_at:
        return []
    made = await planned.make_planned(connection, now, state.attempts)
    if len(made) < planned.AT_ONCE:  # else more of them wait
        state.newest_plan, state.plans_at = newest, now + PLANS_EVERY_US
    return made


async def keep_rounds(
    open_database: Callable[[], Awaitable[asyncpg.Connection]],
    kinds: Kinds,
    now: Now,
    *,
    every_s: float = EVERY_S,
) -> None:
    """Do rounds until cancelled, whatever goes wrong in one: people are told of alerts meanwhile."""
    away, state = False, RoundState()
    while True:
        try:
            connection = await open_database()
            try:
                while True:
                    _log(await work_round(connection, kinds, now(), state))
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

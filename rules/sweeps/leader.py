"""Sweep rules: what no single reading can tell. Here: which rules look, how often, in one process.

Windows of maintenance that comes again are made first, then forecasts renewed. Of the rules parents come
first: children_down before silence; last of all, alerts that have a parent stand back behind it, and old
acknowledgements lapse. Alerts of other systems end whose sender is silent. How each family reads and judges
stands in the module of its name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

import asyncpg
import structlog

from alerts import suppression
from alerts.acknowledgement import lapse
from alerts.external import end_external
from alerts.orphans import end_orphans
from alerts.severities import move_severities
from alerts.transition import Severity
from devices.instants import Now, to_datetime
from devices.kinds.kind import Kind
from rules.catalogue import catalogue, watched
from rules.context.gate import rests_in_maintenance
from rules.definition.families import Behind, ChildrenApart, ChildrenDown, Forecast, Neighbours, NotRefreshed
from rules.forecast.learning import renew_forecasts
from rules.language.program import Rule
from rules.maintenance import spans
from rules.maintenance.upkeep import make_windows
from rules.sweeps import (
    behind,
    children_apart,
    children_down,
    forecast,
    neighbours,
    not_refreshed,
    silent,
    unheard,
)
from rules.sweeps.incidents import SweepContext
from rules.sweeps.resting import resting_until, unfed_until
from rules.sweeps.schedule import SweepSchedule
from store import holder
from store.connection import Connection
from store.failures import is_outage

log = structlog.get_logger(__name__)

ALIVE_WITHIN_S = 10.0

HELD = "sweep"
NEVER_LAPSING: Mapping[Severity, float] = {}

# What one shard has not heard yet must not make a device silent: all that own something have caught up.
_CAUGHT_UP = """
SELECT
    CASE WHEN count(caught_up_at) = count(*) THEN max(caught_up_at) END AS caught_up_at,
    min(alive_at) AS alive_at
FROM shard
WHERE name IN (SELECT shard FROM municipality)
HAVING bool_and(coalesce(alive_at > $1, false))
"""


async def sweep_once(
    connection: Connection,
    kinds: Mapping[str, Kind],
    now: int,
    *,
    alive_within_s: float = ALIVE_WITHIN_S,
    schedule: SweepSchedule | None = None,
    acknowledged_for_s: Mapping[Severity, float] = NEVER_LAPSING,
) -> int:
    """Open and resolve alerts of sweep rules; return how many transitions that made.

    Args:
        now: microseconds since 1970-01-01Z.
        alive_within_s: how fresh the sign of life of ingest must be, on the clock of `now`.
        schedule: what a leader remembers from sweep to sweep; without it every rule looks.
        acknowledged_for_s: after how many seconds an acknowledgement lapses, by severity.
    """
    schedule = schedule or SweepSchedule()
    active = await catalogue.active(connection, kinds)
    await make_windows(connection, now)
    freshest = to_datetime(now - round(alive_within_s * 1e6))
    ingest = await connection.fetchrow(_CAUGHT_UP, freshest)
    moment = SweepContext(
        now=now,
        caught_up_at=ingest["caught_up_at"] if ingest else None,
        alive_at=ingest["alive_at"] if ingest else None,
        resting=await spans.under_maintenance(connection, now),
    )
    unfed = await unfed_until(connection, now)
    made = await end_orphans(connection, now) + await move_severities(connection, now)
    made += await end_external(connection, now)
    due = [rule for rule in [*active.sweeps(), *active.silent()] if schedule.is_due(rule, now)]
    for rule in due:
        if isinstance(rule.definition.sweep, Forecast):
            await _isolated(connection, rule, now, partial(_renew_forecasts, connection, rule, moment, kinds))
    for rule in sorted(due, key=_parents_first):
        made += await _isolated(
            connection, rule, now, partial(_judge, connection, rule, moment, unfed, kinds)
        )
    await suppression.settle(connection, now)
    await lapse(connection, acknowledged_for_s, now)
    await watched.note_sweep(connection, now)
    return made


def _parents_first(rule: Rule) -> tuple[bool, str]:
    return not isinstance(rule.definition.sweep, ChildrenDown | ChildrenApart), rule.id


async def _isolated(connection: Connection, rule: Rule, now: int, work: Callable[[], Awaitable[int]]) -> int:
    """Do a rule's part of a sweep; one that fails is marked broken and costs no other."""
    try:
        return await work()
    except Exception as error:
        # Whatever a rule may raise: the other rules must not pay for it.
        if is_outage(error):
            raise
        log.exception("sweep rule broke", rule=rule.id)
        reason = f"{type(error).__name__}: {error}"
        await catalogue.mark_broken(connection, rule.id, rule.version, now, reason)
        return 0


async def _renew_forecasts(
    connection: Connection, rule: Rule, moment: SweepContext, kinds: Mapping[str, Kind]
) -> int:
    """Let forecasts be learnt for a rule, also of devices that its `when` leaves out now."""
    maintained = moment.resting if rests_in_maintenance(rule.definition.when) else {}
    return await renew_forecasts(connection, forecast.target_of(rule, kinds), maintained, moment.now)


async def _judge(
    connection: Connection,
    rule: Rule,
    moment: SweepContext,
    unfed: Mapping[int, int],
    kinds: Mapping[str, Kind],
) -> int:
    resting = await resting_until(connection, rule.definition, moment.resting, unfed, moment.now)
    moment = replace(moment, resting=resting)
    match rule.definition.sweep:
        case None if rule.definition.silent is not None and rule.definition.silent.of != "heard":
            return await unheard.sweep(connection, rule, moment, kinds)
        case None:
            return await silent.sweep(connection, rule, moment, kinds)
        case ChildrenDown():
            return await children_down.sweep(connection, rule, moment, kinds)
        case ChildrenApart():
            return await children_apart.sweep(connection, rule, moment, kinds)
        case NotRefreshed():
            return await not_refreshed.sweep(connection, rule, moment, kinds)
        case Neighbours():
            return await neighbours.sweep(connection, rule, moment, kinds)
        case Behind():
            return await behind.sweep(connection, rule, moment)
        case Forecast():
            return await forecast.sweep(connection, rule, moment)


async def run(
    pool: asyncpg.Pool,
    kinds: Mapping[str, Kind],
    now: Now,
    every_s: float,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    alive_within_s: float = ALIVE_WITHIN_S,
    acknowledged_for_s: Mapping[Severity, float] = NEVER_LAPSING,
) -> None:
    """Sweep until cancelled, whenever this process holds the leader's lock; outlast outages."""
    away = False
    while True:
        try:
            async with pool.acquire() as connection:
                if away:
                    log.info("sweeping again")
                away = False
                sweep = partial(
                    sweep_once,
                    connection,
                    kinds,
                    alive_within_s=alive_within_s,
                    acknowledged_for_s=acknowledged_for_s,
                )
                await _lead(connection, sweep, now, every_s, sleep)
        except Exception as error:
            if not is_outage(error):
                raise
            if not away:
                log.warning("database is away; sweeping waits", error=str(error))
            away = True
        await sleep(every_s)


async def _lead(
    connection: Connection,
    sweep: Callable[..., Awaitable[int]],
    now: Now,
    every_s: float,
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    """Sweep on this connection for as long as it lives; return at once when another process leads."""
    if not await holder.claim(connection, HELD):
        return
    schedule = SweepSchedule()
    try:
        while True:
            await sweep(now(), schedule=schedule)
            await sleep(every_s)
    finally:
        if not connection.is_closed():
            await holder.release(connection, HELD)

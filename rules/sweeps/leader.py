"""Sweep rules: what no single reading can tell. Here: which rules look, how often, in one process.

Parents come first: children_down before silence; last of all, alerts that have a parent stand back behind it.
How each family judges stands in sweep_silent, sweep_children, sweep_refreshed, sweep_neighbours and
sweep_forecast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

import asyncpg
import structlog

from alerts import suppression
from alerts.orphans import end_leftovers
from devices.instants import Now, to_datetime
from devices.kinds.kind import Kind
from rules.catalogue import catalogue, watched
from rules.definition.families import ChildrenDown, Forecast, Neighbours, NotRefreshed
from rules.language.program import Rule
from rules.maintenance import spans
from rules.sweeps import children_down, forecast, gates, neighbours, not_refreshed, silent
from rules.sweeps.incidents import Moment, end_orphans
from store import holder
from store.connection import Connection
from store.failures import is_outage

log = structlog.get_logger(__name__)

ALIVE_WITHIN_S = 10.0
EVERY_US: Mapping[type, int] = {
    ChildrenDown: 10_000_000,
    NotRefreshed: 60_000_000,
    Neighbours: 60_000_000,
    Forecast: 60_000_000,
}
"""How often the dearer families look, on the clock of the readings; the others at every sweep."""

HELD = "sweep"

_CAUGHT_UP = """
SELECT caught_up_at, alive_at FROM shard WHERE name = $1 AND alive_at > $2
"""


@dataclass(slots=True)
class Pace:
    """When each rule looked last (microseconds), so that the dearer ones look less often."""

    looked_at: dict[str, int] = field(default_factory=dict)

    def is_due(self, rule: Rule, now: int) -> bool:
        """Tell whether a rule is to look now, and note that it does."""
        every = EVERY_US.get(type(rule.definition.sweep), 0)
        if now - self.looked_at.get(rule.id, now - every) < every:
            return False
        self.looked_at[rule.id] = now
        return True


async def sweep_once(
    connection: Connection,
    kinds: Mapping[str, Kind],
    now: int,
    *,
    shard: str = "main",
    alive_within_s: float = ALIVE_WITHIN_S,
    pace: Pace | None = None,
) -> int:
    """Open and resolve alerts of sweep rules; return how many transitions that made.

    Args:
        now: microseconds since 1970-01-01Z.
        alive_within_s: how fresh the sign of life of ingest must be, on the clock of `now`.
        pace: what a leader remembers from sweep to sweep; without it every rule looks.
    """
    pace = pace or Pace()
    active = await catalogue.active(connection, kinds)
    freshest = to_datetime(now - round(alive_within_s * 1e6))
    ingest = await connection.fetchrow(_CAUGHT_UP, shard, freshest)
    moment = Moment(
        now=now,
        caught_up_at=ingest["caught_up_at"] if ingest else None,
        alive_at=ingest["alive_at"] if ingest else None,
        resting=await spans.under_maintenance(connection, now),
    )
    made = await end_orphans(connection, now) + await end_leftovers(connection, now)
    for rule in sorted([*active.sweeps(), *active.silent()], key=_parents_first):
        if pace.is_due(rule, now):
            made += await _alone(connection, rule, await _gated(connection, rule, moment), kinds)
    await suppression.settle(connection, now)
    await watched.note_sweep(connection, now)
    return made


def _parents_first(rule: Rule) -> tuple[bool, str]:
    return not isinstance(rule.definition.sweep, ChildrenDown), rule.id


async def _alone(connection: Connection, rule: Rule, moment: Moment, kinds: Mapping[str, Kind]) -> int:
    """Let one rule look; one that fails is marked broken and costs no other."""
    try:
        return await _judge(connection, rule, moment, kinds)
    except Exception as error:
        # Whatever a rule may raise: the other rules must not pay for it.
        if is_outage(error):
            raise
        log.exception("sweep rule broke", rule=rule.id)
        reason = f"{type(error).__name__}: {error}"
        await catalogue.mark_broken(connection, rule.id, rule.version, moment.now, reason)
        return 0


async def _gated(connection: Connection, rule: Rule, moment: Moment) -> Moment:
    """Return the moment as the rule's `when` lets it see it."""
    gate = rule.definition.when
    if gate is None:
        return moment
    resting = dict(moment.resting) if gate.maintenance == "rest" else {}
    # Whoever a gate is closed for is left alone as during maintenance.
    resting |= dict.fromkeys(await gates.closed_for(connection, gate, moment.now), moment.now + 1)
    return replace(moment, resting=resting)


async def _judge(connection: Connection, rule: Rule, moment: Moment, kinds: Mapping[str, Kind]) -> int:
    match rule.definition.sweep:
        case None:
            return await silent.sweep(connection, rule, moment)
        case ChildrenDown():
            return await children_down.sweep(connection, rule, moment, kinds)
        case NotRefreshed():
            return await not_refreshed.sweep(connection, rule, moment, kinds)
        case Neighbours():
            return await neighbours.sweep(connection, rule, moment, kinds)
        case Forecast():
            return await forecast.sweep(connection, rule, moment, kinds)


async def run(
    pool: asyncpg.Pool,
    kinds: Mapping[str, Kind],
    now: Now,
    every_s: float,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    shard: str = "main",
    alive_within_s: float = ALIVE_WITHIN_S,
) -> None:
    """Sweep until cancelled, whenever this process holds the leader's lock; outlast outages."""
    away = False
    while True:
        try:
            async with pool.acquire() as connection:
                if away:
                    log.info("sweeping again")
                away = False
                await _lead(connection, kinds, now, every_s, sleep, shard, alive_within_s)
        except Exception as error:
            if not is_outage(error):
                raise
            if not away:
                log.warning("database is away; sweeping waits", error=str(error))
            away = True
        await sleep(every_s)


async def _lead(
    connection: Connection,
    kinds: Mapping[str, Kind],
    now: Now,
    every_s: float,
    sleep: Callable[[float], Awaitable[object]],
    shard: str,
    alive_within_s: float,
) -> None:
    """Sweep on this connection for as long as it lives; return at once when another process leads."""
    if not await holder.claim(connection, HELD):
        return
    pace = Pace()
    try:
        while True:
            await sweep_once(connection, kinds, now(), shard=shard, alive_within_s=alive_within_s, pace=pace)
            await sleep(every_s)
    finally:
        if not connection.is_closed():
            await holder.release(connection, HELD)

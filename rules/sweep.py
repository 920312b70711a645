"""Sweep rules: what no single reading can tell. So far one of them: silence.

A device is silent when nothing was received from it for so many of its expected intervals. That is judged
by receive time, and only while our own ingest is alive and has been caught up for longer than that device's
interval: an outage of ours is not a silent city. One process sweeps at a time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from devices.instants import Now, to_datetime, to_microseconds
from devices.kinds.kind import Kind
from devices.registry import Connection
from rules import catalogue
from rules.definition import Silent
from rules.isolation import is_outage
from rules.program import Rule
from rules.record import record
from rules.summary import render
from rules.transition import State, Transition

log = structlog.get_logger(__name__)

ALIVE_WITHIN_S = 10.0
LOOK_BACK_DAYS = 7
"""How old a backlog may be to still prove, by its receive time, that a device lives."""

_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('nabd.rules.sweep', 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('nabd.rules.sweep', 0))"

_CAUGHT_UP = """
SELECT caught_up_at FROM shard WHERE name = $1 AND alive_at > $2
"""

_OVERDUE = """
SELECT latest.device_id, device.kind, latest.received_at, latest.interval_s,
    coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM latest
INNER JOIN device ON latest.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.retired_at IS NULL
    AND ($3::text IS NULL OR device.kind = $3)
    AND latest.received_at
        + greatest(latest.interval_s * $4::float8, $5::float8) * interval '1 second' < $1::timestamptz
    AND $2::timestamptz + latest.interval_s * interval '1 second' < $1::timestamptz
    AND NOT EXISTS (
        SELECT FROM alert
        WHERE alert.rule = $6 AND alert.device_id = latest.device_id AND alert.state = 'firing'
    )
ORDER BY latest.device_id
"""

_RESUMED = """
SELECT alert.device_id, alert.rule, alert.rule_version, alert.severity, latest.observed_at, latest.received_at
FROM alert
INNER JOIN latest ON alert.device_id = latest.device_id
WHERE alert.rule = ANY($1::text []) AND alert.state = 'firing' AND latest.received_at > alert.opened_at
ORDER BY alert.device_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overdue:
    """A device that has missed its deadline (microseconds); its names are for sentences."""

    device_id: int
    kind: str
    received_at: int
    deadline: int
    interval_s: float
    names: Mapping[str, str]


async def sweep_once(
    connection: Connection,
    kinds: Mapping[str, Kind],
    now: int,
    *,
    shard: str = "main",
    alive_within_s: float = ALIVE_WITHIN_S,
) -> int:
    """Open and resolve alerts about silence; return how many transitions that made.

    Args:
        now: microseconds since 1970-01-01Z.
        alive_within_s: how fresh the sign of life of ingest must be, on the clock of `now`.
    """
    rules = (await catalogue.active(connection, kinds)).silent()
    if not rules:
        return 0
    made = await _resolve(connection, rules, now)
    freshest = to_datetime(now - round(alive_within_s * 1e6))
    caught_up_at = await connection.fetchval(_CAUGHT_UP, shard, freshest)
    if caught_up_at is None:
        return made
    for rule in rules:
        made += await _open(connection, rule, caught_up_at, now)
    return made


async def _resolve(connection: Connection, rules: Sequence[Rule], now: int) -> int:
    """Close alerts of devices that were heard again; their reading says when."""
    rows = await connection.fetch(_RESUMED, [rule.id for rule in rules])
    transitions = [
        Transition(
            rule=row["rule"],
            version=row["rule_version"],
            device_id=row["device_id"],
            from_state=State.FIRING,
            to_state=State.RESOLVED,
            severity=row["severity"],
            observed_at=to_microseconds(row["observed_at"]),
            received_at=to_microseconds(row["received_at"]),
            evidence={"condition": "a reading was received"},
        )
        for row in rows
    ]
    async with connection.transaction():
        return await record(connection, transitions, lambda _: {}, now)


async def _open(connection: Connection, rule: Rule, caught_up_at: datetime, now: int) -> int:
    silent = rule.definition.silent
    assert silent is not None
    rows = await connection.fetch(
        _OVERDUE,
        to_datetime(now),
        caught_up_at,
        rule.definition.kind,
        silent.intervals,
        silent.at_least_us / 1e6,
        rule.id,
    )
    overdue = [_overdue(row, silent) for row in rows]
    heard = await _heard_since(connection, overdue)
    missing = {d.device_id: d for d in overdue if d.device_id not in heard}
    transitions = [_silence(rule, silent, d, now) for d in missing.values()]

    def describe(transition: Transition) -> Mapping[str, str]:
        device = missing[transition.device_id]
        values = {**transition.evidence["values"], **device.names}
        return render(rule.definition.summary, values)

    async with connection.transaction():
        return await record(connection, transitions, describe, now)


def _overdue(row: asyncpg.Record, silent: Silent) -> _Overdue:
    received_at = to_microseconds(row["received_at"])
    patience_us = max(round(row["interval_s"] * silent.intervals * 1e6), silent.at_least_us)
    return _Overdue(
        device_id=row["device_id"],
        kind=row["kind"],
        received_at=received_at,
        deadline=received_at + patience_us,
        interval_s=row["interval_s"],
        names={"device": row["title"], "municipality": row["municipality"]},
    )


def _silence(rule: Rule, silent: Silent, device: _Overdue, now: int) -> Transition:
    return Transition(
        rule=rule.id,
        version=rule.version,
        device_id=device.device_id,
        from_state=State.PENDING,
        to_state=State.FIRING,
        severity=silent.severity,
        observed_at=device.deadline,
        received_at=device.received_at,
        evidence={
            "condition": f"no reading for {silent.intervals:g} intervals",
            "since": to_datetime(device.received_at).isoformat(),
            "values": {"silent_min": round((now - device.received_at) / 60e6, 1)},
            "limits": {"interval_s": device.interval_s},
        },
    )


async def _heard_since(connection: Connection, overdue: Sequence[_Overdue]) -> set[int]:
    """Return devices that were heard after all: table `latest` may be a second behind the readings."""
    by_kind: dict[str, list[_Overdue]] = defaultdict(list)
    for device in overdue:
        by_kind[device.kind].append(device)
    heard: set[int] = set()
    for kind, devices in by_kind.items():
        # Names of kinds are checked by their declaration; they cannot be parameters.
        query = (
            "SELECT DISTINCT asked.device_id FROM unnest($1::int [], $2::timestamptz [])"  # noqa: S608
            f" AS asked (device_id, received_at) INNER JOIN {kind}_reading AS reading"
            " ON reading.device_id = asked.device_id AND reading.received_at > asked.received_at"
            f" AND reading.observed_at > asked.received_at - interval '{LOOK_BACK_DAYS} days'"
        )
        ids = [d.device_id for d in devices]
        received = [to_datetime(d.received_at) for d in devices]
        heard |= {row["device_id"] for row in await connection.fetch(query, ids, received)}
    return heard


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
    if not await connection.fetchval(_LOCK):
        return
    try:
        while True:
            await sweep_once(connection, kinds, now(), shard=shard, alive_within_s=alive_within_s)
            await sleep(every_s)
    finally:
        if not connection.is_closed():
            await connection.execute(_UNLOCK)

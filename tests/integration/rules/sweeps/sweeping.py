"""A town under sweep rules: devices that hang on others, their newest readings, and a sweep at a minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from alerts.queue import Alert, list_alerts
from devices.instants import to_datetime
from devices.kinds import load
from rules.catalogue import catalogue
from rules.loading.files import default_packs, parse
from rules.sweeps.leader import sweep_once
from tests.databases import now as wall_clock
from tests.integration.rules.town import MINUTE, add_device

KINDS = load()
NOON = wall_clock() - 3 * 3600 * 1_000_000
SECOND = 1_000_000
LIT: Mapping[str, Any] = {"commanded_dim_pct": 100, "power_w": 88.0, "voltage_v": 230.0}
DARK: Mapping[str, Any] = {"commanded_dim_pct": 100, "power_w": 0.6, "voltage_v": 230.0}


def instant(minute: float) -> Any:
    """Return a minute after NOON as the database takes it."""
    return to_datetime(NOON + round(minute * MINUTE))


async def alive(
    connection: asyncpg.Connection, minute: float, caught_up_minute: float | None = -1000
) -> None:
    """Let ingest have been alive at a minute, caught up since another."""
    caught_up = None if caught_up_minute is None else instant(caught_up_minute)
    await connection.execute("UPDATE shard SET alive_at = $1, caught_up_at = $2", instant(minute), caught_up)


async def sweep(connection: asyncpg.Connection, minute: float) -> int:
    """Sweep while ingest is alive and has long been caught up."""
    await alive(connection, minute)
    return await sweep_once(connection, KINDS, NOON + round(minute * MINUTE))


async def hear(
    connection: asyncpg.Connection,
    devices: Sequence[int],
    minute: float,
    measured: Mapping[str, Any] | None = None,
    *,
    interval_s: float = 900,
    quality: int = 0,
) -> None:
    """Let each device's newest reading be one received at a minute."""
    await connection.executemany(
        "INSERT INTO latest VALUES ($1, $2, $2, $3, $4, $5) ON CONFLICT (device_id) DO UPDATE SET"
        " observed_at = excluded.observed_at, received_at = excluded.received_at,"
        " quality = excluded.quality, measurements = excluded.measurements",
        [(d, instant(minute), interval_s, quality, dict(measured or {})) for d in devices],
    )


async def disconnect(connection: asyncpg.Connection, devices: Sequence[int], minute: float) -> None:
    """Let the broker have seen the ends of connections."""
    await connection.executemany(
        "INSERT INTO presence VALUES ($1, false, $2)", [(d, instant(minute)) for d in devices]
    )


async def with_default_rules(connection: asyncpg.Connection) -> None:
    """Put the default packs into force."""
    await catalogue.apply(connection, default_packs(KINDS), NOON)


async def with_rule(connection: asyncpg.Connection, text: str) -> None:
    """Put one rule into force; the sentences are added."""
    sentences = '  summary: {en: "{device}", fr: "{device}", ar: "{device}"}\n'
    await catalogue.apply(connection, parse(text + sentences, KINDS), NOON)


async def circuit(connection: asyncpg.Connection, name: str = "CIR-1", lamps: int = 10) -> list[int]:
    """Register a circuit with lamps and return the lamps' ids."""
    parent = await add_device(connection, name, "circuit")
    made = [await add_device(connection, f"{name}-L{i}", "light") for i in range(lamps)]
    await connection.execute("UPDATE device SET parent_id = $1 WHERE id = ANY($2::int [])", parent, made)
    return made


async def alerts(connection: asyncpg.Connection, rule: str | None = None) -> list[Alert]:
    """Return open alerts, of one rule or all."""
    found = await list_alerts(connection, state="firing", limit=1000)
    return [a for a in found if rule in (None, a.rule)]

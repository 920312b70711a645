"""A town of any size as the console meets it: devices with newest values, and open alerts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import numpy as np

from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from devices import kinds
from devices.instants import to_datetime
from devices.registry.registration import NewDevice, insert_devices
from devices.registry.registry import Device, list_devices
from firmware_sim.specs import PLACES
from firmware_sim.town import make_town
from nabd import clock
from nabd.demo.cast import Occupation
from nabd.demo.people import add_townspeople, links_of
from nabd.demo.simulated import register
from nabd.demo.tiles.drawing import write_tiles
from nabd.embedded.parts import migrated
from nabd.settings import Settings
from readings.latest import LatestColumns, flush
from rules.definition.summary import render
from rules.loading.files import default_packs
from store.pool import connect

TOWN = "tripoli"
PLACE = PLACES[TOWN]
SEED = 7
AT_A_TIME = 5000
REACH_DEG, FULL = 0.04, 1500
"""How far from the middle devices stand, and from how many on: few stand in the town itself."""
NEWEST: dict[str, dict[str, float]] = {
    "bin": {"fill_pct": 41.0, "temperature_c": 24.5, "battery_v": 3.6},
    "light": {"power_w": 88.0, "voltage_v": 229.0, "dim_pct": 100.0},
    "drone": {"battery_pct": 71.0, "tank_l": 12.0},
}
VALUES = {"fill_pct": 91.0, "power_w": 0.4, "expected_w": 88.0}
RULES = {"bin-overflow": "bin", "light-lamp-failure": "light"}
EVIDENCE = {
    "bin-overflow": {"values": {"fill_pct": 91.0}, "limits": {"overflow_at": 85.0}},
    "light-lamp-failure": {"values": {"power_w": 0.4}, "limits": {"expected_w": 88.0}},
}
APART_US = 97_000_000
"""Between the alerts, the newest of now."""
SEVERITIES = (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR, Severity.WARNING)
_RULE = """
INSERT INTO rule (id, version, kind, definition, created_at, family)
VALUES ($1, 1, $2, '{}', $3, 'stream') ON CONFLICT DO NOTHING
"""


async def build(dsn: str, devices: int, alerts: int, tiles: Path | None = None) -> dict[Occupation, str]:
    """Migrate a database and fill it: the demo's town with its people, and more devices around it.

    Return the path of a link that signs in, by occupation. tiles: where to write what lies under the map.
    """
    await migrated(Settings(database=dsn, kinds_dir=None, clock=None))
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        declared, town = kinds.load(), make_town(SEED, kinds.load(), municipality=TOWN)
        if tiles is not None:
            await asyncio.to_thread(write_tiles, town, tiles)
        await register(connection, declared, town, clock.wall)
        await add_townspeople(connection, declared, TOWN, clock.wall)
        chance = np.random.default_rng(devices)
        reach = REACH_DEG * min(1.0, math.sqrt(devices / FULL))
        for first in range(0, devices, AT_A_TIME):
            some = [_device(n, chance, reach) for n in range(first, min(devices, first + AT_A_TIME))]
            async with connection.transaction():
                await insert_devices(connection, declared, some, clock.wall)
        everything = await list_devices(connection, municipality=TOWN, limit=1_000_000)
        measuring = [device for device in everything if device.kind in NEWEST]
        for first in range(0, len(measuring), AT_A_TIME):
            await _report(connection, measuring[first : first + AT_A_TIME])
        await _fire(connection, measuring, alerts)
        await connection.execute("ANALYZE")
        return {
            link.person.occupation: link.url for link in await links_of(connection, TOWN, "", clock.wall())
        }
    finally:
        await connection.close()


def _device(n: int, chance: np.random.Generator, reach: float) -> NewDevice:
    kind = "drone" if n % 50 == 49 else "light" if n % 5 in (1, 2) else "bin"
    angle, far = chance.uniform(0, 2 * math.pi), reach * math.sqrt(chance.random())
    return NewDevice(
        name=f"{kind}-{n:06}",
        kind=kind,
        municipality=TOWN,
        title=f"{PLACE.quarters[n % len(PLACE.quarters)]['ar' if n % 3 == 0 else 'en']} {n}",
        lat=PLACE.lat + far * math.sin(angle) * 0.7,
        lon=PLACE.lon + far * math.cos(angle),
    )


async def _report(connection: asyncpg.Connection, devices: Sequence[Device]) -> None:
    now = clock.wall()
    await flush(
        connection,
        LatestColumns(
            device_id=[one.id for one in devices],
            observed_at=[now] * len(devices),
            received_at=[now] * len(devices),
            interval_s=[86_400.0] * len(devices),
            quality=[0] * len(devices),
            measurements=[NEWEST[one.kind] for one in devices],
        ),
    )


def names_of(kind: str, turn: int) -> list[str]:
    """Return the rules of a kind in a turn; the first turn is that of the default rules."""
    return [f"{rule}-{turn}" if turn else rule for rule, own in RULES.items() if own == kind]


async def _fire(connection: asyncpg.Connection, devices: Sequence[Device], wanted: int) -> None:
    """Open that many alerts of the default rules, and where these are too few of others like them."""
    now = clock.wall()
    turns = range(1 + 2 * wanted // max(1, len(devices)))
    names = {f"{rule}-{n}" if n else rule: rule for n in turns for rule in RULES}
    mixed = [devices[int(i)] for i in np.random.default_rng(SEED).permutation(len(devices))]
    pairs = [(name, one) for n in turns for one in mixed for name in names_of(one.kind, n)][:wanted]
    for name in {name for name, _ in pairs}:
        await connection.execute(_RULE, name, None, to_datetime(now))
    transitions = [
        Transition(
            rule=name,
            version=1,
            device_id=device.id,
            from_state=ConditionState.PENDING,
            to_state=ConditionState.FIRING,
            severity=SEVERITIES[n % len(SEVERITIES)],
            observed_at=now - n * APART_US,
            received_at=now - n * APART_US,
            evidence=EVIDENCE[names[name]],
        )
        for n, (name, device) in enumerate(pairs)
    ]
    named = {device.id: device.name for device in devices}
    templates = {one.id: one.summary for one in default_packs(kinds.load())}

    def said(transition: Transition) -> dict[str, str]:
        values = {"device": named[transition.device_id], **VALUES}
        return render(templates[names[transition.rule]], values)

    async with connection.transaction():
        await record(connection, transitions, said, now)

"""Rules that cannot be decided on a device for a day are listed, with what the device lacks."""

from __future__ import annotations

from typing import Any

import asyncpg

from devices.instants import to_datetime
from rules.catalogue import catalogue
from rules.catalogue.blind import blind_rules
from rules.loading.files import default_packs
from tests.integration.rules.ingestion import KINDS
from tests.integration.rules.town import MINUTE, NOON, add_device

DAY = 1440 * MINUTE


async def heard(connection: asyncpg.Connection, device: int, at: int, **values: Any) -> None:
    """Let a reading be stored, and be the newest."""
    columns = ["device_id", "observed_at", "received_at", "quality", *values]
    places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    await connection.execute(
        f"INSERT INTO bin_reading ({', '.join(columns)}) VALUES ({places})",
        device,
        to_datetime(at),
        to_datetime(at),
        0,
        *values.values(),
    )
    await connection.execute(
        "INSERT INTO latest VALUES ($1, $2, $2, 600, 0, $3) ON CONFLICT (device_id) DO UPDATE SET"
        " observed_at = excluded.observed_at, measurements = excluded.measurements",
        device,
        to_datetime(at),
        values,
    )


async def test_rule_is_listed_where_what_it_needs_did_not_come_for_a_day(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    names = ("fill_pct", "distance_mm", "tilt_deg", "battery_v", "battery_pct", "lat", "lon")
    whole = dict.fromkeys(names, 3.0)
    dead, lately, well = [await add_device(connection, f"B-{n}") for n in (1, 2, 3)]
    for device in (dead, lately, well):
        await heard(connection, device, NOON, **whole, temperature_c=20.0)
    await heard(connection, lately, NOON + DAY, **whole, temperature_c=20.0)
    for device in (dead, lately):
        await heard(connection, device, NOON + DAY + 60 * MINUTE, **whole)
    await heard(connection, well, NOON + DAY + 60 * MINUTE, **whole, temperature_c=20.0)

    found = await blind_rules(connection, KINDS, NOON + DAY + 61 * MINUTE)

    assert [(b.device, b.rule, b.missing) for b in found] == [("B-1", "bin-fire", ("temperature_c",))]

"""A gateway that dies is one alert, and the devices behind it stand back."""

from __future__ import annotations

import asyncpg

from alerts.queue import list_alerts
from rules.catalogue import catalogue
from rules.loading.files import default_packs
from tests.integration.rules.sweeps.test_silent import KINDS, NOON, latest, sweep
from tests.integration.rules.town import add_device


async def test_gateway_with_eight_bins_that_dies_is_told_once_and_they_stand_back(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    gateway = await add_device(connection, "GW-1", "gateway")
    for number in range(8):
        device = await add_device(connection, f"B-{number}")
        await connection.execute("INSERT INTO relay VALUES ($1, $2)", device, gateway)
        await latest(connection, device, 0)

    assert await sweep(connection, 26) == 1
    await sweep(connection, 31)

    alerts = await list_alerts(connection)
    (down,) = [a for a in alerts if a.rule == "gateway-down"]
    assert down.device == "GW-1"
    assert down.summary["en"] == "Gateway GW-1 is down: 8 of 8 devices behind it are silent"
    assert {(a.rule, a.inhibited_by) for a in alerts if a is not down} == {("silent", down.id)}


async def test_device_with_another_gateway_that_lives_is_not_explained_by_a_dead_one(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    first, second = [await add_device(connection, name, "gateway") for name in ("GW-1", "GW-2")]
    for number in range(8):
        device = await add_device(connection, f"B-{number}")
        # Four hang on the first alone, three on the second alone, and one on both.
        mine = [first] if number < 4 else [second] if number < 7 else [first, second]
        await connection.executemany("INSERT INTO relay VALUES ($1, $2)", [(device, one) for one in mine])
        # The second and what it alone relays report rarely: they live on.
        await latest(connection, device, 0, interval_s=36_000 if 4 <= number < 7 else 600)

    await sweep(connection, 26)
    await sweep(connection, 31)
    silent = {a.device: a.inhibited_by for a in await list_alerts(connection) if a.rule == "silent"}
    (down,) = [a for a in await list_alerts(connection) if a.rule == "gateway-down"]
    assert silent == {"B-0": down.id, "B-1": down.id, "B-2": down.id, "B-3": down.id, "B-7": None}

    await connection.execute(
        "UPDATE device SET retired_at = now(), retired_reason = 'gone' WHERE name = 'GW-2'"
    )
    await sweep(connection, 32)

    (shared,) = [a for a in await list_alerts(connection) if (a.rule, a.device) == ("silent", "B-7")]
    assert shared.inhibited_by == down.id

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
        await connection.execute("UPDATE device SET parent_id = $2 WHERE id = $1", device, gateway)
        await latest(connection, device, 0)

    assert await sweep(connection, 26) == 1
    await sweep(connection, 31)

    alerts = await list_alerts(connection)
    (down,) = [a for a in alerts if a.rule == "gateway-down"]
    assert down.device == "GW-1"
    assert down.summary["en"] == "Gateway GW-1 is down: 8 of 8 devices behind it are silent"
    assert {(a.rule, a.inhibited_by) for a in alerts if a is not down} == {("silent", down.id)}

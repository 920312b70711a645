"""Refused is not silent, and whoever was never heard is missed from its registration on."""

from __future__ import annotations

from typing import Any

import asyncpg

from alerts.queue import list_alerts
from devices.instants import to_datetime
from rules.catalogue import catalogue
from rules.loading.files import default_packs
from tests.integration.rules.sweeps.test_silent import KINDS, NOON, latest, sweep
from tests.integration.rules.town import MINUTE, add_device


async def refuse(connection: asyncpg.Connection, device: str, minute: float) -> None:
    await connection.execute(
        "INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)"
        " VALUES ('main', 1, $1, 't', $2, 'bad_time', '', 'ts is no time', '')",
        to_datetime(NOON + round(minute * MINUTE)),
        device,
    )


async def registered(connection: asyncpg.Connection, name: str, **attributes: Any) -> int:
    device = await add_device(connection, name, **attributes)
    await connection.execute("UPDATE device SET installed_at = $2 WHERE id = $1", device, to_datetime(NOON))
    return device


async def open_rules(connection: asyncpg.Connection) -> list[str]:
    return sorted(alert.rule for alert in await list_alerts(connection) if alert.resolved_at is None)


async def test_device_whose_messages_are_refused_is_told_as_refused_with_the_reason(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    device = await registered(connection, "B-1")
    await latest(connection, device, 0)
    for minute in range(1, 40, 2):
        await refuse(connection, "B-1", minute)

    assert await sweep(connection, 40) == 1

    (alert,) = await list_alerts(connection)
    assert alert.rule == "refused"
    assert alert.opened_at == to_datetime(NOON + MINUTE)
    assert alert.summary["en"] == "Everything B-1 sends has been refused for 39 min: bad_time: ts is no time"
    await sweep(connection, 80)
    assert await open_rules(connection) == ["silent"], "it sends nothing any more"


async def test_refused_ends_with_a_stored_reading(connection: asyncpg.Connection) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    device = await registered(connection, "B-1")
    await refuse(connection, "B-1", 39)
    await sweep(connection, 40)
    assert await open_rules(connection) == ["refused"]
    await latest(connection, device, 41)

    await sweep(connection, 42)

    assert await open_rules(connection) == []


async def test_registered_device_that_was_never_heard_is_told_after_its_grace(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    device = await registered(connection, "B-1", interval_s=10)
    await registered(connection, "B-2", interval_s=86_400)

    assert await sweep(connection, 29) == 0
    assert await sweep(connection, 60) == 1

    (alert,) = await list_alerts(connection)
    assert (alert.rule, alert.device) == ("never-heard", "B-1")
    await latest(connection, device, 61)
    assert await sweep(connection, 62) == 1
    assert await open_rules(connection) == []

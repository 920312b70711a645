"""What the quarantine proposes for strangers, and what becomes of one that takes a silent place."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from devices import profiles
from devices.registry.errors import NotFound
from devices.registry.registry import get_device
from readings import quarantine
from readings.proposals import Proposal, proposals
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.builders import KINDS, NOON, now

PROFILES = profiles.load(KINDS)

_LATEST = """
INSERT INTO latest (device_id, observed_at, received_at, interval_s, quality, measurements)
VALUES ($1, $2, $2, 600, 0, '{}')
"""
_REJECT = """
INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)
VALUES ('main', 1, $1, $2, $3, $4, '', 'not registered', $5)
"""


async def place(connection: asyncpg.Connection, name: str, silent_h: float, **more: Any) -> None:
    device = await builders.add(connection, name, **more)
    await connection.execute(_LATEST, device.id, NOON - timedelta(hours=silent_h))


async def stranger(connection: asyncpg.Connection, name: str, said: object, **more: str) -> None:
    gateway, kind = more.get("gateway"), more.get("kind", "bin")
    topic = f"nabd/v1/tripoli/{'gateway' if gateway else kind}/{gateway or name}/telemetry"
    reason = more.get("reason", "unknown_device")
    await connection.execute(
        _REJECT, NOON - timedelta(hours=1), topic, name, reason, json.dumps(said).encode()
    )


async def proposed(connection: asyncpg.Connection) -> dict[str, Proposal]:
    unknown = await quarantine.unknown_devices(connection)
    found = await proposals(connection, KINDS, PROFILES, unknown, now)
    return {one.device: proposal for one, proposal in zip(unknown, found, strict=True)}


async def test_a_stranger_beside_a_silent_place_is_proposed_for_it(connection: asyncpg.Connection) -> None:
    await place(connection, "bin-near", 3, lat=34.4300, lon=35.8400, titles={"ar": "ساحة التل"})
    await place(connection, "bin-far", 3, lat=34.4400, lon=35.8400)
    await place(connection, "bin-heard", 0.01, lat=34.4301, lon=35.8400)
    await place(connection, "light-near", 3, kind="light", lat=34.4301, lon=35.8400)
    await stranger(connection, "NEW-7", {"fill_pct": 40, "lat": 34.4302, "lon": 35.84})

    found = (await proposed(connection))["NEW-7"].place

    assert found is not None
    assert (found.device, found.titles) == ("bin-near", {"ar": "ساحة التل"})
    assert found.distance_m == pytest.approx(22, abs=1)
    assert found.since == NOON - timedelta(hours=3)


async def test_a_place_that_fell_silent_after_the_stranger_spoke_is_not(
    connection: asyncpg.Connection,
) -> None:
    await place(connection, "bin-near", 0.9, lat=34.43, lon=35.84)
    await stranger(connection, "NEW-7", {"fill_pct": 40, "lat": 34.43, "lon": 35.84})

    assert (await proposed(connection))["NEW-7"].place is None


async def test_without_a_position_the_only_silent_place_behind_the_gateway_is_proposed(
    connection: asyncpg.Connection,
) -> None:
    await builders.add(connection, "gw-1", kind="gateway")
    await place(connection, "bin-1", 3, relays=("gw-1",))
    await place(connection, "bin-2", 3)
    said = {"kind": "bin", "device": "NEW-7", "fill_pct": 40}
    await stranger(connection, "NEW-7", said, gateway="gw-1")

    found = (await proposed(connection))["NEW-7"].place
    await place(connection, "bin-3", 3, relays=("gw-1",))
    later = (await proposed(connection))["NEW-7"].place

    assert found is not None
    assert (found.device, found.distance_m) == ("bin-1", None)
    assert later is None


async def test_a_kind_is_proposed_for_what_nobody_declared(connection: asyncpg.Connection) -> None:
    await builders.add_town(connection)
    await stranger(
        connection, "X-1", {"fillLevel": 40, "batteryVoltage": 3.5}, kind="dustbin", reason="unknown_kind"
    )

    found = (await proposed(connection))["X-1"].recognised

    assert found is not None
    assert (found.kind, found.names) == ("bin", ("fillLevel", "batteryVoltage"))


async def test_who_takes_a_place_is_its_hardware_since_it_spoke_and_is_received_again(
    connection: asyncpg.Connection,
) -> None:
    await place(connection, "bin-near", 3, lat=34.43, lon=35.84)
    await stranger(connection, "NEW-7", {"fill_pct": 40, "lat": 34.43, "lon": 35.84})

    device, waiting = await quarantine.take_place(
        connection, "NEW-7", "bin-near", now, reason="cell flat", by=PLATFORM
    )

    stands = await get_device(connection, "bin-near")
    assert (device.name, waiting) == ("bin-near", 1)
    assert (stands.wire, stands.serial, stands.replaced) == ("NEW-7", "NEW-7", 1)
    assert (await proposed(connection))["NEW-7"] == Proposal()
    with pytest.raises(NotFound):
        await quarantine.take_place(connection, "NEW-8", "bin-near", now, reason="", by=PLATFORM)

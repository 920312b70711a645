"""Packets of drones over another's broker: readings by the second, and what is damaged is seen."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from devices.instants import to_datetime
from devices.registry import editing
from devices.registry.errors import Invalid
from devices.sources.registration import edit_source
from devices.sources.translation import ALL
from devices.wire.raw import sent_by_device
from readings.rejections import list_rejections
from store.audit import PLATFORM
from tests.autopilots import Autopilot, damaged
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import Bridged, bridging, register, say
from tests.integration.bridge.test_bridge import heard
from tests.integration.ingest.conftest import KINDS, Town
from tests.waiting import eventually, now

SECOND = 1_000_000
TOPIC = "fleet/DR-03/mavlink"


async def drones(bridged: Bridged, foreign: Mosquitto) -> None:
    await bridged.add("drones", foreign, "mavlink", topics=["fleet/#"], profile="mavlink-json")
    for name in ("DR-03", "field-2:7"):
        await register(bridged.town, name, "drones", kind="drone")
        change = {"attributes": {"merge": True}}
        await editing.edit_device(bridged.town.connection, KINDS, name, change, now=now, by=PLATFORM)
    await heard(bridged, "drones")


async def test_packets_become_readings_and_a_damaged_one_is_rejected_with_why(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    at = (now() // SECOND - 60) * SECOND
    drone, other = Autopilot(at - 3_600 * SECOND), Autopilot(at - 100 * SECOND, system=7)
    broken = damaged(drone.speed(5))
    async with bridging(town) as bridged:
        await drones(bridged, foreign)
        await say(
            foreign,
            (
                TOPIC,
                drone.clock(at) + drone.position(at + 1) + drone.battery(71) + broken + drone.heartbeat(),
            ),
            (TOPIC, drone.heartbeat()),
            (TOPIC, drone.speed(4)),
            ("fleet/field-2/link", other.clock(at) + other.position(at)),
        )
        sums = await town.received(4)

        async def counted() -> bool:
            state = await bridged.state("drones")
            return (state.messages, state.readings, state.rejected, state.unread) == (4, 3, 1, 1)

        await eventually(counted)
        page = await list_rejections(town.connection, device="DR-03")

    assert (sums["stored"], sums["duplicate"], sums["rejected"]) == (2, 0, 1)  # one was merged
    rows = {row["name"]: row for row in await town.readings("drone")}
    first = rows["DR-03"]
    assert {rows[name]["observed_at"] for name in rows} == {to_datetime(at)}
    assert (first["lat"], first["lon"]) == pytest.approx((34.4381, 35.8308))
    assert (first["alt_m"], first["heading_deg"], first["speed_mps"]) == pytest.approx((12.4, 273.5, 4))
    assert (first["battery_v"], first["battery_pct"]) == pytest.approx((22.21, 71))
    assert rows["field-2:7"]["lat"] == pytest.approx(34.4381)
    (rejection,) = page
    assert "VFR_HUD of system 1 has a wrong checksum" in (rejection.detail or "")
    assert rejection.payload is not None
    assert sent_by_device(rejection.payload) == broken


async def test_what_comes_again_is_stored_once(town: Town, foreign: Mosquitto) -> None:
    await town.start()
    at = (now() // SECOND - 60) * SECOND
    drone = Autopilot(at - 3_600 * SECOND)
    message = drone.clock(at) + drone.position(at) + drone.battery(71)
    async with bridging(town) as bridged:
        await drones(bridged, foreign)
        await say(foreign, (TOPIC, message), (TOPIC, message))
        await town.received(2)
    async with bridging(town) as bridged:  # another process, which was told nothing
        await heard(bridged, "drones")
        await say(foreign, (TOPIC, message), (TOPIC, drone.position(at + SECOND)))
        sums = await town.received(4)

    assert (sums["stored"], sums["duplicate"], sums["rejected"]) == (2, 2, 0)
    assert [row["observed_at"] for row in await town.readings("drone")] == [
        to_datetime(at), to_datetime(at + SECOND),
    ]  # fmt: skip


async def test_without_pymavlink_a_source_is_refused_or_away_and_says_the_fix(
    town: Town, foreign: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.start()
    fix = "nabd[mavlink]"
    async with bridging(town) as bridged:
        await drones(bridged, foreign)
        await bridged.add("others", foreign, "ngsi", topics=["entities/#"])
    monkeypatch.setitem(sys.modules, "pymavlink.dialects.v20", None)
    async with bridging(town) as bridged:
        await heard(bridged, "others")

        async def away() -> bool:
            state = await bridged.state("drones")
            return not state.connected and fix in state.reason

        await eventually(away)
        with pytest.raises(Invalid, match="mavlink") as refused:
            await bridged.add("more", foreign, "mavlink", topics=["fleet/#"])
        with pytest.raises(Invalid, match="mavlink"):
            await edit_source(town.connection, KINDS, "others", {"format": "mavlink"}, ALL, now, by=PLATFORM)
        await edit_source(town.connection, KINDS, "drones", {"enabled": False}, ALL, now, by=PLATFORM)

    assert fix in str(refused.value)
    assert datetime.now(UTC) > (await bridged.state("drones")).since

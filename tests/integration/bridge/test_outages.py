"""Another's broker that closes the connection, and messages that wait for others: nothing of it is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from devices.wire.adapters.formats import sparkplug_payload
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI, bridging, register, say
from tests.integration.bridge.test_bridge import UP, chirpstack, heard, level
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

CABINET = """
profile = "cabinet"
title = "A cabinet and its bins"
vendor = "Acme"
model = "Cabinet 7"
documented = "https://acme.example/cabinet-7"
kind = "bin"

[[readings]]

[readings.values]
battery_v = "battery"
"""


def told(seq: int, battery_v: float) -> bytes:
    """Return a payload of Sparkplug, of an instant of its own."""
    payload: Any = sparkplug_payload._MESSAGES["Payload"](timestamp=now() // 1000 + seq, seq=seq)
    payload.metrics.add(name="battery", datatype=10, double_value=battery_v)
    return bytes(payload.SerializeToString())


async def test_a_broker_that_closes_before_the_receipts_costs_no_frame(
    town: Town, foreign: Mosquitto
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=1)
    async with bridging(town) as bridged:
        await bridged.add("lora", foreign, "chirpstack", profile="milesight-em310-udl")
        await register(town, EUI, "lora")
        await heard(bridged, "lora")
        frames = [(UP, chirpstack(n, level(2000 + n), at + timedelta(seconds=n))) for n in range(3)]
        await say(foreign, *frames, (UP, chirpstack(3, b"\x07", at)))

        async def taken() -> bool:
            state = await bridged.state("lora")
            return bool(state.messages >= 4)

        await eventually(taken)
        foreign.restart()

        async def again() -> bool:
            state = await bridged.state("lora")
            return bool(state.messages >= 8)

        await eventually(again)
        await town.start()
        await eventually(lambda: _sums(town, 4))

    assert [row["distance_mm"] for row in await town.readings()] == [2000, 2001, 2002]
    assert [row[1] for row in await town.rejections()] == ["malformed"]


async def _sums(town: Town, readings: int) -> Any:
    return await town.connection.fetchval("SELECT sum(received) >= $1 FROM ledger", readings)


async def test_a_device_that_cannot_be_remembered_holds_up_no_other(town: Town, foreign: Mosquitto) -> None:
    await town.start()
    async with bridging(town) as bridged:
        await bridged.add("second", foreign, "nabd")
        await register(town, "f1", "second")
        await heard(bridged, "second")
        topic = "nabd/v1/tripoli/gateway/second/telemetry"
        bad: list[object] = [{"kind": "bin", "device": name, "fill_pct": 1} for name in ("a\0b", "a" * 9_000)]
        await say(foreign, (topic, bad), (topic, [{"kind": "bin", "device": "f1", "fill_pct": 2}]))
        await town.received(3)

    assert [row["fill_pct"] for row in await town.readings()] == [2]
    assert [row[1] for row in await town.rejections()] == ["malformed"] * 2


async def test_what_waited_for_another_message_when_the_bridge_ended_is_read_by_the_next(
    town: Town, foreign: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "cabinet.toml").write_text(CABINET)
    await town.start()
    topic = "spBv1.0/tripoli/{}/cabinet-7"
    async with bridging(town, profiles=tmp_path) as bridged:
        await bridged.add("plant", foreign, "sparkplug", profile="cabinet", topics=["spBv1.0/#"])
        await register(town, "tripoli:cabinet-7", "plant")
        await register(town, "tripoli:cabinet-7:bin-1", "plant")
        await heard(bridged, "plant")
        await say(foreign, (topic.format("NBIRTH"), told(0, 3.0)), (topic.format("NDATA"), told(3, 3.3)))
        await town.received(1)

        async def taken() -> bool:
            return bool((await bridged.state("plant")).messages == 2)

        await eventually(taken)
    async with bridging(town, profiles=tmp_path) as bridged:
        await town.received(2)
        await say(foreign, (topic.format("DDATA") + "/bin-1", told(4, 3.4)))
        await town.received(3)

    rows = await town.readings()
    assert [(row["name"], row["battery_v"]) for row in rows] == [
        ("tripoli:cabinet-7", 3.0),
        ("tripoli:cabinet-7", 3.3),
        ("tripoli:cabinet-7:bin-1", 3.4),
    ]

"""Another's broker is heard: every message ends as a reading or as something that is seen, once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.sources.registration import edit_source, remove_source
from devices.sources.translation import ALL
from devices.wire.raw import sent_by_device
from readings.rejections import list_rejections
from store.audit import PLATFORM
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI, Bridged, bridging, register, say
from tests.integration.ingest.conftest import KINDS, Town
from tests.waiting import eventually, now

UP = f"application/1/device/{EUI.lower()}/event/up"


def chirpstack(counter: int, payload: bytes, at: datetime, rssi: int = -90) -> dict[str, Any]:
    """Return an uplink as ChirpStack v4 publishes it."""
    return {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": at.isoformat(),
        "deviceInfo": {"devEui": EUI.lower(), "deviceName": "bin", "deviceProfileName": "EM310"},
        "devAddr": "00189440",
        "fCnt": counter,
        "fPort": 85,
        "data": base64.b64encode(payload).decode(),
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": rssi, "snr": 7.5}],
    }


def level(mm: int) -> bytes:
    """Return an EM310-UDL's report of a distance."""
    return b"\x01\x75\x5c\x03\x82" + mm.to_bytes(2, "little") + b"\x04\x00\x00"


async def heard(bridged: Bridged, name: str) -> None:
    async def connected() -> bool:
        state = await bridged.state(name)
        return state is not None and state.connected

    await eventually(connected)


async def test_a_second_broker_of_our_own_topics_is_bridged(town: Town, foreign: Mosquitto) -> None:
    await town.start()
    async with bridging(town) as bridged:
        await bridged.add("second", foreign, "nabd")
        await register(town, "f1", "second")
        await heard(bridged, "second")
        at = now() // 1000

        await say(
            foreign,
            (
                "nabd/v1/tripoli/bin/f1/telemetry",
                [{"ts": at, "fill_pct": 1}, {"ts": at - 1, "fill_pct": "?"}],
            ),
            ("nabd/v1/tripoli/bin/f1/telemetry", b"{no json"),
            ("nabd/v1/tripoli/bin/stranger/telemetry", {"ts": at, "fill_pct": 2}),
            ("nabd/v1/tripoli/bin/f1/telemetry", {"fill_pct": 3}),
        )

        sums = await town.received(5)
        assert (sums["stored"], sums["rejected"]) == (2, 3)
        assert [row["fill_pct"] for row in await town.readings()] == [1, 3]
        assert {(d, r) for d, r, _ in await town.rejections()} == {
            ("f1", "bad_value"),
            ("f1", "malformed"),
            ("stranger", "unknown_device"),
        }

        async def counted() -> bool:
            state = await bridged.state("second")
            return (state.messages, state.readings, state.rejected) == (4, 2, 3)

        await eventually(counted)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_frame_seen_twice_48_s_apart_is_one_reading_at_the_instant_of_its_source(
    town: Town, foreign: Mosquitto, protocol: str
) -> None:
    await town.start()
    first = datetime.now(UTC) - timedelta(minutes=5)
    async with bridging(town) as bridged:
        await bridged.add("lora", foreign, "chirpstack", profile="milesight-em310-udl", protocol=protocol)
        await register(town, EUI, "lora")
        await heard(bridged, "lora")
        await say(
            foreign,
            (UP, chirpstack(7, level(2116), first, rssi=-90)),
            (UP, chirpstack(7, level(2116), first + timedelta(seconds=48), rssi=-117)),
            (UP, chirpstack(8, level(2110), first + timedelta(minutes=1))),
        )
        await town.received(2)

        async def acknowledged() -> bool:
            return bool((await bridged.state("lora")).readings == 2)

        await eventually(acknowledged)
    # Another process, which was told nothing, knows the frame too.
    async with bridging(town) as bridged:
        await heard(bridged, "lora")
        late = chirpstack(8, level(2110), first + timedelta(minutes=2))
        await say(foreign, (UP, late), (UP, chirpstack(9, level(2100), first + timedelta(minutes=3))))
        sums = await town.received(3)

        async def copies() -> bool:
            return bool((await bridged.state("lora")).copies == 2)

        await eventually(copies)

    assert sums["stored"] == 3
    rows = await town.readings()
    assert [row["distance_mm"] for row in rows] == [2116, 2110, 2100]
    assert rows[0]["observed_at"] == first
    assert all(row["extra"] is None for row in rows)


async def test_what_is_read_in_part_only_is_counted_with_what_was_lost(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged:
        await bridged.add("lora", foreign, "chirpstack", profile="dragino-ldds75")
        await register(town, EUI, "lora")
        await heard(bridged, "lora")
        at = datetime.now(UTC) - timedelta(minutes=5)
        values: list[dict[str, Any]] = [
            {"Distance": 900, "TempC_DS18B20": "warm"},
            {"Distance": 901, "TempC_DS18B20": 20.5},
            {"Distance": 902, "TempC_DS18B20": "hot"},
        ]
        for counter, decoded in enumerate(values):
            event = chirpstack(counter, b"", at + timedelta(seconds=counter))
            del event["data"]
            await say(foreign, (UP, {**event, "object": decoded}))
        await town.received(3)

        async def counted() -> bool:
            state = await bridged.state("lora")
            return (state.messages, state.readings, state.rejected) == (3, 3, 0)

        await eventually(counted)
        state = await bridged.state("lora")

    rows = await town.readings()
    assert [(row["distance_mm"], row["temperature_c"]) for row in rows] == [
        (900, None),
        (901, 20.5),
        (902, None),
    ]
    assert state.problems == 2
    assert state.problem.startswith(f"{EUI}: TempC_DS18B20 = 'hot'")
    assert state.problem_at >= at


async def test_what_nothing_reads_is_seen_with_the_bytes_that_came(town: Town, foreign: Mosquitto) -> None:
    await town.start()
    async with bridging(town) as bridged:
        await bridged.add("lora", foreign, "chirpstack", topics=["#"])
        await register(town, EUI, "lora")
        await heard(bridged, "lora")
        event = chirpstack(1, b"\x01", datetime.now(UTC))
        await say(foreign, (UP, event), (UP, b"\x00\xff not it"))
        await town.received(2)

    found = {
        r.device: (r.reason, r.detail, sent_by_device(r.payload))
        for r in await list_rejections(town.connection)
    }
    reason, detail, sent = found[EUI]
    assert (reason, "no profile" in detail) == ("malformed", True)
    assert sent is not None
    assert b"fCnt" in sent
    reason, detail, sent = found["lora"]
    assert (reason, sent) == ("malformed", b"\x00\xff not it")
    assert detail.startswith("chirpstack: ")


async def test_a_source_that_is_away_or_flaps_is_seen_and_delays_no_other(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged:
        await bridged.add("good", foreign, "nabd")
        await bridged.add("away", None, "nabd", topics=["foreign/tripoli/#"])
        await edit_source(
            town.connection, KINDS, "away", {"url": "mqtt://127.0.0.1:1"}, ALL, now, by=PLATFORM
        )
        await register(town, "f1", "good")
        await heard(bridged, "good")

        async def refused() -> bool:
            state = await bridged.state("away")
            return state is not None and not state.connected and "refused" in state.reason.lower()

        await eventually(refused)
        await say(foreign, ("nabd/v1/tripoli/bin/f1/telemetry", {"ts": now() // 1000, "fill_pct": 1}))
        await town.received(1)

        async def acknowledged() -> bool:
            return bool((await bridged.state("good")).readings == 1)

        await eventually(acknowledged)
        foreign.restart()
        await heard(bridged, "good")
        await say(foreign, ("nabd/v1/tripoli/bin/f1/telemetry", {"ts": now() // 1000, "fill_pct": 2}))
        await town.received(2)

        await remove_source(town.connection, "good", now, by=PLATFORM)

        async def ended() -> bool:
            return len(bridged.bridge.heard) == 1

        await eventually(ended)

"""A simulated town against a real broker."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devices.wire.reasons import is_taken
from firmware_sim.plan import LINK_LOSS
from firmware_sim.specs import Electronics
from nabd.broker.address import BrokerAddress
from nabd.embedded.broker import free_port
from tests.brokers import Broker, Mosquitto
from tests.integration.firmware_sim.platform import Heard, fleet, only, platform, town, until

BIN, COUNTED_BIN, LIGHT, DRONE = "TRP-BIN-011", "TRP-BIN-002", "TRP-LGT-001", "TRP-DRN-001"
CALM = Electronics()


async def test_everything_published_is_acknowledged_and_logged(broker: Broker, tmp_path: Path) -> None:
    async with platform(broker) as heard:
        async with fleet(town(), broker, tmp_path, speed=10) as running:
            await until(lambda: running.fleet.counts.acked > 400)
        counts = running.fleet.counts
        lines = running.published()
        sent = Counter((line.device, str(line.ts)) for line in lines if line.ts is not None)
        await until(lambda: received(heard) >= sent)

    assert counts.waiting == counts.lost == 0
    assert counts.published == counts.acked == len(lines)
    assert all(line.puback is not None and is_taken(line.puback) for line in lines)
    assert all(line.acked_at is not None and line.acked_at >= line.published_at for line in lines)
    assert received(heard) == sent
    assert {line.bad for line in lines} > {None, "unknown_device"}


def received(heard: Heard) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for device in {name for name, _ in heard.telemetry}:
        for element in heard.elements(device):
            if "02-30" not in str(element["ts"]):  # no time at all, so the log has none either
                found[element.get("device", device), str(element["ts"])] += 1
    return found


async def test_reading_that_nobody_takes_is_kept_and_sent_again(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with fleet(only(BIN, electronics=CALM), mosquitto, tmp_path, speed=20) as running:
        await until(lambda: running.fleet.counts.refused >= 3)
        async with platform(mosquitto) as heard:
            await until(lambda: running.fleet.counts.acked >= 10)
            await until(lambda: len(heard.elements(BIN)) >= 10)
            instants = [element["ts"] for element in heard.elements(BIN)]

    lines = running.published()
    first = min(line.observed_at or 0 for line in lines)
    assert {line.puback for line in lines} == {0x10, 0}
    assert first // 1000 in instants
    assert instants == sorted(set(instants))
    assert not any(line.repeat for line in lines)


async def test_backlog_of_a_lost_link_arrives_oldest_first(broker: Broker, tmp_path: Path) -> None:
    lossy = only(BIN, electronics=CALM, opening=((LINK_LOSS, 12.0, 60.0),))
    async with platform(broker) as heard, fleet(lossy, broker, tmp_path, speed=20) as running:
        await until(lambda: (BIN, "offline") in heard.presence)
        await until(lambda: heard.presence[-1] == (BIN, "online"))
        await until(lambda: running.fleet.counts.acked >= 20)

        instants = [element["ts"] for element in heard.elements(BIN)]
        assert instants == sorted(set(instants))
        assert max(b - a for a, b in pairwise(instants)) <= 5000
        assert any(payload.startswith(b"[") for _, payload in heard.telemetry)


async def test_fleet_comes_back_after_the_broker_was_away(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with fleet(town(bins=10, gateways=0), mosquitto, tmp_path, speed=10) as running:
        async with platform(mosquitto) as heard:
            await until(lambda: running.fleet.counts.acked > 50)
            before = len(heard.telemetry)
            assert before > 0
            mosquitto.stop()
        await until(lambda: running.fleet.counts.connected == 0)
        await until(lambda: running.fleet.counts.waiting > 20)
        mosquitto.start()
        async with platform(mosquitto) as heard:
            await until(lambda: running.fleet.counts.waiting == 0)
            assert heard.telemetry

    accepted_once = Counter(
        (line.device, line.observed_at)
        for line in running.published()
        if line.puback is not None and is_taken(line.puback) and not line.repeat and not line.bad
    )
    assert set(accepted_once.values()) == {1}


async def test_presence_says_online_and_at_the_end_offline(broker: Broker, tmp_path: Path) -> None:
    async with platform(broker) as heard:
        async with fleet(only(LIGHT), broker, tmp_path):
            await until(lambda: (LIGHT, "online") in heard.presence)
        await until(lambda: heard.presence == [(LIGHT, "online"), (LIGHT, "offline")])


async def test_device_obeys_slowly_refuses_and_sets_itself(mosquitto: Mosquitto, tmp_path: Path) -> None:
    slow = only(LIGHT, electronics=Electronics(obeys_after_s=5.0))
    locked = only(BIN, electronics=Electronics(obeys=False))
    both = replace(slow, devices=(*slow.devices, *locked.devices))
    wanted = msgspec.json.encode({"version": 3, "set": {"night_pct": 30, "interval_s": 7}})
    async with platform(mosquitto) as heard:
        await heard.client.publish(f"nabd/v1/tripoli/light/{LIGHT}/config", wanted, qos=1, retain=True)
        await heard.client.publish(f"nabd/v1/tripoli/bin/{BIN}/config", wanted, qos=1, retain=True)
        async with fleet(both, mosquitto, tmp_path, speed=10) as running:
            await until(lambda: running.fleet.counts.connected == 2)
            await until(lambda: all(heard.reports.get(name, {}).get("version") == 3 for name in (LIGHT, BIN)))
            first = await command(heard, LIGHT, "light", "set_dimming", args={"pct": 55})
            await until(lambda: len(heard.responses) == 2)
            refused = await command(heard, BIN, "bin", "report_now")

    why = "locked by its keeper"
    assert (first["status"], heard.responses[1][1]["status"]) == ("accepted", "succeeded")
    assert (refused["status"], refused["detail"]) == ("rejected", why)
    assert heard.reports[LIGHT] == {
        "config": {"night_pct": 30, "interval_s": 7},
        "refused": {},
        "version": 3,
        "firmware": "1.0.0",
    }
    assert heard.reports[BIN]["refused"] == {"night_pct": why, "interval_s": why}


async def command(heard: Heard, device: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    """Send one command and return its answer."""
    order = {"id": str(uuid.uuid4()), "name": name, "args": {}} | more
    topic = f"nabd/v1/tripoli/{kind}/{device}/command"
    count = len(heard.responses)
    await heard.client.publish(topic, msgspec.json.encode(order), qos=1)
    await until(lambda: len(heard.responses) > count)
    assert heard.responses[-1][0] == device
    return heard.responses[-1][1]


async def test_light_obeys_a_dimming_command_and_shows_it(broker: Broker, tmp_path: Path) -> None:
    async with platform(broker) as heard, fleet(only(LIGHT, electronics=CALM), broker, tmp_path, speed=5):
        await until(lambda: heard.elements(LIGHT))
        answer = await command(heard, LIGHT, "light", "set_dimming", args={"pct": 35})

        assert answer["status"] == "succeeded"
        await until(lambda: heard.elements(LIGHT)[-1]["commanded_dim_pct"] == 35.0)


async def test_command_with_a_known_id_is_carried_out_once(broker: Broker, tmp_path: Path) -> None:
    order = str(uuid.uuid4())
    async with platform(broker) as heard, fleet(only(COUNTED_BIN), broker, tmp_path, speed=5):
        await until(lambda: heard.elements(COUNTED_BIN))
        first = await command(heard, COUNTED_BIN, "bin", "reboot", id=order)
        again = await command(heard, COUNTED_BIN, "bin", "reboot", id=order)

        assert first == again
        await until(lambda: heard.elements(COUNTED_BIN)[-1]["boot"] == first["result"]["boot"])
        boots = {element["boot"] for element in heard.elements(COUNTED_BIN)}
        assert len(boots) == 2


async def test_unknown_and_expired_commands_are_rejected(broker: Broker, tmp_path: Path) -> None:
    async with platform(broker) as heard, fleet(only(DRONE), broker, tmp_path):
        await until(lambda: heard.elements(DRONE))
        unknown = await command(heard, DRONE, "drone", "make_coffee")
        late = await command(heard, DRONE, "drone", "hold", expires_at="2020-01-01T00:00:00Z")

    assert (unknown["status"], late["status"]) == ("rejected", "rejected")
    assert late["detail"] == "expired"


async def test_receipt_stops_resending(broker: Broker, tmp_path: Path) -> None:
    async with platform(broker) as heard, fleet(only(COUNTED_BIN), broker, tmp_path, speed=5) as running:
        await until(lambda: running.fleet.counts.unsettled >= 3)
        first = heard.elements(COUNTED_BIN)[0]
        receipt = {"device": COUNTED_BIN, "boot": first["boot"], "seq": [[1, 2]]}
        topic = f"nabd/v1/tripoli/bin/{COUNTED_BIN}/receipt"
        await heard.client.publish(topic, msgspec.json.encode(receipt), qos=1)

        await until(lambda: running.fleet.counts.receipts == 2)


async def test_gateway_relays_bins_that_name_themselves(broker: Broker, tmp_path: Path) -> None:
    async with platform(broker) as heard, fleet(town(), broker, tmp_path, speed=10):
        await until(lambda: len({e["device"] for e in heard.elements("TRP-GW-001")}) == 5)

        assert {e["kind"] for e in heard.elements("TRP-GW-001")} == {"bin"}


async def test_fleet_says_once_that_nobody_gets_through_to_the_broker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = BrokerAddress(host="127.0.0.1", port=free_port())

    async with fleet(only(BIN, electronics=CALM), nowhere, tmp_path, speed=20):
        await until(lambda: "no device can connect" in caplog.text)

    assert caplog.text.count(f"no device can connect to 127.0.0.1:{nowhere.port}") == 1

"""A kind declared in one TOML file is stored, validated, served by the API and simulated."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from devices import kinds as declared
from devices.instants import rfc3339, to_datetime
from firmware_sim import fleet
from firmware_sim.link import SimulatorBroker as SimBroker
from firmware_sim.town import make_town
from nabd.demo import simulated
from tests.brokers import Broker
from tests.platform import Platform, running
from tests.waiting import eventually, now

DECLARATION = """
name = "walkway_counter"
title = {en = "Walkway counter", fr = "Compteur piéton", ar = "عداد مشاة"}
headline = "people"
inspection = ["direction", "people"]

[[measurements]]
name = "people"
unit = "1"
low = 0
high = 5000
label = {en = "People", fr = "Personnes", ar = "المشاة"}

[[measurements]]
name = "direction"
type = "text"
choices = ["in", "out"]

[[reporting]]
every_s = 1
"""


async def readings(platform: Platform, device: str) -> Any:
    return (await platform.get(f"/api/v1/devices/{device}/readings"))["readings"]


async def test_a_new_kind_needs_no_python(dsn: str, broker: Broker, tmp_path: Path) -> None:
    kinds_dir = tmp_path / "kinds"
    kinds_dir.mkdir()
    (kinds_dir / "walkway_counter.toml").write_text(DECLARATION, encoding="utf-8")
    kinds = declared.load(kinds_dir)
    town = make_town(1, kinds, bins=0, lights=0, drones=0, gateways=0, others=2, strangers=0)

    async with running(dsn, broker, tmp_path, processes=("ingest", "api"), kinds_dir=kinds_dir) as platform:
        await simulated.register(platform.database, kinds, town, now)
        stop = asyncio.Event()
        simulating = asyncio.create_task(
            fleet.run(
                town,
                broker=SimBroker(host=broker.host, port=broker.port),
                now=now,
                publish_log=tmp_path / "publish.jsonl",
                fault_log=tmp_path / "faults.jsonl",
                stop=stop,
            )
        )
        device = town.sensing[0].name
        found = await eventually(lambda: readings(platform, device))
        stop.set()
        await simulating
        assert 0 <= found[0]["measurements"]["people"] <= 5000

        # Validated as declared: a wrong type is refused, a value out of range is stored and marked.
        topic = f"nabd/v1/tripoli/walkway_counter/{device}/telemetry"
        at = now() // 1000
        await platform.publish((topic, {"ts": at, "people": "many"}), (topic, {"ts": at + 1, "people": 9000}))

        async def last() -> Any:
            return next((r for r in await readings(platform, device) if "people" in r["suspect"]), None)

        assert (await eventually(last))["measurements"]["people"] == 9000
        rejections = await platform.get("/api/v1/rejections", device=device)
        assert [(r["reason"], r["pointer"]) for r in rejections["items"]] == [("bad_value", "/people")]

        # And described to programs and screens.
        kind = next(
            k for k in (await platform.get("/api/v1/kinds"))["items"] if k["name"] == "walkway_counter"
        )
        assert kind["title"]["ar"] == "عداد مشاة"

        # People enter what its inspection form says.
        assert kind["by_hand"] == ["direction", "people"]
        entry = {
            "observed_at": rfc3339(to_datetime(at * 1000 + 2_000)),
            "measurements": {"direction": "IN", "people": 42},
        }
        answer = await platform.http.post(f"/api/v1/devices/{device}/hand-readings", json=entry, timeout=30)
        assert answer.status_code == 201, answer.text
        assert answer.json()["measurements"] == {"direction": "in", "people": 42}

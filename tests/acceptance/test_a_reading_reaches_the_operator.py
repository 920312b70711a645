"""The first journey: what a device observes is stored, kept as newest, drawn, and pushed to open screens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from devices.registry.registration import NewDevice
from tests.brokers import Broker
from tests.platform import Platform, register, running
from tests.waiting import eventually, now

TOPIC = "nabd/v1/tripoli/bin/TRP-1/telemetry"


async def newest(platform: Platform) -> Any:
    answer = await platform.http.get("/api/v1/devices/TRP-1/latest")
    return answer.json() if answer.status_code == 200 else None


async def listening(platform: Platform) -> bool:
    return "nabd_live_clients 1.0" in (await platform.http.get("/metrics")).text


async def told_of(events: AsyncIterator[dict[str, Any]], fill_pct: float) -> dict[str, Any]:
    async for event in events:
        for reading in event["items"]:
            if reading["measurements"].get("fill_pct") == fill_pct:
                return dict(reading)
    raise AssertionError("the stream ended")


async def test_a_reading_reaches_the_operator(dsn: str, broker: Broker, tmp_path: Path) -> None:
    async with running(dsn, broker, tmp_path) as platform:
        await register(platform, NewDevice(name="TRP-1", kind="bin", municipality="tripoli", title="Souk"))
        first = now() // 1000 - 120_000

        # A device reports a distance, from which the platform derives the fill.
        await platform.publish((TOPIC, {"ts": first, "distance_mm": 900, "temperature_c": 21.5}))

        # It is stored as observed, and whoever looks at the device sees it.
        latest = await eventually(lambda: newest(platform))
        assert latest["measurements"] == {"distance_mm": 900, "fill_pct": 50, "temperature_c": 21.5}

        # An open screen is told of the next one without asking.
        screen = asyncio.create_task(told_of(platform.events("latest"), 75.0))
        await eventually(lambda: listening(platform))
        await platform.publish((TOPIC, {"ts": first + 60_000, "distance_mm": 600, "temperature_c": 22}))
        assert (await asyncio.wait_for(screen, 20))["device"] == "TRP-1"

        # The device's chart has both readings, oldest first, with their unit.
        chart = await platform.get("/api/v1/devices/TRP-1/readings", measurements="fill_pct")
        assert chart["units"] == {"fill_pct": "%"}
        assert [reading["measurements"]["fill_pct"] for reading in chart["readings"]] == [50, 75]

        # The ledger accounts for all of it.
        totals = (await platform.get("/api/v1/ledger"))["totals"]
        assert (totals["received"], totals["stored"], totals["balanced"]) == (2, 2, True)

"""A context broker tells of one instant in several notifications: with `merge` they are one reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from devices.registry import editing
from store.audit import PLATFORM
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import bridging, register, say
from tests.integration.bridge.test_bridge import heard
from tests.integration.ingest.conftest import KINDS, Town
from tests.waiting import eventually, now

PROFILE = """
profile = "context-bin"
title = "A bin of a context broker"
vendor = "FIWARE"
model = "WasteContainer"
documented = "https://github.com/smart-data-models/dataModel.WasteManagement"
kind = "bin"

[[readings]]

[readings.values]
distance_mm = "distance"
temperature_c = "temperature"
battery_v = "battery"
"""


def notification(device: str, at: datetime, **attributes: dict[str, Any]) -> dict[str, Any]:
    """Return a notification of NGSI-LD about one entity."""
    told = {
        name: {"type": "Property", **one, "observedAt": at.isoformat()} for name, one in attributes.items()
    }
    return {"type": "Notification", "data": [{"id": device, "type": "WasteContainer", **told}]}


async def test_parts_of_an_instant_are_one_reading_and_units_are_converted(
    town: Town, foreign: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "context-bin.toml").write_text(PROFILE)
    await town.start()
    async with bridging(town, profiles=tmp_path) as bridged:
        await bridged.add("context", foreign, "ngsi", topics=["entities/#"], profile="context-bin")
        for name in ("plain", "parted"):
            await register(town, name, "context")
        change = {"attributes": {"merge": True}}
        await editing.edit_device(town.connection, KINDS, "parted", change, now=now, by=PLATFORM)
        await heard(bridged, "context")
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
        level = {"distance": {"value": 1.2, "unitCode": "MTR"}}
        warmth = {
            "temperature": {"value": 77, "unitCode": "FAH"},
            "battery": {"value": 3, "unitCode": "KGM"},
        }
        for name in ("plain", "parted"):
            for part in (level, warmth):
                await say(foreign, (f"entities/{name}", notification(name, at, **part)))

        async def counted() -> bool:
            state = await bridged.state("context")
            return (state.readings, state.rejected, state.problems) == (3, 1, 1)

        await eventually(counted)
        state = await bridged.state("context")

    assert "kg" in state.problem.lower()
    rows = {row["name"]: row for row in await town.readings()}
    assert (rows["plain"]["distance_mm"], rows["plain"]["temperature_c"]) == (1200, None)
    assert (rows["parted"]["distance_mm"], rows["parted"]["temperature_c"]) == (1200, 25)
    assert [(device, reason) for device, reason, _ in await town.rejections()] == [("plain", "conflict")]

"""The script of docs/connect.md: what an autopilot says at a UDP port becomes readings."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.autopilots import Autopilot
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import bridging, register
from tests.integration.bridge.test_bridge import heard
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

DOCUMENT = Path(__file__).parents[3] / "docs/connect.md"
SECOND = 1_000_000


def script(broker: Mosquitto, port: int) -> str:
    """Return the script as it is documented, for another broker and port."""
    (text,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    changes = {
        "client.tls_set()\n": "",
        '"nabd.example.org", 8883': f'"{broker.host}", {broker.port}',
        "udpin:127.0.0.1:14550": f"udpin:127.0.0.1:{port}",
        "foreign/tripoli/DR-03/mavlink": "fleet/DR-03/mavlink",
    }
    for documented, here in changes.items():
        assert documented in text
        text = text.replace(documented, here)
    return str(text)


async def test_the_documented_script_forwards_what_an_autopilot_says(town: Town, foreign: Mosquitto) -> None:
    await town.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PASSWORD": "hush"}
    forwarding = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script(foreign, port), env=environment
    )
    drone = Autopilot(now() - 600 * SECOND)
    try:
        async with bridging(town) as bridged:
            await bridged.add("drones", foreign, "mavlink", topics=["fleet/#"], profile="mavlink-json")
            await register(town, "DR-03", "drones", kind="drone")
            await heard(bridged, "drones")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:

                async def stored() -> Any:
                    at = now()
                    for packet in (drone.clock(at), drone.position(at), drone.battery(71), drone.speed(4)):
                        wire.sendto(packet, ("127.0.0.1", port))
                    return [row for row in await town.readings("drone") if row["speed_mps"] == 4]

                row = (await eventually(stored))[-1]
    finally:
        forwarding.kill()
        await forwarding.wait()

    assert row["name"] == "DR-03"
    assert row["observed_at"].microsecond == 0
    assert row["battery_pct"] == 71
    assert row["lat"] == pytest.approx(34.4381)

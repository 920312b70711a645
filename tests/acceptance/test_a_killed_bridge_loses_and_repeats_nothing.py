"""Processes killed at any moment: nothing that another's broker has taken is lost, or stored twice.

The long form kills more often:
NABD_BRIDGE_KILLS=200 make test ARGS=tests/acceptance/test_a_killed_bridge_loses_and_repeats_nothing.py
"""

from __future__ import annotations

import asyncio
import os
import random
from functools import partial
from pathlib import Path

import pytest

from devices.registry.registration import NewDevice, add_devices
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from store.audit import PLATFORM
from tests import platform
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import foreign as foreign
from tests.integration.bridge.conftest import say
from tests.integration.bridge.test_kills import dated, numbers, undated
from tests.integration.ingest.conftest import KINDS
from tests.platform import Platform
from tests.waiting import eventually, now

KILLS = int(os.environ.get("NABD_BRIDGE_KILLS", "3"))
SEED = int(os.environ.get("NABD_BRIDGE_SEED", "1"))


async def _lives(running: Platform, name: str) -> bool:
    process = running.child(name).process
    return process is not None and process.returncode is None


@pytest.mark.timeout(60 + 20 * KILLS)
async def test_processes_killed_at_any_moment_lose_and_repeat_nothing(
    dsn: str, mosquitto: Mosquitto, foreign: Mosquitto, tmp_path: Path
) -> None:
    rng = random.Random(SEED)
    print(f"NABD_BRIDGE_SEED={SEED}")
    async with platform.running(dsn, mosquitto, tmp_path, processes=("ingest", "bridge")) as running:
        await platform.register(running)
        url = f"mqtt://{foreign.host}:{foreign.port}"
        new = NewSource(name="second", municipality="tripoli", format="nabd", url=url)
        await add_source(running.database, KINDS, new, ALL, now, by=PLATFORM)
        f1 = NewDevice(name="f1", kind="bin", municipality="tripoli", relays=("second",))
        await add_devices(running.database, KINDS, [f1], now, by=PLATFORM)

        async def connected() -> bool:
            return bool(await running.database.fetchval("SELECT bool_and(connected) FROM source_state"))

        await eventually(connected)
        sent = 0
        for kill in range(KILLS):
            await say(foreign, *dated(sent, 40), *undated(sent + 40, 10))
            sent += 50
            await asyncio.sleep(rng.uniform(0, 0.6))
            name = "ingest" if kill % 3 == 2 else "bridge"
            await eventually(partial(_lives, running, name))
            running.kill(name)
            await say(foreign, *dated(sent, 40), *undated(sent + 40, 10))
            sent += 50
            await asyncio.sleep(rng.uniform(0, 0.6))

        async def stored() -> bool:
            return len(await numbers(running.database)) >= sent

        await eventually(stored, within=60)
        assert await numbers(running.database) == list(range(sent))
        stored_in_all = await running.database.fetchval("SELECT sum(stored) FROM ledger WHERE rejected = 0")
        assert stored_in_all == sent

"""Killed between any two steps, by whoever: nothing that another's broker has taken is lost, or stored twice.

The long form kills more often: NABD_BRIDGE_KILLS=200 make test ARGS=tests/integration/bridge/test_kills.py
"""

from __future__ import annotations

import asyncio
import os
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from devices.registry.registration import NewDevice, add_devices
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from store.audit import PLATFORM
from tests import platform
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import bridging, register, say
from tests.integration.ingest.conftest import KINDS, Town
from tests.platform import Platform
from tests.waiting import eventually, now

KILLS = int(os.environ.get("NABD_BRIDGE_KILLS", "3"))
SEED = int(os.environ.get("NABD_BRIDGE_SEED", "1"))
TOPIC = "nabd/v1/tripoli/bin/f1/telemetry"


class Killed(Exception):
    """Stands for the end of a process."""


class Killer:
    """Ends a session at every third call of a step, a few times."""

    def __init__(self) -> None:
        self.step, self.calls, self.left = "", 0, 0

    def aim(self, step: str) -> None:
        self.step, self.calls, self.left = step, 0, 3

    def __call__(self, step: str) -> None:
        if step != self.step or not self.left:
            return
        self.calls += 1
        if self.calls % 3 == 0:
            self.left -= 1
            raise Killed


def dated(start: int, count: int) -> list[tuple[str, Any]]:
    at = now() // 1000
    return [(TOPIC, {"ts": at - start - i, "fill_pct": i % 100, "n": start + i}) for i in range(count)]


def undated(start: int, count: int) -> list[tuple[str, Any]]:
    return [(TOPIC, {"fill_pct": i % 100, "n": start + i}) for i in range(count)]


async def numbers(connection: Any) -> list[int]:
    """Return what tells the readings that are stored, in order."""
    return [
        row["n"]
        for row in await connection.fetch("SELECT (extra->>'n')::int AS n FROM bin_reading ORDER BY n")
    ]


async def test_a_session_that_ends_after_any_step_loses_and_repeats_nothing(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    killer, sent = Killer(), 0
    async with bridging(town, killer) as bridged:
        await bridged.add("second", foreign, "nabd")
        await register(town, "f1", "second")

        async def connected() -> bool:
            state = await bridged.state("second")
            return state is not None and state.connected

        await eventually(connected)
        for step in ("translated", "settled", "remembered", "acknowledged"):
            killer.aim(step)
            for _ in range(3):
                await say(foreign, *dated(sent, 15), *undated(sent + 15, 5))
                sent += 20
                await asyncio.sleep(0.1)

            async def stored(wanted: int = sent) -> bool:
                return len(await numbers(town.connection)) >= wanted

            await eventually(stored)
            assert killer.left < 3, f"nothing was killed after {step}"
        # What is heard again would be stored by now.
        await say(foreign, *dated(sent, 1))
        await eventually(lambda: _has(town.connection, sent))

    assert await numbers(town.connection) == list(range(sent + 1))


async def _lives(running: Platform, name: str) -> bool:
    process = running.child(name).process
    return process is not None and process.returncode is None


async def _has(connection: Any, number: int) -> bool:
    return number in await numbers(connection)


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

"""Everything at once, at random: ten seconds in the short form, a minute in the long one, ten by hand."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults import checker
from tests.faults.conftest import OwnServer
from tests.faults.plant import Plant, resident_mb, scaled
from tests.faults.proxy import Proxy
from tests.faults.publisher import Fleet
from tests.faults.test_database import TERMINATE

SECONDS = float(os.environ.get("NABD_FAULTS_SECONDS", scaled(10, 60)))


@dataclass(slots=True)
class Chaos:
    """Breaks one thing after the other; everything broken comes back."""

    plant: Plant
    own: OwnServer
    proxy: Proxy
    fleet: Fleet

    async def kill_ingest(self) -> None:
        self.plant.processes[-1].kill()

    async def freeze_ingest(self) -> None:
        pid = self.plant.processes[-1].pid
        if pid is not None and self.plant.processes[-1].is_alive():
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(self.fleet.random.uniform(0.2, 1.5))
            os.kill(pid, signal.SIGCONT)

    async def reset_network(self) -> None:
        self.proxy.reset()

    async def stall_network(self) -> None:
        self.proxy.stall()

    async def drop_devices(self) -> None:
        for speaker in self.fleet.speakers:
            speaker.drop()

    async def restart_broker(self) -> None:
        await asyncio.to_thread(self.plant.broker.restart)

    async def kill_broker(self) -> None:
        await asyncio.to_thread(self.plant.broker.kill)
        await asyncio.to_thread(self.plant.broker.start)

    async def end_sessions(self) -> None:
        await self.plant.fetchval(TERMINATE)

    async def crash_database(self) -> None:
        await asyncio.to_thread(self.own.server.stop_server, "immediate")
        await asyncio.to_thread(self.own.server.start)

    def all(self) -> list[Callable[[], Awaitable[None]]]:
        """Return every way to break something."""
        return [
            self.kill_ingest, self.freeze_ingest, self.reset_network, self.stall_network, self.drop_devices,
            self.restart_broker, self.kill_broker, self.end_sessions, self.crash_database,
        ]  # fmt: skip


async def test_nothing_is_lost_in_a_soak_of_every_fault(server_plant: Plant, own_server: OwnServer) -> None:
    plant = server_plant
    async with Proxy(plant.broker.port) as proxy, plant.fleet(receipts=True) as fleet:
        how: dict[str, Any] = {
            "port": proxy.port,
            "keep_alive_s": 2,
            "batch_messages": 100,
            "impatient": True,
        }
        plant.run(**how)
        await plant.owned()
        respawning = asyncio.create_task(_respawn(plant, {**how, "impatient": True}))
        talking = asyncio.create_task(fleet.talk(seconds=SECONDS, rate=300))
        chaos = Chaos(plant, own_server, proxy, fleet)
        happened: Counter[str] = Counter()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            await asyncio.sleep(fleet.random.uniform(0.1, 1.0))
            fault = fleet.random.choice(chaos.all())
            await fault()
            happened[getattr(fault, "__name__", "")] += 1
        await talking
        await fleet.answered()
        found = await plant.proof([fleet], within=120)
        respawning.cancel()
        pid = plant.processes[-1].pid
        assert pid is not None
        resident = resident_mb(pid)
    print(f"{dict(happened)}; resident {resident:.0f} MB")

    assert found.holds, checker.summary(found)
    assert resident < 300
    reasons = await plant.fetch("SELECT DISTINCT reason FROM rejection")
    assert [row["reason"] for row in reasons] == []


async def _respawn(plant: Plant, how: dict[str, Any]) -> None:
    """Start ingest again whenever it has ended."""
    while True:
        if not plant.processes[-1].is_alive():
            plant.run(**how)
        await asyncio.sleep(0.1)

"""Two ingests for one shard: one writes at a time, whoever loses the shard lets go of what it holds."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess

from tests.faults import checker
from tests.faults.plant import Plant, eventually, scaled

_END_OWNER = "SELECT pg_terminate_backend(pid) FROM nabd_holder WHERE name = 'shard main'"
_OWNER = "SELECT owner FROM shard WHERE name = 'main'"


async def test_one_writes_and_never_both_when_the_owner_loses_its_session_and_wakes_up_later(
    plant: Plant,
) -> None:
    """The owner freezes with messages in its hands, its session ends, the standby takes over; and back."""
    process = {name: plant.run(directory=plant.directory / name, batch_messages=50) for name in "ab"}
    await plant.owned()
    owners = [await plant.fetchval(_OWNER)]
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(5, 90), rate=400))
        while not talking.done():
            await asyncio.sleep(fleet.random.uniform(0.5, 1.0))
            pid = process[await _name_of_owner(plant, process)].pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            await plant.fetchval(_END_OWNER)

            async def taken_over(before: object = owners[-1]) -> bool:
                return bool(await plant.fetchval(_OWNER) != before)

            await eventually(taken_over, within=10)
            owners.append(await plant.fetchval(_OWNER))
            await asyncio.sleep(fleet.random.uniform(0.2, 1.0))
            os.kill(pid, signal.SIGCONT)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])
    print(f"the shard changed hands {len(owners) - 1} times")

    assert len(set(owners)) == 2
    assert all(p.is_alive() for p in process.values())
    assert found.holds, checker.summary(found)


async def _name_of_owner(plant: Plant, process: Mapping[str, ForkServerProcess]) -> str:
    """Tell by the logs who said last that it owns the shard."""

    def last(name: str) -> str:
        lines = (plant.directory / name / "ingest.log").read_text().splitlines()
        return max((json.loads(line)["timestamp"] for line in lines if '"owning"' in line), default="")

    return max(process, key=last)


async def test_an_owner_stops_writing_when_the_row_names_another(plant: Plant) -> None:
    plant.run(batch_messages=50)
    await plant.owned()
    fenced = 0
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(4, 60), rate=500))
        while not talking.done():
            await asyncio.sleep(fleet.random.uniform(0.3, 1.2))
            await plant.execute("UPDATE shard SET owner = gen_random_uuid() WHERE name = 'main'")
            fenced += 1
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])
    log = (plant.directory / "ingest" / "ingest.log").read_text()
    print(f"fenced {fenced} times")

    assert log.count("lost the shard") >= 1
    assert found.holds, checker.summary(found)


async def test_a_standby_takes_over_when_the_owner_is_killed(plant: Plant) -> None:
    owner = plant.run(directory=plant.directory / "one")
    await plant.owned()
    first = await plant.fetchval(_OWNER)
    plant.run(directory=plant.directory / "other")
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=2, rate=500))
        await asyncio.sleep(0.7)
        owner.kill()

        async def taken_over() -> bool:
            return bool(await plant.fetchval(_OWNER) != first)

        await eventually(taken_over, within=10)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)

"""Ingest killed, stopped, frozen: what was acknowledged is stored, once, with its alerts."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import pytest

from nabd.supervisor import Supervisor
from tests.faults import checker
from tests.faults.plant import LONG, Plant, eventually, scaled
from tests.faults.runner import STEPS

_TRANSITIONS = """
SELECT d.name, a.rule, t.from_state, t.to_state, t.severity, t.observed_at
FROM transition AS t
INNER JOIN alert AS a ON t.alert_id = a.id
INNER JOIN device AS d ON a.device_id = d.id
ORDER BY d.name, t.observed_at, a.rule, t.id
"""


_DOUBLED = """
SELECT count(*)
FROM (
    SELECT alert_id FROM transition
    GROUP BY alert_id, to_state, severity, observed_at
    HAVING count(*) > 1
) AS doubled
"""

TIMES_OF_DEATH = (1, 2, 3, 4) if LONG else (1, 2)
"""How often a process has done the step when it dies: with the first batch, and after good ones."""


async def transitions(plant: Plant) -> Sequence[tuple[Any, ...]]:
    """Return every transition, without what depends on when ingest ran."""
    rows = await plant.fetch(_TRANSITIONS)
    return [tuple(row) for row in rows]


async def test_nothing_is_lost_when_ingest_is_killed_at_random_moments(plant: Plant) -> None:
    kills = int(scaled(3, 25))
    async with Supervisor(plant.environment()) as supervisor, plant.fleet() as fleet:
        child = await plant.supervise(supervisor)
        talking = asyncio.create_task(fleet.talk(seconds=scaled(7, 300), rate=400))
        for _ in range(kills):
            await asyncio.sleep(fleet.random.uniform(0.3, scaled(1.5, 6)))
            assert child.process is not None
            child.process.kill()
            restarted = child.restarts

            async def again(before: int = restarted) -> bool:
                return child.restarts > before

            await eventually(again, within=45)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])
    print(f"killed {kills} times")

    assert found.holds, checker.summary(found)


@pytest.mark.parametrize("step", STEPS)
async def test_nothing_is_lost_or_doubled_when_ingest_dies_right_after_a_step(
    plant: Plant, step: str
) -> None:
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(1600)
        await fleet.answered()
    for time_of_death in TIMES_OF_DEATH:
        assert await plant.ended(plant.run(die_at=(step, time_of_death))) == -signal.SIGKILL

    found = await plant.outlive([fleet])

    assert found.holds, checker.summary(found)
    assert await plant.fetchval(_DOUBLED) == 0


async def test_transitions_are_the_same_with_a_kill_at_every_batch_as_without(
    plant: Plant, other_plant: Plant
) -> None:
    readings = int(scaled(800, 6000))
    await asyncio.gather(plant.subscribed(), other_plant.subscribed())
    other_plant.since = plant.since
    async with plant.fleet(connections=1) as fleet, other_plant.fleet(connections=1) as twin:
        fleet.say(readings)
        twin.say(readings)
        await fleet.answered()
        await twin.answered()
    await other_plant.outlive([twin])
    expected = await transitions(other_plant)

    kills = 0
    while await plant.fetchval("SELECT coalesce(sum(stored), 0) FROM ledger") < readings:
        # One that dies before its first acknowledgement would meet the same batch for ever.
        step = fleet.random.choice(STEPS)
        dies = ("acknowledged", 1) if kills % 2 else (step, 2)
        process = plant.run(die_at=dies, batch_messages=100)
        await plant.ended_or_stored(process, readings)
        kills += 1
    found = await plant.outlive([fleet])
    print(f"killed {kills} times; {len(expected)} transitions")

    assert found.holds, checker.summary(found)
    assert expected
    assert await transitions(plant) == expected


async def test_ingest_drains_and_ends_well_when_told_to_under_load(plant: Plant) -> None:
    async with plant.fleet() as fleet:
        async with Supervisor(plant.environment()) as supervisor:
            child = await plant.supervise(supervisor)
            talking = asyncio.create_task(fleet.talk(seconds=2.5, rate=800))
            await asyncio.sleep(1.2)
            process = child.process
            assert process is not None
            asked_at = time.monotonic()
            await supervisor.stop()
            took = time.monotonic() - asked_at
            assert process.returncode == 0
        await talking
        await fleet.answered()
    print(f"stopped within {took:.1f} s")
    assert took < 10

    found = await plant.outlive([fleet])
    assert found.holds, checker.summary(found)


async def test_a_standby_ends_as_quickly_when_told_to(plant: Plant) -> None:
    owner = plant.run()
    await plant.owned()
    standby = plant.run(directory=plant.directory / "standby")

    async def stands_by() -> bool:
        log = plant.directory / "standby" / "ingest.log"
        return log.exists() and "standing by" in log.read_text()

    await eventually(stands_by)
    asked_at = time.monotonic()
    assert await plant.end(standby) == 0
    took = time.monotonic() - asked_at
    assert took < 3
    assert owner.is_alive()


async def test_ingest_goes_on_after_it_was_frozen_for_longer_than_its_keep_alive(plant: Plant) -> None:
    process = plant.run(keep_alive_s=int(scaled(2, 30)))
    await plant.owned()
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(6, 70), rate=400))
        await asyncio.sleep(1)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)

        async def broker_gave_up() -> bool:
            return "exceeded timeout" in (plant.directory / "mosquitto.log").read_text()

        await eventually(broker_gave_up, within=scaled(20, 90))
        os.kill(process.pid, signal.SIGCONT)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])

    log = (plant.directory / "ingest" / "ingest.log").read_text()
    assert "session interrupted" in log
    assert found.holds, checker.summary(found)

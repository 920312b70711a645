"""Municipalities divided between two ingests: neither a kill nor a move loses anything."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from multiprocessing.context import ForkServerProcess

import pytest

from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from ingest.commit import division, shard
from nabd import dividing
from nabd.dividing import DivisionPlan, DrainFailed
from nabd.settings import Settings
from nabd.starting import message_source
from store.audit import PLATFORM
from store.pool import connect
from tests.faults import alerts, checker
from tests.faults.checker import KINDS
from tests.faults.plant import Plant, eventually, scaled
from tests.faults.publisher import KIND, Fleet
from tests.faults.runner import now

_ANOTHER = """
SELECT owner FROM shard WHERE name = $1 AND caught_up_at IS NOT NULL AND owner IS DISTINCT FROM $2
"""
_BY_SHARD = (
    "SELECT shard, sum(stored)::int AS stored, sum(duplicate)::int AS duplicate FROM ledger GROUP BY shard"
)

_NORTH_STORED = "SELECT sum(stored) > 0 FROM ledger WHERE shard = 'north'"


class DividedPlant:
    """Tripoli and Saida, and shard north beside main."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.client_ids: dict[str, str] = {}

    async def found(self) -> None:
        """Add Saida's bins, which main owns as it owns everything, and the shard."""
        connection = await connect(self.plant.dsn)
        try:
            await add_municipality(connection, NewMunicipality(name="saida"), now, by=PLATFORM)
            new = [NewDevice(name=f"s{i:03}", kind=KIND.name, municipality="saida") for i in range(20)]
            await add_devices(connection, KINDS, new, now, by=PLATFORM)
            await division.add_shard(connection, "north", now, by=PLATFORM)
            self.client_ids = {n: await shard.client_id(connection, n) for n in ("main", "north")}
        finally:
            await connection.close()

    def run(self, name: str, directory: str = "") -> ForkServerProcess:
        """Start an ingest of a shard."""
        return self.plant.run(
            shard=name, client_id=self.client_ids[name], directory=self.plant.directory / (directory or name)
        )

    async def owned(self, name: str, before: object = None) -> object:
        """Wait until another than before owns a shard and hears the broker; return who."""

        async def another() -> object:
            return await self.plant.fetchval(_ANOTHER, name, before)

        return await eventually(another, within=30)

    async def divide(self, *municipalities: str, to: str, within_s: float = 30.0) -> list[division.Move]:
        """Move municipalities as `nabd shard divide` does."""
        connection = await connect(self.plant.dsn)
        plan = DivisionPlan(
            municipalities=municipalities,
            to=to,
            source=lambda: message_source(Settings(broker=f"mqtt://127.0.0.1:{self.plant.broker.port}")),
            kinds=KINDS,
            now=now,
            within_s=within_s,
        )
        try:
            return await dividing.divide(connection, plan, print, by=PLATFORM)
        finally:
            await connection.close()

    def fleets(self) -> tuple[Fleet, Fleet]:
        """Return both towns' fleets."""
        saida = [f"s{i:03}" for i in range(20)]
        return (
            self.plant.fleet(),
            self.plant.fleet(devices=saida, name="saida", municipality="saida"),
        )

    async def compared(self, *fleets: Fleet) -> dict[str, tuple[int, int]]:
        """Hold what was said against the tables and the alerts; return stored and duplicate by shard."""
        lines = [line for fleet in fleets for line in fleet.lines()]
        await checker.at_rest(self.plant.dsn, len({(line.device, line.ts) for line in lines}))
        found = await checker.examine(
            self.plant.dsn, lines, [device for fleet in fleets for device in fleet.devices]
        )
        print(checker.summary(found))
        assert found.holds, checker.summary(found)
        # Whoever divides takes sessions by right.
        assert await self.plant.fetchval("SELECT sum(takeovers) FROM shard") == 0
        assert alerts.amiss(await alerts.stories(self.plant.dsn)) == []
        held = await alerts.held_by_readings(self.plant.dsn, KIND)
        assert await alerts.open_alerts(self.plant.dsn) == held
        return {row["shard"]: (row["stored"], row["duplicate"]) for row in await self.plant.fetch(_BY_SHARD)}


@pytest.fixture
async def divided(plant: Plant) -> DividedPlant:
    """Nothing ingests yet, and main owns both towns."""
    divided = DividedPlant(plant)
    await divided.found()
    return divided


async def test_two_ingests_hear_their_own_and_a_standby_takes_one_over(divided: DividedPlant) -> None:
    assert [m.name for m in await divided.divide("saida", to="north")] == ["saida"]
    assert await divided.divide("saida", to="north") == []
    divided.run("main")
    owner = divided.run("north", "north-a")
    await divided.owned("main")
    first = await divided.owned("north")
    divided.run("north", "north-b")
    tripoli, saida = divided.fleets()
    async with tripoli, saida:
        talking = asyncio.gather(*(fleet.talk(scaled(3, 30), 200) for fleet in (tripoli, saida)))
        await asyncio.sleep(1.0)
        owner.kill()
        await divided.owned("north", first)
        await talking
        await asyncio.gather(tripoli.answered(), saida.answered())
        by_shard = await divided.compared(tripoli, saida)

    assert by_shard["main"] == (len(tripoli.said), 0)
    assert by_shard["north"][0] == len(saida.said)


async def test_a_municipality_moves_while_it_talks_and_its_alerts_go_on(divided: DividedPlant) -> None:
    divided.run("main")
    divided.run("north")
    await divided.owned("main")
    await divided.owned("north")
    tripoli, saida = divided.fleets()
    async with tripoli, saida:
        talking = asyncio.gather(*(fleet.talk(90, 200) for fleet in (tripoli, saida)))
        await asyncio.sleep(scaled(2, 20))
        await divided.divide("saida", to="north")
        there = await divided.plant.fetchval("SELECT batch FROM shard WHERE name = 'north'")
        await eventually(lambda: divided.plant.fetchval(_NORTH_STORED))
        await asyncio.sleep(scaled(1, 20))
        await divided.divide("saida", to="main")
        await asyncio.sleep(scaled(1, 20))
        talking.cancel()
        with suppress(asyncio.CancelledError):
            await talking
        await asyncio.gather(tripoli.answered(), saida.answered())
        by_shard = await divided.compared(tripoli, saida)

    print(f"by shard, stored and duplicate: {by_shard}; north began at batch {there}")
    assert by_shard["north"][0] > 0
    assert by_shard["main"][0] > len(tripoli.said)


async def test_a_move_that_cannot_end_keeps_everything_and_goes_on_when_it_is_said_again(
    divided: DividedPlant,
) -> None:
    process = divided.run("main")
    await divided.owned("main")
    tripoli, saida = divided.fleets()
    async with tripoli, saida:
        saida.say(200)
        await saida.answered()
        await divided.plant.end(process)
        divided.run("north")
        saida.say(200)
        await saida.answered()
        with pytest.raises(DrainFailed, match="NABD_SHARD=main, then say the same again"):
            await divided.divide("saida", to="north", within_s=1.0)
        saida.say(200)
        await saida.answered()
        assert await divided.plant.fetchval("SELECT count(*) FROM ledger WHERE shard = 'north'") == 0

        divided.run("main", "main-again")
        assert [m.begun for m in await divided.divide("saida", to="north")] == [True]
        by_shard = await divided.compared(tripoli, saida)

    # Main's session had not dropped the town while no ingest was there: what came then went to both.
    assert sum(stored for stored, _ in by_shard.values()) == 600

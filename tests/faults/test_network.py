"""A bad network between broker and ingest: progress, no loss, and no descriptors left behind."""

from __future__ import annotations

import asyncio

from tests.faults import checker
from tests.faults.plant import Plant, descriptors, eventually, scaled
from tests.faults.proxy import Proxy


async def test_ingest_progresses_when_the_network_is_slow_and_chopped(plant: Plant) -> None:
    async with Proxy(plant.broker.port) as proxy:
        proxy.network.chop = 7
        plant.run(port=proxy.port)
        await plant.owned()
        async with plant.fleet() as fleet:
            fleet.say(int(scaled(1000, 20_000)))
            await fleet.answered()
            proxy.network.chop, proxy.network.bytes_per_s = 1400, 60_000
            fleet.say(int(scaled(1000, 20_000)))
            await fleet.answered()
            found = await plant.proof([fleet])
        proxy.network.bytes_per_s = 0

    assert found.holds, checker.summary(found)


async def test_nothing_is_lost_and_no_descriptor_stays_open_when_connections_are_reset(plant: Plant) -> None:
    async with Proxy(plant.broker.port) as proxy:
        process = plant.run(port=proxy.port, batch_messages=100)
        await plant.owned()
        assert process.pid is not None
        before = descriptors(process.pid)
        async with plant.fleet() as fleet:
            talking = asyncio.create_task(fleet.talk(seconds=scaled(4, 90), rate=500))
            resets = 0
            while not talking.done():
                await asyncio.sleep(fleet.random.uniform(0.05, 1.0))
                proxy.reset()
                resets += 1
            await talking
            await fleet.answered()
            found = await plant.proof([fleet])
        after = descriptors(process.pid)
    print(f"{resets} resets, {proxy.accepted} connections, descriptors {before} -> {after}")

    assert proxy.accepted > 3
    assert found.holds, checker.summary(found)
    assert after <= before + 1


async def test_ingest_leaves_a_connection_that_is_half_open(plant: Plant) -> None:
    async with Proxy(plant.broker.port) as proxy:
        process = plant.run(port=proxy.port, keep_alive_s=2)
        await plant.owned()
        assert process.pid is not None
        before = descriptors(process.pid)
        async with plant.fleet() as fleet:
            talking = asyncio.create_task(fleet.talk(seconds=scaled(5, 60), rate=400))
            for _ in range(int(scaled(1, 8))):
                await asyncio.sleep(1)
                accepted = proxy.accepted
                proxy.stall()

                async def connected_again(since: int = accepted) -> bool:
                    return proxy.accepted > since

                await eventually(connected_again, within=10)
            await talking
            await fleet.answered()
            found = await plant.proof([fleet])
        after = descriptors(process.pid)

    assert "has not answered for" in (plant.directory / "ingest" / "ingest.log").read_text()
    assert found.holds, checker.summary(found)
    assert after <= before + 1


async def test_devices_recover_when_the_network_between_them_and_the_broker_is_bad(plant: Plant) -> None:
    plant.run()
    await plant.owned()
    async with Proxy(plant.broker.port) as proxy, plant.fleet(port=proxy.port, receipts=True) as fleet:
        proxy.network.chop = 50
        for _ in range(3):  # chance decides whether a reset comes between a commit and its answer
            talking = asyncio.create_task(fleet.talk(seconds=scaled(4, 60), rate=300))
            while not talking.done():
                await asyncio.sleep(fleet.random.uniform(0.1, 0.8))
                proxy.reset()
            await talking
            await fleet.answered()
            duplicates = await plant.fetchval("SELECT sum(duplicate) FROM ledger")
            if duplicates:
                break
        found = await plant.proof([fleet])
    print(f"{fleet.connections} connections, {duplicates} duplicates")

    assert duplicates > 0
    assert found.holds, checker.summary(found)

"""The broker stopped and killed: nothing is lost that it kept, and nothing at all where receipts are used."""

from __future__ import annotations

import asyncio

from tests.faults import checker
from tests.faults.plant import Plant, scaled


async def test_nothing_is_lost_when_the_broker_is_stopped_under_load(plant: Plant) -> None:
    plant.run()
    await plant.owned()
    async with plant.fleet() as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(4, 60), rate=600))
        for _ in range(int(scaled(2, 12))):
            await asyncio.sleep(fleet.random.uniform(0.8, scaled(1.6, 5)))
            await asyncio.to_thread(plant.broker.restart)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)


async def test_devices_with_receipts_lose_nothing_when_the_broker_is_killed(plant: Plant) -> None:
    plant.run()
    await plant.owned()
    receipting, plain = plant.devices[::2], plant.devices[1::2]
    async with (
        plant.fleet(devices=receipting, receipts=True, name="receipts") as careful,
        plant.fleet(devices=plain, name="plain") as others,
    ):
        talking = asyncio.gather(
            careful.talk(seconds=scaled(5, 60), rate=300), others.talk(seconds=scaled(5, 60), rate=300)
        )
        for _ in range(int(scaled(2, 12))):
            await asyncio.sleep(careful.random.uniform(1.0, scaled(2.0, 5)))
            await asyncio.to_thread(plant.broker.kill)
            await asyncio.to_thread(plant.broker.start)
        await talking
        await careful.answered()
        await others.answered()
        found = await plant.proof([careful, others], complete=False)
    lost = [text for text in found.lost if text.split(" ", 1)[0] in set(receipting)]
    print(f"devices without receipts lost {len(found.lost) - len(lost)} of {len(others.said)}")

    assert not lost
    assert checker.wrong(found) <= {"lost"}


async def test_devices_with_receipts_lose_nothing_when_the_broker_forgets_everything(plant: Plant) -> None:
    plant.run(batch_messages=50)
    await plant.owned()
    async with plant.fleet(receipts=True) as fleet:
        talking = asyncio.create_task(fleet.talk(seconds=scaled(4, 60), rate=500))
        for _ in range(int(scaled(2, 12))):
            await asyncio.sleep(fleet.random.uniform(0.8, scaled(1.6, 5)))
            await asyncio.to_thread(plant.forgetful_broker)
        await talking
        await fleet.answered()
        found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)

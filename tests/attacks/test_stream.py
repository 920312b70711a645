"""A stream of hostile messages while ingest is killed: every good reading is stored once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from readings import ledger
from store.pool import connect
from tests.attacks.conftest import LONG, SEED
from tests.attacks.messages import Hostile
from tests.brokers import Mosquitto
from tests.faults import checker
from tests.faults.plant import Plant, eventually
from tests.faults.publisher import Fleet, Said

pytestmark = pytest.mark.attack("hostile messages, and ingest killed among them")

MESSAGES = 20_000 if LONG else 1_500
KILLS = 5 if LONG else 2
LIVES_S = (0.1, 3.0) if LONG else (0.1, 0.5)
"""How long ingest works before it is killed, at least and at most."""
GOOD_EVERY = 3
"""One good reading for so many hostile messages."""
PACE = 2_000 if LONG else 500
"""Messages between two waits for the broker."""
OWNER = "SELECT owner FROM shard"


@pytest.fixture
async def plant(dsn: str, mosquitto: Mosquitto, tmp_path: Path) -> AsyncIterator[Plant]:
    """Forty bins and a broker that keeps what comes; nothing ingests yet."""
    plant = Plant(dsn=dsn, broker=mosquitto, directory=tmp_path, seed=SEED)
    await plant.found()
    yield plant
    plant.close()


async def ledger_of(plant: Plant) -> ledger.Totals:
    """Return the sums of the ledger."""
    connection = await connect(plant.dsn)
    try:
        return await ledger.total(connection)
    finally:
        await connection.close()


async def speak(good: Fleet, bad: Fleet, hostile: Hostile) -> None:
    """Send all of it, both fleets at once; some strangers hang up in the middle of a packet."""
    for number in range(0, MESSAGES, PACE):
        for n in range(number, min(number + PACE, MESSAGES)):
            bad.push(hostile.message(), n)
        good.say(PACE // GOOD_EVERY)
        for speaker in bad.speakers:
            speaker.pump()
        await rude(bad.speakers[0].port)
        await asyncio.gather(good.answered(300), bad.answered(300))


async def rude(port: int) -> None:
    """Open connections that speak no MQTT, or half a packet of it."""
    for words in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\xff\xff\xff\x7f",
        b"\x10\x10\x00\x04MQTT",
        b"\x00" * 5_000,
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(words)
        writer.close()


async def kill(plant: Plant, kills: int, pause_s: Callable[[], float]) -> None:
    """Kill ingest so many times (-9), each time after it has owned the shard for a while."""
    for number in range(kills):
        before = await plant.fetchval(OWNER)
        process = plant.run(directory=plant.directory / f"ingest-{number}")

        async def owns(before: object = before) -> bool:
            return bool(await plant.fetchval(OWNER) != before)

        await eventually(owns, within=60)
        await asyncio.sleep(pause_s())
        process.kill()
        await plant.ended(process)


@pytest.mark.timeout(1800 if LONG else 120)
async def test_every_good_reading_is_stored_once_among_hostile_messages(
    plant: Plant, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    await plant.subscribed()
    async with plant.fleet() as good, plant.fleet(name="hostile", devices=["none"]) as bad:

        def taken() -> list[Said]:
            return good.said[-400:-200] if all(s.idle for s in good.speakers) else []

        hostile = Hostile(SEED, plant.devices, taken)
        killing = asyncio.create_task(
            kill(plant, KILLS, lambda: good.random.uniform(0.1, 2.0 if LONG else 0.5))
        )
        await speak(good, bad, hostile)
        await killing
        plant.run(directory=plant.directory / "last", compiled=True)
        await checker.at_rest(plant.dsn, within=600)
        found = await checker.examine(plant.dsn, good.lines(), plant.devices)
    totals = await ledger_of(plant)
    print(
        f"NABD_ATTACKS_SEED={SEED}: {MESSAGES} hostile messages, {KILLS} kills in"
        f" {time.monotonic() - started:.0f} s; {totals.received} received = {totals.stored} stored"
        f" + {totals.duplicate} duplicate + {totals.rejected} rejected; {checker.summary(found)}"
    )
    record_property("lost", len(found.lost))
    record_property("doubled", len(found.duplicated))

    assert found.holds, checker.summary(found)
    assert totals.balanced
    assert totals.received > MESSAGES
    assert totals.rejected > MESSAGES / 4

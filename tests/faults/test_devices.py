"""Devices at their worst: all at once, with wrong clocks, with messages that nothing can be done with."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults import checker
from tests.faults.plant import Plant, scaled
from tests.faults.publisher import SECOND, Said, make
from tests.faults.runner import now

HOUR = 3600 * SECOND
YEAR = 365 * 24 * HOUR


async def test_nothing_is_lost_when_all_devices_reconnect_at_once(plant: Plant) -> None:
    plant.run()
    await plant.owned()
    connections = int(scaled(400, 2000))
    async with plant.fleet(connections=connections, receipts=False) as fleet:
        fleet.say(connections)
        await fleet.answered()
        for _ in range(int(scaled(1, 5))):
            fleet.say(connections)
            for speaker in fleet.speakers:
                speaker.drop()
            fleet.say(connections)
            await asyncio.to_thread(plant.broker.restart)
            fleet.say(connections)
            await fleet.answered()
        found = await plant.proof([fleet])
    print(f"{connections} devices, {fleet.connections} connections")

    assert fleet.connections > 1.5 * connections
    assert found.holds, checker.summary(found)


async def test_only_the_poison_is_rejected_in_a_full_batch(plant: Plant) -> None:
    """The database refuses one reading by a constraint, and one in a way that nobody can name."""
    await plant.execute("ALTER TABLE bin_reading ADD CONSTRAINT poison CHECK (fill_pct <> 66.66)")
    await plant.execute(
        "CREATE FUNCTION explode() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF new.battery_v = 1.11 THEN RAISE EXCEPTION 'boom'; END IF; RETURN new; END $$"
    )
    await plant.execute(
        "CREATE TRIGGER explode BEFORE INSERT ON bin_reading FOR EACH ROW EXECUTE FUNCTION explode()"
    )
    await plant.subscribed()
    at = now() // SECOND * SECOND - HOUR
    bad = [
        make(plant.devices[1], at, {"fill_pct": 66.66}, boot=9, seq=1),
        make(plant.devices[2], at, {"battery_v": 1.11}, boot=9, seq=1),
    ]
    async with plant.fleet(connections=1) as fleet:
        fleet.say(300)
        for said in bad:
            said.bad = "refused by the database"
            fleet.push(said)
        fleet.say(298)
        await fleet.answered()
    plant.run(batch_messages=1000)
    good = [said.line() for said in fleet.said if said.bad is None]
    await checker.at_rest(plant.dsn, len(good))
    await checker.at_rest(plant.dsn)
    found = await checker.examine(plant.dsn, good, plant.devices)

    assert found.holds, checker.summary(found)
    rows = await plant.fetch("SELECT device, reason FROM rejection ORDER BY device")
    assert [tuple(row) for row in rows] == [(bad[0].device, "bad_value"), (bad[1].device, "internal")]
    log = (plant.directory / "ingest" / "ingest.log").read_text()
    assert max(map(len, log.splitlines())) < 20_000


def wrong_clocks(devices: list[str]) -> list[Said]:
    """Readings of clocks that run ahead by six minutes, hours, years and millennia."""
    ahead = [6 * 60 * SECOND, 3 * HOUR, 13 * HOUR, YEAR, 50 * YEAR, 400 * YEAR, 3000 * YEAR]
    at = now() // 1000 * 1000
    return [
        make(
            device, at - 10 * SECOND + i * 777_000, {"fill_pct": 10.0 + i, "battery_v": 3.0 + n / 100},
            boot=1, seq=i, clock="ahead", ahead=ahead[n % len(ahead)] + n * 1_234_000,
        )
        for i in range(10)
        for n, device in enumerate(devices[: 2 * len(ahead)])
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["committed", "acknowledged"])
async def test_a_reading_under_a_wrong_clock_is_stored_once_however_often_it_is_said(
    plant: Plant, step: str
) -> None:
    await plant.subscribed()
    said = wrong_clocks(plant.devices)
    async with plant.fleet(connections=1) as fleet:
        for one in said:
            fleet.push(one)
        fleet.speakers[0].pump()
        await fleet.answered()
        process = plant.run(die_at=(step, 1), batch_messages=70)
        assert await plant.ended(process) == -9
        process = plant.run(die_at=(step, 2), batch_messages=35)
        await plant.ended_or_stored(process, len(said))
        # And by the devices, which have heard nothing of it; to an ingest that has forgotten everything.
        for one in said:
            fleet.speakers[0].queue.append(one)
        fleet.speakers[0].pump()
        await fleet.answered()
        plant.run()
        await checker.at_rest(plant.dsn, len(said))
        found = await plant.proof([fleet], complete=False)

    assert found.holds, checker.summary(found)
    newest = await plant.fetchval("SELECT extract(epoch FROM max(observed_at))::bigint FROM bin_reading")
    assert newest * SECOND <= now()
    future = "SELECT count(*) FROM bin_reading_other"
    assert await plant.fetchval(future) == 0


async def test_a_device_without_a_clock_is_heard(plant: Plant) -> None:
    plant.run()
    await plant.owned()
    readings = [
        make(device, 30 * SECOND + i * SECOND, {"fill_pct": 5.0 + i, "battery_v": 3 + n / 100}, clock="unset")
        for i in range(20)
        for n, device in enumerate(plant.devices[:10])
    ]
    async with plant.fleet(connections=1) as fleet:
        for said in readings:
            fleet.push(said)
        fleet.speakers[0].pump()
        await fleet.answered()
        found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)
    assert await plant.fetchval("SELECT sum(undated) FROM ledger") == len(readings)

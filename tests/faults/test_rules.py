"""Rules under faults: a broken one costs no reading, an alert opens once, and our outage is no silence."""

from __future__ import annotations

import asyncio

from devices.kinds.kind import INTERVAL
from nabd.clock import ScaledClock, wall
from nabd.supervisor import Supervisor
from rules.sweeps.leader import sweep_once
from store.pool import connect
from tests.faults import checker
from tests.faults.checker import KINDS
from tests.faults.plant import Plant, eventually, scaled
from tests.faults.publisher import SECOND, make
from tests.faults.runner import now

_OPEN = """
INSERT INTO alert (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary, evidence)
SELECT 'bin-overflow', r.version, d.id, 'firing', 'warning', now(), now(), '{}', '{}'
FROM rule AS r, device AS d
WHERE r.id = 'bin-overflow' AND r.active AND d.name = ANY($1)
"""
_SILENT = """
SELECT DISTINCT d.name
FROM alert AS a
INNER JOIN device AS d ON a.device_id = d.id
WHERE a.rule = 'silent'
"""


async def test_a_rule_that_raises_costs_no_reading_and_is_marked_broken(plant: Plant) -> None:
    await plant.execute(
        "CREATE FUNCTION explode() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no such alerts here'; END $$"
    )
    await plant.execute(
        "CREATE TRIGGER explode BEFORE INSERT ON alert FOR EACH ROW"
        " WHEN (new.rule = 'bin-overflow') EXECUTE FUNCTION explode()"
    )
    plant.run()
    await plant.owned()
    async with plant.fleet() as fleet:
        fleet.say(1200)
        await fleet.answered()
        found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)
    broken = await plant.fetch("SELECT id FROM rule WHERE broken_at IS NOT NULL")
    assert [row["id"] for row in broken] == ["bin-overflow"]
    assert await plant.fetchval("SELECT sum(rejected) FROM ledger") == 0


async def test_an_alert_opens_once_when_two_race_for_it(plant: Plant) -> None:
    """Somebody else has opened the alerts of half the bins, and commits while ingest is at the same rows."""
    await plant.subscribed()
    async with plant.fleet() as fleet:
        for n, device in enumerate(plant.devices):
            for i in range(4):
                at = plant.since + i * 600 * SECOND
                fleet.push(make(device, at, {"fill_pct": 90.0, "battery_v": 3.6}, boot=1, seq=i), n)
        for speaker in fleet.speakers:
            speaker.pump()
        await fleet.answered()
    rival = await connect(plant.dsn)
    try:
        racing = rival.transaction()
        await racing.start()
        await rival.execute(_OPEN, plant.devices[::2])
        plant.run()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"

        async def ingest_waits() -> bool:
            return bool(await plant.fetchval(waiting))

        await eventually(ingest_waits)
        await racing.commit()
    finally:
        await rival.close()
    found = await plant.proof([fleet])

    assert found.holds, checker.summary(found)
    each = await plant.fetchval("SELECT count(*) FROM alert WHERE rule = 'bin-overflow'")
    assert each == len(plant.devices)
    assert await plant.fetchval("SELECT count(*) FROM rule WHERE broken_at IS NOT NULL") == 0


async def test_an_outage_of_ours_makes_no_device_silent_that_kept_publishing(plant: Plant) -> None:
    """A minute passes in a second. Devices speak twice in it, are missed after 4.5, and we are away for 6."""
    time = ScaledClock(wall(), now(), 60.0)
    await plant.execute("UPDATE device SET attributes = jsonb_build_object($1::text, 90)", INTERVAL)
    lazy, *busy = plant.devices
    environment = plant.environment(NABD_CLOCK=str(time))

    async def sweep() -> None:
        connection = await connect(plant.dsn)
        try:
            while True:
                # Two seconds without a sign of life of ingest are two minutes here: less than a device has.
                await sweep_once(connection, KINDS, time(), alive_within_s=120)
                await asyncio.sleep(0.5)
        finally:
            await connection.close()

    async with plant.fleet(connections=2) as fleet:
        sweeping = asyncio.create_task(sweep())

        async def publish() -> None:
            seq = 0
            while True:
                for n, device in enumerate(busy if seq else plant.devices):
                    values = {"fill_pct": 20.0, "battery_v": 3.6, "rssi_dbm": -90.0 + seq % 3}
                    fleet.push(make(device, time(), values, boot=1, seq=seq), n)
                for speaker in fleet.speakers:
                    speaker.pump()
                seq += 1
                await asyncio.sleep(0.5)

        publishing = asyncio.create_task(publish())
        for _ in range(int(scaled(1, 5))):
            async with Supervisor(environment) as supervisor:
                await plant.supervise(supervisor)
                await asyncio.sleep(1)
            await asyncio.sleep(scaled(6, 60))
        async with Supervisor(environment) as supervisor:
            await plant.supervise(supervisor)

            async def the_lazy_one_is_missed() -> bool:
                return lazy in {row["name"] for row in await plant.fetch(_SILENT)}

            await eventually(the_lazy_one_is_missed, within=40)
            publishing.cancel()
            sweeping.cancel()
            await asyncio.gather(publishing, sweeping, return_exceptions=True)
            found = {row["name"] for row in await plant.fetch(_SILENT)}

    assert found == {lazy}

"""Two million readings of one device within seconds: it is cut, and its neighbours do not wait for it."""

from __future__ import annotations

import statistics

from ingest.decide.quotas import FEWEST_READINGS
from tests.faults.limits.flood import ROWS, Flood, send
from tests.faults.plant import Plant, scaled
from tests.faults.publisher import SECOND, Fleet
from tests.faults.runner import beside

DELAY_S = 2.0
"""What a neighbour may wait for its receipt."""


async def test_a_flood_of_one_delays_nobody_else_and_is_counted(plant: Plant) -> None:
    plant.run(batch_messages=20_000, receive_maximum=40_000, directory=plant.directory / "ingest")
    await plant.owned()
    flooding, *honest = plant.devices
    messages = 2_000
    flood = Flood(
        port=plant.broker.port,
        device=flooding,
        messages=messages,
        seconds=10,
        since_ms=plant.since // 1000,
    )
    async with plant.fleet(devices=honest, receipts=True) as fleet:
        await fleet.talk(seconds=scaled(2, 10), rate=100)
        before = len(fleet.said)
        sending = beside(send, flood)
        while sending.is_alive():
            await fleet.talk(seconds=0.5, rate=100)
        assert sending.exitcode == 0
        await fleet.answered()
        found = await plant.proof([fleet], complete=False)
        print("before:", _delays(fleet, 0, before), "during:", _delays(fleet, before, len(fleet.said)))

    kept = await plant.fetchval(
        "SELECT count(*) FROM rejection WHERE device = $1 AND reason = 'quota'", flooding
    )
    counted = await plant.fetchval(
        "SELECT sum(readings) FROM ledger_device WHERE device = $1 AND outcome = 'quota'", flooding
    )
    others = await plant.fetchval("SELECT count(*) FROM ledger_device WHERE device <> $1", flooding)
    stored = await plant.fetchval(
        "SELECT count(*) FROM bin_reading WHERE device_id = (SELECT id FROM device WHERE name = $1)",
        flooding,
    )
    print(
        f"of {messages * ROWS:,} readings {stored:,} were stored, {counted:,} messages refused, {kept} kept"
    )
    assert not found.lost
    assert not found.duplicated
    assert max(_waits(fleet, before, len(fleet.said))) < DELAY_S
    assert FEWEST_READINGS <= stored <= FEWEST_READINGS + 2 * ROWS
    assert counted == messages - stored // ROWS
    assert 0 < kept <= 100
    assert others == 0


def _waits(fleet: Fleet, start: int, end: int) -> list[float]:
    return [(said.settled_at - said.published_at) / SECOND for said in fleet.said[start:end]]


def _delays(fleet: Fleet, start: int, end: int) -> str:
    waits = _waits(fleet, start, end)
    p99 = statistics.quantiles(waits, n=100)[98]
    return (
        f"p50 {statistics.median(waits) * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, most {max(waits) * 1e3:.0f} ms"
    )

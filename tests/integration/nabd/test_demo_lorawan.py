"""The demo's devices of other vendors, where nobody hears them yet."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from firmware_sim.link import SimulatorBroker
from nabd.demo import lorawan, proof, simulated
from nabd.demo.lorawan import TownNetwork
from store.pool import connect
from tests.unit.firmware_sim.build import KINDS, small_town
from tests.waiting import now

TOWN = small_town(bins=2, lights=2, drones=0, others=0)


async def test_foreign_devices_say_nothing_where_nobody_hears_them(dsn: str, tmp_path: Path) -> None:
    connection = await connect(dsn)
    try:
        await simulated.register(connection, KINDS, TOWN, now)
        devices = lorawan.devices_of(TOWN, 1.0)
        await lorawan.register(connection, KINDS, TOWN, devices, now)
    finally:
        await connection.close()
    city = TownNetwork(
        town=TOWN,
        devices=devices,
        declared=KINDS,
        broker=SimulatorBroker(host="127.0.0.1", port=9),
        now=now,
        connect=partial(connect, dsn),
        log=tmp_path / "lorawan.jsonl",
    )
    stop = asyncio.Event()
    speaking = asyncio.create_task(city.run(stop))
    await asyncio.to_thread(lambda: None)

    stop.set()
    await speaking

    assert (city.sent, proof.read_log(city.log)) == (0, [])

"""The demo's devices of other vendors are heard by the bridge, and all is accounted for."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from devices import profiles
from devices.registry.registry import list_devices
from firmware_sim.link import SimulatorBroker
from nabd.demo import lorawan, proof, simulated
from nabd.demo.lorawan import TownNetwork
from readings import proposals, quarantine
from store.pool import connect
from tests import platform
from tests.brokers import Mosquitto
from tests.unit.firmware_sim.build import KINDS, small_town
from tests.waiting import eventually, now

TOWN = small_town(bins=2, lights=2, drones=0, others=0)


@pytest.mark.timeout(120)
async def test_foreign_devices_of_the_demo_are_on_the_map_and_nothing_they_say_is_lost_or_stored_twice(
    dsn: str, mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lorawan, "EVERY_S", 1.0)
    async with platform.running(dsn, mosquitto, tmp_path, processes=("ingest", "bridge")) as running:
        await simulated.register(running.database, KINDS, TOWN, now, newcomers=1)
        devices = lorawan.devices_of(TOWN, 1.0)
        await lorawan.register(running.database, KINDS, TOWN, devices, now)
        city = TownNetwork(
            town=TOWN,
            devices=devices,
            declared=KINDS,
            broker=SimulatorBroker(host=mosquitto.host, port=mosquitto.port),
            now=now,
            connect=partial(connect, dsn),
            log=tmp_path / "lorawan.jsonl",
        )
        stop = asyncio.Event()
        speaking = asyncio.create_task(city.run(stop))

        async def said() -> bool:
            return city.sent >= 18 and city.copies >= 2 and city.strange >= 2

        await eventually(said, within=60)
        stop.set()
        await speaking

        async def found() -> proof.Proof:
            rows = await proof.stored_rows(running.database, KINDS, city.names, lambda at: at)
            return proof.compare(proof.read_log(city.log), rows)

        async def stored() -> bool:
            return not (await found()).lost

        await eventually(stored, within=30)
        whole = await found()
        assert whole.holds, whole
        assert whole.stored == whole.acknowledged == city.sent
        registered = [one for one in await list_devices(running.database) if one.name in city.names]
        assert len(registered) == 6
        assert [one.name for one in registered if one.district is None or one.lat is None] == []
        (stranger,) = await quarantine.unknown_devices(running.database)
        assert (stranger.device, stranger.gateway) == (devices[-1].city.eui, "chirpstack")
        (proposal,) = await proposals.proposals(
            running.database, KINDS, profiles.load(KINDS), [stranger], now
        )
        assert proposal.recognised is not None
        assert (proposal.recognised.kind, proposal.recognised.profile) == ("bin", "milesight-em310-udl")

        async def recognised() -> bool:
            copies = await running.database.fetchval("SELECT copies FROM source_state")
            return bool(copies == city.copies)

        await eventually(recognised)

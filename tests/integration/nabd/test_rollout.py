"""Rollouts to simulated devices: real broker, real server, real ingest; the small form of 500 devices.

NABD_TEST_ROLLOUT_DEVICES=500 is the long form.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.app import create_app
from devices.credentials.issuing import rotate_passwords
from devices.firmware import advance, rollouts, steering
from devices.firmware.image import facts_of, public_of, sign
from devices.firmware.image_files import ImageDirectory
from devices.firmware.images import add_image
from devices.firmware.rollout import RolloutState
from devices.firmware.rollouts import NewRollout, Rollout
from devices.kinds import load
from firmware_sim.fleet import Fleet
from firmware_sim.link import SimulatorBroker
from firmware_sim.town import Town, make_town
from firmware_sim.updating import UNFIT, Downloads
from ingest import service
from ingest.broker.session import IngestBroker
from nabd.broker.address import BrokerAddress
from nabd.commanding import follower
from nabd.demo import simulated
from store.audit import PLATFORM
from store.connection import Connection
from store.pool import connect
from tests.brokers import Mosquitto
from tests.parts import need_mosquitto
from tests.serving import serving
from tests.waiting import eventually

KINDS = load()
DEVICES = int(os.environ.get("NABD_TEST_ROLLOUT_DEVICES", "60"))
STAGES = (1, 10, 100) if DEVICES >= 500 else (5, 20, 100)
FIRST = -(-STAGES[0] * DEVICES // 100)
KEY = Ed25519PrivateKey.generate()


def now() -> int:
    return time.time_ns() // 1_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker."""
    need_mosquitto()
    with Mosquitto(tmp_path) as broker:
        yield broker


class Lamps:
    """A town of lamps under way with all that a rollout needs; `harm`: devices that raise alerts."""

    def __init__(self, connection: asyncpg.Connection, files: ImageDirectory, town: Town) -> None:
        self.connection = connection
        self.files = files
        self.town = town
        self.harm: set[int] = set()

    async def add(self, version: str, content: bytes, **changes: str) -> None:
        facts = facts_of(content, "light", version)
        self.files.write(facts.sha256, content)
        signed = {"signature": sign(facts, KEY), "public_key": public_of(KEY)}
        await add_image(self.connection, KINDS, facts, **signed, note="", now=now, by=PLATFORM)
        if changes:
            await self.connection.execute(
                "UPDATE firmware_image SET signature = $2 WHERE sha256 = $1",
                facts.sha256,
                changes["signature"],
            )

    async def roll_out(self, version: str) -> int:
        new = NewRollout(kind="light", version=version, stages=STAGES, watch_s=0)
        return (await rollouts.start(self.connection, new, now, by=PLATFORM)).id

    async def until(self, number: int, state: RolloutState) -> Rollout:
        async def stands() -> bool:
            return (await rollouts.get_rollout(self.connection, number)).state is state

        await eventually(stands, within=60 + DEVICES / 2)
        return await rollouts.get_rollout(self.connection, number)

    async def firmware(self) -> dict[str, int]:
        rows = await self.connection.fetch(
            "SELECT firmware, count(*) AS number FROM device_config GROUP BY firmware"
        )
        return {row["firmware"]: row["number"] for row in rows}


def obedient(town: Town) -> Town:
    """Return a town in which no lamp is locked by its keeper."""
    return replace(
        town, devices=tuple(replace(d, electronics=replace(d.electronics, obeys=True)) for d in town.devices)
    )


@asynccontextmanager
async def tasks(*coroutines: Any) -> AsyncIterator[None]:
    running = [asyncio.create_task(one) for one in coroutines]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def ending(stop: asyncio.Event, *coroutines: Any) -> AsyncIterator[None]:
    running = [asyncio.create_task(one) for one in coroutines]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


@pytest.fixture
async def lamps(
    dsn: str, pool: asyncpg.Pool, connection: asyncpg.Connection, broker: Mosquitto, tmp_path: Path
) -> AsyncIterator[Lamps]:
    """Lamps that report, and can be updated."""
    town = obedient(
        make_town(3, KINDS, municipality="tripoli", bins=0, lights=DEVICES, drones=0, interval_cap_s=60.0)
    )
    await simulated.register(connection, KINDS, town, now)
    names = [device.name for device in town.devices if device.kind == "light"]
    issued = await rotate_passwords(
        connection, KINDS, names, now=now, by=PLATFORM, random=secrets.token_bytes
    )
    made = Lamps(connection, ImageDirectory(tmp_path / "firmware"), town)
    app = create_app(
        pool=pool,
        kinds=KINDS,
        now=now,
        beyond_loopback=False,
        firmware_dir=made.files.root,
    )
    options = service.IngestOptions(
        broker=IngestBroker(host=broker.host, port=broker.port, client_id="ingest"),
        open_database=partial(connect, dsn),
        kinds=KINDS,
        now=now,
        owner=uuid4(),
    )

    async def alarming(_: Connection, since: Mapping[int, datetime]) -> set[int]:
        return made.harm & set(since)

    async def advancing() -> None:
        while True:
            async with pool.acquire() as own:
                await advance.advance(own, now, alarming=alarming, new_id=uuid4, base="")
            await asyncio.sleep(0.2)

    address = BrokerAddress(host=broker.host, port=broker.port)
    stop = asyncio.Event()
    async with serving(app) as url:
        fleet = Fleet(
            town,
            broker=SimulatorBroker(host=broker.host, port=broker.port),
            now=now,
            publish_log=tmp_path / "publish.jsonl",
            fault_log=tmp_path / "faults.jsonl",
            downloads=Downloads(
                platform=url,
                public_key=public_of(KEY),
                passwords={one.username: one.password for one in issued},
            ),
        )
        async with (
            tasks(follower.follow(partial(connect, dsn), address, now, 1.0), advancing()),
            ending(stop, service.run(options, stop), fleet.run(stop, drain_s=0.5)),
        ):

            async def known() -> bool:
                return (await made.firmware()).get("1.0.0") == DEVICES

            await eventually(known, within=60 + DEVICES / 2)
            yield made


async def test_bad_image_stops_at_the_first_stage_and_a_good_one_reaches_all(lamps: Lamps) -> None:
    await lamps.add("2.0.0", UNFIT + b"x" * 10_000)
    stopped = await lamps.until(await lamps.roll_out("2.0.0"), RolloutState.STOPPED)

    assert (stopped.stage, stopped.reached) == (0, FIRST)
    harmed = stopped.counts["rolled-back"]
    assert 1 <= harmed <= FIRST
    assert stopped.detail == f"{harmed} of {FIRST} devices failed, rolled back or raised an alert"
    devices = await rollouts.list_devices(lamps.connection, stopped.id, limit=1_000)
    assert {one.state for one in devices if one.stage > 0} == {"waiting"}
    parents = {device.name: device.parent for device in lamps.town.devices}
    assert len({parents[one.device] for one in devices[:FIRST]}) == FIRST, "never one circuit first"
    assert await lamps.firmware() == {"1.0.0": DEVICES}
    with pytest.raises(Exception, match=f"rollout {stopped.id} reaches some"):
        await lamps.roll_out("2.0.0")
    await steering.steer(lamps.connection, stopped.id, RolloutState.CANCELLED, now, by=PLATFORM)

    await lamps.add("2.0.1", b"y" * 10_000, signature="00" * 64)
    forged = await lamps.until(await lamps.roll_out("2.0.1"), RolloutState.STOPPED)
    failed = await rollouts.list_devices(lamps.connection, forged.id, state="failed")
    assert {one.detail for one in failed} == {"signature is not by the key that the device was built with"}
    await steering.steer(lamps.connection, forged.id, RolloutState.CANCELLED, now, by=PLATFORM)

    await lamps.add("2.1.0", secrets.token_bytes(150_000))
    done = await lamps.until(await lamps.roll_out("2.1.0"), RolloutState.DONE)
    assert (done.counts, done.alerted) == ({"updated": DEVICES}, 0)

    async def all_run_it() -> bool:
        return await lamps.firmware() == {"2.1.0": DEVICES}

    await eventually(all_run_it, within=60 + DEVICES / 2)


async def test_alerts_of_reached_devices_stop_a_rollout_and_a_pause_holds_it(lamps: Lamps) -> None:
    await lamps.add("3.0.0", b"z" * 1_000)
    number = await lamps.roll_out("3.0.0")
    rows = await lamps.connection.fetch("SELECT device_id FROM rollout_device WHERE position < 1")
    lamps.harm = {row["device_id"] for row in rows}
    stopped = await lamps.until(number, RolloutState.STOPPED)
    assert stopped.alerted == 1

    lamps.harm = set()
    await steering.steer(lamps.connection, number, RolloutState.RUNNING, now, by=PLATFORM)
    paused = await steering.steer(lamps.connection, number, RolloutState.PAUSED, now, by=PLATFORM)
    assert paused.state is RolloutState.PAUSED
    await steering.steer(lamps.connection, number, RolloutState.RUNNING, now, by=PLATFORM)
    assert (await lamps.until(number, RolloutState.DONE)).counts == {"updated": DEVICES}

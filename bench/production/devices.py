"""Simulated devices with passwords of their own: registered, let in, speaking by TLS; and who is not."""

from __future__ import annotations

import asyncio
import csv
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from bench.production.layout import TOWN, ProductionLayout
from bench.production.processes import nabd
from bench.throughput.children import ChildFailed
from devices import kinds
from firmware_sim.fleet import run
from firmware_sim.link import SimulatorBroker
from firmware_sim.station import Counts
from firmware_sim.town import Town, make_town
from nabd import clock
from nabd.demo import simulated
from nabd.embedded.broker import HOST
from store.pool import connect

TAKEN_WITHIN_S = 60.0
QUIET = logging.getLogger("nabd.production.refused")
"""Being refused is what is asked here: nobody need read of it."""
QUIET.setLevel(logging.CRITICAL)
INTERVAL_S = 15.0
"""Of each device at most; so short in a short run that each speaks more than once."""
DRAIN_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTown:
    """A town, and the password of each of its devices."""

    town: Town
    passwords: dict[str, str]


async def equipped(
    layout: ProductionLayout, dsn: str, devices: int, *, seed: int, seconds: float
) -> DeviceTown:
    """Register a town of about so many devices and give each a password, as an administrator would."""
    declared = kinds.load()
    drones, lights = devices // 20, devices * 2 // 5
    town = make_town(
        seed,
        declared,
        municipality=TOWN,
        bins=devices - lights - drones,
        lights=lights,
        drones=drones,
        gateways=0,
        others=0,
        strangers=0,
        interval_cap_s=min(INTERVAL_S, seconds / 3),
    )
    connection = await connect(dsn)
    try:
        await simulated.register(connection, declared, town, clock.wall)
    finally:
        await connection.close()
    written = layout.directory / "passwords.csv"
    written.unlink(missing_ok=True)
    await nabd(layout, "device", "rotate", "--municipality", TOWN, "--yes", "--csv", str(written))
    passwords = _read(written)
    await _until_let_in(layout, passwords)
    return DeviceTown(town=town, passwords=passwords)


def _read(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return {row["username"]: row["password"] for row in csv.DictReader(lines)}


async def _until_let_in(layout: ProductionLayout, passwords: dict[str, str]) -> None:
    """Wait until the broker has taken over the passwords, which `nabd sweep` hands to it."""
    name, password = next(reversed(passwords.items()))
    deadline = asyncio.get_running_loop().time() + TAKEN_WITHIN_S
    while not await _let_in(layout, name, password, trust(layout)):
        if asyncio.get_running_loop().time() > deadline:
            raise ChildFailed(
                f"the broker lets no device in; read broker.log and nabd-sweep.log in {layout.logs}"
            )
        await asyncio.sleep(0.5)


async def _let_in(
    layout: ProductionLayout, name: str, password: str, tls: ssl.SSLContext | None, door: str = "secure"
) -> bool:
    client = aiomqtt.Client(
        HOST,
        layout.ports[door],
        identifier=name,
        username=name,
        password=password,
        tls_context=tls,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=5,
        logger=QUIET,
    )
    try:
        async with client:
            return True
    except aiomqtt.MqttError:
        return False


def trust(layout: ProductionLayout) -> ssl.SSLContext:
    """Return what devices go by: our authority, and nobody else."""
    return ssl.create_default_context(cafile=layout.state / "tls/authority.pem")


async def is_plaintext_refused(layout: ProductionLayout, devices: DeviceTown) -> bool:
    """Tell whether no published door lets a device in without TLS, nor with another's password."""
    (name, password), (_, of_another) = list(devices.passwords.items())[:2]
    plain = [await _let_in(layout, name, password, None, door) for door in ("secure", "certified", "next")]
    wrong = await _let_in(layout, name, of_another, trust(layout))
    return not any(plain) and not wrong


async def speaking(layout: ProductionLayout, devices: DeviceTown, seconds: float) -> Counts:
    """Let every device speak for a while, each by a connection of its own; return what was said."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    return await run(
        devices.town,
        broker=SimulatorBroker(
            host=HOST, port=layout.ports["secure"], passwords=devices.passwords, tls=trust(layout)
        ),
        now=clock.wall,
        publish_log=layout.directory / "publish.jsonl",
        fault_log=layout.directory / "faults.jsonl",
        stop=stop,
        drain_s=DRAIN_S,
    )

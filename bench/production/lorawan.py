"""LoRaWAN devices of four models behind two network servers of others, as an operator connects them.

Meanwhile `nabd bridge` is killed, and the network servers' broker goes away and comes back.
"""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bench.production.layout import TOWN, ProductionLayout, Tell
from bench.production.processes import Restarting, nabd
from bench.production.results import LorawanResult, proven
from bench.throughput.children import ChildFailed
from devices import kinds
from devices.instants import to_datetime
from devices.kinds import Kinds
from devices.sources.listing import list_sources
from devices.sources.source import Source
from firmware_sim.lorawan.city import SERVERS, CityDevice, make_city
from firmware_sim.lorawan.models import MODELS
from firmware_sim.lorawan.plan import Delivery, Plan, PlannedFrame, make_plan
from firmware_sim.lorawan.publishing import publish
from firmware_sim.publish_log import PublishLine, PublishLog, digest
from nabd import clock
from nabd.demo.proof import ACCEPTED
from nabd.embedded.broker import HOST, Mosquitto, find_mosquitto
from store.pool import connect

INTERVAL_S = 15.0
AWAY_S = 10.0
"""How long the network servers' broker is away; a sixth of a short run."""
TOLD = 5
"""Of what is wrong so many are told."""
HEARD_WITHIN_S = 60.0
DELIVERED_WITHIN_S = 60.0


@dataclass(slots=True, kw_only=True)
class LorawanTown:
    """Who speaks through network servers, at their broker.

    log: where what that broker has taken is written. taken: how many messages of it are `copies`.
    broker_runs: closed while the broker is away.
    """

    layout: ProductionLayout
    dsn: str
    bridge: Restarting
    devices: Sequence[CityDevice]
    broker: Mosquitto
    broker_runs: ExitStack
    tell: Tell
    log: Path
    taken: Counter[str] = field(default_factory=Counter)
    plan: Plan | None = None


@asynccontextmanager
async def running(
    layout: ProductionLayout, dsn: str, bridge: Restarting, devices: int, tell: Tell
) -> AsyncIterator[LorawanTown]:
    """Run the network servers' broker until the context ends, with so many devices; without any, nothing.

    Raises:
        ChildFailed: there is no mosquitto, or the bridge does not hear it.
    """
    program = find_mosquitto()
    if program is None:
        raise ChildFailed("mosquitto is not here: apt-get install mosquitto")
    directory = layout.directory / "foreign"
    directory.mkdir(exist_ok=True)
    with ExitStack() as broker_runs:
        town = LorawanTown(
            layout=layout,
            dsn=dsn,
            bridge=bridge,
            devices=make_city(devices),
            broker=Mosquitto(directory, program, layout.ports["foreign"]),
            broker_runs=broker_runs,
            tell=tell,
            log=layout.directory / "lorawan.jsonl",
        )
        if town.devices:
            await asyncio.to_thread(broker_runs.enter_context, town.broker)
            await _connected(town)
            tell(f"{devices} LoRaWAN devices stand behind {len(SERVERS)} network servers, which are heard")
        yield town


async def _connected(town: LorawanTown) -> None:
    """Add sources and devices by the command, and wait until the bridge hears."""
    models = [word for model in MODELS for word in ("--model", f"{model.name}={model.profile}")]
    url = f"mqtt://{HOST}:{town.layout.ports['foreign']}"
    for server in SERVERS:
        known = ["--municipality", TOWN, "--format", server.format, "--url", url]
        await nabd(town.layout, "source", "add", server.name, *known, *models)
    written = town.layout.directory / "lorawan.csv"
    with written.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("name", "kind", "municipality", "relays", "attr.model"))
        for device in town.devices:
            lines.writerow((device.eui, device.model.kind, TOWN, device.server.name, device.model.name))
    await nabd(town.layout, "device", "import", str(written))
    await _heard(town, to_datetime(clock.wall()))


async def speaking(town: LorawanTown, *, seconds: float, seed: int) -> None:
    """Let network servers say what they hear, with troubles in the middle.

    Raises:
        ChildFailed: the bridge does not hear again, or the broker does not take what it is given.
    """
    if not town.devices:
        return
    declared = kinds.load()
    plan = town.plan = make_plan(
        town.devices, declared, seed=seed, start=clock.wall(), seconds=seconds, interval_s=INTERVAL_S
    )
    log = PublishLog(town.log)

    def taken(delivery: Delivery, at: int) -> None:
        if delivery.copy:
            town.taken["copies"] += 1
        elif delivery.frame is not None:
            log.write(_line(delivery, at, plan.frames[delivery.frame], declared))

    servers = [_speaking(town, server.name, plan, taken) for server in SERVERS]
    try:
        async with asyncio.timeout(seconds + DELIVERED_WITHIN_S):
            await asyncio.gather(*servers, _trouble(town, seconds))
    except TimeoutError:
        raise ChildFailed("the network servers' broker does not take what they say") from None
    finally:
        log.close()


async def _speaking(
    town: LorawanTown, server: str, plan: Plan, taken: Callable[[Delivery, int], None]
) -> None:
    await publish(
        [one for one in plan.deliveries if one.server == server],
        host=HOST,
        port=town.layout.ports["foreign"],
        name=server,
        now=clock.wall,
        taken=taken,
    )


def _line(delivery: Delivery, at: int, one: PlannedFrame, declared: Kinds) -> PublishLine:
    return PublishLine(
        topic=delivery.topic,
        device=one.device.eui,
        kind=one.device.model.kind,
        observed_at=one.observed_at,
        ts=one.observed_at,
        clock="right",
        boot=None,
        seq=one.frame.counter,
        hash=digest(declared[one.device.model.kind], one.values),
        values=dict(one.values),
        published_at=delivery.due,
        acked_at=at,
        puback=ACCEPTED,
        bad=None,
        repeat=False,
    )


async def _trouble(town: LorawanTown, seconds: float) -> None:
    """Kill the bridge after a third of the time, and take the broker away after two."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(seconds / 3)
    town.tell("nabd bridge is killed")
    town.bridge.kill()
    await _heard(town, to_datetime(clock.wall()))
    town.tell("nabd bridge hears again")
    await asyncio.sleep(max(0.0, seconds * 2 / 3 - (loop.time() - began)))
    town.tell("the network servers' broker goes away")
    await asyncio.to_thread(town.broker_runs.close)
    await asyncio.sleep(min(AWAY_S, seconds / 6))
    await asyncio.to_thread(town.broker_runs.enter_context, town.broker)
    town.tell("the network servers' broker is back")


async def result(town: LorawanTown) -> LorawanResult | None:
    """Compare what the network servers' broker took with what is stored; None: nobody spoke."""
    if town.plan is None:
        return None
    proof = await proven(town.dsn, town.log, [device.eui for device in town.devices])
    states = [one.state for one in await _heard(town, to_datetime(clock.wall())) if one.state is not None]
    for wrong in ("lost", "duplicated", "unexpected", "altered"):
        for what in getattr(proof, wrong)[:TOLD]:
            town.tell(f"{wrong}: {what}")
    return LorawanResult(
        devices=len(town.devices),
        models=len({device.model.name for device in town.devices}),
        sources=len(states),
        sent=proof.acknowledged,
        stored=proof.stored,
        lost=len(proof.lost),
        duplicated=len(proof.duplicated) + len(proof.unexpected),
        altered=len(proof.altered),
        rejected=sum(state.rejected for state in states),
        copies=town.taken["copies"],
        recognised=sum(state.copies for state in states),
        lost_on_air=town.plan.lost_on_air,
        faults={**town.plan.faults, "bridge_killed": town.bridge.kills, "broker_away": 1},
    )


async def _heard(town: LorawanTown, since: datetime) -> list[Source]:
    """Return the sources once the bridge has said since an instant that it hears all of them.

    Raises:
        ChildFailed: it has not said so for a long time; tells what it said.
    """
    deadline = asyncio.get_running_loop().time() + HEARD_WITHIN_S
    connection = await connect(town.dsn)
    try:
        while True:
            found = await list_sources(connection)
            states = [one.state for one in found]
            if all(state is not None and state.connected and state.alive_at > since for state in states):
                return found
            if asyncio.get_running_loop().time() > deadline:
                said = "; ".join(f"{one.name}: {one.state.reason if one.state else ''}" for one in found)
                raise ChildFailed(f"nabd bridge does not hear its sources: {said}")
            await asyncio.sleep(0.2)
    finally:
        await connection.close()

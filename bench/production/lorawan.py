"""LoRaWAN devices of four models behind two network servers of others, as an operator connects them.

Meanwhile `nabd bridge` is killed, and the network servers' broker goes away and comes back.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.production.layout import TOWN, ProductionLayout, Tell
from bench.production.processes import LastingProcess, nabd
from bench.production.results import CityResult, proven
from bench.production.together import together
from bench.throughput.children import ChildFailed
from devices import kinds
from devices.instants import to_datetime
from devices.sources.listing import list_sources
from devices.sources.source import Source
from firmware_sim.lorawan.city import SERVERS, CityDevice, make_city
from firmware_sim.lorawan.models import MODELS
from firmware_sim.lorawan.plan import Delivery, Plan, make_plan
from firmware_sim.lorawan.publishing import line_of, publish
from firmware_sim.publish_log import PublishLog
from nabd import clock
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
class City:
    """Who speaks through network servers, at their broker.

    log: where what that broker has taken is written, but for copies, which are counted.
    broker_runs: closed while the broker is away; broker_away: how often it was.
    """

    layout: ProductionLayout
    dsn: str
    bridge: LastingProcess
    devices: Sequence[CityDevice]
    broker: Mosquitto
    broker_runs: ExitStack
    tell: Tell
    log: Path
    copies: int = 0
    broker_away: int = 0
    plan: Plan | None = None


@asynccontextmanager
async def running(
    layout: ProductionLayout, dsn: str, bridge: LastingProcess, devices: int, tell: Tell
) -> AsyncIterator[City]:
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
        city = City(
            layout=layout,
            dsn=dsn,
            bridge=bridge,
            devices=make_city(devices),
            broker=Mosquitto(directory, program, layout.ports["foreign"]),
            broker_runs=broker_runs,
            tell=tell,
            log=layout.directory / "lorawan.jsonl",
        )
        if city.devices:
            await asyncio.to_thread(broker_runs.enter_context, city.broker)
            await _connected(city)
            tell(f"{devices} LoRaWAN devices stand behind {len(SERVERS)} network servers, which are heard")
        yield city


async def _connected(city: City) -> None:
    """Add sources and devices by the command, and wait until the bridge hears."""
    models = [word for model in MODELS for word in ("--model", f"{model.name}={model.profile}")]
    url = f"mqtt://{HOST}:{city.layout.ports['foreign']}"
    for server in SERVERS:
        known = ["--municipality", TOWN, "--format", server.format, "--url", url]
        await nabd(city.layout, "source", "add", server.name, *known, *models)
    written = city.layout.directory / "lorawan.csv"
    with written.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("name", "kind", "municipality", "relays", "attr.model"))
        for device in city.devices:
            lines.writerow((device.eui, device.model.kind, TOWN, device.server.name, device.model.name))
    await nabd(city.layout, "device", "import", str(written))
    await _heard(city, to_datetime(clock.wall()))


async def speaking(city: City, *, seconds: float, seed: int) -> None:
    """Let network servers say what they hear, with troubles in the middle.

    Raises:
        ChildFailed: the bridge does not hear again, or the broker does not take what it is given.
    """
    if not city.devices:
        return
    declared = kinds.load()
    plan = city.plan = make_plan(
        city.devices, declared, seed=seed, start=clock.wall(), seconds=seconds, interval_s=INTERVAL_S
    )
    log = PublishLog(city.log)

    def taken(delivery: Delivery, at: int) -> None:
        if delivery.copy:
            city.copies += 1
        elif delivery.frame is not None:
            log.write(line_of(delivery, at, plan.frames[delivery.frame], declared))

    servers = [_speaking(city, server.name, plan, taken) for server in SERVERS]
    try:
        async with asyncio.timeout(seconds + DELIVERED_WITHIN_S):
            await together(*servers, _trouble(city, seconds))
    except TimeoutError:
        raise ChildFailed("the network servers' broker does not take what they say") from None
    finally:
        log.close()


async def _speaking(city: City, server: str, plan: Plan, taken: Callable[[Delivery, int], None]) -> None:
    await publish(
        [one for one in plan.deliveries if one.server == server],
        host=HOST,
        port=city.layout.ports["foreign"],
        name=server,
        now=clock.wall,
        taken=taken,
    )


async def _trouble(city: City, seconds: float) -> None:
    """Kill the bridge after a third of the time, and take the broker away after two."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(seconds / 3)
    city.tell("nabd bridge is killed")
    city.bridge.kill()
    await _heard(city, to_datetime(clock.wall()))
    city.tell("nabd bridge hears again")
    await asyncio.sleep(max(0.0, seconds * 2 / 3 - (loop.time() - began)))
    city.tell("the network servers' broker goes away")
    await asyncio.to_thread(city.broker_runs.close)
    city.broker_away += 1
    await asyncio.sleep(min(AWAY_S, seconds / 6))
    await asyncio.to_thread(city.broker_runs.enter_context, city.broker)
    city.tell("the network servers' broker is back")


async def result(city: City) -> CityResult | None:
    """Compare what the network servers' broker took with what is stored; None: nobody spoke."""
    if city.plan is None:
        return None
    proof = await proven(city.dsn, city.log, [device.eui for device in city.devices])
    states = [one.state for one in await _heard(city, to_datetime(clock.wall())) if one.state is not None]
    for wrong in ("lost", "duplicated", "unexpected", "altered"):
        for what in getattr(proof, wrong)[:TOLD]:
            city.tell(f"{wrong}: {what}")
    return CityResult(
        devices=len(city.devices),
        models=len({device.model.name for device in city.devices}),
        sources=len(states),
        sent=proof.acknowledged,
        stored=proof.stored,
        lost=len(proof.lost),
        duplicated=len(proof.duplicated) + len(proof.unexpected),
        altered=len(proof.altered),
        rejected=sum(state.rejected for state in states),
        copies=city.copies,
        recognised=sum(state.copies for state in states),
        lost_on_air=city.plan.lost_on_air,
        faults={**city.plan.faults, "bridge_killed": city.bridge.kills, "broker_away": city.broker_away},
    )


async def _heard(city: City, since: datetime) -> list[Source]:
    """Return the sources once the bridge has said since an instant that it hears all of them.

    Raises:
        ChildFailed: it has not said so for a long time; tells what it said.
    """
    deadline = asyncio.get_running_loop().time() + HEARD_WITHIN_S
    connection = await connect(city.dsn)
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

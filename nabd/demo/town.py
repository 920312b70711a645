"""A running demo: embedded parts, the platform's processes, a simulated fleet with faults, and the proof.

What `nabd demo` does, as a list of steps; what it prints is in nabd/cli/demo.py.
"""

from __future__ import annotations

import asyncio
import os
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from devices import kinds
from devices.instants import to_microseconds
from devices.kinds import Kinds
from devices.time_zones import zone_named
from firmware_sim.fleet import Fleet
from firmware_sim.link import SimulatorBroker
from firmware_sim.town import Town, make_town
from nabd import clock
from nabd.broker import address
from nabd.clock import ScaledClock
from nabd.demo import lorawan, simulated
from nabd.demo.lorawan import TownNetwork
from nabd.demo.past.child import PastRun
from nabd.demo.people import SignInLink, add_townspeople, links_of
from nabd.demo.tiles.drawing import write_tiles
from nabd.demo.updates import roll_out
from nabd.embedded.broker import port_or_free
from nabd.embedded.parts import EmbeddedParts, migrated, parts
from nabd.first_link import base_of, link_of
from nabd.settings import Settings, environment, photo_directory
from nabd.supervisor import Child, Supervisor, last_lines
from people.roles import TokenScope
from people.tokens import NewToken, create_token
from store.audit import PLATFORM
from store.pool import connect
from work.photo_files import PhotoDirectory

if TYPE_CHECKING:
    from nabd.demo.technicians import TownCrew
    from nabd.demo.town_inbox import TownInbox

START_S = 60.0
INTERVAL_S = 5.0
"""At speed 1 devices report at least this often, so that there is something to see."""
NEWCOMERS = 1
"""Devices that are not registered: the municipality registers them with their first message."""
BEFORE_US = 60_000_000
"""How long before the demo the past ends."""
AFTERNOON = 15
"""Local hour at which a scaled demo begins: within the next hours lamps are lit and bins are emptied."""


class DemoFailed(Exception):
    """The demo could not start; the text names the part and ends with its last output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running demo. url: signs in as administrator of all. links: those of the people of the town.

    crew: those of them who work, once it runs. past: makes one, once it is started; None: the town has none.
    """

    url: str
    links: Sequence[SignInLink]
    inbox: TownInbox
    crew: TownCrew
    past: PastRun | None
    parts: EmbeddedParts
    town: Town
    fleet: Fleet
    lorawan: TownNetwork
    clock: ScaledClock
    kinds: Kinds
    publish_log: Path
    fault_log: Path
    supervisor: Supervisor


@asynccontextmanager
async def running(
    directory: Path,
    *,
    settings: Settings,
    speed: float,
    seed: int,
    past_days: float,
    tell: Callable[[str], None],
) -> AsyncIterator[Demo]:
    """Start everything in `directory`, but for fleet, crew and past; stop everything on exit.

    Raises:
        DemoFailed: a part did not start.
    """
    # Not above: every other command starts sooner without a web server and a mail server.
    from nabd.demo.technicians import TownCrew
    from nabd.demo.town_inbox import town_inbox

    declared = kinds.load(settings.kinds_dir)
    town = make_town(seed, declared, interval_cap_s=INTERVAL_S * speed, strangers=0)
    scaled = start_clock(town, speed)
    own = settings.model_copy(
        update={
            "data_dir": directory,
            "clock": str(scaled),
            "http_port": port_or_free(settings.http_port),
            "map_tiles": settings.map_tiles or str(directory / "town.pmtiles"),
        }
    )
    if not settings.map_tiles:
        await asyncio.to_thread(write_tiles, town, directory / "town.pmtiles")
    async with AsyncExitStack() as stack:
        inbox = await stack.enter_async_context(town_inbox(town, own, scaled))
        tell("starting a database and a broker")
        started = await stack.enter_async_context(
            parts(inbox.pointed_at(own), postgres={"track_commit_timestamp": "on"})
        )
        tell("making the schema")
        await migrated(started.settings)
        tokens = await _tokens(started.settings)
        supervisor = await stack.enter_async_context(Supervisor(_environment(started.settings)))
        tell("starting ingest, sweep, notify and api")
        for name in ("ingest", "sweep", "notify", "api"):
            await supervisor.start(_child(directory, name))
        past = PastRun(
            seed=seed,
            municipality=town.municipality,
            end=scaled.scaled - BEFORE_US,
            days=past_days,
            environment=supervisor.environment,
            log=directory / "logs" / "past.log",
        )
        stack.push_async_callback(past.stop)
        phone = await stack.enter_async_context(inbox.answering(tokens.sms_answers))
        await _until_ready(inbox.base, tokens.metrics, supervisor)
        tell("registering the town")
        # Not sooner: a clock that runs fast leaves devices seconds between this and their first reading.
        await _register(started.settings, declared, town, scaled, inbox.address.hook)
        broker = address.parse(started.settings.broker or "")
        at_broker = SimulatorBroker(host=broker.host, port=broker.port, speed=speed)
        fleet = Fleet(
            town,
            broker=at_broker,
            now=scaled,
            publish_log=directory / "publish.jsonl",
            fault_log=directory / "faults.jsonl",
            downloads=await roll_out(started.settings, declared, town, scaled),
        )
        database = started.settings.database
        assert database is not None
        foreign = await _lorawan(town, declared, database, at_broker, scaled, directory / "lorawan.jsonl")
        await supervisor.start(_child(directory, "bridge"))
        crew = TownCrew(
            municipality=town.municipality,
            seed=seed,
            now=scaled,
            speed=speed,
            since=scaled.scaled,
            connect=partial(connect, database),
            repair=fleet.repair,
            photos=PhotoDirectory(photo_directory(started.settings)),
            inbox=inbox.inbox,
            phone=phone,
        )
        yield Demo(
            url=await link_of(started.settings),
            links=await _links(started.settings, town.municipality),
            inbox=inbox,
            crew=crew,
            past=past if past_days else None,
            parts=started,
            town=town,
            fleet=fleet,
            lorawan=foreign,
            clock=scaled,
            kinds=declared,
            publish_log=directory / "publish.jsonl",
            fault_log=directory / "faults.jsonl",
            supervisor=supervisor,
        )


def _child(directory: Path, name: str) -> Child:
    return Child(name=name, arguments=[name], log=directory / "logs" / f"{name}.log")


async def _lorawan(
    town: Town, declared: Kinds, database: str, broker: SimulatorBroker, now: ScaledClock, log: Path
) -> TownNetwork:
    """Add the devices of other vendors: after the rollout to the town's lamps, which are not theirs."""
    devices = lorawan.devices_of(town, broker.speed)
    connection = await connect(database)
    try:
        await lorawan.register(connection, declared, town, devices, now)
    finally:
        await connection.close()
    return TownNetwork(
        town=town,
        devices=devices,
        declared=declared,
        broker=broker,
        now=now,
        connect=partial(connect, database),
        log=log,
    )


_PAST_PROXIES = "127.0.0.1,localhost"


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings as variables; what notify sends to the inbox goes past every proxy."""
    named = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), _PAST_PROXIES)))
    return {**environment(settings), "NO_PROXY": named, "no_proxy": named}


def start_clock(town: Town, speed: float) -> ScaledClock:
    """Return the clock of a demo: the wall clock at speed 1, else one that begins this afternoon there."""
    real = clock.wall()
    if speed == 1:
        return ScaledClock(real=real, scaled=real, speed=1.0)
    local = datetime.fromtimestamp(real / 1e6, tz=UTC).astimezone(zone_named(town.place.time_zone))
    begin = local.replace(hour=AFTERNOON, minute=0, second=0, microsecond=0)
    return ScaledClock(real=real, scaled=to_microseconds(begin), speed=speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tokens:
    """What the demo itself asks the API with."""

    metrics: str
    sms_answers: str


async def _register(
    settings: Settings, declared: Kinds, town: Town, now: ScaledClock, hook: Callable[[str], str]
) -> None:
    assert settings.database is not None
    connection = await connect(settings.database)
    try:
        await simulated.register(connection, declared, town, now, newcomers=NEWCOMERS)
        await add_townspeople(connection, declared, town.municipality, now, hook=hook)
    finally:
        await connection.close()


async def _tokens(settings: Settings) -> _Tokens:
    assert settings.database is not None
    connection = await connect(settings.database)
    try:
        made = {
            scope: await create_token(
                connection, NewToken(name=f"demo {scope}", scopes=[scope]), clock.wall(), by=PLATFORM
            )
            for scope in (TokenScope.METRICS, TokenScope.SMS_ANSWERS)
        }
        return _Tokens(metrics=made[TokenScope.METRICS], sms_answers=made[TokenScope.SMS_ANSWERS])
    finally:
        await connection.close()


async def _links(settings: Settings, municipality: str) -> list[SignInLink]:
    assert settings.database is not None
    connection = await connect(settings.database)
    try:
        return await links_of(connection, municipality, base_of(settings), clock.wall())
    finally:
        await connection.close()


async def _until_ready(base: str, token: str, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + START_S
    said = "nothing"
    while time.monotonic() < deadline:
        try:
            await asyncio.to_thread(_get, f"{base}/readyz", token)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
        except OSError as error:
            said = str(error) or type(error).__name__
        else:
            return
        await asyncio.sleep(0.1)
    logs = "\n".join(f"--- {c.name}\n{last_lines(c.log)}" for c in supervisor.children)
    raise DemoFailed(f"the platform was not ready within {START_S:.0f} s; /readyz said {said}\n{logs}")


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxies that the environment names."""


def _get(url: str, token: str) -> bytes:
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - ours
    with _DIRECT.open(asked, timeout=5.0) as answer:
        body: bytes = answer.read()
        return body

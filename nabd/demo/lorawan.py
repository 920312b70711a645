"""The demo's devices of other vendors: their source, and what their network server says.

They are heard as an operator's are: by `nabd bridge`, at the demo's own broker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from devices.instants import Now
from devices.kinds import Kinds
from devices.registry.registration import NewDevice, add_devices
from devices.sources.listing import get_source
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from devices.wire.topics import FOREIGN
from firmware_sim.link import SimulatorBroker
from firmware_sim.lorawan.publishing import line_of, publish
from firmware_sim.lorawan.town import SERVER, TownDelivery, TownDevice, foreign_devices, spoken
from firmware_sim.publish_log import PublishLog
from firmware_sim.town import Town
from store.audit import PLATFORM
from store.connection import Connection

EVERY_S = 10.0
LOOK_S = 0.3


@dataclass(slots=True, kw_only=True)
class TownNetwork:
    """Who speaks through the town's network server. log: where what must be stored is written.

    sent: frames of registered devices that the broker has taken; copies: those that came again; strange:
    those of a device that nobody registered.
    """

    town: Town
    devices: Sequence[TownDevice]
    declared: Kinds
    broker: SimulatorBroker
    now: Now
    connect: Callable[[], Awaitable[Connection]]
    log: Path
    sent: int = 0
    copies: int = 0
    strange: int = 0

    @property
    def registered(self) -> Sequence[TownDevice]:
        """All but the stranger."""
        return self.devices[:-1]

    @property
    def names(self) -> list[str]:
        """What the registered are called."""
        return [one.city.eui for one in self.registered]

    async def run(self, stop: asyncio.Event) -> None:
        """Let the network server say what it hears, from when the bridge hears it until told to stop."""
        log = PublishLog(self.log)

        def taken(delivery: TownDelivery, at: int) -> None:
            if delivery.planned is not None:
                self.sent += 1
                log.write(line_of(delivery, at, delivery.planned, self.declared))
            elif delivery.copy:
                self.copies += 1
            else:
                self.strange += 1

        try:
            if not await self._is_heard(stop):
                return
            prefix = prefix_of(self.town)
            said = spoken(self.devices, self.declared, seed=self.town.seed, start=self.now())
            await publish(
                (replace(one, topic=prefix + one.topic) for one in said),
                host=self.broker.host,
                port=self.broker.port,
                name=SERVER.name,
                now=self.now,
                taken=taken,
                speed=self.broker.speed,
                stop=stop,
            )
        finally:
            log.close()

    async def _is_heard(self, stop: asyncio.Event) -> bool:
        """Wait until the bridge hears the source; False: told to stop before that."""
        connection = await self.connect()
        try:
            while not stop.is_set():
                state = (await get_source(connection, SERVER.name)).state
                if state is not None and state.connected:
                    return True
                await asyncio.sleep(LOOK_S)
        finally:
            await connection.close()
        return False


def prefix_of(town: Town) -> str:
    """Return what stands before the network server's topics at the demo's broker."""
    return f"{FOREIGN}/{town.municipality}/"


def devices_of(town: Town, speed: float) -> tuple[TownDevice, ...]:
    """Return the devices of other vendors of a town, the stranger last."""
    return foreign_devices(town, EVERY_S * speed)


async def register(
    connection: Connection, kinds: Kinds, town: Town, devices: Sequence[TownDevice], now: Now
) -> None:
    """Add the network server as a source, and the devices behind it but for the stranger."""
    models = {one.city.model.name: one.city.model.profile for one in devices}
    source = NewSource(
        name=SERVER.name,
        municipality=town.municipality,
        format=SERVER.format,
        profiles=models,
        topics=[f"{prefix_of(town)}application/+/device/+/event/+"],
    )
    await add_source(connection, kinds, source, ALL, now, by=PLATFORM)
    new = [
        NewDevice(
            name=one.city.eui,
            kind=one.city.model.kind,
            municipality=town.municipality,
            relays=(SERVER.name,),
            title=one.titles["en"],
            titles=one.titles,
            lat=one.lat,
            lon=one.lon,
            attributes=one.attributes,
        )
        for one in devices[:-1]
    ]
    await add_devices(connection, kinds, new, now, by=PLATFORM)

"""Registers a simulated town."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from devices.instants import Now
from devices.kinds import Kinds
from devices.registry import municipalities, registration
from devices.registry.errors import AlreadyExists
from devices.registry.ground.feature import Layer
from devices.registry.ground.layers import import_layer, list_layers
from devices.registry.municipalities import NewMunicipality
from devices.registry.registration import NewDevice
from devices.registry.registry import list_devices
from firmware_sim.town import Town
from store.audit import PLATFORM
from store.connection import Connection


async def register(connection: Connection, kinds: Kinds, town: Town, now: Now, *, newcomers: int = 0) -> int:
    """Register a town's municipality, its layers and its devices, those that are not yet; return how many.

    The last `newcomers` devices are left out: the municipality registers them with their first message.
    """
    place = town.place
    with suppress(AlreadyExists):  # registered by an earlier run
        await municipalities.add_municipality(
            connection,
            NewMunicipality(
                name=town.municipality,
                title=place.title,
                time_zone=place.time_zone,
                locale=place.locale,
                weekend=place.weekend,
                lat=place.lat,
                lon=place.lon,
                register_unknown=newcomers > 0,
            ),
            now,
            by=PLATFORM,
        )
    await _import_layers(connection, town, now)
    known = {d.name for d in await list_devices(connection, municipality=town.municipality, limit=1_000_000)}
    new = [
        NewDevice(
            name=device.name,
            kind=device.kind,
            municipality=device.municipality,
            parent=device.parent,
            relays=() if device.relay is None else (device.relay,),
            title=device.title,
            titles=device.titles,
            lat=device.lat,
            lon=device.lon,
            attributes=device.attributes,
        )
        for device in town.devices[: len(town.devices) - newcomers]
        if device.name not in known
    ]
    await registration.add_devices(connection, kinds, new, now, by=PLATFORM)
    return len(new)


async def _import_layers(connection: Connection, town: Town, now: Now) -> None:
    """Bring in districts and streets, unless the municipality has layers of its own."""
    if await list_layers(connection, town.municipality):
        return
    for layer, collection in town.layers.items():
        content = msgspec.json.encode(collection)
        done = await import_layer(
            connection, town.municipality, Layer(layer), content, remove_missing=False, now=now, by=PLATFORM
        )
        assert not done.problems, done.problems

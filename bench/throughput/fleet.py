"""The devices of a benchmark: numbered, of the kinds in proportion, in one municipality or several."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devices.instants import Now
from devices.kinds import Kinds
from devices.registry import municipalities, registration
from devices.registry.municipalities import NewMunicipality
from devices.registry.registration import NewDevice
from devices.wire.topics import Channel, Topic
from store.audit import PLATFORM
from store.connection import Connection

MUNICIPALITY = "bench"


class Traffic(StrEnum):
    """What devices say: one kind and plain readings, or the mixture a town sends."""

    PLAIN = "plain"
    MIXED = "mixed"


_IN_TEN = {Traffic.PLAIN: {"bin": 10}, Traffic.MIXED: {"bin": 5, "light": 4, "drone": 1}}
"""Of ten devices, how many are of which kind; a town has few drones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchFleet:
    """`size` devices; those of one ten are spread over the kinds, so that any part is in proportion.

    towns: how many municipalities they stand in, a ten in each in turn.
    """

    traffic: Traffic
    size: int
    towns: int = 1

    def town(self, index: int) -> str:
        """Return the municipality of a device."""
        number = index // 10 % self.towns
        return f"{MUNICIPALITY}-{number}" if number else MUNICIPALITY

    def kind(self, index: int) -> str:
        """Return the kind of a device."""
        place = index % 10
        for kind, share in _IN_TEN[self.traffic].items():
            if place < share:
                return kind
            place -= share
        raise AssertionError("shares add up to ten")

    def name(self, index: int) -> str:
        """Return the name of a device."""
        return f"{self.kind(index).upper()}-{index:06d}"

    def topic(self, index: int) -> str:
        """Return where a device publishes readings."""
        return str(Topic(self.town(index), self.kind(index), self.name(index), Channel.TELEMETRY))


async def register(connection: Connection, kinds: Kinds, fleet: BenchFleet, now: Now) -> None:
    """Register the fleet and its municipalities in a fresh database."""
    for town in sorted({fleet.town(i) for i in range(fleet.size)}):
        await municipalities.add_municipality(connection, NewMunicipality(name=town), now, by=PLATFORM)
    new = [
        NewDevice(name=fleet.name(i), kind=fleet.kind(i), municipality=fleet.town(i))
        for i in range(fleet.size)
    ]
    await registration.add_devices(connection, kinds, new, now, by=PLATFORM)

"""The devices of a benchmark: numbered, of the kinds in proportion, in one municipality or several."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devices.instants import Now, to_datetime
from devices.registry import generation, municipalities
from devices.registry.municipalities import NewMunicipality
from devices.wire.topics import Channel, Topic
from store.audit import PLATFORM
from store.connection import Connection

MUNICIPALITY = "bench"
REGISTERED_AT_ONCE = 50_000


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


_DEVICES = """
INSERT INTO device (name, municipality_id, kind, installed_at, created_at, updated_at)
SELECT r.name, m.id, r.kind, $4, $4, $4
FROM unnest($1::text [], $2::text [], $3::text []) WITH ORDINALITY AS r (name, kind, town, position)
INNER JOIN municipality AS m ON r.town = m.name
ORDER BY r.position
"""
_HARDWARE = """
INSERT INTO hardware (device_id, wire_name, installed_at)
SELECT id, name, installed_at FROM device ORDER BY id
"""


async def register(connection: Connection, fleet: BenchFleet, now: Now) -> None:
    """Register the fleet and its municipalities in a fresh database.

    Devices are written as `registration.add_devices` would, without its checks and the audit: a million take
    half a minute.
    """
    for town in sorted({fleet.town(i) for i in range(fleet.size)}):
        await municipalities.add_municipality(connection, NewMunicipality(name=town), now, by=PLATFORM)
    async with connection.transaction():
        for start in range(0, fleet.size, REGISTERED_AT_ONCE):
            some = range(start, min(start + REGISTERED_AT_ONCE, fleet.size))
            columns = [[of(i) for i in some] for of in (fleet.name, fleet.kind, fleet.town)]
            await connection.execute(_DEVICES, *columns, to_datetime(now()))
        await connection.execute(_HARDWARE)
        await generation.advance(connection)

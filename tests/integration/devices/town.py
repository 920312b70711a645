"""A small registered town for tests of the registry."""

from __future__ import annotations

from dataclasses import replace

import asyncpg

from devices.kinds import load
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_device
from devices.registry.registry import Device
from store.audit import PLATFORM
from store.connection import Connection

KINDS = load()
START = 1_790_000_000_000_000
SECOND = 1_000_000


def now() -> int:
    """The instant at which these towns live."""
    return START


async def generation(connection: asyncpg.Connection) -> int:
    """How many changes ingest was told of."""
    count: int = await connection.fetchval("SELECT generation FROM shard WHERE name = 'main'")
    return count


async def add_town(connection: Connection, name: str = "tripoli") -> None:
    """Add a municipality that speaks Arabic."""
    town = NewMunicipality(name=name, title={"en": name.title()}, time_zone="Asia/Beirut", locale="ar-LB")
    await add_municipality(connection, town, now, by=PLATFORM)


BIN = NewDevice(name="TRP-BIN-0001", kind="bin", municipality="tripoli", title="Clock square")


async def add_bin(connection: asyncpg.Connection, name: str = "TRP-BIN-0001") -> Device:
    """Register a bin in tripoli."""
    return await add_device(connection, KINDS, replace(BIN, name=name), now, by=PLATFORM)

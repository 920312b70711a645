"""Devices whose readings are stored in batches, as ingest stores and marks them; on either edition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from devices.kinds import load
from devices.kinds.kind import Kind
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from ingest.commit.rows import copy_columns
from readings.rollups import marks
from readings.rollups.roll_up import roll_up
from readings.tables import table_name
from store.audit import PLATFORM
from tests.insert_writer import InsertWriter
from tests.unit.readings.rollups.streams import START, Said, columns_of

KINDS = load()


@dataclass(kw_only=True)
class Scene:
    """Lights l1 and l2 and bin b1 in tripoli, whose days are those of Beirut; `ids` by name."""

    connection: asyncpg.Connection
    ids: dict[str, int] = field(default_factory=dict)

    async def store(self, kind: Kind, said: Sequence[Said]) -> None:
        """Store and mark readings, in one transaction."""
        columns = columns_of(kind, said)
        async with self.connection.transaction():
            await InsertWriter().merge(
                self.connection, table_name(kind.name), copy_columns(columns), len(columns)
            )
            await marks.RollupMarks().consume(self.connection, 1, [columns], START)

    async def roll_up(self, kind: Kind) -> None:
        """Bring everything that is marked up to date."""
        while await roll_up(self.connection, kind, 2):
            pass

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a rollup, in order."""
        found = await self.connection.fetch(f"SELECT * FROM {table} ORDER BY device_id, at")
        return [dict(row) for row in found]


async def make_scene(connection: asyncpg.Connection) -> Scene:
    """Register the devices."""
    town = NewMunicipality(name="tripoli", title={"en": "Tripoli"}, time_zone="Asia/Beirut", locale="ar-LB")
    await add_municipality(connection, town, lambda: START, by=PLATFORM)
    new = [
        NewDevice(name=name, kind=kind, municipality="tripoli")
        for name, kind in (("l1", "light"), ("l2", "light"), ("b1", "bin"))
    ]
    await add_devices(connection, KINDS, new, lambda: START, by=PLATFORM)
    rows = await connection.fetch("SELECT id, name FROM device")
    return Scene(connection=connection, ids={row["name"]: row["id"] for row in rows})
